#include "llama/run/remote_command.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "llama/run/xargs_run.h"

namespace llama::app {
namespace {

class RemoteCommandTest : public testing::Test {
 protected:
  RemoteCommandTest() {
    command_.cwd = dir_.path();
    command_.remote_cwd = "/there";
    for (const char* name : {"/in", "/a:b", "/tool"}) {
      EXPECT_TRUE(WriteFileAtomic(dir_.path() + name, "x", 0644));
    }
    chmod((dir_.path() + "/tool").c_str(), 0755);
  }

  TempDir dir_ = TempDir::Create("remote").value();
  RemoteCommand command_;
};

TEST_F(RemoteCommandTest, NormalisesPathsAsWritten) {
  EXPECT_EQ(Normalised("a/../b/./c//d/", "/x"), "/x/b/c/d");
  EXPECT_EQ(Normalised("../../../y", "/x"), "/y");
  EXPECT_EQ(Normalised("/", "/x"), "/");
}

TEST_F(RemoteCommandTest, ReadsInputs) {
  const auto same = ParseInput("in", command_);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->local, dir_.path() + "/in");
  EXPECT_EQ(same->remote, "/there/in");
  EXPECT_EQ(ParseInput("in:sub/name", command_)->remote, "/there/sub/name");
  EXPECT_EQ(ParseInput("in:/abs", command_)->remote, "/abs");
  EXPECT_EQ(ParseInput("a:b", command_)->remote, "/there/a:b") << "it is there as it is written";
  EXPECT_EQ(ParseInput("a\\:b:c", command_)->local, dir_.path() + "/a:b");
  EXPECT_EQ(ParseInput("nowhere", command_).error().code, Code::kNotFound);
  EXPECT_FALSE(ParseInput(":x", command_));
}

TEST_F(RemoteCommandTest, ReadsOutputs) {
  const auto same = ParseOutput("out", command_);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->remote, "/there/out");
  EXPECT_EQ(same->local, dir_.path() + "/out");
  EXPECT_FALSE(same->is_tree);
  EXPECT_TRUE(ParseOutput("out/", command_)->is_tree);
  const auto moved = ParseOutput("/r/out:here/o", command_);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->remote, "/r/out");
  EXPECT_EQ(moved->local, dir_.path() + "/here/o");
  EXPECT_FALSE(ParseOutput("", command_));
}

TEST_F(RemoteCommandTest, FindsProgramsAsExecvpDoes) {
  const std::string path = "/nowhere:" + dir_.path();
  EXPECT_EQ(*FindProgram("tool", "/", path), dir_.path() + "/tool");
  EXPECT_EQ(*FindProgram("./tool", dir_.path(), ""), dir_.path() + "/./tool");
  EXPECT_EQ(FindProgram("nope", "/", path).error().code, Code::kNotFound);
  EXPECT_EQ(FindProgram("in", "/", path).error().code, Code::kInvalid) << "not executable";
  EXPECT_EQ(FindProgram("./nope", dir_.path(), "").error().code, Code::kNotFound);
}

TEST_F(RemoteCommandTest, TellsTheDaemonNoMoreOfTheEnvironmentThanItNeeds) {
  const Surrounding out = SurroundingOf({"PATH=/bin", "AWS_SECRET_ACCESS_KEY=x", "LC_ALL=C",
                                         "HOME=/h", "LLAMACC_BUILD_ID=b", "TRACEPARENT=t"});
  EXPECT_EQ(out.env, (std::vector<std::string>{"PATH=/bin", "LC_ALL=C", "HOME=/h"}));
  EXPECT_EQ(SurroundingOf({"LLAMA_DIR=/s", "PATH=/s/masquerade:/bin"}).env,
            std::vector<std::string>{"PATH=/bin"});
  EXPECT_EQ(out.build_id, "b");
  EXPECT_EQ(out.traceparent, "t");
}

TEST(ExitStatusOf, IsTheCommandsOwnUnlessSomethingOfOursFailed) {
  session::CommandResult result;
  EXPECT_EQ(ExitStatusOf(result), 0);
  result.output_error = "missing";
  EXPECT_EQ(ExitStatusOf(result), 1);
  result.status = 7 << 8;
  EXPECT_EQ(ExitStatusOf(result), 7);
  result.status = 9;  // SIGKILL
  EXPECT_EQ(ExitStatusOf(result), 137);
  result.error = "lost";
  EXPECT_EQ(ExitStatusOf(result), 125);
  result.timed_out = true;
  EXPECT_EQ(ExitStatusOf(result), 124);
}

TEST(ParseSeconds, TakesPositiveNumbers) {
  EXPECT_EQ(*ParseSeconds("2"), 2000);
  EXPECT_EQ(*ParseSeconds("0.5"), 500);
  for (const char* text : {"", "0", "-1", "1s", "nan", "1e9"})
    EXPECT_FALSE(ParseSeconds(text)) << text;
}

TEST(ParseHalt, TakesWhatParallelTakesOfIt) {
  EXPECT_EQ(ParseHalt("never")->when, HaltPolicy::When::kNever);
  EXPECT_EQ(ParseHalt("soon,fail=3")->failures, 3u);
  EXPECT_EQ(ParseHalt("now,fail=1")->when, HaltPolicy::When::kNow);
  for (const char* text : {"", "soon", "now,fail=0", "later,fail=1", "now,fail=x"}) {
    EXPECT_FALSE(ParseHalt(text)) << text;
  }
}

}  // namespace
}  // namespace llama::app
