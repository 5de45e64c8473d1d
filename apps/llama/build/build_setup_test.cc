#include "llama/build/build_setup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <optional>

#include "base/file.h"

namespace llama::app {
namespace {

class BuildSetupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    state_ = dir_->path() + "/state";
    wrapper_ = dir_->path() + "/llamacc";
    ASSERT_TRUE(WriteFileAtomic(wrapper_, "#!", 0755));
    ASSERT_TRUE(MakeDirs(dir_->path() + "/bin"));
    ASSERT_TRUE(WriteFileAtomic(dir_->path() + "/bin/gcc", "#!", 0755));
    env_ = {"CC=mycc", "PATH=" + dir_->path() + "/bin", "HOME=/h"};
  }

  BuildSetup Prepare() {
    auto setup = PrepareBuild({"before", {{"k", "v"}}, {"make", "-j 2"}}, state_, env_, clock_);
    EXPECT_TRUE(setup) << (setup ? "" : setup.error().message);
    return std::move(setup).value();
  }

  std::optional<TempDir> dir_;
  std::string state_;
  std::string wrapper_;
  std::vector<std::string> env_;
  FakeClock clock_;
};

TEST_F(BuildSetupTest, FolderIsPrivateAndHasARecordFromTheStart) {
  const BuildSetup setup = Prepare();
  for (const std::string& dir : {state_, state_ + "/builds", setup.dir}) {
    struct stat st {};
    ASSERT_EQ(stat(dir.c_str(), &st), 0);
    EXPECT_EQ(st.st_mode & 0777, 0700u) << dir;
  }
  const auto record = builds::ReadBuildRecord(setup.dir);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->name, "before");
  EXPECT_EQ(record->command, (std::vector<std::string>{"make", "-j 2"}));
  EXPECT_EQ(record->start_ns, clock_.NowNs());
  EXPECT_EQ(record->status, std::nullopt);
  EXPECT_GT(record->cpus, 0);
}

TEST_F(BuildSetupTest, BuildsOfOneSecondHaveFoldersOfTheirOwn) {
  EXPECT_NE(Prepare().dir, Prepare().dir);
}

TEST_F(BuildSetupTest, RootHangsBelowTheOutside) {
  EXPECT_EQ(Prepare().root.parent_id, 0u);
  env_.push_back("TRACEPARENT=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const trace::Span root = Prepare().root;
  EXPECT_EQ(root.parent_id, 0xb7ad6b7169203331u);
  EXPECT_EQ(trace::Hex(root.trace_id), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(*root.Find("tags.k"), trace::Value("v"));
  EXPECT_EQ(*root.Find("command"), trace::Value("make '-j 2'"));
}

TEST_F(BuildSetupTest, EnvironmentChangesInSevenVariablesOnly) {
  const BuildSetup setup = Prepare();
  const auto env = BuildEnvironment(setup, wrapper_, env_);
  ASSERT_TRUE(env);
  EXPECT_EQ(GetVariable(*env, "PATH"), state_ + "/masquerade:" + dir_->path() + "/bin");
  EXPECT_EQ(GetVariable(*env, "LLAMA_DIR"), state_);
  EXPECT_EQ(GetVariable(*env, "LLAMACC_BUILD_ID"), setup.record.id);
  EXPECT_EQ(GetVariable(*env, "TRACEPARENT"), trace::FormatTraceparent(setup.root.context()));
  EXPECT_EQ(GetVariable(*env, "CC"), "mycc");
  EXPECT_EQ(GetVariable(*env, "HOME"), "/h");
  EXPECT_EQ(GetVariable(*env, "CMAKE_C_COMPILER_LAUNCHER"), wrapper_);
  EXPECT_EQ(GetVariable(*env, "CMAKE_CXX_COMPILER_LAUNCHER"), wrapper_);
  EXPECT_EQ(GetVariable(*env, "CCACHE_COMPILERCHECK"), "%compiler% -v");
  EXPECT_EQ(env->size(), 9u);
  EXPECT_EQ(ReadLink(state_ + "/masquerade/gcc").value(), wrapper_);

  // Inside that build, another one: the folder stands in PATH once.
  const auto inner = BuildEnvironment(Prepare(), wrapper_, *env);
  ASSERT_TRUE(inner);
  EXPECT_EQ(GetVariable(*inner, "PATH"), GetVariable(*env, "PATH"));
  EXPECT_NE(GetVariable(*inner, "LLAMACC_BUILD_ID"), setup.record.id);
  EXPECT_EQ(inner->size(), 9u);
}

TEST_F(BuildSetupTest, WhatTheUserHasSetStays) {
  env_.push_back("CMAKE_C_COMPILER_LAUNCHER=ccache");
  env_.push_back("CCACHE_COMPILERCHECK=string:1");
  const auto env = BuildEnvironment(Prepare(), wrapper_, env_);
  ASSERT_TRUE(env);
  EXPECT_EQ(GetVariable(*env, "CMAKE_C_COMPILER_LAUNCHER"), "ccache");
  EXPECT_EQ(GetVariable(*env, "CCACHE_COMPILERCHECK"), "string:1");
}

TEST_F(BuildSetupTest, WithoutAWrapperThereIsNoEnvironment) {
  const auto env = BuildEnvironment(Prepare(), wrapper_ + "-none", env_);
  ASSERT_FALSE(env);
  EXPECT_EQ(env.error().code, Code::kNotFound);
  EXPECT_FALSE(ListDir(state_ + "/masquerade"));
}

TEST_F(BuildSetupTest, AFolderThatCannotStandInPathIsRefused) {
  state_ = dir_->path() + "/a:b";
  EXPECT_FALSE(BuildEnvironment(Prepare(), wrapper_, env_));
}

TEST_F(BuildSetupTest, TheEndIsNoted) {
  BuildSetup setup = Prepare();
  clock_.AdvanceNs(7);
  clock_.StepWallNs(-3'600'000'000'000);  // somebody sets the time
  ASSERT_TRUE(FinishBuild(setup, 130, clock_));
  EXPECT_EQ(setup.root.duration_ns, 7);
  EXPECT_EQ(*setup.root.Find("status"), trace::Value(int64_t{130}));
  const auto record = builds::ReadBuildRecord(setup.dir);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->status, 130);
  EXPECT_EQ(record->end_ns, setup.record.start_ns + 7);
}

}  // namespace
}  // namespace llama::app
