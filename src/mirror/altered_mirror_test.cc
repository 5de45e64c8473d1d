// What a command does to the mirror behind its back, which runs as the same user and puts size and
// mtime back: nothing of it may be seen by the next job.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "mirror/mirror.h"
#include "tree/tree_testing.h"

namespace llama::mirror {
namespace {

// The bytes in the place of as many others, size, times and mode as before.
void Forge(const std::string& path, std::string_view bytes) {
  struct stat st {};
  ASSERT_EQ(stat(path.c_str(), &st), 0) << path;
  ASSERT_EQ(static_cast<size_t>(st.st_size), bytes.size());
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  {
    const Fd fd = *OpenFile(path, O_WRONLY);
    ASSERT_TRUE(WriteAll(fd.get(), bytes, path));
  }
  const timespec times[2] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  ASSERT_EQ(chmod(path.c_str(), st.st_mode & 07777), 0);
}

void ForgeByRename(const std::string& path, std::string_view bytes) {
  struct stat st {};
  ASSERT_EQ(stat(path.c_str(), &st), 0) << path;
  const std::string temp = path + ".new";
  ASSERT_TRUE(WriteFileAtomic(temp, bytes, st.st_mode & 07777));
  const timespec times[2] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, temp.c_str(), times, 0), 0);
  ASSERT_EQ(rename(temp.c_str(), path.c_str()), 0);
}

void ForgeByMapping(const std::string& path, std::string_view bytes) {
  struct stat st {};
  ASSERT_EQ(stat(path.c_str(), &st), 0) << path;
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  {
    const Fd fd = *OpenFile(path, O_RDWR);
    void* mapped = mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    ASSERT_NE(mapped, MAP_FAILED);
    std::copy(bytes.begin(), bytes.end(), static_cast<char*>(mapped));
    munmap(mapped, bytes.size());
  }
  const timespec times[2] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  ASSERT_EQ(chmod(path.c_str(), st.st_mode & 07777), 0);
}

struct Harm {
  const char* name;
  // `root` and `blobs` are folders on disk.
  std::function<void(const std::string& root, const std::string& blobs)> act;
};

class AlteredMirrorTest : public testing::TestWithParam<Harm> {
 protected:
  AlteredMirrorTest() {
    MirrorOptions options;
    options.dir = temp_.path() + "/m";
    mirror_ = *Mirror::Open(options, *store_);
  }

  using Tree = std::map<std::string, std::string>;
  Tree Contents() const {
    Tree out;
    Walk("", out);
    return out;
  }
  void Prepare(const std::vector<tree::LayerRef>& layers) {
    const Result<PrepareStats> stats = mirror_->Prepare(tree::View{layers, {}, {}});
    ASSERT_TRUE(stats) << stats.error().message;
  }
  void Harm() { GetParam().act(mirror_->root(), temp_.path() + "/m/blobs"); }

  TempDir temp_ = *TempDir::Create("am");
  std::unique_ptr<store::ObjectStore> store_ = store::NewMemoryStore();
  std::unique_ptr<Mirror> mirror_;

 private:
  void Walk(const std::string& dir, Tree& out) const {
    const std::string real = mirror_->root() + dir;
    char value[1] = {};
    EXPECT_LT(lgetxattr(real.c_str(), "system.posix_acl_default", value, 0), 0) << dir;
    const std::vector<std::string> names = *ListDir(real);
    for (const std::string& name : names) {
      const std::string path = dir + "/" + name;
      struct stat st {};
      ASSERT_EQ(lstat((mirror_->root() + path).c_str(), &st), 0);
      std::string& entry = out[path];
      entry = std::to_string(st.st_mode) + " ";
      if (S_ISDIR(st.st_mode)) {
        Walk(path, out);
      } else if (S_ISLNK(st.st_mode)) {
        entry += *ReadLink(mirror_->root() + path);
      } else {
        entry += *ReadFile(mirror_->root() + path);
      }
    }
  }
};

// Of the blob of "good", which is in three places.
std::string BlobOf(const std::string& blobs, std::string_view bytes) {
  return blobs + "/" + store::Sha256(bytes).Hex();
}

const Harm kHarms[] = {
    {"WrittenInPlace", [](const auto& r, const auto&) { Forge(r + "/d/good.h", "evil"); }},
    {"WrittenThroughAMapping",
     [](const auto& r, const auto&) { ForgeByMapping(r + "/d/good.h", "evil"); }},
    {"RenamedOver", [](const auto& r, const auto&) { ForgeByRename(r + "/d/good.h", "evil"); }},
    {"WrittenAmongTheBlobs", [](const auto&, const auto& b) { Forge(BlobOf(b, "good"), "evil"); }},
    {"RenamedOverTheBlob",
     [](const auto&, const auto& b) { ForgeByRename(BlobOf(b, "good"), "evil"); }},
    {"WrittenThroughALinkElsewhere",
     [](const auto& r, const auto& b) {
       const std::string elsewhere = b + "/../../elsewhere";
       ASSERT_EQ(link((r + "/d/good.h").c_str(), elsewhere.c_str()), 0);
       Forge(elsewhere, "evil");
       ASSERT_EQ(unlink(elsewhere.c_str()), 0);
     }},
    {"AnExecutable", [](const auto& r, const auto&) { Forge(r + "/bin/tool", "#!evil"); }},
    {"RemovedAndMadeAnew",
     [](const auto& r, const auto&) {
       ASSERT_EQ(unlink((r + "/d/sub/x.h").c_str()), 0);
       ASSERT_TRUE(WriteFileAtomic(r + "/d/sub/x.h", "evil", 0444));
     }},
    {"Removed", [](const auto& r, const auto&) { ASSERT_TRUE(RemoveTree(r + "/d")); }},
    {"AHeaderThatShadows",
     [](const auto& r, const auto&) {
       ASSERT_TRUE(WriteFileAtomic(r + "/d/sub/good.h", "evil", 0444));
     }},
    {"AFileAtTheTop",
     [](const auto& r, const auto&) { ASSERT_TRUE(WriteFileAtomic(r + "/new", "x", 0444)); }},
    {"ADirectoryMade", [](const auto& r, const auto&) { ASSERT_TRUE(MakeDirs(r + "/d/sub/y/z")); }},
    {"ADirectoryBecameALink",
     [](const auto& r, const auto&) {
       ASSERT_EQ(rename((r + "/d/sub").c_str(), (r + "/elsewhere").c_str()), 0);
       ASSERT_EQ(symlink((r + "/elsewhere").c_str(), (r + "/d/sub").c_str()), 0);
     }},
    {"ADirectoryWasMadeAnewFromLinks",
     [](const auto& r, const auto&) {
       ASSERT_TRUE(MakeDirs(r + "/d/new"));
       ASSERT_EQ(link((r + "/d/good.h").c_str(), (r + "/d/new/x.h").c_str()), 0);
       ASSERT_TRUE(RemoveTree(r + "/d/sub"));
       ASSERT_EQ(rename((r + "/d/new").c_str(), (r + "/d/sub").c_str()), 0);
     }},
    {"ALinkLeadsElsewhere",
     [](const auto& r, const auto&) {
       ASSERT_EQ(unlink((r + "/l").c_str()), 0);
       ASSERT_EQ(symlink("d/sub/x.h", (r + "/l").c_str()), 0);
     }},
    {"TwoFilesChangedPlaces",
     [](const auto& r, const auto&) {
       const std::string a = r + "/d/good.h";
       const std::string b = r + "/d/sub/x.h";
       ASSERT_EQ(renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE), 0);
     }},
    {"ModesOfFiles",
     [](const auto& r, const auto&) {
       ASSERT_EQ(chmod((r + "/d/good.h").c_str(), 0755), 0);
       ASSERT_EQ(chmod((r + "/bin/tool").c_str(), 0), 0);
     }},
    {"ModesOfDirectories",
     [](const auto& r, const auto&) {
       ASSERT_EQ(chmod((r + "/d/sub").c_str(), 0), 0);
       ASSERT_EQ(chmod((r + "/d").c_str(), 0), 0);
       ASSERT_EQ(chmod(r.c_str(), 01777), 0);
     }},
    {"AnAclThatFilesWouldInherit",
     [](const auto& r, const auto&) {
       // Version 2; u::rwx g::--- o::--- (linux/posix_acl_xattr.h).
       constexpr std::string_view kAcl(
           "\2\0\0\0\1\0\7\0\377\377\377\377\4\0\0\0\377\377\377\377\40\0\0\0\377\377\377\377", 28);
       if (setxattr((r + "/d").c_str(), "system.posix_acl_default", kAcl.data(), kAcl.size(), 0)) {
         GTEST_SKIP() << "no ACLs here";
       }
     }},
    {"TimesOfAFile",
     [](const auto& r, const auto&) {
       const timespec times[2] = {{1, 0}, {1, 0}};
       ASSERT_EQ(utimensat(AT_FDCWD, (r + "/d/good.h").c_str(), times, 0), 0);
     }},
    {"NamesAmongTheBlobs",
     [](const auto&, const auto& b) {
       // In the place of contents that are there, and where others are to be.
       ASSERT_TRUE(RemoveTree(BlobOf(b, "later")));
       ASSERT_TRUE(MakeDirs(BlobOf(b, "later") + "/x"));
       ASSERT_TRUE(MakeDirs(BlobOf(b, "fresh") + "/x"));
       ASSERT_TRUE(WriteFileAtomic(BlobOf(b, "later") + "-x", "evil", 0555));
     }},
    {"AllAtOnce",
     [](const auto& r, const auto& b) {
       Forge(r + "/d/good.h", "evil");
       Forge(r + "/d/sub/x.h", "bad!");
       ForgeByRename(BlobOf(b, "idle"), "evil");
       ASSERT_TRUE(RemoveTree(r + "/bin"));
     }},
};

TEST_P(AlteredMirrorTest, ShowsNothingOfItToTheNextJob) {
  const std::vector<tree::LayerRef> a = {
      tree::PutLayer(*store_, {tree::F("/d/good.h", "good"), tree::F("/other/same.h", "good"),
                               tree::F("/d/sub/x.h", "xxxx"), tree::F("/bin/tool", "#!tool", true),
                               tree::F("/bin/both", "good", true), tree::L("/l", "d/good.h")})};
  const std::vector<tree::LayerRef> b = {
      tree::PutLayer(*store_, {tree::F("/d/later.h", "later"), tree::F("/d/good.h", "good")})};
  const std::vector<tree::LayerRef> idle = {tree::PutLayer(*store_, {tree::F("/i", "idle")})};
  Prepare(b);
  const Tree sound_b = Contents();
  Prepare(idle);
  Prepare(a);
  const Tree sound = Contents();
  Harm();
  ASSERT_FALSE(HasFatalFailure());
  Prepare(a);
  EXPECT_EQ(Contents(), sound);
  // What another list needs of it.
  Harm();
  Prepare(b);
  EXPECT_EQ(Contents(), sound_b);
  Prepare(idle);
  EXPECT_EQ(Contents(), (Tree{{"/i", "33060 idle"}}));
  Prepare({tree::PutLayer(*store_, {tree::F("/f", "fresh"), tree::F("/x", "later", true)})});
  EXPECT_EQ(Contents(), (Tree{{"/f", "33060 fresh"}, {"/x", "33133 later"}}));
  Prepare(a);
  EXPECT_EQ(Contents(), sound);
}

INSTANTIATE_TEST_SUITE_P(By, AlteredMirrorTest, testing::ValuesIn(kHarms),
                         [](const auto& test) { return test.param.name; });

// The contents of a view are looked at after each command; of those that no view shows there may be
// many more, and they are looked at when one does.
TEST_F(AlteredMirrorTest, ContentsThatWereIdleWhenTheyWereAlteredAreFetchedAnew) {
  const std::vector<tree::LayerRef> a = {tree::PutLayer(*store_, {tree::F("/a", "aaaa")})};
  const std::vector<tree::LayerRef> b = {tree::PutLayer(*store_, {tree::F("/b", "bbbb")})};
  const std::vector<tree::LayerRef> new_layer = {
      tree::PutLayer(*store_, {tree::F("/b", "bbbb"), tree::F("/c", "cccc")})};
  const std::string blob = BlobOf(temp_.path() + "/m/blobs", "bbbb");
  for (const auto& view : {b, new_layer}) {
    Prepare(b);
    Prepare(a);
    Forge(blob, "evil");
    Prepare(a);
    Prepare(view);
    EXPECT_EQ(*ReadFile(mirror_->root() + "/b"), "bbbb");
  }
}

TEST_F(AlteredMirrorTest, IsOfNoMoreUseWhenItsFoldersAreNotTheSame) {
  const std::vector<tree::LayerRef> a = {tree::PutLayer(*store_, {tree::F("/a", "aaaa")})};
  Prepare(a);
  const std::string dir = temp_.path() + "/m";
  ASSERT_EQ(rename((dir + "/root").c_str(), (dir + "/was").c_str()), 0);
  ASSERT_TRUE(MakeDirs(dir + "/root"));
  EXPECT_FALSE(mirror_->Check(Reach::kEverything));
  EXPECT_FALSE(mirror_->Prepare(tree::View{a, {}, {}}));
}

// A person, while no command is under way.
TEST_F(AlteredMirrorTest, LooksAgainWhenItIsTold) {
  const std::vector<tree::LayerRef> a = {tree::PutLayer(*store_, {tree::F("/d/a.h", "aaaa")})};
  Prepare(a);
  ASSERT_TRUE(mirror_->Check(Reach::kEverything));
  const std::string path = mirror_->root() + "/d/a.h";
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  const Result<Fd> fd = OpenFile(path, O_WRONLY);
  ASSERT_TRUE(fd && WriteAll(fd->get(), "bbbb", path));
  mirror_->Distrust();
  Prepare(a);
  EXPECT_EQ(*ReadFile(path), "aaaa");
  ASSERT_TRUE(mirror_->Check(Reach::kEverything));
  ASSERT_TRUE(RemoveTree(temp_.path() + "/m"));
  mirror_->Distrust();
  EXPECT_FALSE(mirror_->Check(Reach::kEverything));
}

// What the Check before has read itself, since a link to it was made, is looked at again, too.
TEST_F(AlteredMirrorTest, LooksAgainAtWhatItHasReadWhenItIsTold) {
  const std::vector<tree::LayerRef> a = {
      tree::PutLayer(*store_, {tree::F("/d/a.h", "aaaa"), tree::F("/d/b.h", "bbbb")})};
  const std::vector<tree::LayerRef> b = {tree::PutLayer(*store_, {tree::F("/d/b.h", "bbbb")})};
  const std::string path = mirror_->root() + "/d/a.h";
  for (int i = 0; i < 2; ++i) {
    Prepare(a);
    ASSERT_EQ(link(path.c_str(), (mirror_->root() + "/copy").c_str()), 0);
    ASSERT_TRUE(mirror_->Check(Reach::kEverything));
    Forge(path, "evil");
    mirror_->Distrust();
    if (i == 1) Prepare(b);  // the content is idle when it is looked at
    Prepare(a);
    EXPECT_EQ(*ReadFile(path), "aaaa");
  }
}

// A file of the job's own, whose bytes are nowhere else.
TEST_F(AlteredMirrorTest, LooksAgainAtAJobsOwnFilesWhenItIsTold) {
  const tree::View view{{}, {tree::InlineFile{"/own.c", false, "own!"}}, {}};
  ASSERT_TRUE(mirror_->Prepare(view));
  const std::string path = mirror_->root() + "/own.c";
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(mirror_->Check(Reach::kEverything));
    Forge(path, "evil");
    mirror_->Distrust();
    ASSERT_TRUE(mirror_->Check(Reach::kEverything));
    EXPECT_NE(access(path.c_str(), F_OK), 0);
    ASSERT_TRUE(mirror_->Prepare(view));
    ASSERT_EQ(*ReadFile(path), "own!");
  }
}

TEST_F(AlteredMirrorTest, ReadingChangesNothing) {
  const std::vector<tree::LayerRef> a = {
      tree::PutLayer(*store_, {tree::F("/d/a.h", "aaaa"), tree::F("/d/b", "#!", true)})};
  Prepare(a);
  EXPECT_EQ(*ReadFile(mirror_->root() + "/d/a.h"), "aaaa");
  ASSERT_TRUE(mirror_->Check(Reach::kEverything));
  const Result<PrepareStats> stats = mirror_->Prepare(tree::View{a, {}, {}});
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->files_written + stats->files_removed + stats->fetched_objects, 0u);
}

// A link that a command makes to an input (cp -l) changes its ctime, and nothing of its content.
TEST_F(AlteredMirrorTest, ContentsThatAreSoundAreNotFetchedAgain) {
  const std::vector<tree::LayerRef> a = {tree::PutLayer(*store_, {tree::F("/d/a.h", "aaaa")})};
  Prepare(a);
  ASSERT_EQ(link((mirror_->root() + "/d/a.h").c_str(), (mirror_->root() + "/copy").c_str()), 0);
  const Result<PrepareStats> stats = mirror_->Prepare(tree::View{a, {}, {}});
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->fetched_objects, 0u);
  EXPECT_EQ(access((mirror_->root() + "/copy").c_str(), F_OK), -1);
}

}  // namespace
}  // namespace llama::mirror
