#include "daemon/jobs/program_tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <thread>

#include "base/file.h"

namespace llama::daemon {
namespace {

bool Has(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

class ProgramTreeTest : public testing::Test {
 protected:
  std::string Script(const std::string& name, const std::string& text) {
    const std::string path = dir_.path() + "/" + name;
    EXPECT_TRUE(WriteFileAtomic(path, text, 0755));
    return path;
  }
  ProgramQuery Query(const std::string& program) const {
    return {program, {"PATH=/usr/bin:/bin", "HOME=/nowhere"}};
  }
  bool Learn(const ProgramQuery& query, std::vector<std::string> absent,
             std::vector<std::string> found = {}, std::vector<std::string> listed = {}) {
    const auto tree = trees_.Get(query);
    EXPECT_TRUE(tree);
    return trees_.Learn(query, **tree, {std::move(absent), &found, &listed}, refused_);
  }

  TempDir dir_ = TempDir::Create("programs").value();
  std::unique_ptr<files::DigestCache> digests_ =
      files::DigestCache::Open("", SystemClock()).value();
  ProgramTrees trees_{*digests_, SystemClock()};
  std::vector<std::string> refused_;
};

TEST_F(ProgramTreeTest, BringsAProgramWithLoaderAndLibraries) {
  const auto tree = trees_.Get(Query("/bin/sh"));
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ((*tree)->program, *RealPath("/bin/sh"));
  EXPECT_TRUE((*tree)->interpreter.empty());
  EXPECT_FALSE((*tree)->library_dirs.empty());
  EXPECT_TRUE((*tree)->system->contains(*RealPath("/bin/sh")));
  EXPECT_TRUE((*tree)->system->contains(*RealPath("/lib64/ld-linux-x86-64.so.2")));
}

TEST_F(ProgramTreeTest, RunsAScriptByItsInterpreter) {
  const std::string script = Script("run", "#!/usr/bin/env sh\n");
  const auto tree = trees_.Get(Query(script));
  ASSERT_TRUE(tree) << tree.error().message;
  EXPECT_EQ((*tree)->interpreter, (std::vector<std::string>{"/usr/bin/env", "sh"}));
  EXPECT_EQ((*tree)->program, *RealPath("/usr/bin/env"));
  EXPECT_TRUE((*tree)->system->contains(*RealPath("/bin/sh"))) << "what env(1) will look for";
  EXPECT_TRUE(Has((*tree)->others, script));
}

TEST_F(ProgramTreeTest, SaysWhatAScriptLacks) {
  const auto tree = trees_.Get(Query(Script("run", "#!/no/such/interpreter\n")));
  ASSERT_FALSE(tree);
  EXPECT_NE(tree.error().message.find("/no/such/interpreter"), std::string::npos);
}

TEST_F(ProgramTreeTest, LearnsOnceWhatIsHereAndMayBeSent) {
  const ProgramQuery query = Query("/bin/sh");
  EXPECT_FALSE(Learn(query, {"/usr/bin/no-such-program", "/no/such/file"}));
  EXPECT_TRUE(Learn(query, {"/usr/bin/env"}));
  const auto tree = trees_.Get(query);
  ASSERT_TRUE(tree);
  EXPECT_TRUE((*tree)->system->contains(*RealPath("/usr/bin/env")));
  EXPECT_FALSE(Learn(query, {"/usr/bin/env"})) << "a second time it can't help";
  EXPECT_TRUE(refused_.empty());
}

TEST_F(ProgramTreeTest, TellsWhatItDoesNotSend) {
  const std::string secret = Script("secret", "");
  EXPECT_FALSE(Learn(Query("/bin/sh"), {secret}));
  EXPECT_EQ(refused_, std::vector<std::string>{secret});
}

TEST_F(ProgramTreeTest, RunsAJobAgainThatAnotherOneHasOvertaken) {
  const ProgramQuery query = Query("/bin/sh");
  const auto old = trees_.Get(query);
  ASSERT_TRUE(old);
  EXPECT_TRUE(Learn(query, {"/usr/bin/env"}));
  const std::vector<std::string> none;
  EXPECT_TRUE(trees_.Learn(query, **old, {{"/usr/bin/env"}, &none, &none}, refused_));
  EXPECT_FALSE(trees_.Learn(query, **old, {{"/usr/bin/no-such"}, &none, &none}, refused_));
}

TEST_F(ProgramTreeTest, BringsAListedFolderButWhatItsFilesNeedOnlyWhenTheyAreLookedUp) {
  const std::string program = Script("run", "#!/bin/sh\n");
  std::string copy = dir_.path() + "/tool";
  ASSERT_TRUE(WriteFileAtomic(copy, *ReadFile("/usr/bin/env"), 0755));
  ASSERT_TRUE(WriteFileAtomic(dir_.path() + "/.hidden", "", 0644));
  const ProgramQuery query = Query(program);
  EXPECT_TRUE(Learn(query, {}, {}, {dir_.path()}));
  auto tree = trees_.Get(query);
  ASSERT_TRUE(tree);
  EXPECT_TRUE(Has((*tree)->others, copy));
  EXPECT_TRUE((*tree)->bare.contains(copy));
  EXPECT_FALSE(Has((*tree)->others, dir_.path() + "/.hidden"));
  EXPECT_FALSE(Learn(query, {}, {}, {dir_.path()})) << "listed again";
  EXPECT_TRUE(Learn(query, {}, {copy}));
  tree = trees_.Get(query);
  ASSERT_TRUE(tree);
  EXPECT_FALSE((*tree)->bare.contains(copy));
}

TEST_F(ProgramTreeTest, HoldsBackOtherJobsUntilTheFirstHasLearned) {
  const ProgramQuery query = Query("/bin/sh");
  auto first = std::make_unique<ProgramTrees::FirstRun>(trees_, query, nullptr);
  std::atomic<bool> through{false};
  std::thread other([&] {
    const ProgramTrees::FirstRun turn(trees_, query, nullptr);
    through = true;
  });
  EXPECT_FALSE(through);
  first->Proven();
  first.reset();
  other.join();
  EXPECT_TRUE(through);
  // Nobody waits for a program that is known.
  const ProgramTrees::FirstRun a(trees_, query, nullptr);
  const ProgramTrees::FirstRun b(trees_, query, nullptr);
}

}  // namespace
}  // namespace llama::daemon
