#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "base/file.h"
#include "base/process.h"
#include "compiler/plan.h"

namespace llama::compiler {
namespace {

TEST(DepfileTest, ReadsTheNamesOfARule) {
  struct Case {
    const char* rule;
    std::vector<std::string> names;
  };
  const Case cases[] = {
      {"a.o: a.c\n", {"a.c"}},
      {"a.o: a.c \\\n b.h c.h\n\nb.h:\n", {"a.c", "b.h", "c.h"}},
      {"x: a\\ b.h c\\#d e$$f g:h i\\j\n", {"a b.h", "c#d", "e$f", "g:h", "i\\j"}},
      {"x: a\\\\\\ b\n", {"a\\ b"}},
      {"a:b.o: c\n", {"c"}},
      {"a.o:\n", {}},
      {"a.o:", {}},
      {"x: trailing\\", {"trailing\\"}},
  };
  for (const Case& c : cases) {
    auto names = ParseDepfile(c.rule);
    ASSERT_TRUE(names) << c.rule;
    EXPECT_EQ(*names, c.names) << c.rule;
  }
  for (const char* bad : {"", "no rule", "a b c\n"}) EXPECT_FALSE(ParseDepfile(bad)) << bad;
}

TEST(DepfileTest, LeavesOtherTextAlone) {
  for (const char* text : {"", "a.o: a.c\n", "nonsense", "a:b\\\n:", "/rootless/x: y\n"}) {
    for (const Family family : {Family::kGcc, Family::kClang}) {
      EXPECT_EQ(MapDepfile(text, "/root", family).value(), text);
    }
  }
  EXPECT_EQ(MapDepfile("a.o: /root2/x /root/y\n", "/root", Family::kGcc).value(),
            "a.o: /root2/x /y\n");
  EXPECT_FALSE(MapDepfile("/root/a.c without a rule", "/root", Family::kGcc));
}

// The compilers themselves write the same project's rule twice: below a root, and without it.
class DepfileOfTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (access(GetParam(), X_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
    auto temp = TempDir::Create("dep");
    ASSERT_TRUE(temp);
    temp_ = std::make_unique<TempDir>(std::move(*temp));
    project_ = temp_->path() + "/p";
    root_ = temp_->path() + "/" + "some/long/root" + std::string(23, 'r');
  }

  std::string RandomName() {
    static constexpr char kBytes[] = "abcdefghijklmnopqrstuvwxyz0123456789_-.+ $#~=,%@";
    std::string name(1, 'h');
    const size_t length = 1 + random_() % (random_() % 8 == 0 ? 90 : 24);
    for (size_t i = 0; i < length; ++i) name += kBytes[random_() % (sizeof kBytes - 1)];
    return name + "z.h";
  }

  void WriteProject() {
    std::filesystem::remove_all(project_);
    std::string text;
    // Found by a relative folder, names are short and lines hold several.
    for (size_t i = 0; i < 24; ++i) {
      const std::string in = random_() % 4 == 0 ? "/inc/" : "/r/";
      const std::string dir = random_() % 3 == 0 ? "sub dir/" : "";
      const std::string name = RandomName();
      std::filesystem::create_directories(project_ + in + dir);
      std::ofstream(project_ + in + dir + name) << "\n";
      text += "#include \"" + dir + name + "\"\n";
    }
    std::ofstream(project_ + "/a.c") << text;
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ + project_);
    std::filesystem::copy(project_, root_ + project_, std::filesystem::copy_options::recursive);
  }

  std::string Run(const std::string& base, std::vector<std::string> options) {
    ProcessOptions run;
    run.program = GetParam();
    run.argv = {GetParam(), "-nostdinc", "-MD", "-MF", "d"};
    for (std::string& option : options) {
      const size_t at = option.find('@');
      if (at != option.npos) option.replace(at, 1, base + project_);
      run.argv.push_back(option);
    }
    for (const std::string& word :
         {std::string("-I") + base + project_ + "/inc", std::string("-Ir"), std::string("-c"),
          base + project_ + "/a.c"}) {
      run.argv.push_back(word);
    }
    run.env = {"PATH=/usr/bin:/bin"};
    run.cwd = base + project_;
    auto result = RunProcess(run);
    EXPECT_TRUE(result && result->ExitCode() == 0) << (result ? result->err : "");
    auto depfile = ReadFile(base + project_ + "/d");
    return depfile ? *depfile : "";
  }

  std::minstd_rand random_{12345};
  std::unique_ptr<TempDir> temp_;
  std::string project_, root_;
};

TEST_P(DepfileOfTest, IsWrappedAsTheCompilerWrapsIt) {
  const Family family =
      std::string(GetParam()).find("clang") == std::string::npos ? Family::kGcc : Family::kClang;
  const std::vector<std::vector<std::string>> option_sets = {
      {},
      {"-MP"},
      {"-o", "@/out.o"},
      {"-MT", "two words", "-MT", "plain", "-MQ", "c d$e:f"},
      {"-MP", "-MT", "t", "-MQ", "a-target-that-is-long-enough-to-need-a-line-of-its-own/x.o",
       "-MQ", "another-target-that-is-long-enough-to-need-a-line-of-its-own/x.o"},
  };
  for (int round = 0; round < 12; ++round) {
    WriteProject();
    for (const auto& options : option_sets) {
      const std::string local = Run("", options);
      const std::string remote = Run(root_, options);
      ASSERT_NE(remote.find(root_), remote.npos);
      EXPECT_EQ(MapDepfile(remote, root_, family).value(), local);
      const auto local_names = ParseDepfile(local);
      ASSERT_TRUE(local_names);
      for (const std::string& name : *local_names) {
        EXPECT_TRUE(std::filesystem::exists(JoinPath(project_, name))) << name;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Compilers, DepfileOfTest,
                         testing::Values("/usr/bin/gcc", "/usr/bin/clang"),
                         [](const auto& param) { return std::string(BaseName(param.param)); });

}  // namespace
}  // namespace llama::compiler
