#include "compiler/toolchain.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/search_path.h"
#include "compiler/discovery.h"
#include "compiler/elf.h"

namespace llama::compiler {
namespace {

const std::vector<std::string>& Env() {
  static const std::vector<std::string> env = {"PATH=/usr/bin:/bin"};
  return env;
}

bool HasFile(const Toolchain& toolchain, std::string_view name) {
  return std::any_of(toolchain.files.begin(), toolchain.files.end(),
                     [&](const std::string& file) { return BaseName(file) == name; });
}

TEST(ToolchainTest, FindsWhatGccNeeds) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto found = Toolchains::Create()->Get("/usr/bin/gcc", Env());
  ASSERT_TRUE(found) << found.error().message;
  const Toolchain& gcc = **found;
  EXPECT_EQ(gcc.family, Family::kGcc);
  EXPECT_GE(gcc.major, 8);
  EXPECT_FALSE(gcc.is_cxx_driver);
  EXPECT_EQ(gcc.driver, "/usr/bin/gcc");
  EXPECT_EQ(gcc.files[0], gcc.driver);
  for (const char* name : {"cc1", "as", "objcopy", "libc.so.6"}) EXPECT_TRUE(HasFile(gcc, name));
  EXPECT_EQ(std::count(gcc.path_dirs.begin(), gcc.path_dirs.end(), "/usr/bin"), 1);
  EXPECT_EQ(std::count(gcc.dirs.begin(), gcc.dirs.end(), "/usr/include"), 1);
  for (const std::string& file : gcc.files) {
    EXPECT_TRUE(std::filesystem::is_regular_file(file)) << file;
  }
}

// One program that the recorder can't be preloaded into is enough: a compile runs all of them.
TEST(ToolchainTest, OneStaticProgramMakesAToolchainUnrecordable) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  const TempDir dir = *TempDir::Create("static-as");
  const std::string source = dir.path() + "/as.c";
  std::ofstream(source) << "int main(void) { return 0; }";
  std::vector<std::string> env = Env();
  env.push_back("COMPILER_PATH=" + dir.path());
  for (const char* kind : {"", "-static"}) {
    const std::string build =
        std::string("/usr/bin/gcc ") + kind + " -o " + dir.path() + "/as " + source;
    if (std::system(build.c_str()) != 0) GTEST_SKIP() << "no static libc here";
    auto found = Toolchains::Create()->Get("/usr/bin/gcc", env);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(std::find((*found)->files.begin(), (*found)->files.end(), dir.path() + "/as") !=
                (*found)->files.end());
    EXPECT_EQ((*found)->can_preload, *kind == '\0') << kind;
  }
}

TEST(ToolchainTest, FindsWhatClangNeeds) {
  if (access("/usr/bin/clang", X_OK) != 0) GTEST_SKIP() << "clang is not installed";
  auto found = Toolchains::Create()->Get("/usr/bin/clang", Env());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)->family, Family::kClang);
  EXPECT_GE((*found)->major, 10);
  EXPECT_TRUE(HasFile(**found, "crtbegin.o"));
}

TEST(ToolchainTest, TellsCxxDriversByNameOrTarget) {
  auto toolchains = Toolchains::Create();
  for (const char* driver : {"/usr/bin/g++", "/usr/bin/c++", "/usr/bin/clang++"}) {
    if (access(driver, X_OK) != 0) continue;
    auto found = toolchains->Get(driver, Env());
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE((*found)->is_cxx_driver) << driver;
  }
}

TEST(ToolchainTest, RefusesWhatIsNoCompiler) {
  auto dir = TempDir::Create("toolchain");
  ASSERT_TRUE(dir);
  const std::string script = dir->path() + "/gcc";
  std::ofstream(script) << "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\n";
  ASSERT_EQ(chmod(script.c_str(), 0755), 0);
  std::filesystem::create_symlink("/bin/true", dir->path() + "/cc");
  std::ofstream(dir->path() + "/short") << "\x7f"
                                           "ELF";
  auto toolchains = Toolchains::Create();
  for (const std::string& driver : {script, dir->path() + "/cc", dir->path() + "/short"}) {
    auto found = toolchains->Get(driver, Env());
    ASSERT_FALSE(found) << driver;
    EXPECT_EQ(found.error().code, Code::kInvalid) << found.error().message;
  }
  EXPECT_FALSE(toolchains->Get(dir->path() + "/missing", Env()));
  EXPECT_FALSE(toolchains->Get("gcc", Env()));
}

TEST(ToolchainTest, RefusesAProgramThatRunsACompiler) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  const TempDir dir = *TempDir::Create("wrapped");
  for (const std::string compiler : {"gcc", "clang"}) {
    const std::string real = "/usr/bin/" + compiler;
    if (access(real.c_str(), X_OK) != 0) continue;
    const std::string program = dir.path() + "/my-" + compiler;
    std::ofstream(program + ".c") << "#include <unistd.h>\nint main(int argc, char** argv) {\n"
                                  << "  (void)argc; argv[0] = \"" << real
                                  << "\";\n  return execv(argv[0], argv);\n}\n";
    ASSERT_EQ(std::system(("gcc " + program + ".c -o " + program).c_str()), 0);
    auto found = Toolchains::Create()->Get(program, Env());
    ASSERT_FALSE(found) << program;
    EXPECT_EQ(found.error().message, program + ": runs another compiler");
  }
}

TEST(ElfTest, FindsAWordAcrossPieces) {
  const TempDir dir = *TempDir::Create("words");
  const std::string path = dir.path() + "/file";
  std::ofstream(path) << std::string((1 << 20) - 3, 'x') << "word";
  EXPECT_TRUE(HoldsWord(path, "word").value());
  EXPECT_TRUE(HoldsWord(path, "xword").value());
  EXPECT_FALSE(HoldsWord(path, "words").value());
}

TEST(ToolchainTest, AReplacedDriverIsLookedAtAgain) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto dir = TempDir::Create("toolchain");
  ASSERT_TRUE(dir);
  const std::string driver = dir->path() + "/gcc";
  auto toolchains = Toolchains::Create();
  std::ofstream(driver) << "#!/bin/sh\n";
  EXPECT_FALSE(toolchains->Get(driver, Env()));
  std::filesystem::remove(driver);
  std::filesystem::create_symlink("/usr/bin/gcc", driver);
  auto first = toolchains->Get(driver, Env());
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(toolchains->Get(driver, Env())->get(), first->get());
  std::filesystem::remove(driver);
  EXPECT_FALSE(toolchains->Get(driver, Env()));
}

TEST(ToolchainTest, IsDiscoveredOnceForAllWhoAsk) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto toolchains = Toolchains::Create();
  std::array<const Toolchain*, 4> found{};
  std::vector<std::thread> threads;
  for (const Toolchain*& slot : found) {
    threads.emplace_back([&] {
      auto result = toolchains->Get("/usr/bin/gcc", Env());
      slot = result ? result->get() : nullptr;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NE(found[0], nullptr);
  EXPECT_EQ(std::count(found.begin(), found.end(), found[0]), 4);
}

TEST(ToolchainTest, IsTheSameByEveryPathThatLeadsToItsPrograms) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto toolchains = Toolchains::Create();
  const auto first = toolchains->Get("/usr/bin/gcc", Env());
  const auto second = toolchains->Get("/usr/bin/gcc", {"PATH=/nonexistent:/usr/bin:/bin"});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->get(), second->get());
}

// A driver that takes `as` from PATH, and has its front ends in a folder of its own.
class RememberedToolchainTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("toolchain");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    for (const char* name : {"/driver", "/bin", "/other", "/own"}) {
      ASSERT_TRUE(name == std::string_view("/driver") ? WriteFileAtomic(At(name), "driver", 0755)
                                                      : MakeDirs(At(name)));
    }
    toolchains_ =
        Toolchains::Create(clock_,
                           [this](const std::string& driver, const std::vector<std::string>& env,
                                  Toolchain& seen) -> Result<Toolchain> {
                             ++asked_;
                             if (error_) return *error_;
                             seen.driver = driver;
                             seen.files = {driver};
                             const std::string as = FindProgram("as", FindVariable(env, "PATH"));
                             seen.from_path = {{"as", as}};
                             seen.missing = {At("/own/cc1plus")};
                             if (as.empty()) return Error{Code::kInvalid, "no assembler"};
                             return seen;
                           });
  }
  std::string At(const std::string& name) const { return dir_->path() + name; }
  void Install(const std::string& name) { ASSERT_TRUE(WriteFileAtomic(At(name), "x", 0755)); }
  Result<std::shared_ptr<const Toolchain>> Get(const std::string& path,
                                               const std::string& driver = "/driver") {
    return toolchains_->Get(At(driver), {"PATH=" + path});
  }
  void AdvanceMs(int64_t ms) { clock_.AdvanceNs(ms * 1'000'000); }

  std::optional<TempDir> dir_;
  FakeClock clock_;
  std::optional<Error> error_;
  int asked_ = 0;
  std::unique_ptr<Toolchains> toolchains_;
};

TEST_F(RememberedToolchainTest, ErrorsAreForgottenSoon) {
  const std::pair<Code, int64_t> cases[] = {{Code::kInvalid, Toolchains::kErrorHoldMs},
                                            {Code::kNotFound, Toolchains::kErrorHoldMs},
                                            {Code::kDeadline, Toolchains::kPassingErrorHoldMs},
                                            {Code::kUnavailable, Toolchains::kPassingErrorHoldMs}};
  Install("/bin/as");
  for (const auto& [code, hold_ms] : cases) {
    AdvanceMs(Toolchains::kErrorHoldMs);
    clock_.StepWallNs(-86'400'000'000'000);  // of no account
    asked_ = 0;
    error_ = Error{code, "no"};
    EXPECT_FALSE(Get(At("/bin")));
    error_.reset();
    AdvanceMs(hold_ms - 1);
    EXPECT_FALSE(Get(At("/bin")));
    EXPECT_EQ(asked_, 1);
    AdvanceMs(1);
    EXPECT_TRUE(Get(At("/bin")));
    EXPECT_EQ(asked_, 2);
    Install("/driver");  // another one
  }
}

TEST_F(RememberedToolchainTest, WhatIsInstalledIsSeenAtOnce) {
  EXPECT_FALSE(Get(At("/bin")));
  EXPECT_FALSE(Get(At("/bin")));
  EXPECT_EQ(asked_, 1);
  Install("/bin/as");
  const auto without_cxx = Get(At("/bin"));
  ASSERT_TRUE(without_cxx);
  EXPECT_EQ(asked_, 2);
  Install("/own/cc1plus");
  ASSERT_TRUE(Get(At("/bin")));
  EXPECT_EQ(asked_, 3);
}

TEST_F(RememberedToolchainTest, OfPathOnlyWhatItLeadsToCounts) {
  Install("/bin/as");
  const auto first = Get(At("/bin"));
  ASSERT_TRUE(first);
  for (int i = 0; i < 100; ++i) {
    const auto again = Get("/nonexistent/" + std::to_string(i) + "::" + At("/bin"));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->get(), first->get());
  }
  EXPECT_EQ(asked_, 1);
  Install("/other/as");
  const auto other = Get(At("/other") + ":" + At("/bin"));
  ASSERT_TRUE(other);
  EXPECT_NE(other->get(), first->get());
  EXPECT_EQ(Get(At("/bin"))->get(), first->get());
  EXPECT_EQ(asked_, 2);
}

TEST_F(RememberedToolchainTest, TheirNumberIsBounded) {
  Install("/bin/as");
  for (size_t i = 0; i <= Toolchains::kMost; ++i) {
    const std::string driver = "/driver" + std::to_string(i);
    Install(driver);
    ASSERT_TRUE(Get(At("/bin"), driver));
    ASSERT_TRUE(Get(At("/bin"), "/driver1"));  // stays, since it is in use
  }
  const int asked = asked_;
  ASSERT_TRUE(Get(At("/bin"), "/driver1"));
  EXPECT_EQ(asked_, asked);
  ASSERT_TRUE(Get(At("/bin"), "/driver0"));
  EXPECT_EQ(asked_, asked + 1);
}

TEST(ToolchainTest, ExpandsNative) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto toolchains = Toolchains::Create();
  auto gcc = toolchains->Get("/usr/bin/gcc", Env());
  ASSERT_TRUE(gcc);
  auto words = toolchains->ExpandNative(**gcc, "-march=native");
  ASSERT_TRUE(words) << words.error().message;
  EXPECT_TRUE(words->front().starts_with("-march="));
  EXPECT_EQ(std::count(words->begin(), words->end(), "-march=native"), 0);
}

TEST(ToolchainTest, SpecsSayWhatNativeMeansHere) {
  if (access("/usr/bin/gcc", X_OK) != 0) GTEST_SKIP() << "gcc is not installed";
  auto dir = TempDir::Create("specs");
  ASSERT_TRUE(dir);
  auto toolchains = Toolchains::Create(SystemClock(), dir->path());
  auto gcc = toolchains->Get("/usr/bin/gcc", Env());
  ASSERT_TRUE(gcc);
  const auto path = toolchains->NativeSpecs(**gcc);
  ASSERT_TRUE(path) << path.error().message;
  const std::string text = ReadFile(*path).value();
  EXPECT_EQ(text.find("local_cpu_detect"), text.npos) << text;
  EXPECT_NE(text.find("-march="), text.npos) << text;
  // Another machine's are followed instead of its own.
  const std::string other = dir->path() + "/other.specs";
  ASSERT_TRUE(WriteFileAtomic(
      other, "*cc1_cpu:\n%{march=native:%>march=native -march=bonnell -mno-avx}\n\n", 0644));
  const auto said =
      RunDriver("/usr/bin/gcc",
                {"-specs=" + other, "-march=native", "-###", "-c", "-x", "c", "/dev/null"}, Env());
  ASSERT_TRUE(said);
  const auto words = FrontEndWords(said->err);
  EXPECT_EQ(std::count(words.begin(), words.end(), "-march=bonnell"), 1);
  EXPECT_FALSE(Toolchains::Create()->NativeSpecs(**gcc));
}

TEST(ToolchainTest, ExpandsNativeForClang) {
  if (access("/usr/bin/clang", X_OK) != 0) GTEST_SKIP() << "clang is not installed";
  auto toolchains = Toolchains::Create();
  auto clang = toolchains->Get("/usr/bin/clang", Env());
  ASSERT_TRUE(clang);
  auto words = toolchains->ExpandNative(**clang, "-march=native");
  ASSERT_TRUE(words) << words.error().message;
  // In another order, but the very words.
  const auto front_end = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"-###", "-c", "-x", "c", "/dev/null"});
    auto line = FrontEndWords(RunDriver("/usr/bin/clang", options, Env()).value().err);
    for (std::string& word : line) {
      if (word.ends_with(".o")) word.clear();
    }
    std::sort(line.begin(), line.end());
    return line;
  };
  EXPECT_EQ(front_end({"-march=native"}), front_end(*words));
}

TEST(FrontEndWordsTest, AreTheProgramsLine) {
  EXPECT_EQ(
      FrontEndWords("Using built-in specs.\n /usr/lib/cc1 -quiet \"-march=x y\" -o a.s\n as x\n"),
      (std::vector<std::string>{"/usr/lib/cc1", "-quiet", "-march=x y", "-o", "a.s"}));
  EXPECT_TRUE(FrontEndWords("").empty());
  EXPECT_TRUE(FrontEndWords("\n \n as -o x\n").empty());
}

TEST(ElfTest, RefusesDamagedPrograms) {
  auto dir = TempDir::Create("elf");
  ASSERT_TRUE(dir);
  auto program = ReadFile("/bin/true");
  ASSERT_TRUE(program);
  ASSERT_TRUE(ReadElfProgram("/bin/true"));
  const std::string path = dir->path() + "/program";
  // Every header byte turned over: an error or another reading, never a crash.
  for (size_t i = 0; i < 64 + 56 * 4; ++i) {
    std::string damaged = program->substr(0, 4096);
    damaged[i] = static_cast<char>(~damaged[i]);
    std::ofstream(path, std::ios::binary) << damaged;
    const auto elf = ReadElfProgram(path);
    EXPECT_TRUE(i >= 4 || !elf) << i;
  }
}

}  // namespace
}  // namespace llama::compiler
