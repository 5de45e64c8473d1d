#include "files/live_tree.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"

namespace llama::files {
namespace {

enum class Source { kInotify, kStamps };

class LiveTreeTest : public testing::TestWithParam<Source> {
 protected:
  LiveTreeTest() : root_(*RealPath(dir_.path())) {}

  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  void Write(const std::string& name, const std::string& bytes) {
    ASSERT_TRUE(MakeDirs(std::string(DirName(Path(name)))));
    ASSERT_TRUE(WriteFileAtomic(Path(name), bytes, 0644));
  }
  // In the place where it is.
  void Rewrite(const std::string& name, const std::string& bytes) {
    const int fd = open(Path(name).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(fd);
  }
  // Where the name leads, from root_ on, and what is there; "" for nothing.
  std::string At(const std::string& name) {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    return Describe(tree_.Find(kRootFolder, Path(name)));
  }
  std::string Along(const std::vector<std::string>& folders, const std::string& name,
                    bool every = false) {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    std::vector<std::string> paths;
    for (const std::string& folder : folders) paths.push_back(Path(folder));
    return Describe(tree_.FindAlong(tree_.AddPath(paths), name, every));
  }
  uint32_t Version(const std::string& name) {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    return tree_.VersionOf(tree_.Find(kRootFolder, Path(name)));
  }
  uint64_t Epoch() {
    const MutexLock lock(tree_.mutex());
    return tree_.Refresh();
  }
  std::string Describe(LookupId lookup) REQUIRES(tree_.mutex()) {
    std::string text;
    const std::span<const Found> found = tree_.Results(lookup);
    const std::vector<Found> results(found.begin(), found.end());
    for (const auto& [entry, folder] : results) {
      if (!text.empty()) text += " ";
      text += tree_.PathOf(entry).substr(root_.size() + 1);
      if (tree_.KindOf(entry) == EntryKind::kFolder) text += "/";
      if (tree_.KindOf(entry) != EntryKind::kFile) continue;
      const auto content = tree_.ContentOf(entry);
      text += content ? "=" + *ReadBack((*content)->digest) : ": " + content.error().message;
    }
    return text;
  }
  // Tests write few different contents.
  static Result<std::string> ReadBack(const store::Digest& digest) {
    for (const char* text : {"", "1", "2", "3", "old", "new"}) {
      if (store::Sha256(text) == digest) return std::string(text);
    }
    return std::string("?");
  }

  TempDir dir_ = TempDir::Create("live-tree").value();
  std::string root_;
  std::unique_ptr<DigestCache> digests_ = DigestCache::Open("", SystemClock()).value();
  LiveTree tree_{*digests_, SystemClock(), {.use_inotify = GetParam() == Source::kInotify}};
};

INSTANTIATE_TEST_SUITE_P(Sources, LiveTreeTest, testing::Values(Source::kInotify, Source::kStamps),
                         [](const auto& source) {
                           return source.param == Source::kInotify ? "Inotify" : "Stamps";
                         });

TEST_P(LiveTreeTest, FindsWhatIsThere) {
  Write("a/b.h", "1");
  ASSERT_EQ(symlink("a", Path("link").c_str()), 0);
  ASSERT_EQ(symlink("../a/b.h", Path("a/alias.h").c_str()), 0);
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  EXPECT_EQ(At("a"), "a/");
  EXPECT_EQ(At("a/./../a//b.h"), "a/b.h=1");
  EXPECT_EQ(At("link/b.h"), "a/b.h=1");
  EXPECT_EQ(At("link/alias.h"), "a/b.h=1");
  for (const char* absent : {"a/c.h", "b/b.h", "a/b.h/c.h", "a/b.h/", "no/../a/b.h"}) {
    EXPECT_EQ(At(absent), "") << absent;
  }
}

TEST_P(LiveTreeTest, PathsStandWhileNoNameOfTheirsComesOrGoes) {
  Write("a/b.h", "1");
  ASSERT_TRUE(MakeDirs(Path("real/deep")));
  ASSERT_EQ(symlink("real", Path("link").c_str()), 0);
  ASSERT_EQ(symlink("../real/target.h", Path("a/alias.h").c_str()), 0);
  const std::vector<std::string> paths = {Path("a/alias.h"), Path("a/b.h"), Path("a/c.h"),
                                          Path("link/deep/../d.h"), Path("no/e.h")};
  std::vector<NameId> names;
  LiveTree::Moment moment = 0;
  const auto look = [&] {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    moment = tree_.Now();
    tree_.CanonicalNow(paths);
    names = tree_.NamesIn(paths);
  };
  const auto stand = [&] {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    return tree_.StandSince(names, moment);
  };
  // Stamps prove nothing while they are young, and those of the folders above us are everybody's.
  const auto comes_to_stand = [&] {
    for (int attempt = 0; attempt < 100; ++attempt) {
      look();
      if (stand()) return true;
      usleep(60'000);
    }
    return false;
  };
  EXPECT_TRUE(comes_to_stand());
  if (GetParam() == Source::kInotify) {
    Write("a/object.o", "1");
    Rewrite("a/b.h", "2");
    EXPECT_TRUE(stand()) << "other names, and what is in a file";
  }
  const auto changes = [&](const std::string& name, const std::function<void()>& change) {
    EXPECT_TRUE(comes_to_stand()) << name;
    change();
    EXPECT_FALSE(stand()) << name;
  };
  changes("appears", [&] { Write("a/c.h", "1"); });
  changes("goes", [&] { unlink(Path("a/c.h").c_str()); });
  changes("a folder on the way", [&] { ASSERT_TRUE(MakeDirs(Path("no"))); });
  changes("in it", [&] { Write("no/e.h", "1"); });
  changes("what a link leads to", [&] { Write("real/target.h", "1"); });
  changes("left by ..", [&] { rename(Path("real/deep").c_str(), Path("real/other").c_str()); });
  changes("the link", [&] {
    unlink(Path("link").c_str());
    ASSERT_EQ(symlink("a", Path("link").c_str()), 0);
  });
}

TEST_P(LiveTreeTest, TheRootIsAFolderLikeAnyOther) {
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  for (const char* name : {"/", "//", "/.", "/..", "/usr/..", "/usr/../.."}) {
    const std::span<const Found> found = tree_.Results(tree_.Find(kRootFolder, name));
    ASSERT_EQ(found.size(), 1u) << name;
    EXPECT_EQ(tree_.AsFolder(found[0].entry), kRootFolder) << name;
    EXPECT_EQ(tree_.CanonicalNow({std::string(name)}), std::vector<std::string>{"/"}) << name;
    tree::Manifest manifest;
    tree_.AddWay(tree_.Find(kRootFolder, name), manifest);
    EXPECT_FALSE(manifest.contains("/")) << name;
  }
  EXPECT_EQ(tree_.CanonicalNow({"/usr/../usr"}), std::vector<std::string>{"/usr"});
  EXPECT_EQ(tree_.CanonicalNow({"/no-such-name"}), std::vector<std::string>{""});
  EXPECT_EQ(tree_.CanonicalNow({"relative"}), std::vector<std::string>{""});
}

TEST_P(LiveTreeTest, ALoopOfLinksIsAbsent) {
  ASSERT_EQ(symlink("two", Path("one").c_str()), 0);
  ASSERT_EQ(symlink("one", Path("two").c_str()), 0);
  EXPECT_EQ(At("one"), "");
  EXPECT_EQ(At("two/x.h"), "");
}

TEST_P(LiveTreeTest, SeesEveryChangeThatWasMadeBefore) {
  EXPECT_EQ(At("a/b.h"), "");
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  Write("a/b.h", "2");  // by rename
  EXPECT_EQ(At("a/b.h"), "a/b.h=2");
  Rewrite("a/b.h", "3");
  EXPECT_EQ(At("a/b.h"), "a/b.h=3");
  ASSERT_EQ(unlink(Path("a/b.h").c_str()), 0);
  EXPECT_EQ(At("a/b.h"), "");
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  ASSERT_EQ(rename(Path("a").c_str(), Path("c").c_str()), 0);
  EXPECT_EQ(At("a/b.h"), "");
  EXPECT_EQ(At("c/b.h"), "c/b.h=1");
  Write("a/b.h", "2");
  EXPECT_EQ(At("a/b.h"), "a/b.h=2");
  ASSERT_TRUE(RemoveTree(Path("a")));
  EXPECT_EQ(At("a/b.h"), "");
  ASSERT_EQ(symlink("c", Path("a").c_str()), 0);
  EXPECT_EQ(At("a/b.h"), "c/b.h=1");
  Rewrite("c/b.h", "3");
  EXPECT_EQ(At("a/b.h"), "c/b.h=3");
}

TEST_P(LiveTreeTest, SeesALinkTurned) {
  Write("x/b.h", "1");
  Write("y/b.h", "2");
  ASSERT_EQ(symlink("x", Path("l").c_str()), 0);
  EXPECT_EQ(At("l/b.h"), "x/b.h=1");
  const uint32_t version = Version("l/b.h");
  ASSERT_EQ(unlink(Path("l").c_str()), 0);
  ASSERT_EQ(symlink("y", Path("l").c_str()), 0);
  EXPECT_EQ(At("l/b.h"), "y/b.h=2");
  EXPECT_GT(Version("l/b.h"), version);
}

// The file is the same, and what a worker's kernel has to walk through is not.
TEST_P(LiveTreeTest, SeesAnotherWayToTheSameFile) {
  Write("x/b.h", "1");
  ASSERT_EQ(symlink("x", Path("y").c_str()), 0);
  uint32_t version = 0;
  for (const char* target : {"x", "y", "./x", "x"}) {
    unlink(Path("l").c_str());
    ASSERT_EQ(symlink(target, Path("l").c_str()), 0);
    EXPECT_EQ(At("l/b.h"), "x/b.h=1");
    EXPECT_GT(Version("l/b.h"), version) << target;
    version = Version("l/b.h");
  }
}

TEST_P(LiveTreeTest, SeesAFolderOnTheWayBecomeALink) {
  Write("b.h", "1");
  Write("x/c.h", "2");
  EXPECT_EQ(At("x/../b.h"), "b.h=1");
  const uint32_t version = Version("x/../b.h");
  ASSERT_EQ(rename(Path("x").c_str(), Path("moved").c_str()), 0);
  ASSERT_EQ(symlink("moved", Path("x").c_str()), 0);
  EXPECT_EQ(At("x/../b.h"), "b.h=1");
  EXPECT_GT(Version("x/../b.h"), version);
}

TEST_P(LiveTreeTest, ARewriteThroughAnotherNameIsSeen) {
  Write("a/b.h", "1");
  Write("other/x", "");
  ASSERT_EQ(link(Path("a/b.h").c_str(), Path("other/c.h").c_str()), 0);
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  Rewrite("other/c.h", "2");
  EXPECT_EQ(At("a/b.h"), "a/b.h=2");
}

TEST_P(LiveTreeTest, ARewriteThroughAMappingIsSeenWhenItIsClosed) {
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  const int fd = open(Path("a/b.h").c_str(), O_RDWR | O_CLOEXEC);
  void* bytes = mmap(nullptr, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ASSERT_NE(bytes, MAP_FAILED);
  *static_cast<char*>(bytes) = '2';
  ASSERT_EQ(munmap(bytes, 1), 0);
  close(fd);
  EXPECT_EQ(At("a/b.h"), "a/b.h=2");
}

TEST_P(LiveTreeTest, AFolderThatMayNotBeEnteredIsNoAbsence) {
  Write("a/b.h", "1");
  Write("c/b.h", "2");
  const uid_t user = geteuid();
  constexpr uid_t kNobody = 65534;
  // What root may do is not decided by modes.
  if (user == 0) {
    ASSERT_EQ(chown(root_.c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(chown(Path("a").c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(seteuid(kNobody), 0);
  }
  EXPECT_EQ(Along({"a", "c"}, "b.h"), "a/b.h=1");
  EXPECT_EQ(Along({"a", "c"}, "none.h"), "");
  ASSERT_EQ(chmod(Path("a").c_str(), 0), 0);
  EXPECT_EQ(Along({"a", "c"}, "b.h"), "a/b.h") << "none of its content";
  EXPECT_EQ(Along({"a", "c"}, "none.h"), "a/none.h") << "nobody knows";
  {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    EXPECT_EQ(tree_.CanonicalNow({Path("a/x.h")}), std::vector<std::string>{Path("a/x.h")});
  }
  ASSERT_EQ(chmod(Path("a").c_str(), 0755), 0);
  EXPECT_EQ(Along({"a", "c"}, "b.h"), "a/b.h=1");
  EXPECT_EQ(Along({"a", "c"}, "none.h"), "");
  ASSERT_EQ(seteuid(user), 0);
}

TEST_P(LiveTreeTest, TheFirstMatchAlongAPathIsTheOne) {
  Write("one/x.h", "1");
  Write("two/x.h", "2");
  Write("two/sub/y.h", "3");
  const std::vector<std::string> path = {"zero", "one", "two"};
  EXPECT_EQ(Along(path, "x.h"), "one/x.h=1");
  EXPECT_EQ(Along(path, "x.h", true), "one/x.h=1 two/x.h=2");
  EXPECT_EQ(Along(path, "sub/y.h"), "two/sub/y.h=3");
  EXPECT_EQ(Along(path, "z.h"), "");
  EXPECT_EQ(Along(path, "sub"), "") << "a folder is no header";
  // A folder of the path comes to be, with a file that shadows.
  Write("zero/x.h", "3");
  EXPECT_EQ(Along(path, "x.h"), "zero/x.h=3");
  ASSERT_EQ(unlink(Path("zero/x.h").c_str()), 0);
  EXPECT_EQ(Along(path, "x.h"), "one/x.h=1");
  ASSERT_EQ(rename(Path("one").c_str(), Path("away").c_str()), 0);
  EXPECT_EQ(Along(path, "x.h"), "two/x.h=2");
}

TEST_P(LiveTreeTest, AVersionRisesWithTheResultAlone) {
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  const uint32_t version = Version("a/b.h");
  Write("elsewhere/b.h", "2");
  Write("a/b.h", "2");
  EXPECT_EQ(Version("a/b.h"), version);
  ASSERT_EQ(unlink(Path("a/b.h").c_str()), 0);
  EXPECT_GT(Version("a/b.h"), version);
}

TEST_P(LiveTreeTest, ForgetsNothingOfWhatManyChangesAtOnceMean) {
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  // More events than the kernel keeps (16,384 by default).
  for (int i = 0; i < 20'000; ++i) {
    const std::string name = Path("a/" + std::to_string(i % 7));
    close(open(name.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    unlink(name.c_str());
  }
  Rewrite("a/b.h", "2");
  Write("a/c.h", "3");
  EXPECT_EQ(At("a/b.h"), "a/b.h=2");
  EXPECT_EQ(At("a/c.h"), "a/c.h=3");
}

TEST_P(LiveTreeTest, AnObjectBesideAHeaderChangesNothing) {
  Write("a/b.h", "1");
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  EXPECT_EQ(At("a/c.h"), "");
  const uint64_t epoch = Epoch();
  Write("a/b.o", "object");
  Write("a/b.d", "rule");
  // A folder's stamp only tells that something has changed in it.
  if (GetParam() == Source::kInotify) {
    EXPECT_EQ(Epoch(), epoch);
  }
  EXPECT_EQ(At("a/b.h"), "a/b.h=1");
  Write("a/c.h", "1");
  EXPECT_GT(Epoch(), epoch);
}

// No event names what is in it.
TEST_P(LiveTreeTest, AnotherFolderInThePlaceOfOneHasOtherFiles) {
  Write("first/a.h", "1");
  Write("second/b.h", "2");
  Write("other/b.h", "3");
  ASSERT_EQ(symlink("first", Path("link").c_str()), 0);
  const auto from_first = [this] {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    const EntryId first = tree_.Results(tree_.Find(kRootFolder, Path("first")))[0].entry;
    return Describe(tree_.Find(tree_.AsFolder(first), "b.h"));
  };
  EXPECT_EQ(Along({"first", "second"}, "b.h"), "second/b.h=2");
  EXPECT_EQ(Along({"link", "second"}, "b.h"), "second/b.h=2");
  EXPECT_EQ(from_first(), "");
  ASSERT_EQ(rename(Path("first").c_str(), Path("away").c_str()), 0);
  ASSERT_EQ(rename(Path("other").c_str(), Path("first").c_str()), 0);
  EXPECT_EQ(Along({"first", "second"}, "b.h"), "first/b.h=3");
  EXPECT_EQ(Along({"link", "second"}, "b.h"), "first/b.h=3");
  EXPECT_EQ(from_first(), "first/b.h=3");
}

TEST_P(LiveTreeTest, AFolderThatGoesTakesNothingElseAlong) {
  Write("kept/a.h", "1");
  Write("gone/below/b.h", "2");
  EXPECT_EQ(At("kept/a.h"), "kept/a.h=1");
  EXPECT_EQ(At("gone/below/b.h"), "gone/below/b.h=2");
  size_t watches = 0;
  {
    const MutexLock lock(tree_.mutex());
    watches = tree_.watch_count();
  }
  std::filesystem::remove_all(Path("gone"));
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  if (GetParam() == Source::kInotify) {
    EXPECT_EQ(tree_.watch_count(), watches - 2) << "those of gone and of gone/below";
  }
}

TEST_P(LiveTreeTest, TellsInWhichFolderALinkedFileWasFound) {
  Write("src/x.h", "1");
  ASSERT_TRUE(MakeDirs(Path("include")));
  ASSERT_EQ(symlink("../src/x.h", Path("include/x.h").c_str()), 0);
  ASSERT_EQ(symlink("include", Path("l").c_str()), 0);
  const MutexLock lock(tree_.mutex());
  tree_.Refresh();
  for (const char* name : {"include/x.h", "l/x.h"}) {
    const std::span<const Found> found = tree_.Results(tree_.Find(kRootFolder, Path(name)));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(tree_.PathOf(found[0].entry), Path("src/x.h"));
    EXPECT_EQ(tree_.FolderPath(found[0].folder), Path("include")) << name;
  }
}

TEST_P(LiveTreeTest, SeesPrecompiledHeadersComeAndGo) {
  Write("a/b.h", "1");
  const auto precompiled = [&] {
    const MutexLock lock(tree_.mutex());
    tree_.Refresh();
    const Found folder = tree_.Results(tree_.Find(kRootFolder, Path("a")))[0];
    return *tree_.PrecompiledIn(tree_.AsFolder(folder.entry));
  };
  EXPECT_TRUE(precompiled().empty());
  const uint64_t epoch = Epoch();
  Write("a/b.h.gch", "2");
  EXPECT_GT(Epoch(), epoch);
  EXPECT_EQ(precompiled(), std::vector<std::string>{"b.h.gch"});
}

TEST(LiveTree, GoesOnWithoutWatches) {
  const TempDir dir = TempDir::Create("live-tree").value();
  const std::string root = *RealPath(dir.path());
  const auto digests = DigestCache::Open("", SystemClock()).value();
  LiveTree tree(*digests, SystemClock(), {.max_watches = 2});
  ASSERT_TRUE(MakeDirs(root + "/a"));
  ASSERT_TRUE(WriteFileAtomic(root + "/a/b.h", "1", 0644));
  const MutexLock lock(tree.mutex());
  tree.Refresh();
  const LookupId lookup = tree.Find(kRootFolder, root + "/a/b.h");
  ASSERT_EQ(tree.Results(lookup).size(), 1u);
  EXPECT_EQ(tree.watch_count(), 2u);
  const EntryId entry = tree.Results(lookup)[0].entry;
  EXPECT_EQ((*tree.ContentOf(entry))->digest, store::Sha256("1"));
  ASSERT_TRUE(WriteFileAtomic(root + "/a/b.h", "2", 0644));
  tree.Refresh();
  EXPECT_EQ((*tree.ContentOf(tree.Results(lookup)[0].entry))->digest, store::Sha256("2"));
}

TEST(LiveTree, AddsTheWayToAManifest) {
  const TempDir dir = TempDir::Create("live-tree").value();
  const std::string root = *RealPath(dir.path());
  const auto digests = DigestCache::Open("", SystemClock()).value();
  LiveTree tree(*digests, SystemClock());
  ASSERT_TRUE(MakeDirs(root + "/a/sub"));
  ASSERT_TRUE(WriteFileAtomic(root + "/a/b.h", "1", 0644));
  ASSERT_EQ(symlink("a", (root + "/l").c_str()), 0);
  const MutexLock lock(tree.mutex());
  tree.Refresh();
  const LookupId lookup = tree.Find(kRootFolder, root + "/l/sub/../b.h");
  ASSERT_EQ(tree.Results(lookup).size(), 1u);
  tree::Manifest manifest;
  tree.AddWay(lookup, manifest);
  ASSERT_TRUE(tree.AddFile(tree.Results(lookup)[0].entry, manifest));
  ASSERT_EQ(manifest.size(), 3u);
  EXPECT_EQ(manifest[root + "/l"].target, "a");
  EXPECT_EQ(manifest[root + "/a/sub"].type, tree::EntryType::kDir);
  EXPECT_EQ(manifest[root + "/a/b.h"].digest, store::Sha256("1"));
}

}  // namespace
}  // namespace llama::files
