// The truth is the local compiler: each option whose effect it can tell (search_project_testing.h).

#include "scan/search/search_path.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "base/environment.h"
#include "base/file.h"
#include "compiler/discovery.h"
#include "compiler/plan.h"
#include "scan/search/search_project_testing.h"

namespace llama::scan {
namespace {

class SearchPathTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (access(GetParam(), X_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  }

  // Most of the time is the compiler's.
  static void CompareAll(const std::vector<Case>& cases) {
    Comparison comparison(GetParam());
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i = next++; i < cases.size(); i = next++) {
        if (!comparison.Takes(cases[i])) continue;
        const std::string difference = comparison.Compare(cases[i]);
        EXPECT_TRUE(difference.empty()) << difference;
      }
    };
    std::thread other(work);
    work();
    other.join();
  }
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {""},
      // One kind of folder.
      {"-I../a"},
      {"-I ../a -I ../b"},
      {"-I../b -I../a -I../b"},
      {"-I@/a -I@/c -I../a"},
      {"-I. -I../d"},
      {"-Iinner -I./inner -I../cwd/inner"},
      {"-Imissing -I../c -Imissing/too"},
      {"-iquote ../a"},
      {"-iquote../b -iquote ../a"},
      {"-isystem ../c -isystem../d"},
      {"-idirafter ../c -idirafter../d"},
      {"--include-directory=../a --include-directory-after=../b"},
      {"-I../link_a -I../a"},
      {"-I../a -I../link_a"},
      {"-Ilink_b -I../b/../c"},
      {"-I../a/ -I../a//"},
      {"-Ifile -I../a", "", "g"},
      // One against the other.
      {"-I../a -iquote ../b -isystem ../c -idirafter ../d"},
      {"-idirafter ../d -isystem ../c -iquote ../b -I../a"},
      {"-I../a -isystem ../a"},
      {"-isystem ../a -I../a -I../b"},
      {"-I../a -I../b -isystem ../c -isystem ../link_a"},
      {"-I../a -I../b -idirafter ../a"},
      {"-isystem ../a -idirafter ../a -idirafter ../b"},
      {"-iquote ../a -I../a"},
      {"-iquote ../a -I../b -I../a"},
      {"-iquote ../b -iquote ../a -I../a -I../c"},
      {"-iquote ../a -iquote ../b -iquote ../a -I../a"},
      {"-iquote ../a -iquote missing -I../a"},
      {"-iquote ../a -isystem ../a -I../b"},
      {"-iquote ../a -iquote ../b -idirafter ../b"},
      {"-iquote . -I. -I../c"},
      // Built-in folders named by the user.
      {"-I/usr/include -I../c"},
      {"-I../link_usr -I../c"},
      {"-isystem /usr/include -I../c"},
      {"-isystem ../link_usr -isystem ../d"},
      {"-idirafter /usr/include -idirafter ../c"},
      {"-iquote /usr/include -iquote ../a"},
      {"-I/usr/local/include -I../b -isystem ../a"},
      // The set of built-in folders.
      {"-nostdinc -I../a -isystem ../b"},
      {"-nostdinc"},
      {"-nostdinc++ -isystem ../b"},
      {"-ffreestanding -I../a"},
      {"-ffreestanding -fhosted -x c"},
      {"-nostdlibinc -I../d", "", "c"},
      {"-nobuiltininc -I../d", "", "c"},
      {"-stdlib=libc++", "", "c"},
      {"-stdlib++-isystem ../a -I../b", "", "c+"},
      {"-m32 -I../a"},
      {"-march=x86-64 -mtune=generic -msse4.2 -I../a"},
      // A compiler that makes PIE by default takes the one only with the other.
      {"-mcmodel=kernel -fno-PIE -I../a"},
      {"--target=i386-linux-gnu -I../a", "", "c"},
      {"-target aarch64-linux-gnu -I../a", "", "c"},
      {"--gcc-toolchain=/nowhere -I../a", "", "c"},
      {"-no-canonical-prefixes -I../a"},
      {"-B ../sys -I../a"},
      {"-B/usr/bin -I../a"},
      // Sysroots.
      {"--sysroot=@/sys -I../a"},
      {"--sysroot=../sys -I../b"},
      {"--sysroot ../sys -I=/usr/include -I../b"},
      {"-isysroot @/sys -isystem =/usr/include -I../b", "", "g"},
      {"--sysroot=@/sys -I=usr/include"},
      {"--sysroot=@ -iquote =/a -idirafter =/b -I=/c", "", "g"},
      {"--sysroot=@ -I$SYSROOT/a -I../b"},
      {"-I=/usr/include -I../b"},
      {"-isystem ../c -I$SYSROOT/a"},
      // Languages of folders.
      {"-cxx-isystem ../a -isystem ../b", "", "c"},
      {"-x c++ -I../a"},
      {"-x c -isystem ../b"},
      {"-I../a -isystem ../b", "C_INCLUDE_PATH=@/c CPLUS_INCLUDE_PATH=@/d", "", "src/m.S"},
      // Variables.
      {"-I../a", "CPATH=@/b:@/c"},
      {"-I../a -isystem ../d", "CPATH=../b::inner"},
      {"", "CPATH=:../b:"},
      {"-I../a", "CPATH="},
      {"-I../a -isystem ../b", "C_INCLUDE_PATH=@/c:../d"},
      {"-I../a -isystem ../b", "CPLUS_INCLUDE_PATH=../d:@/c"},
      {"-I../a", "C_INCLUDE_PATH=../a:../b CPLUS_INCLUDE_PATH=../a:../c"},
      {"-isystem ../a -idirafter ../c", "CPATH=../c C_INCLUDE_PATH=../d:"},
      {"-nostdinc", "CPATH=../c C_INCLUDE_PATH=../d CPLUS_INCLUDE_PATH=../b"},
      {"-isystem ../c -cxx-isystem ../a", "CPLUS_INCLUDE_PATH=../d", "c"},
      // Files that come first.
      {"-include forced.h -I../b"},
      {"-include here.h -I../b"},
      {"-include forced.h -iquote ../c -I../b"},
      {"-imacros here.h -include forced.h -I../d"},
      {"-include forced.h -imacros here.h -I../d -include one.h"},
      {"-include @/c/one.h -I../a"},
      {"--include=forced.h --imacros=here.h -I../d"},
      {"-include near.h -I../a"},
      {"-include cet.h -I../c"},
      // -I-.
      {"-I../a -I- -I../b", "", "g"},
      {"-I../a -I- -I../b -iquote ../c", "", "g"},
      {"-iquote ../c -I../a -I- -I../b", "CPATH=../d", "g"},
      {"-I- -I../b -include near.h", "", "g"},
      // Through the preprocessor's own option.
      {"-Wp,-I../b -I../a"},
      {"-Wp,-I../b,-DX=1 -I../a", "CPATH=../c"},
      {"-Wp,-DX,-UX -I../a"},
  };
  return cases;
}

TEST_P(SearchPathTest, IsTheCompilersOwn) { CompareAll(Cases()); }

Case RandomCase(std::mt19937& random, bool is_gcc) {
  const auto pick = [&](const auto& list) -> std::string { return list[random() % list.size()]; };
  const auto folders = std::to_array<const char*>(
      {"../a", "../b", "../c", "../d", "@/a", "@/d", "../link_a", "link_b", "inner", ".", "missing",
       "../cwd/inner", "/usr/include", "../link_usr", "/usr/local/include", "../a/../c"});
  const auto kinds = std::to_array<const char*>(
      {"-I", "-I", "-I ", "-iquote ", "-isystem ", "-isystem", "-idirafter ", "-iquote"});
  const auto files =
      std::to_array<const char*>({"here.h", "near.h", "one.h", "../b/two.h", "cet.h"});
  Case out;
  for (size_t n = random() % 9; n > 0; --n) out.options += pick(kinds) + pick(folders) + " ";
  if (is_gcc && random() % 8 == 0) {
    out.options += "-I- ";
    for (size_t n = random() % 4; n > 0; --n) out.options += pick(kinds) + pick(folders) + " ";
  }
  if (random() % 16 == 0) out.options += "-nostdinc ";
  if (random() % 16 == 0) out.options += "-ffreestanding ";
  for (const char* option : {"-include ", "-imacros "}) {
    if (random() % 6 == 0) {
      // Everywhere, so that it is found.
      out.options += option + pick(files) + " -I../a -I../c -I../b ";
    }
  }
  for (const char* name : {"CPATH=", "C_INCLUDE_PATH=", "CPLUS_INCLUDE_PATH="}) {
    if (random() % 5 != 0) continue;
    out.env += name + pick(folders);
    for (size_t n = random() % 3; n > 0; --n) {
      out.env += ":" + (random() % 6 == 0 ? std::string() : pick(folders));
    }
    out.env += " ";
  }
  return out;
}

TEST_P(SearchPathTest, IsTheCompilersOwnForAnyOrder) {
  const bool is_gcc = BaseName(GetParam()).starts_with("g");
  std::mt19937 random(12);
  std::vector<Case> cases;
  // clang takes three times as long to start.
  for (int i = is_gcc ? 150 : 40; i > 0; --i) cases.push_back(RandomCase(random, is_gcc));
  CompareAll(cases);
}

TEST_P(SearchPathTest, TellsWhatItLeftOut) {
  const Project project;
  const std::string base = project.base();
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> args =
      Words("-nostdinc -I@/a -I@/missing -I@/link_a src/angled.c", base);
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin",
                                        "CPATH=" + base + "/b:" + base + "/cwd/link_b"};
  const compiler::Command command = CommandOf(args, toolchain, project.cwd());
  SearchPaths paths;
  const auto found = paths.Get({.command = &command,
                                .toolchain = &toolchain,
                                .argv0 = {},
                                .env = env,
                                .cwd = project.cwd(),
                                .cancelled = {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path->left_out,
            (std::vector<std::string>{base + "/link_a", base + "/cwd/link_b"}));
}

// To gcc it is an error, which a compile without that file or link would not have.
TEST_P(SearchPathTest, RefusesWhatIsNeitherAFolderNorMissingToGcc) {
  const Project project;
  fs::create_directory_symlink("loop", project.base() + "/loop");
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  for (const std::string folder : {"file/.", "../loop", "missing/."}) {
    const std::vector<std::string> args = {"-I" + folder, "src/angled.c"};
    const compiler::Command command = CommandOf(args, toolchain, project.cwd());
    SearchPaths paths;
    const auto found = paths.Get({.command = &command,
                                  .toolchain = &toolchain,
                                  .argv0 = {},
                                  .env = env,
                                  .cwd = project.cwd(),
                                  .cancelled = {}});
    const auto asked = Ask(toolchain.driver, args, env, project.cwd());
    EXPECT_EQ(found.has_value(), asked.has_value()) << folder;
  }
}

// gcc then has no chain for <x> of its own; clang finds nothing.
TEST_P(SearchPathTest, SaysWhetherAngledNamesAreSoughtAmongQuotedOnes) {
  const Project project;
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  for (const std::string options : {"-iquote ../b -Imissing", "-iquote ../b -I../c"}) {
    std::vector<std::string> args = Words("-nostdinc " + options, project.base());
    args.emplace_back("src/angled.c");
    const compiler::Command command = CommandOf(args, toolchain, project.cwd());
    SearchPaths paths;
    const auto found = paths.Get({.command = &command,
                                  .toolchain = &toolchain,
                                  .argv0 = {},
                                  .env = env,
                                  .cwd = project.cwd(),
                                  .cancelled = {}});
    ASSERT_TRUE(found);
    const auto asked = Ask(toolchain.driver, args, env, project.cwd());
    ASSERT_TRUE(asked) << asked.error().message;
    const bool is_found = std::count(asked->files.begin(), asked->files.end(), "../b/here.h") > 0;
    EXPECT_EQ(found->path->angle_is_quote, is_found) << options;
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, SearchPathTest,
                         testing::Values("/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang",
                                         "/usr/bin/clang++"),
                         [](const auto& param) {
                           std::string name(BaseName(param.param));
                           for (char& c : name) c = c == '+' ? 'x' : c;
                           return name;
                         });

}  // namespace
}  // namespace llama::scan
