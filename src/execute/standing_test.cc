#include "execute/standing.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/file.h"

namespace llama::execute {
namespace {

class StandingTest : public testing::Test {
 protected:
  StandingTest() {
    outputs_.object = Path("a.o");
    outputs_.depfile = Path("a.d");
    outputs_.announced = {{outputs_.object, outputs_.object, false},
                          {outputs_.depfile, outputs_.depfile, false}};
    outputs_.dirs = {dir_.path()};
    outputs_.stems = {"a"};
    outputs_.suffixes = {".su"};
  }
  std::string Path(const std::string& name) const { return dir_.path() + "/" + name; }
  void Make(const std::string& name, const std::string& text, mode_t mode) {
    ASSERT_TRUE(WriteFileAtomic(Path(name), text, mode));
  }
  // The name of the first that is peculiar, and all are gone.
  std::string First(ObjectWriter writer) {
    const std::string first = FirstPeculiar(outputs_, writer, LocalFileSystem());
    for (const char* name : {"a.o", "a.d", "a.su", "other"}) unlink(Path(name).c_str());
    return first.empty() ? "" : std::string(BaseName(first));
  }

  TempDir dir_ = *TempDir::Create("standing");
  Outputs outputs_;
};

TEST_F(StandingTest, ByWriterModeAndSize) {
  const struct {
    const char* name;
    const char* text;
    mode_t mode;
    std::string gnu_as, clang;
  } kCases[] = {
      {"a.o", "old", 0644, "", ""},    {"a.o", "", 0644, "", ""},
      {"a.o", "old", 0600, "", ""},    {"a.o", "", 0600, "a.o", ""},
      {"a.o", "old", 0444, "", "a.o"}, {"a.o", "", 0444, "a.o", "a.o"},
      {"a.d", "old", 0644, "", ""},    {"a.d", "old", 0664, "a.d", "a.d"},
      {"a.d", "", 0600, "a.d", "a.d"}, {"a.d", "old", 0444, "a.d", "a.d"},
      {"a.su", "old", 0644, "", ""},   {"a.su", "old", 0640, "a.su", "a.su"},
      {"other", "old", 0600, "", ""},  {"a.d", "old", 04755, "a.d", "a.d"},
  };
  for (const auto& test : kCases) {
    const std::string what = std::string(test.name) + " " + std::to_string(test.mode);
    Make(test.name, test.text, test.mode);
    EXPECT_EQ(First(ObjectWriter::kGnuAs), test.gnu_as) << what;
    Make(test.name, test.text, test.mode);
    EXPECT_EQ(First(ObjectWriter::kClang), test.clang) << what;
  }
  outputs_.umask = 002;
  Make("a.d", "old", 0664);
  EXPECT_EQ(First(ObjectWriter::kGnuAs), "");
}

TEST_F(StandingTest, ByLinks) {
  Make("other", "old", 0644);
  ASSERT_EQ(link(Path("other").c_str(), Path("a.d").c_str()), 0);
  EXPECT_EQ(First(ObjectWriter::kGnuAs), "a.d");
  Make("other", "old", 0644);
  ASSERT_EQ(link(Path("other").c_str(), Path("a.o").c_str()), 0);
  EXPECT_EQ(First(ObjectWriter::kGnuAs), "") << "its name is taken off";
  for (const char* name : {"a.o", "a.d", "a.su"}) {
    ASSERT_EQ(symlink("other", Path(name).c_str()), 0);
    EXPECT_EQ(First(ObjectWriter::kClang), name);
  }
}

TEST_F(StandingTest, ByGroup) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  Make("a.d", "old", 0644);
  ASSERT_EQ(chown(Path("a.d").c_str(), 0, 7), 0);
  EXPECT_EQ(First(ObjectWriter::kGnuAs), "a.d");
  // What is made in such a folder gets its group.
  ASSERT_EQ(chown(dir_.path().c_str(), 0, 7), 0);
  ASSERT_EQ(chmod(dir_.path().c_str(), 02755), 0);
  Make("a.d", "old", 0644);
  EXPECT_EQ(First(ObjectWriter::kGnuAs), "");
}

}  // namespace
}  // namespace llama::execute
