#include "compiler/plan.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "compiler/environment.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

// '%' for the root's mark, so that expectations can be read.
std::string Shown(std::string text) {
  std::replace(text.begin(), text.end(), kRootMark, '%');
  return text;
}

std::string Shown(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + Shown(word);
  return out;
}

class FixedNative final : public Toolchains {
 public:
  std::string specs;  // empty: none
  Result<std::string> NativeSpecs(const Toolchain& toolchain) override {
    return specs.empty() ? Toolchains::NativeSpecs(toolchain) : specs;
  }
  Result<std::shared_ptr<const Toolchain>> Get(const std::string& driver,
                                               const std::vector<std::string>&,
                                               const Selection&) override {
    return Error{Code::kInvalid, driver};
  }
  Result<std::vector<std::string>> ExpandNative(const Toolchain&, const std::string&) override {
    return std::vector<std::string>{"-march=x", "-mavx", "--param=l1=32", "-mtune=x"};
  }
};

class PlanTest : public testing::Test {
 protected:
  PlanTest() : dir_(std::move(TempDir::Create("plan")).value()) {
    std::ofstream(dir_.path() + "/a.c") << "";
    gcc_.driver = "/usr/bin/gcc";
    gcc_.major = 12;
    gcc_.can_preload = true;
    gcc_.path_dirs = {"/usr/bin", "/opt/bin"};
    gcc_.library_dirs = {"/lib/x"};
    clang_ = gcc_;
    clang_.family = Family::kClang;
    clang_.major = 14;
  }

  Plan Make(const std::string& line, const Toolchain& toolchain) {
    ParseOptions options;
    options.cwd = dir_.path();
    options.is_clang = toolchain.family == Family::kClang;
    command_ = Parse(SplitResponse(line), options);
    PlanRequest request;
    request.command = &command_;
    request.toolchain = &toolchain;
    request.toolchains = &native_;
    request.env = env_;
    request.cwd = request.pwd = dir_.path();
    request.terminals = terminals_;
    return MakePlan(request);
  }
  Plan Make(const std::string& line) { return Make(line, gcc_); }

  TempDir dir_;
  Toolchain gcc_, clang_;
  FixedNative native_;
  Command command_;
  std::vector<std::string> env_ = {"TZ=UTC0"};
  std::string terminals_;
};

TEST_F(PlanTest, LeavesArgumentsAsTheyAre) {
  for (const char* line :
       {"-c a.c", "-I/x -I y -c a.c -o /o/a.o", "-MD -MF/d/a.d -MT /t/a.o -c a.c",
        "-Wp,-MMD,/d/a.d -c a.c", "-ffile-prefix-map=/x=/y -gdwarf-4 -c a.c",
        "-I../../../../../../.. -I/x/../.. -c a.c"}) {
    EXPECT_EQ(Shown(Make(line).argv), std::string("/usr/bin/gcc ") + line);
    EXPECT_EQ(Shown(Make(line, clang_).argv), std::string("/usr/bin/gcc ") + line);
  }
}

TEST_F(PlanTest, ExpandsWhatMeansThisMachine) {
  EXPECT_EQ(Shown(Make("-march=native -c a.c").argv),
            "/usr/bin/gcc -march=x -mavx --param=l1=32 -mtune=x -c a.c");
  EXPECT_EQ(Shown(Make("-march=native -mtune=y -c a.c").argv),
            "/usr/bin/gcc -march=x -mavx --param=l1=32 -mtune=y -c a.c");
  native_.specs = "/cache/x.specs";
  for (const char* rest : {"-g -c a.c", "-mno-avx -c a.c", "-frecord-gcc-switches -c a.c",
                           "-march=x86-64 -c a.c", "--param=x=1 -c a.c", "-flto=auto -c a.c"}) {
    EXPECT_EQ(Shown(Make(std::string("-march=native ") + rest).argv),
              std::string("/usr/bin/gcc -specs=/cache/x.specs -march=native ") + rest);
  }
  EXPECT_EQ(Make("-march=native -m32 -g -c a.c").local_reason, "host-native:-march=native");
  EXPECT_EQ(Shown(Make("-march=native -g -c a.c", clang_).argv),
            "/usr/bin/gcc -march=x -mavx --param=l1=32 -mtune=x -g -c a.c");
}

TEST_F(PlanTest, KeepsHereWhatWouldDiffer) {
  for (const char* with :
       {"-g", "-frecord-gcc-switches", "-mno-avx", "-march=x86-64", "--param=x=1"}) {
    EXPECT_EQ(Make(std::string("-march=native -c a.c ") + with).local_reason,
              "host-native:-march=native")
        << with;
  }
  for (const char* with : {"-mno-avx", "-mtune=x", "-grecord-command-line", "-mtune=native",
                           "-MJ x.json", "-x assembler"}) {
    const Plan plan = Make(std::string("-march=native -c ") + with + " a.c", clang_);
    EXPECT_TRUE(plan.local_reason.starts_with("host-native:")) << with;
  }
  for (const Toolchain& of : {gcc_, clang_}) {
    Toolchain selected = of;
    selected.selection.options = {"--target=aarch64-linux-gnu"};
    EXPECT_EQ(Make("-march=native -c a.c", selected).local_reason, "host-native:-march=native");
  }
  EXPECT_EQ(Make("-wrapper x -c a.c").local_reason, "unsafe-option:-wrapper");
}

TEST_F(PlanTest, ToolchainsThatCanNotBeRecordedStayHere) {
  gcc_.can_preload = false;
  EXPECT_EQ(Make("-c a.c").local_reason, "toolchain-unrecordable");
}

TEST_F(PlanTest, AnnouncesOutputsAndFolders) {
  const Plan plan = Make("-MD -MF deps/a.d -I. -Inowhere -c a.c -o out/x.y.o");
  EXPECT_EQ(plan.object, dir_.path() + "/out/x.y.o");
  EXPECT_EQ(plan.depfile, dir_.path() + "/deps/a.d");
  EXPECT_EQ(plan.output_dirs,
            (std::vector<std::string>{dir_.path() + "/out", dir_.path() + "/deps"}));
  EXPECT_EQ(plan.output_stems, (std::vector<std::string>{"x.y", "a"}));
  EXPECT_TRUE(plan.output_suffixes.empty());
  EXPECT_EQ(Make("-g -gsplit-dwarf -c a.c").output_suffixes, std::vector<std::string>{".dwo"});
  EXPECT_EQ(Make("-save-temps -c a.c -o out/a.o").output_dirs,
            (std::vector<std::string>{dir_.path() + "/out", dir_.path()}));
  EXPECT_EQ(plan.paths, (std::vector<std::string>{dir_.path() + "/.", dir_.path()}));
  EXPECT_EQ(plan.cwd, dir_.path());
}

TEST_F(PlanTest, TellsOfTerminalsWhereThereAreSome) {
  env_ = {"TERM=xterm", "COLUMNS=50", "COLORTERM=", "TZ=UTC0"};
  const auto told = [&] {
    std::string out;
    const Plan plan = Make("-frecord-gcc-switches -c a.c");
    EXPECT_EQ(Shown(plan.argv), "/usr/bin/gcc -frecord-gcc-switches -c a.c");
    for (const std::string& variable : plan.env) {
      for (const char* name : {"TERM=", "COLUMNS=", "COLORTERM=", "LLAMA_TERMINALS="}) {
        if (variable.starts_with(name)) out += variable + " ";
      }
    }
    return out;
  };
  EXPECT_EQ(told(), "");
  terminals_ = "2=80x24";
  EXPECT_EQ(told(), "LLAMA_TERMINALS=2=80x24 TERM=xterm COLORTERM= COLUMNS=50 ");
}

TEST_F(PlanTest, PassesOnWhatChangesTheOutput) {
  env_ = {"SOURCE_DATE_EPOCH=1", "CPATH=/a:b::/c", "HOME=/root", "PATH=/elsewhere", "TZ=UTC0",
          "PWD=/elsewhere",      "LC_ALL=C"};
  EXPECT_EQ(
      Shown(Make("-c a.c").env),
      "SOURCE_DATE_EPOCH=1 CPATH=/a:b::/c PATH=/usr/bin:/opt/bin LD_LIBRARY_PATH=%/lib/x PWD=" +
          dir_.path() + " LLAMA_LOOKUP_ROOT=% LC_ALL=C TZ=UTC0");
  for (const char* name : {"GCC_EXEC_PREFIX", "COMPILER_PATH", "DEPENDENCIES_OUTPUT",
                           "SUNPRO_DEPENDENCIES", "CCC_OVERRIDE_OPTIONS"}) {
    env_ = {std::string(name) + "=x"};
    EXPECT_EQ(Make("-c a.c").local_reason, std::string("environment:") + name);
  }
}

TEST_F(PlanTest, HasScratchFilesWhereTheDriverWouldHaveThem) {
  const std::string here = RealPath(dir_.path()).value();
  ASSERT_EQ(symlink(here.c_str(), (here + "/link").c_str()), 0);
  struct Case {
    std::vector<std::string> env;
    std::string gcc;  // TMPDIR, "/tmp" if none is sent, or a reason
    std::string clang;
  };
  const std::string unknown = "environment:TMPDIR";
  const Case cases[] = {
      {{}, "/tmp", "/tmp"},
      {{"TMPDIR=" + here}, here, here},
      {{"TMP=" + here, "TMPDIR=/tmp"}, "/tmp", "/tmp"},
      {{"TMPDIR=/missing", "TEMP=" + here}, here, unknown},
      {{"TEMPDIR=" + here}, "/tmp", here},
      {{"TMPDIR="}, "/tmp", unknown},
      {{"TMPDIR=."}, unknown, unknown},
      {{"TMPDIR=" + here + "/link"}, unknown, unknown},
  };
  for (const Case& c : cases) {
    env_ = c.env;
    env_.emplace_back("TZ=UTC0");
    for (const Toolchain* toolchain : {&gcc_, &clang_}) {
      const Plan plan = Make("-c a.c", *toolchain);
      std::string seen = plan.local_reason.empty() ? "/tmp" : plan.local_reason;
      for (const std::string& variable : plan.env) {
        if (variable.starts_with("TMPDIR=")) seen = variable.substr(7);
      }
      EXPECT_EQ(seen, toolchain == &gcc_ ? c.gcc : c.clang) << Shown(c.env);
    }
  }
}

TEST_F(PlanTest, KeepsTheCharacterSetOfTheMessages) {
  struct Case {
    std::vector<std::string> env;
    bool utf8;
    bool translated;
  };
  const Case cases[] = {
      {{}, false, false},
      {{"LANG=C.UTF-8"}, true, false},
      {{"LC_ALL=C", "LANG=C.UTF-8"}, false, false},
      {{"LC_ALL=", "LANG=C.UTF-8"}, true, false},
      {{"LANG=xx_NOSUCH.UTF-8"}, false, true},
      {{"LC_MESSAGES=de_DE.UTF-8"}, false, true},
      {{"LANG=en_US.UTF-8", "LANGUAGE=fr:en", "LC_CTYPE=C"}, false, true},
      {{"LC_ALL=C", "LANGUAGE=fr"}, false, false},
  };
  gcc_.locale_dir = "/l";
  for (const Case& c : cases) {
    env_ = c.env;
    const Plan plan = Make("-c a.c");
    EXPECT_EQ(std::count(plan.env.begin(), plan.env.end(), std::string("LOCPATH=\0/l", 11)), 1);
    const bool utf8 = std::count(plan.env.begin(), plan.env.end(), "LC_ALL=C.UTF-8") == 1;
    EXPECT_EQ(utf8, c.utf8) << Shown(c.env);
    EXPECT_EQ(plan.translated_messages, c.translated) << Shown(c.env);
  }
}

TEST_F(PlanTest, QuotesThatTheWorkerCannotWriteAreAnotherLanguage) {
  gcc_.locale_dir.clear();
  env_ = {"LANG=C.UTF-8"};
  EXPECT_TRUE(Make("-c a.c").translated_messages);
  env_ = {"LANG=C"};
  EXPECT_FALSE(Make("-c a.c").translated_messages);
}

TEST(TimeZoneTest, BecomesARuleThatNeedsNoZoneFile) {
  EXPECT_EQ(PosixTimeZone("EST5EDT,M3.2.0,M11.1.0"), "EST5EDT,M3.2.0,M11.1.0");
  EXPECT_EQ(PosixTimeZone(""), "UTC0");
  EXPECT_NE(PosixTimeZone(nullptr), "");
  if (!ReadFile("/usr/share/zoneinfo/Europe/Berlin")) GTEST_SKIP() << "tzdata is not installed";
  EXPECT_EQ(TimeZoneFile("Europe/Berlin"), "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(TimeZoneFile(":Europe/Berlin"), "/usr/share/zoneinfo/Europe/Berlin");
  for (const char* plain : {"", "UTC", "Etc/UTC", "EST5EDT,M3.2.0,M11.1.0", "Nowhere/None"}) {
    EXPECT_EQ(TimeZoneFile(plain), "") << plain;
  }
  EXPECT_EQ(PosixTimeZone("Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3");
  EXPECT_EQ(PosixTimeZone(":Europe/Berlin"), "CET-1CEST,M3.5.0,M10.5.0/3");
}

TEST(DependencyArgsTest, LeaveOutOutputsAndErrors) {
  auto dir = TempDir::Create("deps");
  ASSERT_TRUE(dir);
  std::ofstream(dir->path() + "/a.c") << "";
  ParseOptions options;
  options.cwd = dir->path();
  const Command command =
      Parse(SplitResponse("-Wall -Werror -Werror=x -pedantic-errors -Iinc -MD -MF a.d -MT t -MP "
                          "-Wp,-MMD,b.d -Wp,-DX -include h.h -DY -c -o a.o a.c"),
            options);
  EXPECT_EQ(Shown(DependencyArgs(command)),
            "-Wall -Iinc -Wp,-DX -include h.h -DY a.c -w -E -M -MT x");
}

TEST(DiagnosticsTest, LoseTheRootWhereItIsOne) {
  EXPECT_EQ(MapText("/r/a.c:1: in /r/b\n/rr/x /r2 (/r)", "/r"), "/a.c:1: in /b\n/rr/x /r2 ()");
  EXPECT_EQ(MapText("unchanged", ""), "unchanged");
  EXPECT_EQ(MapText("", "/r"), "");
}

TEST(DiagnosticsTest, TellMachinesFromCode) {
  const auto is_there = [](const std::string& path) { return path == "inc/y.h"; };
  const int ok = 0, failed = 1 << 8, not_found = 127 << 8, killed = 9;
  EXPECT_FALSE(IsMachineFailure(ok, "internal compiler error", is_there));
  EXPECT_FALSE(IsMachineFailure(failed, "a.c:1:1: error: unknown type name 'x'\n", is_there));
  EXPECT_TRUE(
      IsMachineFailure(failed, "gcc: internal compiler error: Segmentation fault", is_there));
  EXPECT_TRUE(
      IsMachineFailure(failed, "gcc: fatal error: Killed signal terminated program cc1", is_there));
  EXPECT_TRUE(IsMachineFailure(failed, "/x/a.o: No space left on device", is_there));
  for (const char* missing :
       {"a.c:1:10: fatal error: x.h: No such file or directory\n    1 | #include \"x.h\"\n",
        "<command-line>: fatal error: x.h: No such file or directory",
        "In file included from a.c:1:\nb.h:1:10: fatal error: 'x.h' file not found"}) {
    EXPECT_FALSE(IsMachineFailure(failed, missing, is_there)) << missing;
  }
  for (const char* missing :
       {"a.s: Assembler messages:\na.s:1: Error: can't open /tmp/x.s for reading: No such file or "
        "directory",
        "cc1: fatal error: a.c: No such file or directory",
        "a.c:1:10: fatal error: inc/y.h: No such file or directory",
        "a.c:1:10: fatal error: x.h: No such file or directory\n"
        "a.c:2:10: fatal error: z.h: No such file or directory",
        "a.c:285:1: fatal error: opening dependency file a.d: No such file or directory",
        "a.c:1:10: fatal error: x.h: No such file or directory\nas: No such file or directory"}) {
    EXPECT_TRUE(IsMachineFailure(failed, missing, is_there)) << missing;
  }
  EXPECT_TRUE(IsMachineFailure(not_found, "", is_there));
  EXPECT_TRUE(IsMachineFailure(killed, "", is_there));
}

}  // namespace
}  // namespace llama::compiler
