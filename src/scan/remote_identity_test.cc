// The truth of this project, in small: what a plan, a toolchain and a finder name is put below
// another root, run there, and gives the bytes of the local compiler.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/process.h"
#include "compiler/plan.h"
#include "scan/input_finder.h"
#include "scan/other_root_testing.h"
#include "worker/run/lookups.h"

namespace llama::scan {
namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = 0;
  std::string out;
  std::string err;
  std::map<std::string, std::string> files;  // below the output folder
};

class RemoteIdentityTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override { Prepare(GetParam()); }

  void Prepare(const std::string& driver) {
    driver_ = driver;
    if (access(driver_.c_str(), X_OK) != 0) GTEST_SKIP() << driver_ << " is not installed";
    auto temp = TempDir::Create("identity");
    ASSERT_TRUE(temp);
    temp_ = std::make_unique<TempDir>(std::move(*temp));
    project_ = temp_->path() + "/project";
    root_ = temp_->path() + "/r";
    WriteProject();
    env_ = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "SOURCE_DATE_EPOCH=1600000000", "TZ=UTC0",
            "PWD=" + project_};
    ASSERT_TRUE(MakeDirs(temp_->path() + "/cache"));
    toolchains_ = compiler::Toolchains::Create(SystemClock(), temp_->path() + "/cache");
    finder_ = NewDependencyRunFinder();
    auto toolchain = toolchains_->Get(driver_, env_);
    ASSERT_TRUE(toolchain) << toolchain.error().message;
    mirror_ = std::make_unique<OtherRoot>(root_);
    Take(*toolchain);
    ASSERT_TRUE(MakeDirs(temp_->path() + "/w"));
    lookups_ = worker::LookupLog::Create(temp_->path() + "/w").value();
  }

  void Take(std::shared_ptr<const compiler::Toolchain> toolchain) {
    toolchain_ = std::move(toolchain);
    for (const std::string& path : toolchain_->files) mirror_->Add(path);
    for (const std::string& path : toolchain_->dirs) mirror_->Add(path);
  }

  void Write(const std::string& name, std::string_view text) {
    const std::string path = project_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    ASSERT_TRUE(WriteFileAtomic(path, text, 0644));
  }

  void WriteProject() {
    Write("inc/check.h",
          "#pragma once\n#include <assert.h>\n"
          "static inline int check(int x) { assert(x > 0); return x; }\n");
    Write("inc/force.h", "#define FORCED 1\n");
    Write("inc/a b$c#d.h", "#define ODD 1\n");
    Write("src/a.c",
          "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include \"check.h\"\n"
          "#include \"a b$c#d.h\"\n"
          "const char* file = __FILE__; const char* base = __BASE_FILE__;\n"
          "#line 40 \"/generated/from/a.y\"\nconst char* line = __FILE__;\n"
          "#ifndef __clang__  // knows no SOURCE_DATE_EPOCH before 16\n"
          "const char* when = __DATE__ __TIME__;\n#endif\n"
          "int f(int n, char** v) { int u; for (int i = 0; i < n; i++) puts(v[i]);\n"
          "  assert(n); return check(n) + (int)strlen(file); }\n");
    Write("src/b.cc",
          "#include <cstdio>\n#include <utility>\n#include \"check.h\"\n"
          "namespace { struct S { S() { puts(__FILE__); } int v = 1; } s; }\n"
          "const char* file = __builtin_FILE();\n"
          "int f(int c) { std::pair<int, int> m(c, c); assert(c);\n"
          "  return check(c) + m.second + s.v; }\n");
    Write("src/asm.S", "#include \"force.h\"\n.globl f\nf:\n nop\n .incbin \"inc/force.h\"\n");
    Write("src/empty.i", "int empty;\n");
    Write("src/bad.c", "#include <stdio.h>\nint f(void) { return undeclared; }\n");
    fs::create_directories(project_ + "/out");
  }

  std::string Source() const {
    return toolchain_->is_cxx_driver ? std::string("src/b.cc") : std::string("src/a.c");
  }

  // '@' is the project's path and '%' the source's.
  std::vector<std::string> Args(const std::string& line) const {
    std::vector<std::string> args;
    for (size_t begin = 0; begin < line.size();) {
      const size_t end = std::min(line.find(' ', begin), line.size());
      std::string& word = args.emplace_back();
      for (const char c : line.substr(begin, end - begin)) {
        word += c == '@' ? project_ : c == '%' ? Source() : std::string(1, c);
      }
      begin = end + 1;
    }
    return args;
  }

  Outcome Collect(const ProcessOptions& options, const std::string& dir) {
    fs::remove_all(dir);
    fs::create_directories(dir);
    Outcome outcome;
    auto result = RunProcess(options);
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    if (!result) return outcome;
    outcome.status = result->status;
    outcome.out = result->out;
    outcome.err = result->err;
    for (const auto& entry : fs::directory_iterator(dir)) {
      outcome.files[entry.path().filename()] = ReadFile(entry.path()).value();
    }
    return outcome;
  }

  Outcome RunLocally(const std::vector<std::string>& args) {
    ProcessOptions options;
    options.program = driver_;
    options.argv = args;
    options.argv.insert(options.argv.begin(), driver_);
    options.env = env_;
    options.cwd = project_;
    return Collect(options, project_ + "/out");
  }

  std::string Substitute(std::string text) const {
    for (size_t i = text.find('\0'); i != text.npos; i = text.find('\0', i)) {
      text.replace(i, 1, root_);
    }
    return text;
  }

  // What the pipeline does, without its transport. nullopt: local, with the reason recorded.
  std::optional<Outcome> RunRemotely(const std::vector<std::string>& args) {
    const compiler::Command command = compiler::Parse(args, ParseOptions());
    reason_ = command.local_reason;
    if (!reason_.empty()) return std::nullopt;
    auto toolchain = toolchains_->Get(driver_, env_, command.selection);
    if (!toolchain) {
      reason_ = toolchain.error().message;
      return std::nullopt;
    }
    Take(*toolchain);
    compiler::PlanRequest request;
    request.command = &command;
    request.toolchain = toolchain_.get();
    request.toolchains = toolchains_.get();
    request.env = env_;
    request.cwd = request.pwd = project_;
    const compiler::Plan plan = compiler::MakePlan(request);
    reason_ = plan.local_reason;
    if (!reason_.empty()) return std::nullopt;
    ScanRequest scan{&command, toolchain_.get(), driver_, env_, project_, {}};
    auto inputs = finder_->Find(scan);
    if (!inputs) {
      reason_ = inputs.error().message;
      return std::nullopt;
    }
    EXPECT_EQ(inputs->files[0], command.source);
    for (const std::string& file : inputs->files) mirror_->Add(JoinPath(project_, file));
    for (const std::string& path : plan.paths) mirror_->Add(path);
    for (const std::string& path : extra_) mirror_->Add(path);
    return Execute(plan);
  }

  Outcome Execute(const compiler::Plan& plan) {
    ProcessOptions options;
    for (const std::string& word : plan.argv) options.argv.push_back(Substitute(word));
    for (const std::string& entry : plan.env) options.env.push_back(Substitute(entry));
    options.program = root_ + options.argv[0];
    options.cwd = root_ + plan.cwd;
    EXPECT_TRUE(lookups_->Reset());
    lookups_->AddTo(options.env);
    Outcome outcome = Collect(options, root_ + project_ + "/out");
    for (const auto& [name, bytes] : outcome.files) {
      EXPECT_EQ(bytes.find(root_), bytes.npos) << name << " holds the root";
    }
    return outcome;
  }

  compiler::ParseOptions ParseOptions() const {
    compiler::ParseOptions options;
    options.cwd = project_;
    options.is_clang = toolchain_->family == compiler::Family::kClang;
    options.is_cxx_driver = toolchain_->is_cxx_driver;
    return options;
  }

  void ExpectSame(const std::string& line) {
    SCOPED_TRACE(driver_ + " " + line);
    const std::vector<std::string> args = Args(line);
    const Outcome local = RunLocally(args);
    const std::optional<Outcome> remote = RunRemotely(args);
    ASSERT_TRUE(remote) << reason_;
    EXPECT_EQ(local.status, remote->status) << remote->err;
    EXPECT_EQ(local.out, remote->out);
    EXPECT_EQ(local.err, remote->err);
    ASSERT_EQ(local.files.size(), remote->files.size());
    for (const auto& [name, bytes] : local.files) {
      const auto found = remote->files.find(name);
      ASSERT_NE(found, remote->files.end()) << name;
      const std::string& text = name.ends_with(".d") ? bytes : std::string();
      EXPECT_TRUE(bytes == found->second) << name << " differs\n"
                                          << text << (text.empty() ? "" : found->second);
    }
  }

  std::string driver_, project_, root_, reason_;
  std::vector<std::string> env_, extra_;
  std::unique_ptr<TempDir> temp_;
  std::unique_ptr<compiler::Toolchains> toolchains_;
  std::unique_ptr<InputFinder> finder_;
  std::shared_ptr<const compiler::Toolchain> toolchain_;
  std::unique_ptr<OtherRoot> mirror_;
  std::unique_ptr<worker::LookupLog> lookups_;
};

TEST_P(RemoteIdentityTest, ObjectsAreTheLocalCompilers) {
  for (const char* options :
       {"-O2 -Wall -Wextra -Wconversion", "-g -include inc/force.h", "-g3 -O2 -pedantic",
        "-g -gz -fPIC -pthread -ffunction-sections", "-fsanitize=thread -include @/inc/force.h"}) {
    ExpectSame(std::string(options) + " -Iinc -c % -o out/a.o");
    ExpectSame(std::string(options) + " -I@/inc -c @/% -o @/out/a.o");
  }
}

TEST_P(RemoteIdentityTest, NamesOfTheSourceAreItsOwn) {
  Write("src/self.c", "#line 7 \"" + project_ + "/src/self.c\"\nint f(void) { return 1; }\n");
  for (const char* options : {"-gdwarf-4", "-gdwarf-3", "-g", "-g3", "-O1"}) {
    ExpectSame(std::string(options) + " -I@/inc -c @/% -o out/a.o");
    ExpectSame(std::string(options) + " -x c -c @/src/self.c -o out/a.o");
    ExpectSame(std::string(options) + " -x c -c src/self.c -o @/out/a.o");
  }
}

// Above the root's own top is the top.
TEST_P(RemoteIdentityTest, PathsMayClimbAboveTheTop) {
  ExpectSame("-g -I../../../../../../../../../..@/inc -Iinc -c /../..@/% -o out/a.o");
}

TEST_P(RemoteIdentityTest, AbsoluteNamesInTheSourceLeadHome) {
  Write("src/names.c", "#include \"" + project_ + "/inc/force.h\"\n#if __has_include(\"" +
                           project_ +
                           "/inc/a b$c#d.h\")\nint there = FORCED;\n#endif\n"
                           "#if __has_include(\"" +
                           project_ +
                           "/inc/none.h\")\nint none;\n#endif\n"
                           "__asm__(\".incbin \\\"" +
                           project_ + "/inc/force.h\\\"\");\n");
  extra_ = {project_ + "/inc/a b$c#d.h", project_ + "/inc/force.h"};
  ExpectSame("-x c -g -c src/names.c -o out/a.o");
}

// What only a compiler that sees its own paths can do. A seed, where two local runs differ without.
TEST_P(RemoteIdentityTest, OptionsThatWritePathsAreTheLocalCompilers) {
  const std::vector<std::string> both = {
      "-fsanitize=address -g",
      "-fsanitize=undefined,address -O1",
      "-fsanitize=thread -g",
      "-flto -O2",
      "-flto -O2 -g",
      "--coverage",
      "-fprofile-arcs -ftest-coverage -O1",
      "-fprofile-generate",
      "-fprofile-generate=/tmp/profiles",
      "-fstack-usage",
      "-gsplit-dwarf -g",
      "-gdwarf-4",
      "-save-temps=obj -g",
      "-H",
      "-frecord-gcc-switches -g",
      "-grecord-gcc-switches -g",
      "-fdebug-prefix-map==/empty -g",
  };
  const std::vector<std::string> gcc = {"-flto -ffat-lto-objects -g", "-fcallgraph-info",
                                        "-fprofile-prefix-map=@=P --coverage",
                                        "-gsplit-dwarf -gdwarf-4"};
  const std::vector<std::string> clang = {
      "-flto=thin -O1",
      "-fprofile-instr-generate -fcoverage-mapping",
      "-glldb",
      "-frecord-command-line",
      "-fcoverage-mapping -fprofile-instr-generate -fcoverage-prefix-map=@=C",
      "-ffile-compilation-dir=/elsewhere -g",
      "-fdebug-compilation-dir=. -g",
      "-fsave-optimization-record -O2",
      "-gsplit-dwarf=single -g",
      "-fdiagnostics-absolute-paths -Wconversion",
      "-fshow-skipped-includes -H",
  };
  const bool is_clang = toolchain_->family == compiler::Family::kClang;
  std::vector<std::string> all = both;
  all.insert(all.end(), (is_clang ? clang : gcc).begin(), (is_clang ? clang : gcc).end());
  // What the drivers for C++ share with those for C is tried for every third.
  for (size_t i = 0; i < all.size(); i += toolchain_->is_cxx_driver ? 3 : 1) {
    const std::string options = all[i] + (is_clang ? "" : " -frandom-seed=1");
    ExpectSame(options + (i % 2 == 0 ? " -I@/inc -c @/% -o @/out/a.o" : " -Iinc -c % -o out/a.o"));
  }
}

// The compiler's parts are what the driver says with them.
TEST_P(RemoteIdentityTest, OptionsThatSelectTheCompilersPartsAreFollowed) {
  fs::create_directories(project_ + "/bin");
  fs::create_symlink("/usr/bin/as", project_ + "/bin/as");
  Write("inc/more.specs", "*cc1_options:\n+ -DFROM_SPECS=1\n\n");
  Write("inc/more.cfg", "-DFROM_CONFIG=1\n");
  for (const char* options : {"--sysroot=/ -I=/usr/include", "--sysroot /", "-isysroot /",
                              "-B @/bin", "-Bbin/", "-no-canonical-prefixes"}) {
    ExpectSame(std::string(options) + " -g -O1 -Iinc -c % -o out/a.o");
  }
  if (toolchain_->family == compiler::Family::kClang) {
    for (const char* options :
         {"--target=x86_64-linux-gnu", "-target x86_64-pc-linux-gnu", "--gcc-toolchain=/usr",
          "--config @/inc/more.cfg", "-no-integrated-as", "-fno-integrated-as -Bbin"}) {
      ExpectSame(std::string(options) + " -g -O1 -Iinc -c % -o out/a.o");
    }
    Write("src/bare.c", "int f(int x) { return x + 1; }\n");
    ExpectSame("-x c --target=aarch64-linux-gnu -O2 -c src/bare.c -o out/a.o");
  } else {
    ExpectSame("-specs=inc/more.specs -g -Iinc -c % -o out/a.o");
    ExpectSame("-specs @/inc/more.specs -g -Iinc -c % -o out/a.o");
  }
}

TEST_P(RemoteIdentityTest, OptionsThatNameOutputsAreFollowed) {
  const std::vector<std::string> clang = {
      "-MJ out/x.json", "-serialize-diagnostics @/out/x.dia -Wconversion",
      "-foptimization-record-file=out/x.yaml -fsave-optimization-record -O2", "-emit-llvm"};
  const std::vector<std::string> gcc = {"-fopt-info-all=out/x.txt -O3", "-fopt-info-vec -O3",
                                        "-fprofile-note=@/out/x.gcno --coverage -frandom-seed=1",
                                        "-fdiagnostics-format=json -Wconversion"};
  for (const auto& options : toolchain_->family == compiler::Family::kClang ? clang : gcc) {
    ExpectSame(options + " -Iinc -c % -o out/a.o");
  }
}

TEST_P(RemoteIdentityTest, AssemblerTextIsTheLocalCompilers) {
  for (const char* options : {"-O2", "-g -MD", "-fverbose-asm -g3", "-fstack-usage"}) {
    ExpectSame(std::string(options) + " -Iinc -S % -o out/a.s");
  }
  if (toolchain_->family == compiler::Family::kClang) {
    ExpectSame("-g -Iinc -S -emit-llvm % -o out/a.ll");
  }
}

TEST_P(RemoteIdentityTest, LongFormsAreTheShortOnes) {
  ExpectSame("--compile % --output=out/a.o --include-directory=inc --include inc/force.h");
  ExpectSame(
      "--compile % --output out/a.o --include-directory inc --define-macro=A=1 "
      "--define-macro B --undefine-macro=A --write-dependencies --all-warnings");
}

// A family's options that nobody knows are the compiler's to refuse.
TEST_P(RemoteIdentityTest, WhatNoCompilerKnowsIsRefusedAlike) {
  for (const char* option : {"-fno-such-option", "-Wno-such-option -Wsuch", "--param=such=1"}) {
    ExpectSame(std::string(option) + " -c src/empty.i -o out/a.o");
  }
}

TEST_P(RemoteIdentityTest, SplitDebugInformationIsTheLocalCompilers) {
  ExpectSame("-g -O1 -gsplit-dwarf -Iinc -c % -o out/a.o");
  ExpectSame("-g -gsplit-dwarf -I@/inc -c @/% -o @/out/a.o");
}

TEST_P(RemoteIdentityTest, TheUsersPrefixMapsWin) {
  for (const char* options :
       {"-ffile-prefix-map=@=.", "-fdebug-prefix-map=@=/usr/src/x", "-fmacro-prefix-map=@/src=S",
        "-fmacro-prefix-map=./=", "-ffile-prefix-map=/usr=U -ffile-prefix-map=@/inc=I",
        "-ffile-prefix-map=@=A -ffile-prefix-map=@/src=B -fmacro-prefix-map=@=C",
        "-ffile-prefix-map=/generated=G", "-fdebug-prefix-map=/=R"}) {
    ExpectSame(std::string(options) + " -g -I@/inc -c @/% -o @/out/a.o");
  }
  ExpectSame("-ffile-prefix-map=@=. -g3 -Iinc -c % -o out/a.o");
}

TEST_P(RemoteIdentityTest, DepfilesAreTheLocalCompilers) {
  for (const char* options :
       {"-MD", "-MMD -MP", "-MD -MP -MF out/x.d", "-MD -MF @/out/.dep.d -MT target",
        "-MD -MQ a$b -MT b -MT @/long/enough/to/wrap/the/targets/onto/another/line/of/the/rule.o",
        "-Wp,-MMD,out/.a.o.d", "-Wp,-MD,@/out/y.d"}) {
    ExpectSame(std::string(options) + " -Iinc -c % -o out/a.o");
    ExpectSame(std::string(options) + " -I@/inc -c @/% -o @/out/a.o");
  }
}

TEST_P(RemoteIdentityTest, SearchPathVariablesAreFollowed) {
  env_.push_back("CPATH=" + project_ + "/inc:inc");
  ExpectSame("-g -O1 -c % -o out/a.o");
}

TEST_P(RemoteIdentityTest, DiagnosticsOfBrokenCodeAreTheLocalCompilers) {
  const std::vector<std::string> args = Args("-x c -Wall -c @/src/bad.c -o out/a.o");
  const Outcome local = RunLocally(args);
  const std::optional<Outcome> remote = RunRemotely(args);
  ASSERT_TRUE(remote) << reason_;
  EXPECT_NE(local.status, 0);
  EXPECT_EQ(local.status, remote->status);
  EXPECT_EQ(local.err, remote->err);
  EXPECT_TRUE(remote->files.empty());
  EXPECT_FALSE(compiler::IsMachineFailure(remote->status, remote->err,
                                          [](const std::string&) { return true; }));
}

// What .incbin reads is unknown to -M; the pipeline learns it from the worker's lookups.
TEST_P(RemoteIdentityTest, AssemblerSourcesAreTheLocalCompilers) {
  extra_ = {project_ + "/inc/force.h"};
  const bool is_clang = toolchain_->family == compiler::Family::kClang;
  for (const char* options : {"", "-g ", is_clang ? "" : "-Wa,--noexecstack -Wa,-gdwarf-2 "}) {
    ExpectSame(std::string(options) + "-Iinc -c src/asm.S -o out/a.o");
    ExpectSame(std::string(options) + "-I@/inc -c @/src/asm.S -o @/out/a.o");
  }
}

TEST_P(RemoteIdentityTest, NativeIsExpandedHere) {
  ExpectSame("-march=native -O3 -g -Iinc -c % -o out/a.o");
  if (toolchain_->family == compiler::Family::kClang) return;
  ExpectSame("-march=native -O3 -Iinc -c % -o out/a.o");
  ExpectSame("-O3 -march=native -mtune=generic -Iinc -c % -o out/a.o");
  ExpectSame("-g -mtune=native -mno-sse4 -march=native -Iinc -c % -o out/a.o");
}

// A copy of gcc finds its own folders relative to itself; the bytes are still the same.
class RelocatedCompilerTest : public RemoteIdentityTest {
 protected:
  void SetUp() override {
    const std::string name = std::string("x86_64-linux-gnu-") + GetParam();
    if (!fs::exists("/usr/bin/" + name)) {
      GTEST_SKIP() << name << " is not installed as Debian has it";
    }
    const std::string driver = fs::canonical("/usr/bin/" + name);  // …-gcc-14
    const std::string version = driver.substr(driver.rfind('-') + 1);
    const std::string own_dir = "gcc/x86_64-linux-gnu/" + version;
    // The programs are below /usr/libexec since gcc 13.
    const bool has_libexec = fs::exists("/usr/libexec/" + own_dir + "/cc1");
    const std::string programs = (has_libexec ? "/usr/libexec/" : "/usr/lib/") + own_dir;
    ASSERT_TRUE(fs::exists(programs + "/cc1"));
    auto home = TempDir::Create("my compiler");
    ASSERT_TRUE(home);
    home_ = std::make_unique<TempDir>(std::move(*home));
    fs::create_directories(home_->path() + "/usr/bin");
    fs::copy_file("/usr/bin/" + name, home_->path() + "/usr/bin/" + GetParam());
    for (const std::string& part :
         {programs + "/cc1", programs + "/cc1plus", "/usr/lib/" + own_dir + "/include",
          "/usr/include/c++/" + version, "/usr/include/x86_64-linux-gnu/c++/" + version}) {
      Copy(part, home_->path() + part);
    }
    Prepare(home_->path() + "/usr/bin/" + GetParam());
  }

  static void Copy(const fs::path& from, const fs::path& to) {
    if (!fs::exists(from)) return;
    fs::create_directories(to.parent_path());
    fs::copy(from, to, fs::copy_options::recursive);
  }

  std::unique_ptr<TempDir> home_;
};

TEST_P(RelocatedCompilerTest, GivesItsOwnBytes) {
  EXPECT_TRUE(std::any_of(toolchain_->files.begin(), toolchain_->files.end(), [&](const auto& f) {
    return f.starts_with(home_->path()) && f.find("/cc1") != f.npos;
  }));
  ExpectSame("-g -O1 -Iinc -c % -o out/a.o");
  ExpectSame("-g3 -MD -MP -I@/inc -c @/% -o @/out/a.o");
}

INSTANTIATE_TEST_SUITE_P(Drivers, RelocatedCompilerTest, testing::Values("gcc", "g++"),
                         [](const auto& param) {
                           return param.param[1] == 'c' ? std::string("gcc") : std::string("gxx");
                         });

INSTANTIATE_TEST_SUITE_P(Drivers, RemoteIdentityTest,
                         testing::Values("/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang",
                                         "/usr/bin/clang++"),
                         [](const auto& param) {
                           std::string name(BaseName(param.param));
                           for (char& c : name) c = c == '+' ? 'x' : c;
                           return name;
                         });

}  // namespace
}  // namespace llama::scan
