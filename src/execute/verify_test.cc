#include "execute/verify.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "files/digest_cache.h"

namespace llama::execute {
namespace {

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("verify-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    auto digests = files::DigestCache::Open("", SystemClock());
    ASSERT_TRUE(digests);
    digests_ = std::move(*digests);
    walker_ = files::PathWalker::Create(*digests_);
  }
  std::string Path(const std::string& name) const { return JoinPath(dir_->path(), name); }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(Path(name)))));
    ASSERT_TRUE(WriteFileAtomic(Path(name), bytes, 0644));
  }
  Verification Check(const std::vector<std::string>& found,
                     const std::vector<std::string>& absent) {
    const auto known = [&](const std::string& path, const tree::Entry& entry) {
      const auto it = view_.find(path);
      return it == view_.end() ? entry.type == tree::EntryType::kAbsent : it->second == entry;
    };
    auto result = Verify({&found, &absent}, *walker_, known,
                         [&](const std::string& path) { return path == Path("out.o"); });
    EXPECT_TRUE(result);
    return result ? *result : Verification{};
  }

  std::optional<TempDir> dir_;
  std::unique_ptr<files::DigestCache> digests_;
  std::unique_ptr<files::PathWalker> walker_;
  tree::Manifest view_;
};

TEST_F(VerifyTest, NothingIsNewWhenEveryAnswerWasRight) {
  Write("a.h", "a");
  ASSERT_TRUE(walker_->Add(Path("a.h")));
  const auto v = Check({Path("a.h"), dir_->path()}, {Path("b.h"), Path("no/such/dir/a.h")});
  EXPECT_TRUE(v.news.empty()) << v.example;
}

TEST_F(VerifyTest, AFileThatWasMissedIsNewsOnce) {
  Write("inc/b.h", "b");
  const auto v = Check({}, {Path("inc/b.h")});
  ASSERT_TRUE(v.news.contains(Path("inc/b.h")));
  EXPECT_EQ(v.example, Path("inc/b.h"));
  // The next view holds it; were it reported absent again, there would be nothing to add.
  EXPECT_TRUE(Check({}, {Path("inc/b.h")}).news.empty());
}

TEST_F(VerifyTest, AMissedFolderIsNews) {
  ASSERT_TRUE(MakeDirs(Path("inc")));
  EXPECT_TRUE(Check({}, {Path("inc")}).news.contains(Path("inc")));
}

TEST_F(VerifyTest, AFileFoundThereAndGoneHereIsNewsAsAbsent) {
  tree::Entry stale;
  stale.digest = store::Sha256("old");
  stale.size_bytes = 3;
  view_[Path("gone.h")] = stale;
  const auto v = Check({Path("gone.h")}, {});
  ASSERT_TRUE(v.news.contains(Path("gone.h")));
  EXPECT_EQ(v.news.at(Path("gone.h")).type, tree::EntryType::kAbsent);
}

TEST_F(VerifyTest, AFileFoundThereWithOldContentIsNews) {
  Write("a.h", "new");
  tree::Entry stale;
  stale.digest = store::Sha256("old");
  stale.size_bytes = 3;
  view_[Path("a.h")] = stale;
  const auto v = Check({Path("a.h")}, {});
  ASSERT_TRUE(v.news.contains(Path("a.h")));
  EXPECT_EQ(v.news.at(Path("a.h")).digest, store::Sha256("new"));
}

TEST_F(VerifyTest, AFileOutsideTheManifestWithTheViewsContentIsFine) {
  Write("a.h", "same");
  tree::Entry entry;
  entry.digest = store::Sha256("same");
  entry.size_bytes = 4;
  view_[Path("a.h")] = entry;
  EXPECT_TRUE(Check({Path("sub/../a.h"), Path("a.h")}, {}).news.contains(Path("a.h")) == false);
}

TEST_F(VerifyTest, TheJobsOwnOutputsAreIgnored) {
  Write("out.o", "made meanwhile");
  EXPECT_TRUE(Check({}, {Path("out.o")}).news.empty());
}

TEST_F(VerifyTest, DevicesAreIgnored) { EXPECT_TRUE(Check({}, {"/dev/null"}).news.empty()); }

}  // namespace
}  // namespace llama::execute
