#include "scan/search/search_options.h"

#include <gtest/gtest.h>

#include "scan/search/built_in_folders.h"

namespace llama::scan {
namespace {

constexpr char kGcc = 'g';
constexpr char kClang = 'c';

Result<SearchOptions> Read(std::vector<std::string> args, char family = kGcc,
                           const std::vector<std::string>& env = {}, const char* source = "a.c") {
  compiler::Toolchain toolchain;
  toolchain.family = family == kClang ? compiler::Family::kClang : compiler::Family::kGcc;
  args.insert(args.begin(), "-c");
  args.emplace_back(source);
  const compiler::Command command =
      compiler::Parse(args, {.cwd = "/w", .is_clang = family == kClang});
  return ReadSearchOptions(command, toolchain, env, "/w");
}

using Strings = std::vector<std::string>;

TEST(SearchOptionsTest, WhatIsNotModelledIsAnErrorThatNamesIt) {
  struct Case {
    Strings args;
    std::string drivers = "gc";
    Strings env = {};
    std::string named = {};  // empty: the first word
  };
  for (const Case& test : std::vector<Case>{
           {{"-iprefix", "/p/"}},
           {{"-iwithprefix", "x"}},
           {{"-iwithprefixbefore", "x"}},
           {{"-iframework", "x"}},
           {{"-iplugindir=x"}},
           {{"-imultilib", "x"}},
           {{"-isystem-after", "x"}},
           {{"-include-pch", "x.pch"}},
           {{"-ivfsoverlay", "x.yaml"}},
           {{"-Ffolder"}},
           {{"-Xclang", "-internal-isystem"}},
           {{"-Xclang", "-include-pch"}},
           {{"-Xclang", "-fmodule-map-file=x"}},
           {{"-Xclang", "-load", "-Xclang", "x.so", "-Xclang", "-isystem"}, "c", {}, "-isystem"},
           {{"-Xpreprocessor", "-Ix"}},
           {{"-fmodules"}},
           {{"-fmodules-ts"}},
           {{"-fmodule-file=x"}},
           {{"-fpreprocessed"}},
           {{"-wrapper", "x"}},
           {{"-remap"}},
           {{"--never-heard-of"}},
           {{"-Wp,-isystem,x"}},
           {{"-Wp,-Ix,-nostdinc"}},
           {{"-Wp,-I"}},
           {{"-Wp,-I-"}},
           {{"-I", ""}, "gc", {}, "empty"},
           {{"-I-"}, "c"},
           {{"-I-", "-I-"}, "g"},
           {{"-cxx-isystem", "x"}, "g"},
           {{"-fms-compatibility"}, "c"},
           {{"--target=x86_64-pc-windows-msvc"}},
           {{"-target", "arm64-apple-darwin"}},
           {{"--sysroot=/s", "--sysroot=/t", "-I=/x"}, "gc", {}, "=/x"},
           {{"--sysroot=/s", "-isystem", "=/x"}, "c", {}, "=/x"},
           {{"-B/p"}, "g", {"C_INCLUDE_PATH=/x"}, "C_INCLUDE_PATH"},
           {{"-Ix"}, "g", {"C_INCLUDE_PATH=/x", "COMPILER_PATH=/y"}, "COMPILER_PATH"},
           {{"-Ix"}, "c", {"CCC_OVERRIDE_OPTIONS=+-Iy"}, "CCC_OVERRIDE_OPTIONS"},
       }) {
    for (const char family : test.drivers) {
      const auto read = Read(test.args, family, test.env);
      ASSERT_FALSE(read) << family << " " << test.args[0];
      EXPECT_EQ(read.error().code, Code::kInvalid);
      const std::string& named = test.named.empty() ? test.args[0] : test.named;
      EXPECT_NE(read.error().message.find(named), std::string::npos) << read.error().message;
    }
  }
}

TEST(SearchOptionsTest, WhatDoesNotChangeTheSearchIsNoMatter) {
  for (const char family : {kGcc, kClang}) {
    const auto read = Read({"-O2",
                            "-g",
                            "-Wall",
                            "-std=c11",
                            "-fno-strict-aliasing",
                            "-fno-ms-compatibility",
                            "-flto",
                            "-MD",
                            "-MF",
                            "-Iwrong",
                            "-o",
                            "-iquote",
                            "-Wa,--noexecstack",
                            "-Wp,-MD,-Iwrong",
                            "-pthread",
                            "-Xlinker",
                            "-I",
                            "-mllvm",
                            "-x",
                            "-ffile-prefix-map=-I=x",
                            "-integrated-as"},
                           family);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->quote.empty() && read->angle.empty() && read->system.empty());
    EXPECT_TRUE(read->built_in.empty());
  }
}

TEST(SearchOptionsTest, FoldersAreAbsoluteAndOtherwiseAsSpelt) {
  const auto read = Read({"-Ia/../b", "-I", "/c/./d", "-iquote..", "-isystem", "e/", "-I."});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->angle, (Strings{"/w/a/../b", "/c/./d", "/w/."}));
  EXPECT_EQ(read->quote, Strings{"/w/.."});
  EXPECT_EQ(read->system, Strings{"/w/e/"});
}

TEST(SearchOptionsTest, OnlyWhatDecidesAboutBuiltInFoldersIsAskedWith) {
  const auto read = Read({"-Ia", "-m32", "-DX", "-nostdinc++", "--sysroot=/s", "-O2", "-isystem",
                          "b", "-B", "/p", "-march=armv8-a", "-fno-PIE"});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->built_in, (Strings{"-m32", "-nostdinc++", "--sysroot=/s", "-B", "/p",
                                     "-march=armv8-a", "-fno-PIE"}));
  EXPECT_FALSE(read->depends_on_cwd);
  for (const char* option : {"--sysroot=s", "-Bp", "-isysroots", "--gcc-toolchain=g", "-specs=s",
                             "--config=c", "-resource-dir=r"}) {
    EXPECT_TRUE(Read({option}).value().depends_on_cwd) << option;
  }
}

TEST(SearchOptionsTest, WordsForTheFrontEndMayBeValuesOfOthers) {
  for (const Strings& args : {Strings{"-Xclang", "-load", "-Xclang", "-isystem"},
                              {"-Xclang", "-disable-llvm-passes"},
                              {"-Xclang", "-plugin-arg-x", "-Xclang", "-include"},
                              {"-Xpreprocessor", "-fopenmp"},
                              {"-Xclang", "-target-feature", "-Xclang", "+avx"}}) {
    const auto read = Read(args, kClang);
    EXPECT_TRUE(read) << args[1] << ": " << read.error().message;
  }
}

TEST(SearchOptionsTest, LongFormsAreTheShortOnes) {
  const auto read = Read(
      {"--include-directory=a", "--include-directory", "/b", "--include", "c.h", "--imacros=d.h",
       "--define-macro", "E=1", "--undefine-macro=F", "--include-directory-after", "/g"},
      kClang);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->angle.size(), 2u);
  EXPECT_EQ(read->after, Strings{"/g"});
  EXPECT_EQ(read->forced, (std::vector<ForcedInclude>{{"d.h"}, {"c.h"}}));
  EXPECT_EQ(read->defined.size(), 2u);
}

TEST(SearchOptionsTest, ForcedFilesAreInTheOrderOfReading) {
  const Strings args = {"-include", "a.h", "-imacros", "b.h", "-includec.h", "-imacrosd.h"};
  const std::vector<ForcedInclude> macros = {{"b.h"}, {"d.h"}};
  std::vector<ForcedInclude> expected = macros;
  expected.insert(expected.end(), {{"a.h"}, {"c.h"}});
  EXPECT_EQ(Read(args, kClang).value().forced, expected);
  expected.insert(expected.begin() + 2, {"stdc-predef.h", true, true});
  EXPECT_EQ(Read(args, kGcc).value().forced, expected);
}

TEST(SearchOptionsTest, GccReadsAFileOfItsOwnUnlessFreestanding) {
  for (const Strings& args : std::vector<Strings>{{}, {"-ffreestanding", "-fhosted"}, {"-m32"}}) {
    EXPECT_EQ(Read(args).value().forced.size(), 1U);
    EXPECT_EQ(Read(args, kClang).value().forced.size(), 0U);
  }
  for (const Strings& args :
       std::vector<Strings>{{"-nostdinc"}, {"-ffreestanding"}, {"-fhosted", "-fno-hosted"}}) {
    EXPECT_EQ(Read(args).value().forced.size(), 0U);
  }
}

TEST(SearchOptionsTest, MacrosAreWhatTheCompilerMakesOfThem) {
  const auto read = Read({"-DA", "-D", "B=b=c", "-DC=", "-UA", "-DF(x,y)=x y", "-DG()", "-DH(a)b=c",
                          "-Wp,-DW=1,-UB", "-DS=\"s.h\"", "-DN M=o"});
  ASSERT_TRUE(read) << read.error().message;
  const std::vector<CommandLineMacro> expected = {
      {"A", "", "1", false, false},     {"B", "", "b=c", false, false},
      {"C", "", "", false, false},      {"A", "", "", false, true},
      {"F", "x,y", "x y", true, false}, {"G", "", "1", true, false},
      {"H", "a", "b c", true, false},   {"S", "", "\"s.h\"", false, false},
      {"N", "", "M o", false, false},   {"W", "", "1", false, false},
      {"B", "", "", false, true}};
  EXPECT_EQ(read->defined, expected);
}

TEST(BuiltInFoldersTest, ReadsTheListAndWhatItDependsOn) {
  const auto read = ParseVerbose(
      "Using built-in specs.\n"
      "Configuration file: /etc/x.cfg\n"
      "Found candidate GCC installation: /usr/lib/gcc/x/12\n"
      "ignoring nonexistent directory \"/usr/local/x\"\n"
      "ignoring duplicate directory \"/usr/y\"\n"
      "  as it is a non-system directory that duplicates a system directory\n"
      "#include \"...\" search starts here:\n"
      "#include <...> search starts here:\n"
      " /usr/lib/my compiler/include\n"
      " rel/include\n"
      "End of search list.\n"
      " /not/this\n");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->folders, (Strings{"/usr/lib/my compiler/include", "rel/include"}));
  EXPECT_EQ(read->left_out, (Strings{"/usr/local/x", "/usr/y"}));
  EXPECT_EQ(read->sources, (Strings{"/etc/x.cfg", "/usr/lib/gcc/x"}));
  EXPECT_EQ(read->configuration, Strings{"/etc/x.cfg"});
}

TEST(BuiltInFoldersTest, RefusesWhatIsNoListOfFolders) {
  const std::string head =
      "#include \"...\" search starts here:\n#include <...> search starts here:\n";
  const std::string end = "End of search list.\n";
  EXPECT_TRUE(ParseVerbose(head + " /a\n" + end));
  for (const std::string& text :
       {std::string(), head, head + " /a\n", end, head + "oops\n" + end, head + " \n" + end,
        head + " /a (framework directory)\n" + end, head + " a.hmap (headermap)\n" + end,
        "#include \"...\" search starts here:\n /a\n" + end}) {
    EXPECT_FALSE(ParseVerbose(text)) << text;
  }
}

TEST(BuiltInFoldersTest, TellsConfigurationThatAddsFolders) {
  EXPECT_TRUE(HasSearchOptions("--target=x\n-isystem /opt/include"));
  EXPECT_TRUE(HasSearchOptions("*cpp:\n+ -I/opt/include"));
  EXPECT_FALSE(HasSearchOptions("--gcc-triple=x86_64-redhat-linux\n"));
}

}  // namespace
}  // namespace llama::scan
