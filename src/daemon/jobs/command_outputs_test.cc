#include "daemon/jobs/command_outputs.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

namespace llama::daemon {
namespace {

class CommandOutputsTest : public testing::Test {
 protected:
  CommandOutputsTest() {
    request_.outputs = {{"/r/out", dir_.path() + "/out", false},
                        {"/r/tree", dir_.path() + "/deep/tree", true}};
  }

  TempDir dir_ = TempDir::Create("outputs").value();
  session::RunCommand request_;
  job::Answer answer_;
};

TEST_F(CommandOutputsTest, WritesAnnouncedFilesWhereTheUserSaid) {
  answer_.outputs = {{"/r/out", 04755, "one"}, {"/r/tree/a/b", 0644, "two"}};
  request_.umask = 027;
  const auto written = WriteCommandOutputs(request_, answer_);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->files, 2u);
  EXPECT_EQ(written->bytes, 6u);
  EXPECT_EQ(written->missing, "");
  EXPECT_EQ(*ReadFile(dir_.path() + "/out"), "one");
  EXPECT_EQ(*ReadFile(dir_.path() + "/deep/tree/a/b"), "two");
  struct stat st {};
  ASSERT_EQ(stat((dir_.path() + "/out").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0750u) << "neither set-id nor against the umask";
}

TEST_F(CommandOutputsTest, SaysWhichOutputIsMissingAndWhy) {
  auto written = WriteCommandOutputs(request_, answer_);
  ASSERT_TRUE(written);
  EXPECT_NE(written->missing.find("/r/out"), std::string::npos);
  answer_.refused = {"/r/out: a directory"};
  written = WriteCommandOutputs(request_, answer_);
  ASSERT_TRUE(written);
  EXPECT_NE(written->missing.find("'/'"), std::string::npos) << written->missing;
}

TEST_F(CommandOutputsTest, WritesNothingIfTheWorkerSentMoreThanWasAnnounced) {
  for (const char* path : {"/r/other", "/etc/cron.d/x", "/r/tree", "/r/tree/../../etc/x", "out",
                           "/r/treehouse", "/r/out/x", "/r//out"}) {
    answer_.outputs = {{"/r/out", 0644, "fine"}, {path, 0644, "evil"}};
    const auto written = WriteCommandOutputs(request_, answer_);
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.error().code, Code::kInvalid) << path;
  }
  EXPECT_TRUE(ListDir(dir_.path())->empty());
}

TEST_F(CommandOutputsTest, FollowsNoLinkOutOfAnAnnouncedFolder) {
  TempDir outside = TempDir::Create("outside").value();
  ASSERT_TRUE(MakeDirs(dir_.path() + "/deep/tree"));
  ASSERT_EQ(symlink(outside.path().c_str(), (dir_.path() + "/deep/tree/link").c_str()), 0);
  answer_.outputs = {{"/r/tree/link/x", 0644, "evil"}};
  EXPECT_FALSE(WriteCommandOutputs(request_, answer_));
  EXPECT_TRUE(ListDir(outside.path())->empty());
}

}  // namespace
}  // namespace llama::daemon
