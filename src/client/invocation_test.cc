#include "client/invocation.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"

namespace llama::client {
namespace {

// A small world: real compilers in bin/, ourselves in own/, links to ourselves in links/.
class InvocationTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    for (const char* name : {"bin/gcc", "bin/g++", "bin/cc", "bin/c++", "bin/nvcc", "opt/gcc-12",
                             "own/llamacc", "bin/ld", "src/tool"}) {
      Put(name, 0755);
    }
    for (const char* name : {"src/a.c", "src/gcc"}) Put(name, 0644);
    for (const char* name : {"src/x.c", "src/libx.so"}) Put(name, 0755);
    ASSERT_TRUE(MakeDirs(At("links")));
    for (const char* name : {"gcc", "cc", "clang"}) {
      ASSERT_EQ(symlink("../own/llamacc", At(std::string("links/") + name).c_str()), 0);
    }
    surroundings_.self = At("own/llamacc");
    surroundings_.cwd = At("src");
  }

  std::string At(const std::string& name) const { return dir_->path() + "/" + name; }
  void Put(const std::string& name, mode_t mode) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(At(name)))));
    ASSERT_TRUE(WriteFileAtomic(At(name), "x", mode));
  }
  // PATH of folders of the small world.
  void SetPath(const std::vector<std::string>& dirs) {
    path_.clear();
    for (const std::string& dir : dirs) {
      if (!path_.empty()) path_.push_back(':');
      path_.append(At(dir));
    }
    surroundings_.path = path_.c_str();
  }
  Result<Invocation> Resolve(const std::vector<std::string>& argv) const {
    return ResolveInvocation(argv, surroundings_);
  }

  std::optional<TempDir> dir_;
  std::string path_;
  Surroundings surroundings_;
};

TEST_F(InvocationTest, EveryWayOfBeingCalled) {
  struct Case {
    std::vector<std::string> argv;
    std::string program;
    std::vector<std::string> compiler_argv;
  };
  const Case cases[] = {
      // In place of the compiler.
      {{"llamacc", "-c", "a.c"}, "bin/cc", {"cc", "-c", "a.c"}},
      {{"/x/llamac++", "-c", "a.c"}, "bin/c++", {"c++", "-c", "a.c"}},
      {{"llamacc"}, "bin/cc", {"cc"}},
      {{"llamacc", "a.c"}, "bin/cc", {"cc", "a.c"}},
      {{"llamacc", "@args"}, "bin/cc", {"cc", "@args"}},
      {{"llamacc", "", "x"}, "bin/cc", {"cc", "", "x"}},
      // Files that happen to be executable are no compilers.
      {{"llamacc", "./x.c"}, "bin/cc", {"cc", "./x.c"}},
      {{"llamacc", "./libx.so"}, "bin/cc", {"cc", "./libx.so"}},
      // Before the compiler.
      {{"llamacc", "g++", "-c", "a.c"}, "bin/g++", {"g++", "-c", "a.c"}},
      {{"llamac++", "gcc", "-c", "a.c"}, "bin/gcc", {"gcc", "-c", "a.c"}},
      {{"llamacc", "../opt/gcc-12"}, "src/../opt/gcc-12", {"../opt/gcc-12"}},
      {{"llamacc", "nvcc", "-c"}, "bin/nvcc", {"nvcc", "-c"}},
      {{"llamacc", "./tool", "-c"}, "src/./tool", {"./tool", "-c"}},
      // Under its name.
      {{"gcc", "-c", "a.c"}, "bin/gcc", {"gcc", "-c", "a.c"}},
  };
  SetPath({"links", "own", "bin"});
  for (const Case& c : cases) {
    const Result<Invocation> got = Resolve(c.argv);
    ASSERT_TRUE(got) << c.argv[0] << ": " << got.error().message;
    EXPECT_EQ(got->program, At(c.program)) << testing::PrintToString(c.argv);
    EXPECT_EQ(got->argv, c.compiler_argv);
    EXPECT_EQ(got->path, At("own") + ":" + At("bin"));
  }
}

TEST_F(InvocationTest, ByThePathOfALinkTheCompilerSeesItsOwn) {
  SetPath({"bin"});
  const Result<Invocation> got = Resolve({At("links/gcc"), "-c"});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->program, At("bin/gcc"));
  EXPECT_EQ(got->argv, (std::vector<std::string>{At("bin/gcc"), "-c"}));
}

TEST_F(InvocationTest, ALauncherBeforeOurOwnLinkFindsTheCompilerBehindIt) {
  SetPath({"links", "bin"});
  const Result<Invocation> got = Resolve({"llamacc", At("links/gcc"), "-c"});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->program, At("bin/gcc"));
  EXPECT_EQ(got->argv, (std::vector<std::string>{At("bin/gcc"), "-c"}));
}

TEST_F(InvocationTest, ALauncherBeforeOurselvesIsOne) {
  SetPath({"own", "bin"});
  const auto cxx = Resolve({At("own/llamacc"), At("own/llamac++"), "-c", "a.cc"});
  ASSERT_TRUE(cxx) << cxx.error().message;
  EXPECT_EQ(cxx->program, At("bin/c++"));
  EXPECT_EQ(cxx->argv, (std::vector<std::string>{"c++", "-c", "a.cc"}));
  const auto behind = Resolve({"llamacc", "llamacc", "gcc", "-c", "a.c"});
  ASSERT_TRUE(behind) << behind.error().message;
  EXPECT_EQ(behind->program, At("bin/gcc"));
}

TEST_F(InvocationTest, TheLocalCompilerCanBeChosen) {
  SetPath({"links", "bin", "opt"});
  surroundings_.local_cc = "gcc-12";
  const std::string cxx = At("bin/g++");
  surroundings_.local_cxx = cxx.c_str();
  EXPECT_EQ(Resolve({"llamacc", "-c"})->program, At("opt/gcc-12"));
  EXPECT_EQ(Resolve({"llamacc", "-c"})->argv[0], "gcc-12");
  EXPECT_EQ(Resolve({"llamac++", "-c"})->program, cxx);
  surroundings_.local_cc = "";
  EXPECT_EQ(Resolve({"llamacc", "-c"})->program, At("bin/cc"));
}

TEST_F(InvocationTest, NeverFindsItself) {
  struct Case {
    std::vector<std::string> path;
    std::vector<std::string> argv;
  };
  const Case cases[] = {
      {{"links"}, {"gcc", "-c"}},
      {{"links", "bin"}, {"clang", "-c"}},
      {{"links"}, {"llamacc", "-c"}},
      {{"links"}, {"llamacc", "gcc", "-c"}},
      {{"bin"}, {"llamacc", "gcc-99", "-c"}},
      {{"links"}, {"llamacc", "../links/gcc", "-c"}},
  };
  for (const Case& c : cases) {
    SetPath(c.path);
    const Result<Invocation> got = Resolve(c.argv);
    ASSERT_FALSE(got) << got->program;
    EXPECT_EQ(got.error().code, Code::kNotFound);
    EXPECT_TRUE(got.error().message.ends_with(": command not found")) << got.error().message;
  }
}

TEST_F(InvocationTest, OurFolderOfLinksIsNotInTheCompilersPathEvenWhileItIsGone) {
  SetPath({"gone", "bin"});
  surroundings_.masquerade = At("gone");
  const auto invocation = Resolve({"llamacc", "-c", "a.c"});
  ASSERT_TRUE(invocation);
  EXPECT_EQ(invocation->path, At("bin"));
}

TEST_F(InvocationTest, SkipsWhatCannotBeExecuted) {
  SetPath({"src", "bin"});
  EXPECT_EQ(Resolve({"gcc"})->program, At("bin/gcc"));
}

TEST_F(InvocationTest, AnEmptyEntryIsTheWorkingDirectory) {
  surroundings_.cwd = At("bin");
  surroundings_.path = ":/nowhere";
  EXPECT_EQ(Resolve({"gcc"})->program, At("bin/./gcc"));
  EXPECT_EQ(Resolve({"gcc"})->path, ":/nowhere");
}

TEST(LooksLikeCompiler, ByName) {
  for (const char* name :
       {"gcc", "g++", "cc", "c++", "clang", "clang++", "c99", "c89", "gcc-12", "gcc-4.9",
        "clang++-14", "x86_64-linux-gnu-gcc", "arm-none-eabi-g++-12.2.0", "x86_64-pc-clang-14"}) {
    EXPECT_TRUE(LooksLikeCompiler(name)) << name;
  }
  for (const char* name : {"", "a.cc", "main.c++", "gcc.c", "acc", "gcc-", "gcc-ar", "ld", "12",
                           "-12", "clang-format", "xg++", "gcc12"}) {
    EXPECT_FALSE(LooksLikeCompiler(name)) << name;
  }
}

}  // namespace
}  // namespace llama::client
