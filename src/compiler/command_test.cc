#include "compiler/command.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/file.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

std::vector<std::string> Split(const std::string& line) { return SplitResponse(line); }

class CommandTest : public testing::Test {
 protected:
  CommandTest() : dir_(std::move(TempDir::Create("command")).value()) {
    for (const char* name : {"a.c", "b.c", "a.cc", "a.i", "a.S", "a.s", "a.m", "a.txt", "a.h"}) {
      Write(name, "");
    }
    options_.cwd = dir_.path();
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(dir_.path() + "/" + name) << text;
  }
  Command ParseLine(const std::string& line) { return Parse(Split(line), options_); }

  TempDir dir_;
  ParseOptions options_;
};

struct ReasonCase {
  const char* line;
  const char* reason;
};

TEST_F(CommandTest, SaysWhyACommandIsLocal) {
  const ReasonCase cases[] = {
      {"-c a.c", ""},
      {"-O2 -Wall -c a.c -o a.o", ""},
      {"a.c -o a", "link"},
      {"a.o b.o -o a", "link"},
      {"-O2", "no-source"},
      {"", "no-source"},
      {"-c a.c b.c", "several-sources"},
      {"-c a.c b.o", "several-sources"},
      {"-x c -c -", "stdin"},
      {"-E a.c", "preprocess"},
      {"-c -E a.c", "preprocess"},
      {"-S a.c", ""},
      {"-S -c a.c", ""},
      {"-S a.S", "assembly"},
      {"-c a.c -emit-llvm", ""},
      {"-emit-llvm a.c", "link"},
      {"-M a.c", "dependencies"},
      {"-MM a.c", "dependencies"},
      {"-fsyntax-only a.c", "syntax-only"},
      {"--version", "query"},
      {"-v", "query"},
      {"-dumpmachine", "query"},
      {"-print-search-dirs", "query"},
      {"-### -c a.c", "query"},
      {"-c a.m", "language:m"},
      {"-c a.h", "precompile"},
      {"a.h", "precompile"},
      {"-x c-header a.txt -o a.h.gch", "precompile"},
      {"-x c-header -x none a.c", "link"},
      {"-c a.txt", "language:txt"},
      {"-x c -c a.txt", ""},
      {"-x c++-header -c a.h", "precompile"},
      {"-x none -c a.c", ""},
      {"-c missing.c", "source-not-regular"},
      {"-c . -x c .", "several-sources"},
      {"-c a.c -o /dev/null", "output-not-regular"},
      {"-c a.c -o .", "output-not-regular"},
      {"-c a.c -o a.o -o b.o", "unsafe-option:-o"},
      {"-c a.c -o", "missing-value:-o"},
      {"-c a.c -I", "missing-value:-I"},
      {"-c a.c -fbar", ""},
      {"-c a.c -Xbar", "unknown-option:-Xbar"},
      {"-c a.c -arch arm64", "several-sources"},
      {"-c a.c --frobnicate", "unknown-option:--frobnicate"},
      {"-c a.c -fplugin=./x.so", ""},
      {"-c a.c -fmodules", "unsafe-option:-fmodules"},
      {"-c a.c -ftime-trace", "unsafe-option:-ftime-trace"},
      {"-c a.c -fdump-tree-all", "unsafe-option:-fdump-tree-all"},
      {"-c a.c -fdump-noaddr", ""},
      {"-c a.c -Xclang -load -Xclang ./x.so -Xclang -plugin -Xclang -emit-x", ""},
      {"-c a.c -Xclang -disable-llvm-passes -mllvm -emit-x", ""},
      {"-c a.c -Xclang -emit-pch", "unsafe-option:-Xclang=-emit-pch"},
      {"-c a.c -Xpreprocessor -DX", ""},
      {"-c a.c -Xpreprocessor -MF", "unsafe-option:-Xpreprocessor=-MF"},
      {"-c a.c -Xassembler --noexecstack", ""},
      {"-c a.c -MJ a.json -foptimization-record-file=x.yaml", ""},
      {"-c a.c -MJ .", "output-not-regular"},
      {"-c a.c -fopt-info-vec=.", "output-not-regular"},
      {"-c a.c -fopt-info-vec=stderr", ""},
      {"-c a.c -flto -fsave-optimization-record", ""},
      {"-c a.c -flto -E", "preprocess"},
      {"-c a.c -B dir --sysroot=dir --target=x -specs=x", ""},
      {"-c a.c -wrapper gdb,--args", "unsafe-option:-wrapper"},
      {"-c a.c --coverage", ""},
      {"-c a.c -save-temps", ""},
      {"-c a.c -dD", "unsafe-option:-dD"},
      {"-c a.c -I=usr", ""},
      {"-c a.c -fsanitize=address,undefined", ""},
      {"-c a.c -fsanitize=thread", ""},
      {"-c a.c -finput-charset=latin1", "unsafe-option:-finput-charset=latin1"},
      {"-c a.c -finput-charset=UTF-8", ""},
      {"-c a.c -ffile-prefix-map==x", ""},
      {"-c a.c -g -gsplit-dwarf -o a.o", ""},
      {"-c a.c -g -gsplit-dwarf -o /x/a.o", ""},
      {"-c a.c -MD -MF -", "unsafe-option:-MF"},
      {"-c a.c -Wp,-MD,a.d,-DX", "unsafe-option:-Wp,-MD,a.d,-DX"},
      {"-c a.c -Wp,-E", "unsafe-option:-Wp,-E"},
      {"-c a.c -Wp,", "unsafe-option:-Wp,"},
      {"-c a.c -Wa,-adhln", "unsafe-option:-Wa,-adhln"},
      {"-c a.c -Wa,--noexecstack,-mrelax-relocations=no", ""},
      {"-c a.S", ""},
      {"-c a.s", ""},
  };
  for (const ReasonCase& c : cases) EXPECT_EQ(ParseLine(c.line).local_reason, c.reason) << c.line;
}

// Compilers differ in what they make of such outputs, and in whether they look at the source first.
TEST_F(CommandTest, LeavesWhatMayNotBeWrittenToTheLocalCompiler) {
  for (const char* name : {"old.o", "locked/old.o"}) {
    ASSERT_TRUE(MakeDirs(dir_.path() + "/locked"));
    Write(name, "old");
  }
  chmod((dir_.path() + "/old.o").c_str(), 0444);
  chmod((dir_.path() + "/locked").c_str(), 0555);
  chmod(dir_.path().c_str(), 0777);
  const auto reasons = [&] {
    std::string all;
    for (const char* line : {"-c a.c -o old.o", "-c a.c -o locked/new.o", "-c a.c -o locked/old.o",
                             "-c a.c -MD -MF old.o", "-c a.c -o new.o", "-c a.c -o missing/a.o"}) {
      all += ParseLine(line).local_reason + ";";
    }
    return all;
  };
  const std::string expected =
      "output-not-writable;output-not-writable;output-not-writable;output-not-writable;;;";
  if (geteuid() != 0) {
    EXPECT_EQ(reasons(), expected);
  } else {  // whom modes do not apply to
    EXPECT_EXIT(_exit(setuid(65534) == 0 && reasons() == expected ? 0 : 1),
                testing::ExitedWithCode(0), "");
  }
  chmod((dir_.path() + "/locked").c_str(), 0755);
}

TEST_F(CommandTest, LeavesResponseFilesThatAreKeptToGcc) {
  Write("flags", "-O2");
  EXPECT_EQ(ParseLine("-c a.c -save-temps @flags").local_reason, "response-file");
  EXPECT_EQ(ParseLine("-c a.c @flags").local_reason, "");
  EXPECT_EQ(ParseLine("-c a.c -save-temps").local_reason, "");
  options_.is_clang = true;
  EXPECT_EQ(ParseLine("-c a.c -save-temps @flags").local_reason, "");
}

// None of these begins an option that the prefix of another would have swallowed.
TEST_F(CommandTest, TellsOptionsApartThatBeginAlike) {
  const ReasonCase cases[] = {
      {"-coverage a.c", "link"},
      {"-c -coverage a.c", ""},
      {"-c -nostdinc++ a.cc", ""},
      {"-c -nostdinc a.c", ""},
      {"-c -include-pch x.pch a.c", "unsafe-option:-include-pch"},
      {"-c -include a.h a.c", ""},
      {"-c -iquotea -isystemb -Ic -idirafterd a.c", ""},
      {"-c -nostdinctypo a.c", "unknown-option:-nostdinctypo"},
      {"-c -MDa.d a.c", "unknown-option:-MDa.d"},
      {"-c -pthread -pipe -pg a.c", ""},
      {"-c -pipeline a.c", "unknown-option:-pipeline"},
      {"-c -g3 -gdwarf-5 a.c", ""},
      {"-c -gfoo a.c", ""},
      {"-c --outputs=a.o a.c", "unknown-option:--outputs=a.o"},
      {"-c --includes a.h a.c", "several-sources"},
      {"-c --include-directory=x --include-directory y --include a.h a.c", ""},
      {"-c --define-macro=X --define-macro Y --undefine-macro=Z a.c", ""},
      {"-c -ggdb3 -gno-column-info a.c", ""},
      {"-cc1 a.c", "link"},
  };
  for (const ReasonCase& c : cases) EXPECT_EQ(ParseLine(c.line).local_reason, c.reason) << c.line;
}

TEST_F(CommandTest, KnowsTheFlagsOfRealProjects) {
  const char* lines[] = {
      // The kernel.
      "-Wp,-MMD,./.a.o.d -nostdinc -Iarch/x86/include -include a.h -D__KERNEL__ "
      "-fmacro-prefix-map=./= -Wundef -std=gnu11 -fshort-wchar -fno-PIE -mno-sse -mno-avx "
      "-fcf-protection=none -m64 -falign-jumps=1 -falign-loops=1 -mno-80387 -mno-fp-ret-in-387 "
      "-mpreferred-stack-boundary=3 -mskip-rax-setup -march=x86-64 -mtune=generic -mno-red-zone "
      "-mcmodel=kernel -Wno-sign-compare -fno-asynchronous-unwind-tables "
      "-mindirect-branch=thunk-extern -mindirect-branch-register -mindirect-branch-cs-prefix "
      "-mfunction-return=thunk-extern -fno-jump-tables -mharden-sls=all "
      "-fno-delete-null-pointer-checks -O2 -fno-allow-store-data-races -fno-stack-protector "
      "-fno-omit-frame-pointer -ftrivial-auto-var-init=zero -fno-stack-clash-protection "
      "-fzero-call-used-regs=used-gpr -fno-strict-overflow -fno-stack-check -fconserve-stack "
      "-fstrict-flex-arrays=3 -Werror=incompatible-pointer-types -pg -mrecord-mcount -mfentry "
      "-fno-builtin -ffreestanding -fno-tree-loop-im --param=allow-store-data-races=0 "
      "-DKBUILD_MODNAME=\\\"a\\\" -c -o a.o a.c",
      // CMake, googletest.
      "-DGTEST_CREATE_SHARED_LIBRARY=1 -I/usr/include -isystem /usr/include -O2 -g -DNDEBUG -fPIC "
      "-fvisibility=hidden -fvisibility-inlines-hidden -Wall -Werror -Wshadow -std=gnu++11 -MD "
      "-MT CMakeFiles/a.o -MF a.cc.o.d -o a.cc.o -c a.cc",
      // autoconf, libtool.
      "-DHAVE_CONFIG_H -I. -pthread -O3 -funroll-loops -fno-common -MT a.lo -MD -MP -MF a.Tpo -c "
      "a.c -fPIC -DPIC -o a.o",
      // Debian's flags.
      "-g -O2 -ffile-prefix-map=/build/x=. -fstack-protector-strong -Wformat "
      "-Werror=format-security -fdebug-prefix-map=/a=/b -Wdate-time -D_FORTIFY_SOURCE=2 "
      "-fcf-protection -fno-plt -fexceptions -c a.c",
      // The kernel by clang; its offsets; its plugins.
      "-Wp,-MMD,./.a.o.d -nostdinc --target=x86_64-linux-gnu -fintegrated-as -mretpoline-external-"
      "thunk -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang -mllvm -x "
      "-flto=thin -fsplit-lto-unit -c -o a.o a.c",
      "-Wp,-MMD,./.a.s.d -nostdinc -fverbose-asm -S -o a.s a.c",
      "-fplugin=./stackleak.so -fplugin-arg-stackleak-x=100 -c -o a.o a.c",
      // Chromium, Android, Yocto.
      "-fcrash-diagnostics-dir=tools -mllvm -x=0 -ffile-compilation-dir=. -no-canonical-prefixes "
      "-g0 "
      "-Xclang -add-plugin -Xclang find-bad-constructs --sysroot=sr -c a.cc -o a.o",
      "--target=x86_64-linux-gnu --gcc-toolchain=/usr --sysroot=/ -B/usr/bin -c a.c",
      "--sysroot=/ -march=core2 -fmacro-prefix-map=/a=/b -fcanon-prefix-map -c a.c",
      // Debian's and Fedora's hardening; python with profiles; ccache; LLVM with profiles.
      "-specs=/usr/share/dpkg/pie-compile.specs -fexceptions -grecord-gcc-switches -c a.c",
      "-O3 -flto -fuse-linker-plugin -flto-partition=none -fprofile-use -fprofile-correction -c "
      "a.c",
      "-O2 -fpreprocessed -fdirectives-only -c -o a.o a.i",
      "-fprofile-instr-use=a.profdata -O3 -march=native -g -c a.cc -o a.o",
      // jemalloc, redis, lua.
      "-std=gnu99 -Wall -Wextra -pipe -O3 -fvisibility=hidden -funroll-loops -ffast-math "
      "-rdynamic -ggdb -DLUA_ANSI -lm -c a.c",
  };
  for (const char* line : lines) EXPECT_EQ(ParseLine(line).local_reason, "") << line;
}

TEST_F(CommandTest, DerivesOutputs) {
  struct Case {
    const char* line;
    const char* object;
    const char* depfile;
  };
  const Case cases[] = {
      {"-c src/../a.c", "a.o", ""},
      {"-c a.c -o out.d/x", "out.d/x", ""},
      {"-c a.c -MD", "a.o", "a.d"},
      {"-c a.c -MD -ox.y.o", "x.y.o", "x.y.d"},
      {"-c a.c -MMD -o out.d/x", "out.d/x", "out.d/x.d"},
      {"-c a.c -MD -MF y.d -o x.o", "x.o", "y.d"},
      {"-c a.c -MD -MFy.d", "a.o", "y.d"},
      {"-c a.c -Wp,-MMD,.a.o.d", "a.o", ".a.o.d"},
      {"-c a.c -Wp,-MMD,.a.o.d -Wp,-MT,x", "a.o", ".a.o.d"},
      {"--compile a.c --output=x/y.o", "x/y.o", ""},
      {"--compile a.c --output x/y.o --write-dependencies", "x/y.o", "x/y.d"},
      {"-S a.c", "a.s", ""},
      {"-S -c a.c -MD", "a.s", "a.d"},
      {"-S -emit-llvm a.c", "a.ll", ""},
      {"-c -emit-llvm a.c", "a.bc", ""},
  };
  for (const Case& c : cases) {
    const Command command = ParseLine(c.line);
    EXPECT_EQ(command.object, c.object) << c.line;
    EXPECT_EQ(command.depfile, c.depfile) << c.line;
  }
}

TEST_F(CommandTest, KnowsTheLanguage) {
  EXPECT_EQ(ParseLine("-c a.c").language, Language::kC);
  EXPECT_EQ(ParseLine("-c a.cc").language, Language::kCxx);
  EXPECT_EQ(ParseLine("-c a.i").language, Language::kPreprocessedC);
  EXPECT_EQ(ParseLine("-c a.S").language, Language::kAssemblerWithCpp);
  EXPECT_EQ(ParseLine("-c a.c -fpreprocessed -fdirectives-only").language,
            Language::kPreprocessedC);
  EXPECT_EQ(ParseLine("-fpreprocessed -c a.cc").language, Language::kPreprocessedCxx);
  EXPECT_EQ(ParseLine("-xc++ -c a.c").language, Language::kCxx);
  EXPECT_EQ(ParseLine("-x c++ -x none -c a.c").language, Language::kC);
  options_.is_cxx_driver = true;
  EXPECT_EQ(ParseLine("-c a.c").language, Language::kCxx);
  EXPECT_EQ(ParseLine("-c a.i").language, Language::kPreprocessedCxx);
  EXPECT_EQ(ParseLine("-x c -c a.c").language, Language::kC);
  EXPECT_EQ(ParseLine("-c a.S").language, Language::kAssemblerWithCpp);
}

TEST_F(CommandTest, MarksWherePathsAre) {
  const Command command = ParseLine("-I/x -isystem /y -Wp,-MMD,/d/a.d -c a.c");
  ASSERT_EQ(command.args.size(), 5u);
  for (const Arg& arg : command.args) {
    if (arg.path.empty()) continue;
    EXPECT_EQ(arg.words[arg.word].substr(arg.offset, arg.path.size()), arg.path);
  }
  EXPECT_EQ(command.args[0].path, "/x");
  EXPECT_EQ(command.args[1].path, "/y");
  EXPECT_EQ(command.args[2].path, "/d/a.d");
  EXPECT_EQ(command.args[2].kind, ArgKind::kSplitPath);
  EXPECT_EQ(command.args[4].kind, ArgKind::kSource);
}

TEST_F(CommandTest, MarksPathsInWhatIsHandedOn) {
  const Command command = ParseLine(
      "-Wa,--x,-I/a -Xassembler -I/b -fopt-info-all=c.txt -Xclang -include -Xclang d.h -MJ e -c "
      "a.c");
  EXPECT_EQ(command.local_reason, "");
  std::vector<std::string> paths;
  for (const Arg& arg : command.args) {
    if (arg.path.empty()) continue;
    EXPECT_EQ(arg.words[arg.word].substr(arg.offset, arg.path.size()), arg.path);
    paths.push_back(arg.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"/a", "/b", "c.txt", "d.h", "e", "a.c"}));
}

TEST_F(CommandTest, KnowsWhatSelectsTheCompilersParts) {
  const auto select = [&](const char* line) { return ParseLine(line).selection; };
  using Words = std::vector<std::string>;
  EXPECT_EQ(select("-O2 -c a.c"), Selection());
  EXPECT_EQ(select("-target x --sysroot=/s -B/b -c a.c"),
            (Selection{Words{"-target", "x", "--sysroot=/s", "-B/b"}, {}, ""}));
  EXPECT_EQ(select("-B b -c a.c"), (Selection{Words{"-B", "b"}, {}, dir_.path()}));
  EXPECT_EQ(select("-fplugin=name -fplugin=./x.so -Xclang -load -Xclang /y.so -c a.c").programs,
            (Words{dir_.path() + "/./x.so", "/y.so"}));
}

TEST_F(CommandTest, KnowsWhatOptionsNameToBeWritten) {
  EXPECT_EQ(ParseLine("-MJ a.json -aux-info b -fopt-info-vec=c -fopt-info -c a.c").side_paths,
            (std::vector<std::string>{"a.json", "b", "c"}));
}

TEST_F(CommandTest, KnowsWhatIsWrittenBesideTheObject) {
  const auto sides = [&](const char* line) { return ParseLine(line).side_suffixes; };
  using Suffixes = std::vector<std::string>;
  EXPECT_EQ(sides("-g -c a.c"), Suffixes());
  EXPECT_EQ(sides("-gsplit-dwarf -fstack-usage -c a.c"), (Suffixes{".dwo", ".su"}));
  EXPECT_EQ(sides("-save-temps=obj -c a.c"), (Suffixes{".i", ".ii", ".s", ".bc"}));
  EXPECT_TRUE(ParseLine("-save-temps -c a.c").has_sides_in_cwd);
  EXPECT_FALSE(ParseLine("--coverage -c a.c").has_sides_in_cwd);
}

TEST_F(CommandTest, AssemblersCanBeKeptHere) {
  options_.remote_assemble = false;
  EXPECT_EQ(ParseLine("-c a.S").local_reason, "assembler");
  EXPECT_EQ(ParseLine("-c a.c").local_reason, "");
}

TEST_F(CommandTest, TakesDebugInformationFromTheLastOption) {
  EXPECT_TRUE(ParseLine("-g -c a.c").has_debug_info);
  EXPECT_FALSE(ParseLine("-g -g0 -c a.c").has_debug_info);
}

TEST_F(CommandTest, ExpandsResponseFiles) {
  Write("args", "-O2 '-DX=a b' \"-DY=\\\"q\\\"\" back\\ slash\n@nested\r\n");
  Write("nested", "-g @missing");
  auto words = ExpandResponseFiles({"@args", "-c", "@", "@nowhere"}, dir_.path());
  ASSERT_TRUE(words);
  EXPECT_EQ(*words, (std::vector<std::string>{"-O2", "-DX=a b", "-DY=\"q\"", "back slash", "-g",
                                              "@missing", "-c", "@", "@nowhere"}));
}

TEST_F(CommandTest, AResponseFileThatCanBeReadButOnceIsLocal) {
  ASSERT_EQ(mkfifo((dir_.path() + "/pipe").c_str(), 0600), 0);
  for (const char* name : {"@pipe", "@/dev/fd/63", "@/proc/self/fd/0", "@/dev/null"}) {
    EXPECT_EQ(ParseLine(std::string("-c a.c ") + name).local_reason, "response-file") << name;
  }
}

TEST_F(CommandTest, AResponseFileThatNamesItselfIsLocal) {
  Write("loop", "@loop @loop");
  EXPECT_EQ(ParseLine("-c a.c @loop").local_reason, "response-file");
}

TEST_F(CommandTest, DescribesAnyBytesWithoutFailing) {
  const std::string odd[] = {"-", "--", "-\n", std::string("-f\0x", 4), "-Wp,,,", "-Wa,", "@", ""};
  for (const std::string& first : odd) {
    for (const std::string& second : odd) {
      EXPECT_NE(Parse({first, second}, options_).local_reason, "") << first << ' ' << second;
    }
  }
}

}  // namespace
}  // namespace llama::compiler
