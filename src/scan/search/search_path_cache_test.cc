// What SearchPaths remembers, with a compiler that is only said to have been run.

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "base/file.h"
#include "scan/search/search_path.h"

namespace llama::scan {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

class SearchPathCacheTest : public testing::Test {
 protected:
  SearchPathCacheTest() : dir_(*TempDir::Create("search")) {
    for (const char* name : {"system", "tools", "a", "b"}) fs::create_directory(At(name));
    toolchain_.driver = At("gcc");
    toolchain_.version = "gcc 1";
    Write("gcc", "");
    built_in_ = " " + At("system") + "\n";
  }

  std::string At(const std::string& name) const { return dir_.path() + "/" + name; }
  void Write(const std::string& name, std::string_view text) { std::ofstream(At(name)) << text; }

  Result<ProcessResult> Run(const ProcessOptions& options) {
    ++runs_;
    last_ = options;
    if (error_) return *error_;
    ProcessResult result;
    result.status = status_ << 8;
    result.err = notes_ + "#include \"...\" search starts here:\n" +
                 "#include <...> search starts here:\n" + built_in_ + "End of search list.\n";
    return result;
  }

  Result<Preprocessing> Get(Strings args, const Strings& env = {}, const std::string& cwd = {},
                            const std::string& source = "a.c") {
    args.insert(args.begin(), "-c");
    args.push_back(source);
    ScanRequest request;
    const std::string folder = cwd.empty() ? dir_.path() : cwd;
    const compiler::Command command = compiler::Parse(
        args, {.cwd = folder, .is_clang = toolchain_.family == compiler::Family::kClang});
    request.command = &command;
    request.toolchain = &toolchain_;
    request.env = env;
    request.cwd = folder;
    return paths_.Get(request);
  }

  const TempDir dir_;
  compiler::Toolchain toolchain_;
  std::string notes_, built_in_;
  int status_ = 0;
  std::optional<Error> error_;
  std::atomic<int> runs_ = 0;
  ProcessOptions last_;
  FakeClock clock_;
  SearchPaths paths_{LocalFileSystem(), clock_,
                     [this](const ProcessOptions& options) { return Run(options); }};
};

TEST_F(SearchPathCacheTest, AnotherFolderCostsNoRun) {
  std::set<std::shared_ptr<const SearchPath>> seen;
  for (int i = 0; i < 100; ++i) {
    const auto found = Get({"-Ia" + std::to_string(i), "-iquote", "q", "-isystem", "s"});
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->path->angle, (Strings{At("a" + std::to_string(i)), At("s"), At("system")}));
    seen.insert(found->path);
  }
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(runs_, 1);
}

TEST_F(SearchPathCacheTest, TheSameFoldersAreTheSameObject) {
  const auto first = Get({"-Ia", "-DX=1"});
  for (const Strings& args : std::vector<Strings>{
           {"-I", "a", "-DX=2"}, {"-I" + At("a"), "-include", "x.h"}, {"-O2", "-Ia", "-Ia"}}) {
    EXPECT_EQ(Get(args)->path, first->path);
  }
  EXPECT_EQ(Get({"-I../a"}, {}, At("b"))->path->angle[0], At("b/../a"));
  EXPECT_NE(Get({"-I../a"}, {}, At("b"))->path, first->path);
  EXPECT_NE(Get({"-iquote", "a"})->path, first->path);
  EXPECT_NE(Get({"-Ia", "-I-"})->path->id, Get({"-iquote", "a"})->path->id);
  EXPECT_EQ(Get({"-Ia"})->path->id, first->path->id);
}

TEST_F(SearchPathCacheTest, WhatDecidesAboutBuiltInFoldersIsAskedOnceEach) {
  const std::string work = At("b");
  const auto ask_all = [&] {
    std::vector<int> runs;
    for (const Strings& args : std::vector<Strings>{
             {}, {"-m32"}, {"-x", "c++"}, {"-nostdinc"}, {"--sysroot=/s"}, {"--sysroot=s"}}) {
      EXPECT_TRUE(Get(args));
      runs.push_back(runs_);
    }
    EXPECT_TRUE(Get({"--sysroot=s"}, {}, work));
    runs.push_back(runs_);
    EXPECT_TRUE(Get({}, {"GCC_EXEC_PREFIX=/x/"}));
    runs.push_back(runs_);
    EXPECT_TRUE(Get({"--sysroot=/s"}, {}, work));
    EXPECT_TRUE(Get({}, {"CPATH=x", "LC_ALL=de_DE", "HOME=/x"}));
    EXPECT_TRUE(Get({"-ffreestanding", "-O3", "-DX", "-std=c99"}));
    runs.push_back(runs_);
    return runs;
  };
  EXPECT_EQ(ask_all(), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 8}));
  EXPECT_EQ(ask_all(), std::vector<int>(9, 8));
}

TEST_F(SearchPathCacheTest, AsksInTheCLocaleWithoutTheUsersFolders) {
  ASSERT_TRUE(Get({"-m32", "-Ia", "-include", "x.h"},
                  {"LANG=de_DE", "LC_ALL=de_DE", "CPATH=/x", "C_INCLUDE_PATH=/y", "HOME=/h",
                   "DEPENDENCIES_OUTPUT=/etc/x"}));
  EXPECT_EQ(last_.env, (Strings{"HOME=/h", "LC_ALL=C"}));
  EXPECT_EQ(last_.argv, (Strings{At("gcc"), "-m32", "-x", "c", "-E", "-v", "/dev/null"}));
}

TEST_F(SearchPathCacheTest, LanguagesWithoutIncludesHaveNoFoldersAndNoRun) {
  for (const char* source : {"a.i", "a.ii", "a.s"}) {
    const auto found = Get({"-Ia", "-include", "x.h"}, {}, {}, source);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->path->angle.empty() && found->forced.empty());
  }
  EXPECT_FALSE(Get({}, {}, {}, "a.f90"));
  Write("args", "@" + At("args"));
  EXPECT_FALSE(Get({"@" + At("args")}));
  EXPECT_EQ(runs_, 0);
}

TEST_F(SearchPathCacheTest, AMissingFolderKeepsItsPlaceUntilItIsAnotherOne) {
  const auto missing = Get({"-Inew", "-Ia"});
  EXPECT_EQ(missing->path->angle, (Strings{At("new"), At("a"), At("system")}));
  fs::create_directory(At("new"));
  EXPECT_EQ(Get({"-Inew", "-Ia"})->path, missing->path);
  fs::remove(At("new"));
  fs::create_directory_symlink("system", At("new"));
  EXPECT_EQ(Get({"-Inew", "-Ia"})->path->angle, (Strings{At("a"), At("system")}));
  EXPECT_EQ(runs_, 1);
}

TEST_F(SearchPathCacheTest, AFileIsNoFolderAndPerhapsAHeaderMap) {
  Write("map.hmap", "");
  EXPECT_EQ(Get({"-Imap.hmap"})->path->angle, (Strings{At("map.hmap"), At("system")}));
  toolchain_.family = compiler::Family::kClang;
  const auto refused = Get({"-Imap.hmap"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
}

TEST_F(SearchPathCacheTest, AsksAgainWhenTheCompilerOrWhatItLeftOutHasChanged) {
  notes_ = "ignoring nonexistent directory \"" + At("local") + "\"\n" +
           "Found candidate GCC installation: " + At("tools") + "/12\n";
  ASSERT_TRUE(Get({}));
  ASSERT_TRUE(Get({}));
  EXPECT_EQ(runs_, 1);
  fs::create_directory(At("local"));
  built_in_ += " " + At("local") + "\n";
  EXPECT_EQ(Get({})->path->angle, (Strings{At("system"), At("local")}));
  EXPECT_EQ(runs_, 2);
  fs::create_directory(At("tools/13"));
  ASSERT_TRUE(Get({}));
  EXPECT_EQ(runs_, 3);
  Write("gcc", "newer");
  ASSERT_TRUE(Get({}));
  EXPECT_EQ(runs_, 4);
  ASSERT_TRUE(Get({}));
  EXPECT_EQ(runs_, 4);
}

TEST_F(SearchPathCacheTest, ConfigurationThatAddsFoldersIsNotUnderstood) {
  Write("x.cfg", "--gcc-triple=x\n");
  notes_ = "Configuration file: " + At("x.cfg") + "\n";
  ASSERT_TRUE(Get({}));
  Write("x.cfg", "-isystem /opt/include\n");
  const auto refused = Get({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
}

TEST_F(SearchPathCacheTest, TheCompilersErrorsAreRememberedForAWhile) {
  status_ = 1;
  for (int i = 0; i < 3; ++i) {
    const auto refused = Get({"-mwrong"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kInvalid);
  }
  EXPECT_EQ(runs_, 1);
  status_ = 0;
  clock_.AdvanceNs((SearchPaths::kErrorHoldMs + 1) * 1'000'000);
  EXPECT_TRUE(Get({"-mwrong"}));
  EXPECT_EQ(runs_, 2);
}

TEST_F(SearchPathCacheTest, AFailureToAskIsNot) {
  error_ = Error{Code::kCancelled, "gone"};
  const auto cancelled = Get({});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  error_.reset();
  EXPECT_TRUE(Get({}));
}

TEST_F(SearchPathCacheTest, HoldsTheOnesUsedLast) {
  const auto first = Get({"-Ia"});
  const auto kept = Get({"-Ib"});
  for (size_t i = 0; i < SearchPaths::kMostPaths - 1; ++i) {
    ASSERT_TRUE(Get({"-Ix" + std::to_string(i)}));
    ASSERT_EQ(Get({"-Ib"})->path, kept->path);
  }
  EXPECT_EQ(Get({"-Ib"})->path, kept->path);
  const auto again = Get({"-Ia"});
  EXPECT_NE(again->path->id, first->path->id);
  EXPECT_EQ(again->path->angle, first->path->angle);
}

TEST_F(SearchPathCacheTest, ManyThreadsGetOneAnswer) {
  constexpr int kThreads = 8;
  std::vector<std::shared_ptr<const SearchPath>> found(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 100; ++n) {
        found[static_cast<size_t>(i)] = Get({"-Ia", "-I" + std::to_string(n % 10)})->path;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& path : found) EXPECT_EQ(path, found[0]);
  EXPECT_EQ(runs_, 1);
}

}  // namespace
}  // namespace llama::scan
