#include "base/search_path.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/file.h"

namespace llama {
namespace {

TEST(SearchPath, EmptyPartsAreFoldersToo) {
  EXPECT_EQ(SplitSearchPath("a::b:"), (std::vector<std::string_view>{"a", "", "b", ""}));
  EXPECT_EQ(SplitSearchPath(""), std::vector<std::string_view>{""});
}

TEST(SearchPath, TheFirstThatCanRunIsFound) {
  const Result<TempDir> dir = TempDir::Create();
  ASSERT_TRUE(dir);
  const std::string at = dir->path();
  for (const char* folder : {"/a", "/b", "/c", "/a/tool"}) ASSERT_TRUE(MakeDirs(at + folder));
  ASSERT_TRUE(WriteFileAtomic(at + "/b/tool", "", 0755));
  ASSERT_TRUE(WriteFileAtomic(at + "/c/tool", "", 0755));
  ASSERT_TRUE(WriteFileAtomic(at + "/a/text", "", 0644));
  const std::string path = at + "/none:" + at + "/a:" + at + "/b:" + at + "/c";
  EXPECT_EQ(FindProgram("tool", path), at + "/b/tool");
  EXPECT_EQ(FindProgram("tool", "c:" + path), at + "/b/tool");
  EXPECT_EQ(FindProgram("tool", "c:" + path, at), at + "/c/tool");
  EXPECT_EQ(FindProgram("tool", "", at + "/c"), at + "/c/./tool");
  EXPECT_EQ(FindProgram("text", path), "");
  EXPECT_EQ(FindProgram("tool", "c::"), "");
}

}  // namespace
}  // namespace llama
