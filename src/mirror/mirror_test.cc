#include "mirror/mirror.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "mirror/merged_tree.h"
#include "tree/tree_testing.h"

namespace llama::mirror {
namespace {

class MirrorTest : public testing::Test {
 protected:
  MirrorTest() { Open({}); }

  void Open(MirrorOptions options) {
    options.dir = temp_.path() + "/m";
    mirror_.reset();
    mirror_ = *Mirror::Open(options, *store_);
  }
  tree::LayerRef Layer(const std::vector<tree::Item>& items) {
    return tree::PutLayer(*store_, items);
  }

  PrepareStats Prepare(const tree::View& view) {
    const Result<PrepareStats> stats = mirror_->Prepare(view);
    EXPECT_TRUE(stats) << stats.error().message;
    return stats ? *stats : PrepareStats{};
  }
  PrepareStats Prepare(const std::vector<tree::LayerRef>& layers) {
    return Prepare(tree::View{layers, {}, {}});
  }

  std::string Real(const std::string& path) const { return mirror_->root() + path; }

  // Everything below root/: "dir", "-> target" or the content, of executables with a '*'.
  std::map<std::string, std::string> Contents() const {
    std::map<std::string, std::string> out;
    Walk("", out);
    return out;
  }
  using Tree = std::map<std::string, std::string>;

  TempDir temp_ = *TempDir::Create("ll");
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  std::unique_ptr<Mirror> mirror_;

 private:
  void Walk(const std::string& dir, Tree& out) const {
    const std::vector<std::string> names = *ListDir(Real(dir));
    for (const std::string& name : names) {
      const std::string path = dir + "/" + name;
      struct stat st {};
      ASSERT_EQ(lstat(Real(path).c_str(), &st), 0);
      if (S_ISDIR(st.st_mode)) {
        out[path] = "dir";
        Walk(path, out);
      } else if (S_ISLNK(st.st_mode)) {
        out[path] = "-> " + *ReadLink(Real(path));
      } else {
        out[path] = *ReadFile(Real(path)) + ((st.st_mode & 0111) != 0 ? "*" : "");
      }
    }
  }
};

TEST_F(MirrorTest, ShowsFilesLinksAndDirectories) {
  const tree::LayerRef a =
      Layer({tree::F("/usr/include/a.h", "int a;"), tree::F("/usr/bin/cc", "#!", true),
             tree::L("/lib", "usr/lib"), tree::D("/usr/lib/empty")});
  const PrepareStats stats = Prepare({a});
  EXPECT_EQ(stats.fetched_objects, 1u);
  EXPECT_EQ(stats.fetched_bytes, a.size_bytes);
  EXPECT_EQ(Contents(), (Tree{{"/lib", "-> usr/lib"},
                              {"/usr", "dir"},
                              {"/usr/bin", "dir"},
                              {"/usr/bin/cc", "#!*"},
                              {"/usr/include", "dir"},
                              {"/usr/include/a.h", "int a;"},
                              {"/usr/lib", "dir"},
                              {"/usr/lib/empty", "dir"}}));
  struct stat st {};
  ASSERT_EQ(stat(Real("/usr/bin/cc").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0555u);
  ASSERT_EQ(stat(Real("/usr/include/a.h").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0444u);
  EXPECT_EQ(mirror_->Find("/usr/bin/cc")->executable, true);
  EXPECT_EQ(mirror_->Find("/usr")->type, tree::EntryType::kDir);
  EXPECT_EQ(mirror_->Find("/usr/none"), nullptr);
}

TEST_F(MirrorTest, OneContentMayBePlainHereAndExecutableThere) {
  Prepare(
      {Layer({tree::F("/a", "x", false), tree::F("/b", "x", true), tree::F("/c", "x", false)})});
  struct stat st {};
  ASSERT_EQ(stat(Real("/a").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0444u);
  ASSERT_EQ(stat(Real("/b").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0555u);
  ASSERT_EQ(stat(Real("/c").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0444u);
}

TEST_F(MirrorTest, AbsoluteLinksLeadIntoTheRoot) {
  Prepare({Layer({tree::F("/usr/bin/gcc", "gcc"), tree::L("/usr/bin/cc", "/etc/alternatives/cc"),
                  tree::L("/etc/alternatives/cc", "/usr/bin/gcc"),
                  tree::L("/usr/x/up", "../../../../usr/bin/gcc"), tree::L("/usr/x/top", "../.."),
                  tree::L("/usr/x/in", "../bin/./gcc")})});
  EXPECT_EQ(*ReadLink(Real("/usr/bin/cc")), mirror_->root() + "/etc/alternatives/cc");
  EXPECT_EQ(*ReadLink(Real("/usr/x/in")), "../bin/./gcc");
  EXPECT_EQ(*ReadFile(Real("/usr/bin/cc")), "gcc");
  // The real root is its own parent: a link that climbs past it stays in the tree.
  EXPECT_EQ(*ReadFile(Real("/usr/x/up")), "gcc");
  EXPECT_EQ(*RealPath(Real("/usr/x/top")), mirror_->root());
}

// Each case: layers by name, then a series of lists; after each the root must hold what the list
// amounts to, and nothing else, whichever way it got there.
TEST_F(MirrorTest, FollowsEveryChangeOfVersionBothWays) {
  const std::vector<tree::Item> base = {tree::F("/p/a.h", "1"), tree::F("/p/b.h", "2"),
                                        tree::F("/p/d/x.h", "3"), tree::L("/p/l", "a.h"),
                                        tree::D("/p/e")};
  const std::vector<std::vector<tree::Item>> tops = {
      {tree::F("/p/a.h", "changed")},
      {tree::F("/p/a.h", "1", true)},
      {tree::Gone("/p/a.h")},
      {tree::Gone("/p")},
      {tree::Gone("/p/d"), tree::Gone("/p/l")},
      {tree::F("/p/d", "a file now")},
      {tree::F("/p/a.h/deep/er", "a directory now")},
      {tree::L("/p/d", "e")},
      {tree::F("/p/l/y", "a link was here")},
      {tree::L("/p", "/q"), tree::F("/q/a.h", "moved")},
      {tree::D("/p/a.h")},
      {tree::F("/p/e", "was empty")},
      {tree::L("/p/l", "b.h"), tree::F("/p/new", "n")},
  };
  const tree::LayerRef a = Layer(base);
  Prepare({a});
  const Tree only_a = Contents();
  for (const std::vector<tree::Item>& top : tops) {
    const tree::LayerRef b = Layer(top);
    Open({});
    Prepare({a, b});
    const Tree fresh = Contents();
    EXPECT_NE(fresh, only_a);
    Prepare({a});
    EXPECT_EQ(Contents(), only_a);
    Prepare({a, b});
    EXPECT_EQ(Contents(), fresh);
    Prepare({b});
    Prepare(std::vector<tree::LayerRef>{});
    EXPECT_EQ(Contents(), Tree{});
    Prepare({b, a});
    Prepare({a, b});
    EXPECT_EQ(Contents(), fresh);
    // As the job's own entries on top of the layer.
    tree::View own{{a}, {}, {}};
    for (const tree::Item& item : top) {
      if (item.entry.type == tree::EntryType::kFile) {
        own.files.push_back({item.path, item.entry.executable, item.bytes});
      } else {
        own.extra[item.path] = item.entry;
      }
    }
    Prepare({a});
    Prepare(own);
    EXPECT_EQ(Contents(), fresh);
    Prepare({a});
    EXPECT_EQ(Contents(), only_a);
  }
}

TEST_F(MirrorTest, TheMergedTreeIsWhatTheRootShows) {
  const tree::LayerRef a = Layer({tree::F("/p/a", "1"), tree::F("/p/d/x", "2")});
  const tree::LayerRef b = Layer({tree::F("/p/d", "3"), tree::Gone("/p/a"), tree::F("/r", "4")});
  Prepare({a, b});
  EXPECT_EQ(Contents(), (Tree{{"/p", "dir"}, {"/p/d", "3"}, {"/r", "4"}}));
  EXPECT_EQ(mirror_->Find("/p/a"), nullptr);
  EXPECT_EQ(mirror_->Find("/p/d/x"), nullptr);
  EXPECT_EQ(*mirror_->Find("/p/d"), tree::File("3"));
}

TEST_F(MirrorTest, TheSameListAgainTouchesNothing) {
  const tree::LayerRef a = Layer({tree::F("/a", "1"), tree::F("/b/c", "2")});
  Prepare({a});
  const PrepareStats again = Prepare({a});
  EXPECT_EQ(again.fetched_objects, 0u);
  EXPECT_EQ(again.files_written, 0u);
  EXPECT_EQ(again.files_removed, 0u);
  const tree::LayerRef b = Layer({tree::F("/b/d", "3")});
  const PrepareStats more = Prepare({a, b});
  EXPECT_EQ(more.fetched_objects, 1u);
  EXPECT_EQ(more.files_written, 1u);
  EXPECT_EQ(more.files_removed, 0u);
}

TEST_F(MirrorTest, AJobsOwnFilesOverrideAndGo) {
  const tree::LayerRef a = Layer({tree::F("/src/a.c", "old"), tree::F("/src/h.h", "h")});
  tree::View view{{a}, {{"/src/a.c", false, "new"}, {"/src/gen/b.c", false, "b"}}, {}};
  view.extra["/out"] = tree::Dir();
  view.extra["/link"] = tree::Link("/src");
  Prepare(view);
  EXPECT_EQ(Contents(), (Tree{{"/link", "-> " + mirror_->root() + "/src"},
                              {"/out", "dir"},
                              {"/src", "dir"},
                              {"/src/a.c", "new"},
                              {"/src/gen", "dir"},
                              {"/src/gen/b.c", "b"},
                              {"/src/h.h", "h"}}));
  EXPECT_EQ(*mirror_->Find("/src/a.c"), tree::File("new"));
  const PrepareStats again = Prepare(view);
  EXPECT_EQ(again.files_written, 0u);
  Prepare({a});
  EXPECT_EQ(Contents(), (Tree{{"/src", "dir"}, {"/src/a.c", "old"}, {"/src/h.h", "h"}}));
}

TEST_F(MirrorTest, RefusesBadOwnEntriesAndKeepsWorking) {
  const tree::LayerRef a = Layer({tree::F("/a", "1")});
  Prepare({a});
  const std::string bad[] = {"",
                             "/",
                             "a",
                             "/a/",
                             "/a//b",
                             "/a/../b",
                             "/./a",
                             std::string("/a\0b", 4),
                             "/" + std::string(256, 'x')};
  for (const std::string& path : bad) {
    EXPECT_EQ(mirror_->Prepare({{a}, {{path, false, ""}}, {}}).error().code, Code::kInvalid);
    tree::View view{{a}, {}, {}};
    view.extra[path] = tree::Dir();
    EXPECT_EQ(mirror_->Prepare(view).error().code, Code::kInvalid);
    EXPECT_EQ(mirror_->EnsureDir(path).has_value(), path == "/") << path;
  }
  tree::View view{{a}, {}, {}};
  view.extra["/f"] = tree::File("x");
  EXPECT_EQ(mirror_->Prepare(view).error().code, Code::kInvalid);
  Prepare({a});
  EXPECT_EQ(Contents(), (Tree{{"/a", "1"}}));
}

TEST_F(MirrorTest, DirectoriesForOutputsGoWithTheJob) {
  const tree::LayerRef a = Layer({tree::F("/src/a.c", "a"), tree::L("/src/l", "a.c")});
  Prepare({a});
  ASSERT_TRUE(mirror_->EnsureDir("/"));
  ASSERT_TRUE(mirror_->EnsureDir("/src"));
  ASSERT_TRUE(mirror_->EnsureDir("/src/build/obj"));
  ASSERT_TRUE(mirror_->EnsureDir("/src/build/obj"));
  EXPECT_EQ(mirror_->EnsureDir("/src/a.c/x").error().code, Code::kInvalid);
  EXPECT_EQ(mirror_->EnsureDir("/src/l").error().code, Code::kInvalid);
  ASSERT_TRUE(WriteFileAtomic(Real("/src/build/obj/a.o"), "o", 0644));
  Prepare({a});
  EXPECT_EQ(Contents(), (Tree{{"/src", "dir"}, {"/src/a.c", "a"}, {"/src/l", "-> a.c"}}));
}

struct Damage {
  const char* name;
  std::function<void(const std::string& root)> harm;
};

TEST_F(MirrorTest, WhatAJobDidToDistrustedDirectoriesIsUndone) {
  const tree::LayerRef a = Layer({tree::F("/d/a", "1"), tree::F("/d/b", "1"), tree::L("/d/l", "a"),
                                  tree::F("/d/sub/x", "2"), tree::F("/other/c", "1")});
  const auto write = [](const std::string& path, std::string_view bytes) {
    ASSERT_EQ(chmod(path.c_str(), 0644), 0);
    const Fd fd = *OpenFile(path, O_WRONLY | O_TRUNC);
    ASSERT_TRUE(WriteAll(fd.get(), bytes, path));
  };
  const auto replace = [](const std::string& path, std::string_view bytes) {
    ASSERT_TRUE(RemoveTree(path));
    ASSERT_TRUE(WriteFileAtomic(path, bytes, 0444));
  };
  const auto link = [](const std::string& path, const std::string& target) {
    ASSERT_TRUE(RemoveTree(path));
    ASSERT_EQ(symlink(target.c_str(), path.c_str()), 0);
  };
  const Damage damages[] = {
      {"nothing", [](const std::string&) {}},
      {"new file", [&](const std::string& r) { replace(r + "/d/new", "n"); }},
      {"new tree", [](const std::string& r) { ASSERT_TRUE(MakeDirs(r + "/d/n/e/w")); }},
      {"file gone", [](const std::string& r) { ASSERT_TRUE(RemoveTree(r + "/d/a")); }},
      {"file replaced", [&](const std::string& r) { replace(r + "/d/a", "9"); }},
      {"file written in place", [&](const std::string& r) { write(r + "/d/a", "9"); }},
      {"file truncated", [&](const std::string& r) { write(r + "/d/b", ""); }},
      {"mode changed",
       [](const std::string& r) { ASSERT_EQ(chmod((r + "/d/a").c_str(), 0777), 0); }},
      {"link replaced", [&](const std::string& r) { link(r + "/d/l", "b"); }},
      {"link gone", [](const std::string& r) { ASSERT_TRUE(RemoveTree(r + "/d/l")); }},
      {"file became a directory",
       [](const std::string& r) {
         ASSERT_TRUE(RemoveTree(r + "/d/a"));
         ASSERT_TRUE(MakeDirs(r + "/d/a/x"));
       }},
      {"subdirectory gone", [](const std::string& r) { ASSERT_TRUE(RemoveTree(r + "/d/sub")); }},
      {"subdirectory became a link", [&](const std::string& r) { link(r + "/d/sub", "/tmp"); }},
      {"all gone", [](const std::string& r) { ASSERT_TRUE(RemoveTree(r + "/d")); }},
      {"became a link", [&](const std::string& r) { link(r + "/d", "other"); }},
      {"became a file", [&](const std::string& r) { replace(r + "/d", "x"); }},
      {"two at once",
       [&](const std::string& r) {
         write(r + "/d/a", "9");
         ASSERT_TRUE(RemoveTree(r + "/d/b"));
         ASSERT_TRUE(RemoveTree(r + "/d/sub"));
       }},
  };
  Prepare({a});
  const Tree sound = Contents();
  for (const Damage& damage : damages) {
    damage.harm(mirror_->root());
    Prepare({a});
    EXPECT_EQ(Contents(), sound) << damage.name;
  }
  // The same on the way to another list.
  const tree::LayerRef b = Layer({tree::F("/d/a", "changed"), tree::Gone("/d/sub")});
  for (const Damage& damage : damages) {
    Prepare({a});
    damage.harm(mirror_->root());
    Prepare({a, b});
    EXPECT_EQ(Contents(), (Tree{{"/d", "dir"},
                                {"/d/a", "changed"},
                                {"/d/b", "1"},
                                {"/d/l", "-> a"},
                                {"/other", "dir"},
                                {"/other/c", "1"}}))
        << damage.name;
  }
}

TEST_F(MirrorTest, NothingOutsideIsTouchedThroughAJobsLinks) {
  const std::string outside = temp_.path() + "/outside";
  ASSERT_TRUE(MakeDirs(outside + "/y"));
  ASSERT_TRUE(WriteFileAtomic(outside + "/y/precious", "p", 0644));
  const tree::LayerRef a = Layer({tree::F("/d/y/f", "1")});
  Prepare({a});
  ASSERT_EQ(symlink(outside.c_str(), Real("/new").c_str()), 0);
  ASSERT_TRUE(RemoveTree(Real("/d")));
  ASSERT_EQ(symlink(outside.c_str(), Real("/d").c_str()), 0);
  Prepare({a});
  EXPECT_EQ(Contents(), (Tree{{"/d", "dir"}, {"/d/y", "dir"}, {"/d/y/f", "1"}}));
  EXPECT_EQ(*ReadFile(outside + "/y/precious"), "p");
}

TEST_F(MirrorTest, NamesAllLostAndDamagedObjects) {
  const tree::LayerRef a = Layer({tree::F("/a", "1")});
  const tree::LayerRef lost = Layer({tree::F("/b", "2")});
  const tree::LayerRef damaged = Layer({tree::F("/c", "3")});
  const tree::LayerRef lost_too = Layer({tree::F("/d", "4")});
  ASSERT_TRUE(store_->Delete(lost.key));
  ASSERT_TRUE(store_->Delete(lost_too.key));
  std::string bytes = *store_->Get(damaged.key);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_TRUE(store_->Put(damaged.key, bytes, {.if_absent = false}));
  const tree::View view{{a, lost, damaged, lost_too}, {}, {}};
  const Result<PrepareStats> failed = mirror_->Prepare(view);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kNotFound);
  std::vector<std::string> expected = {lost.key, damaged.key, lost_too.key};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(mirror_->missing(), expected);
  // Sent again, the job succeeds.
  Layer({tree::F("/b", "2")});
  Layer({tree::F("/c", "3")});
  Layer({tree::F("/d", "4")});
  Prepare(view);
  EXPECT_TRUE(mirror_->missing().empty());
  EXPECT_EQ(Contents(), (Tree{{"/a", "1"}, {"/b", "2"}, {"/c", "3"}, {"/d", "4"}}));
}

// A worker whose first job could not be brought is none that a command has spoilt.
TEST_F(MirrorTest, AFirstViewThatFailsIsNobodysDoing) {
  const auto a = Layer({tree::F("/a", "content")});
  ASSERT_TRUE(store_->Delete(a.key));
  ASSERT_FALSE(mirror_->Prepare({{a}, {}, {}}));
  mirror_->Distrust();
  const auto sound = mirror_->Check(Reach::kEverything);
  EXPECT_TRUE(sound) << sound.error().message;
  ASSERT_TRUE(mirror_->Prepare({{Layer({tree::F("/a", "content")})}, {}, {}}));
}

TEST_F(MirrorTest, EvictsWhatTheViewDoesNotUseAndFetchesItAgain) {
  Open({.dir = {}, .max_bytes = 2500, .parallel_fetches = 2});
  const auto kilobyte = [](char c) { return std::string(1000, c); };
  const tree::LayerRef a = Layer({tree::F("/a", kilobyte('a'))});
  const tree::LayerRef b = Layer({tree::F("/b", kilobyte('b'))});
  const tree::LayerRef c = Layer({tree::F("/c", kilobyte('c'))});
  EXPECT_EQ(Prepare({a}).evicted_bytes, 0u);
  EXPECT_EQ(Prepare({b}).evicted_bytes, 0u);
  // a was used longest ago.
  EXPECT_EQ(Prepare({c}).evicted_bytes, 1000u);
  EXPECT_EQ(Prepare({b}).fetched_objects, 0u);
  const PrepareStats again = Prepare({a});
  EXPECT_EQ(again.fetched_objects, 1u);
  EXPECT_EQ(again.evicted_bytes, 1000u);
  EXPECT_EQ(*ReadFile(Real("/a")), kilobyte('a'));
  // What the view uses stays, however much it is.
  EXPECT_EQ(Prepare({a, b, c}).fetched_objects, 1u);
  EXPECT_EQ(Contents().size(), 3u);
}

TEST_F(MirrorTest, AnEvictedBlobThatTheStoreLostIsReported) {
  Open({.dir = {}, .max_bytes = 0, .parallel_fetches = 2});
  const tree::LayerRef a = Layer({tree::F("/a", "1")});
  Prepare({a});
  Prepare(std::vector<tree::LayerRef>{});
  ASSERT_TRUE(store_->Delete(a.key));
  EXPECT_EQ(mirror_->Prepare({{a}, {}, {}}).error().code, Code::kNotFound);
  EXPECT_EQ(mirror_->missing(), std::vector<std::string>{a.key});
}

TEST_F(MirrorTest, FetchesManyLayersAtOnceWhichShareContents) {
  std::vector<tree::LayerRef> layers;
  Tree expected;
  for (int i = 0; i < 40; ++i) {
    const std::string name = "/f" + std::to_string(i);
    const std::string own(static_cast<size_t>(i) * 100, 'x');
    layers.push_back(Layer({tree::F(name, own), tree::F(name + "s", "shared")}));
    expected[name] = own;
    expected[name + "s"] = "shared";
  }
  EXPECT_EQ(Prepare(layers).fetched_objects, 40u);
  EXPECT_EQ(Contents(), expected);
}

TEST_F(MirrorTest, OpeningWipesWhatAKilledMirrorLeft) {
  Prepare({Layer({tree::F("/a/b", "1")})});
  const std::string dir = temp_.path() + "/m";
  ASSERT_TRUE(WriteFileAtomic(dir + "/blobs/half", "x", 0400));
  Open({});
  EXPECT_EQ(Contents(), Tree{});
  EXPECT_TRUE(ListDir(dir + "/blobs")->empty());
  EXPECT_EQ(*ListDir(dir), (std::vector<std::string>{"blobs", "ld", "root"}));
}

TEST_F(MirrorTest, LeftoversOutsideDistrustedDirectoriesGiveWay) {
  const tree::LayerRef a = Layer({tree::F("/d/a", "1"), tree::D("/e")});
  Prepare(std::vector<tree::LayerRef>{});
  ASSERT_TRUE(MakeDirs(Real("/d/a/x")));
  ASSERT_TRUE(WriteFileAtomic(Real("/e"), "file", 0600));
  Prepare({a});
  EXPECT_EQ(Contents(), (Tree{{"/d", "dir"}, {"/d/a", "1"}, {"/e", "dir"}}));
  ASSERT_TRUE(WriteFileAtomic(Real("/e/left"), "x", 0600));
  Prepare(std::vector<tree::LayerRef>{});
  EXPECT_EQ(Contents(), Tree{});
}

}  // namespace
}  // namespace llama::mirror
