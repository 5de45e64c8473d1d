#include "daemon/jobs/outputs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama::daemon {
namespace {

class OutputsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("outputs-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    rules_.dirs = {dir_->path()};
    rules_.stems = {"a"};
    rules_.object = Path("a.o");
    rules_.depfile = Path("a.d");
    answer_.root = "/tmp/worker/root";
  }
  std::string Path(const std::string& name) const { return JoinPath(dir_->path(), name); }
  void Give(const std::string& path, const std::string& bytes, uint32_t mode = 0644) {
    answer_.outputs.push_back({path, mode, bytes});
  }

  std::optional<TempDir> dir_;
  OutputRules rules_;
  job::Answer answer_;
};

TEST_F(OutputsTest, WritesTheObjectItsCompanionsAndTheMappedDepfile) {
  Give(Path("a.o"), "object");
  Give(Path("a.gcno"), "notes");
  Give(Path("a.006t.gimple"), "dump");
  Give(Path("a.d"), "a.o: a.c \\\n /tmp/worker/root/usr/include/x.h\n");
  const auto written = WriteOutputs(rules_, answer_);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*ReadFile(Path("a.o")), "object");
  EXPECT_EQ(*ReadFile(Path("a.gcno")), "notes");
  EXPECT_EQ(*ReadFile(Path("a.006t.gimple")), "dump");
  EXPECT_EQ(*ReadFile(Path("a.d")), "a.o: a.c /usr/include/x.h\n");
}

TEST_F(OutputsTest, RefusesWhatWasNotAnnounced) {
  const std::string bad[] = {
      "/etc/passwd",         Path("b.o"),
      Path("ab.o"),          Path("../a.o"),
      Path("sub/a.x"),       dir_->path() + "/a.x/../../evil",
      Path("a.o/../a.gcno"), Path("a.c"),
      Path("a.h"),           Path("a"),
      Path("a.12t.x"),
  };
  for (const std::string& path : bad) {
    answer_.outputs.clear();
    Give(Path("a.o"), "object");
    Give(path, "evil");
    const auto written = WriteOutputs(rules_, answer_);
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.error().code, Code::kInvalid);
    EXPECT_TRUE(ListDir(dir_->path())->empty()) << path;
  }
}

TEST_F(OutputsTest, RefusesAnOutputThatNamesTheWorkersRoot) {
  Give(Path("a.o"), std::string("x\0/tmp/worker/root/src/a.c\0", 28));
  const auto written = WriteOutputs(rules_, answer_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "root-in-output:a.o");
  EXPECT_TRUE(ListDir(dir_->path())->empty());
}

TEST_F(OutputsTest, SuccessWithoutAnObjectIsAnError) {
  Give(Path("a.d"), "a.o: a.c\n");
  EXPECT_FALSE(WriteOutputs(rules_, answer_));
  answer_.status =
      1 << 8;  // exit 1: the compiler found an error, and wrote the depfile all the same
  EXPECT_TRUE(WriteOutputs(rules_, answer_));
}

TEST_F(OutputsTest, RemovesWhatTheCommandRemovedAndNothingElse) {
  ASSERT_TRUE(WriteFileAtomic(Path("a.o"), "old", 0644));
  ASSERT_TRUE(WriteFileAtomic(Path("a.c"), "source", 0644));
  answer_.status = 1 << 8;
  answer_.deleted = {Path("a.o")};
  ASSERT_TRUE(WriteOutputs(rules_, answer_));
  EXPECT_NE(access(Path("a.o").c_str(), F_OK), 0);
  answer_.deleted = {Path("a.c")};
  EXPECT_FALSE(WriteOutputs(rules_, answer_));
  EXPECT_EQ(access(Path("a.c").c_str(), F_OK), 0);
}

TEST_F(OutputsTest, ModesFollowTheUmaskAndNeverSetIds) {
  rules_.umask = 027;
  Give(Path("a.o"), "object", 06777);
  ASSERT_TRUE(WriteOutputs(rules_, answer_));
  struct stat st {};
  ASSERT_EQ(stat(Path("a.o").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0750u);
}

}  // namespace
}  // namespace llama::daemon
