// A mirror on a disk that is too small: a tmpfs in a mount namespace of the test's own, for which
// it needs to be root.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <memory>
#include <string>

#include "base/file.h"
#include "mirror/mirror.h"
#include "tree/tree_testing.h"

namespace llama::mirror {
namespace {

constexpr size_t kMegabyte = 1 << 20;

class MirrorDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", temp_.path().c_str(), "tmpfs", 0, "size=10m") != 0) {
      GTEST_SKIP() << "needs to mount a small file system";
    }
    mounted_ = true;
    mirror_ = *Mirror::Open({.dir = temp_.path() + "/m"}, *store_);
  }
  void TearDown() override {
    mirror_.reset();
    if (!mounted_) return;
    EXPECT_EQ(umount2(temp_.path().c_str(), MNT_DETACH), 0);
  }
  tree::LayerRef Layer(const std::string& path, size_t megabytes, char fill) {
    return tree::PutLayer(*store_, {tree::F(path, std::string(megabytes * kMegabyte, fill))});
  }
  bool Shows(const std::string& path, size_t megabytes, char fill) const {
    const Result<std::string> bytes = ReadFile(mirror_->root() + path);
    return bytes && *bytes == std::string(megabytes * kMegabyte, fill);
  }

  TempDir temp_ = *TempDir::Create();
  bool mounted_ = false;
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  std::unique_ptr<Mirror> mirror_;
};

TEST_F(MirrorDiskTest, MakesRoomByEvictingWhatIsNotUsed) {
  const tree::LayerRef a = Layer("/a", 6, 'a');
  const tree::LayerRef b = Layer("/b", 6, 'b');
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(mirror_->Prepare({{a}, {}, {}}));
    EXPECT_TRUE(Shows("/a", 6, 'a'));
    const Result<PrepareStats> stats = mirror_->Prepare({{b}, {}, {}});
    ASSERT_TRUE(stats) << stats.error().message;
    EXPECT_GT(stats->evicted_bytes, 0u);
    EXPECT_TRUE(Shows("/b", 6, 'b'));
    EXPECT_FALSE(Shows("/a", 6, 'a'));
  }
}

TEST_F(MirrorDiskTest, SaysSoWhenTheViewItselfDoesNotFitAndRecovers) {
  const tree::LayerRef a = Layer("/a", 6, 'a');
  const tree::LayerRef b = Layer("/b", 6, 'b');
  for (int round = 0; round < 2; ++round) {
    const Result<PrepareStats> stats = mirror_->Prepare({{a, b}, {}, {}});
    ASSERT_FALSE(stats);
    EXPECT_EQ(stats.error().code, Code::kUnavailable) << stats.error().message;
    EXPECT_TRUE(mirror_->missing().empty());
    ASSERT_TRUE(mirror_->Prepare({{b}, {}, {}}));
    EXPECT_TRUE(Shows("/b", 6, 'b'));
  }
}

TEST_F(MirrorDiskTest, AJobsOwnFilesFillTheDiskToo) {
  const tree::LayerRef a = Layer("/a", 6, 'a');
  const tree::LayerRef b = Layer("/b", 2, 'b');
  ASSERT_TRUE(mirror_->Prepare({{a}, {}, {}}));
  const tree::View view{{b}, {{"/own", false, std::string(4 * kMegabyte, 'o')}}, {}};
  ASSERT_TRUE(mirror_->Prepare(view));
  EXPECT_TRUE(Shows("/own", 4, 'o'));
  EXPECT_TRUE(Shows("/b", 2, 'b'));
}

}  // namespace
}  // namespace llama::mirror
