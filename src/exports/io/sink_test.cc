#include "exports/io/sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "exports/formats/format.h"
#include "exports/spans/testing.h"
#include "traces/load/loader.h"

namespace llama::exports {
namespace {

size_t NamesIn(const std::string& folder) {
  const auto names = ListDir(folder);
  return names ? names->size() : 0;
}

TEST(FileSink, ReplacesTheFileWhenAllIsWrittenAndLeavesNothingElse) {
  const TempDir dir = *TempDir::Create();
  const std::string path = JoinPath(dir.path(), "out");
  ASSERT_TRUE(WriteFileAtomic(path, "before", 0644));
  {
    auto sink = NewFileSink(path);
    ASSERT_TRUE(sink) << sink.error().message;
    ASSERT_TRUE((*sink)->Write("half"));
  }
  EXPECT_EQ(*ReadFile(path), "before");
  EXPECT_EQ(NamesIn(dir.path()), 1u);
  auto sink = NewFileSink(path);
  ASSERT_TRUE(sink);
  ASSERT_TRUE((*sink)->Write("whole"));
  ASSERT_TRUE((*sink)->Finish());
  EXPECT_EQ(*ReadFile(path), "whole");
  EXPECT_EQ(NamesIn(dir.path()), 1u);
}

TEST(FileSink, TwoOfOneProcessToOneFileDoNotMeet) {
  const TempDir dir = *TempDir::Create();
  const std::string path = JoinPath(dir.path(), "out");
  auto one = NewFileSink(path);
  auto other = NewFileSink(path);
  ASSERT_TRUE(one && other);
  ASSERT_TRUE((*one)->Write("one"));
  ASSERT_TRUE((*other)->Write("other"));
  ASSERT_TRUE((*one)->Finish());
  EXPECT_EQ(*ReadFile(path), "one");
  ASSERT_TRUE((*other)->Finish());
  EXPECT_EQ(*ReadFile(path), "other");
}

TEST(WriteByName, GivesANameInAFolderThatIsOursAlone) {
  const TempDir dir = *TempDir::Create();
  const std::string path = JoinPath(dir.path(), "out");
  const auto write = [&](const std::string& name) -> Result<void> {
    struct stat status {};
    EXPECT_EQ(stat(std::string(DirName(name)).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0700u);
    TRY(WriteFileAtomic(name + "-journal", "left behind", 0644));
    return WriteFileAtomic(name, "whole", 0644);
  };
  ASSERT_TRUE(WriteByName(path, write));
  EXPECT_EQ(*ReadFile(path), "whole");
  EXPECT_EQ(NamesIn(dir.path()), 1u);
  const auto failed = WriteByName(path, [&](const std::string& name) -> Result<void> {
    TRY(WriteFileAtomic(name, "half", 0644));
    return Error{Code::kInternal, "no more"};
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().message, "no more");
  EXPECT_EQ(*ReadFile(path), "whole");
  EXPECT_EQ(NamesIn(dir.path()), 1u);
}

TEST(ExportTo, WhatCanNotHoldAnythingIsAnErrorAndLeavesTheFile) {
  const TempDir dir = *TempDir::Create();
  const std::string path = JoinPath(dir.path(), "out");
  ASSERT_TRUE(WriteFileAtomic(path, "before", 0644));
  const traces::Columns trace = traces::LoadText(SmallBuild());
  const Selection selection = SelectAll(trace);
  for (const Format& format : Formats()) {
    if (format.write == nullptr) continue;
    const auto result = ExportTo(path, format, selection, {}, 1);
    EXPECT_FALSE(result) << format.name;
    EXPECT_EQ(*ReadFile(path), "before") << format.name;
  }
}

}  // namespace
}  // namespace llama::exports
