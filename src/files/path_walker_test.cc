#include "files/path_walker.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "tree/tree_testing.h"

namespace llama::files {
namespace {

class PathWalkerTest : public testing::Test {
 protected:
  // root_: a canonical folder, so that expected paths can be spelt.
  PathWalkerTest() : root_(*RealPath(dir_.path())) {
    walker_ = std::make_unique<PathWalker>(*digests_);
  }
  void MakeFile(const std::string& path, std::string_view bytes, mode_t mode = 0644) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(root_ + path))));
    ASSERT_TRUE(WriteFileAtomic(root_ + path, bytes, mode));
  }
  void MakeLink(const std::string& path, const std::string& target) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(root_ + path))));
    ASSERT_EQ(symlink(target.c_str(), (root_ + path).c_str()), 0);
  }
  // The canonical path without root_, or the code's name.
  std::string Add(const std::string& path) { return Shown(walker_->Add(root_ + path)); }
  std::string AddParents(const std::string& path) {
    return Shown(walker_->AddParents(root_ + path));
  }
  // The walker's entries with root_ taken off.
  tree::Manifest Entries() const {
    tree::Manifest out;
    for (const auto& [path, entry] : walker_->manifest()) {
      EXPECT_TRUE(path.starts_with(root_)) << path;
      out[path.substr(root_.size())] = entry;
    }
    return out;
  }

  TempDir dir_ = *TempDir::Create();
  std::string root_;
  std::unique_ptr<DigestCache> digests_ = *DigestCache::Open("", SystemClock());
  std::unique_ptr<PathWalker> walker_;

 private:
  std::string Shown(const Result<std::string>& result) const {
    if (!result) return std::string(CodeName(result.error().code));
    EXPECT_TRUE(result->starts_with(root_)) << *result;
    return result->substr(root_.size());
  }
};

TEST_F(PathWalkerTest, AddsFilesAndDirectoriesAsThemselves) {
  MakeFile("/a/b.h", "int b;");
  MakeFile("/a/tool", "#!", 0755);
  EXPECT_EQ(Add("/a/b.h"), "/a/b.h");
  EXPECT_EQ(Add("/a/tool"), "/a/tool");
  EXPECT_EQ(Add("/a//./b.h"), "/a/b.h");
  EXPECT_EQ(Entries(), (tree::Manifest{{"/a/b.h", tree::File("int b;")},
                                       {"/a/tool", tree::File("#!", true)}}));
  EXPECT_EQ(Add("/a"), "/a");
  EXPECT_EQ(Add("/a/"), "/a");
  EXPECT_EQ(Entries().at("/a"), tree::Dir());
  EXPECT_EQ(*walker_->Add("/"), "/");
  EXPECT_EQ(*walker_->Add("/.."), "/");
  EXPECT_EQ(Entries().size(), 3u);
}

TEST_F(PathWalkerTest, LinksOnTheWayBecomeEntries) {
  MakeFile("/usr/lib/x/f", "1");
  MakeLink("/lib", "usr/lib");
  MakeLink("/usr/lib/y", root_ + "/usr/lib/x");
  MakeLink("/etc/alt", "../lib/y/f");
  EXPECT_EQ(Add("/etc/alt"), "/usr/lib/x/f");
  tree::Manifest expected = {{"/etc", tree::Dir()},
                             {"/etc/alt", tree::Link("../lib/y/f")},
                             {"/lib", tree::Link("usr/lib")},
                             {"/usr/lib/y", tree::Link(root_ + "/usr/lib/x")},
                             {"/usr/lib/x/f", tree::File("1")}};
  // An absolute target is walked from the machine's own root, through whatever is above root_.
  EXPECT_EQ(Entries(), expected);
  // What a walk leaves by ".." is walked through there, too.
  EXPECT_EQ(Add("/lib/x/../y"), "/usr/lib/x");
  expected["/usr/lib/x"] = tree::Dir();
  EXPECT_EQ(Entries(), expected);
}

TEST_F(PathWalkerTest, DotDotIsOfTheLinksTargetNotOfItsName) {
  MakeFile("/real/deep/in", "1");
  MakeFile("/real/f", "right");
  MakeFile("/f", "wrong");
  MakeLink("/l", "real/deep");
  EXPECT_EQ(Add("/l/../f"), "/real/f");
  EXPECT_EQ(Entries(), (tree::Manifest{{"/l", tree::Link("real/deep")},
                                       {"/real/deep", tree::Dir()},
                                       {"/real/f", tree::File("right")}}));
}

TEST_F(PathWalkerTest, WhatLeadsToAMissingFileIsAdded) {
  ASSERT_TRUE(MakeDirs(root_ + "/d"));
  MakeLink("/l", "d");
  EXPECT_EQ(Add("/l/none/x.h"), CodeName(Code::kNotFound));
  EXPECT_EQ(Entries(), (tree::Manifest{{"/l", tree::Link("d")}}));
  MakeLink("/dangling", "d/nowhere");
  EXPECT_EQ(Add("/dangling"), CodeName(Code::kNotFound));
  EXPECT_EQ(Entries().at("/dangling"), tree::Link("d/nowhere"));
}

TEST_F(PathWalkerTest, RefusesWhatTheKernelRefuses) {
  MakeFile("/f", "1");
  MakeLink("/to-f", "f");
  MakeLink("/loop", "loop");
  MakeLink("/ping", "pong");
  MakeLink("/pong", "ping/x");
  ASSERT_EQ(mkfifo((root_ + "/fifo").c_str(), 0600), 0);
  struct Case {
    const char* path;
    Code code;
  };
  const Case cases[] = {
      {"/f/x", Code::kNotFound},   {"/f/", Code::kNotFound},      {"/f/.", Code::kNotFound},
      {"/f/..", Code::kNotFound},  {"/to-f/", Code::kNotFound},   {"/to-f/x", Code::kNotFound},
      {"/none", Code::kNotFound},  {"/none/..", Code::kNotFound}, {"/loop", Code::kInvalid},
      {"/loop/x", Code::kInvalid}, {"/ping", Code::kInvalid},     {"/fifo", Code::kInvalid},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Add(c.path), CodeName(c.code)) << c.path;
    EXPECT_EQ(AddParents(std::string(c.path) + "/new"), CodeName(c.code)) << c.path;
  }
  EXPECT_EQ(Add("/" + std::string(300, 'x')), CodeName(Code::kNotFound));
  for (const std::string& path : {std::string(), std::string("f"), std::string("/a\0b", 4)}) {
    EXPECT_EQ(walker_->Add(path).error().code, Code::kInvalid) << path;
  }
}

TEST_F(PathWalkerTest, FollowsFortyLinksAndNoMore) {
  MakeFile("/l0", "1");
  for (int i = 1; i <= 41; ++i) {
    MakeLink("/l" + std::to_string(i), "l" + std::to_string(i - 1));
  }
  struct stat st {};
  ASSERT_EQ(stat((root_ + "/l40").c_str(), &st), 0);
  ASSERT_NE(stat((root_ + "/l41").c_str(), &st), 0);
  EXPECT_EQ(Add("/l40"), "/l0");
  EXPECT_EQ(Add("/l41"), CodeName(Code::kInvalid));
}

TEST_F(PathWalkerTest, ParentsOfAFileWithoutTheFile) {
  MakeFile("/d/f.c", "x");
  MakeLink("/l", "d");
  MakeLink("/d/alias.c", "f.c");
  const tree::Manifest leading = {{"/l", tree::Link("d")}, {"/d", tree::Dir()}};
  EXPECT_EQ(AddParents("/l/new.o"), "/d/new.o");
  EXPECT_EQ(AddParents("/l/f.c"), "/d/f.c");
  // A link in the place of the new file would be replaced, not followed.
  EXPECT_EQ(AddParents("/l/alias.c"), "/d/alias.c");
  EXPECT_EQ(Entries(), leading);
}

TEST_F(PathWalkerTest, NamesAreBytes) {
  MakeFile("/sp ace\n/\xff\xfe,$'\"", "1");
  EXPECT_EQ(Add("/sp ace\n/\xff\xfe,$'\""), "/sp ace\n/\xff\xfe,$'\"");
  EXPECT_TRUE(tree::CheckManifest(walker_->manifest()));
}

TEST_F(PathWalkerTest, WhatItFindsIsAlwaysAValidManifest) {
  MakeFile("/a/b/c/f", "1");
  MakeLink("/a/up", "..");
  MakeLink("/a/b/abs", root_ + "/a/up/a");
  MakeLink("/x", "a/b/abs/b");
  for (const char* path : {"/x/c/f", "/a/up/x/c/../c/f", "/a/b/abs/up/x", "/x/abs/b/abs/b/c"}) {
    EXPECT_NE(Add(path), CodeName(Code::kNotFound)) << path;
  }
  const Result<void> valid = tree::CheckManifest(walker_->manifest());
  EXPECT_TRUE(valid) << valid.error().message;
}

}  // namespace
}  // namespace llama::files
