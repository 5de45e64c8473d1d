#include "execute/write.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "execute/testing.h"

namespace llama::execute {
namespace {

int64_t ModifiedNs(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(stat(path.c_str(), &st), 0) << path;
  return int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec;
}

class WriteTest : public testing::Test {
 protected:
  WriteTest()
      : walker_(world_.digests(), world_.file_system()),
        phases_(SystemClock(), {}, SystemClock().NowNs(), SystemClock().MonotonicNs()) {
    world_.Write("a.c", "int a;\n");
    world_.Write("a.h", "old");
    action_ = world_.ActionOver({"a.c", "a.h"}, walker_);
    Give("out.o", "object");
  }
  std::string Path(const std::string& name) const { return world_.Path(name); }
  void Give(const std::string& name, const std::string& bytes, uint32_t mode = 0644) {
    outcome_.files.push_back({name.starts_with('/') ? name : Path(name), mode, bytes});
  }
  OrReason<Written> WriteNow() {
    Execution execution{.clock = SystemClock(), .phases = phases_, .cancelled = cancelled_};
    return Write({&action_, &outcome_, &execution, &world_.digests(), &world_.file_system()});
  }
  bool IsThere(const std::string& name) const { return access(Path(name).c_str(), F_OK) == 0; }

  FileWorld world_;
  files::PathWalker walker_;
  trace::Phases phases_;
  std::function<bool()> cancelled_;
  Action action_;
  Outcome outcome_;
};

TEST_F(WriteTest, WritesTheObjectAndWhatIsBesideIt) {
  Give("out.dwo", "notes");
  const auto written = WriteNow();
  ASSERT_TRUE(written) << written.error().Text();
  EXPECT_EQ(written->files, 2u);
  EXPECT_EQ(written->bytes, 11u);
  EXPECT_EQ(*ReadFile(Path("out.o")), "object");
  EXPECT_EQ(*ReadFile(Path("out.dwo")), "notes");
}

TEST_F(WriteTest, AnInputThatWasTouchedIsAnotherWhereItsTimeIsSeen) {
  const int64_t before_ns = ModifiedNs(Path("a.h"));
  const timespec times[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, Path("a.h").c_str(), times, 0), 0);
  EXPECT_TRUE(WriteNow());
  action_.inodes = std::make_shared<const std::vector<tree::Inode>>(
      std::vector<tree::Inode>{{Path("a.h"), before_ns, 1}});
  const auto written = WriteNow();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().Text(), "inputs-changed: " + Path("a.h"));
}

// Which a umask has no part in.
TEST_F(WriteTest, AFoldersDefaultAclDecidesAboutNewFiles) {
  const struct {
    uint32_t version;
    struct {
      uint16_t tag, rights;
      uint32_t id;
    } entries[3];
  } acl = {2, {{1, 7, UINT32_MAX}, {4, 7, UINT32_MAX}, {0x20, 0, UINT32_MAX}}};
  const std::string dir(DirName(Path("out.o")));
  if (setxattr(dir.c_str(), "system.posix_acl_default", &acl, sizeof acl, 0) != 0) {
    GTEST_SKIP() << "no ACLs here";
  }
  ASSERT_TRUE(WriteNow());
  struct stat st {};
  ASSERT_EQ(stat(Path("out.o").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0660u);
}

TEST_F(WriteTest, AnOutcomeOfChangedInputsIsNotWritten) {
  world_.Write("a.h", "new");
  const auto written = WriteNow();
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().word, "inputs-changed");
  EXPECT_EQ(written.error().detail, Path("a.h"));
  EXPECT_EQ(written.error().code, Code::kUnavailable);
  EXPECT_FALSE(IsThere("out.o"));
}

TEST_F(WriteTest, AnInputThatIsGoneIsAChange) {
  ASSERT_EQ(unlink(Path("a.h").c_str()), 0);
  EXPECT_EQ(WriteNow().error().word, "inputs-changed");
}

TEST_F(WriteTest, AnInputThatChangesWhileTheOutputsAreStagedIsSeen) {
  // The first look was the scan's.
  world_.file_system().Before(Path("a.h"), 2, [this] { world_.Write("a.h", "new"); });
  EXPECT_EQ(WriteNow().error().word, "inputs-changed");
  EXPECT_FALSE(IsThere("out.o"));
}

TEST_F(WriteTest, ARewriteWithTheSameSizeAndTimeIsSeen) {
  struct stat st {};
  ASSERT_EQ(stat(Path("a.h").c_str(), &st), 0);
  const int fd = open(Path("a.h").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(write(fd, "new", 3), 3);
  const timespec times[] = {st.st_atim, st.st_mtim};
  ASSERT_EQ(futimens(fd, times), 0);
  close(fd);
  EXPECT_EQ(WriteNow().error().word, "inputs-changed");
}

TEST_F(WriteTest, ARewriteThatNoTimeShowsIsSeen) {
  world_.file_system().Freeze(Path("a.h"));
  world_.Write("a.h", "new");
  EXPECT_EQ(WriteNow().error().word, "inputs-changed");
}

TEST_F(WriteTest, ATouchIsNoChangeAndTheObjectIsNotOlderThanIt) {
  ASSERT_EQ(utimensat(AT_FDCWD, Path("a.h").c_str(), nullptr, 0), 0);
  ASSERT_TRUE(WriteNow());
  EXPECT_GE(ModifiedNs(Path("out.o")), ModifiedNs(Path("a.h")));
}

TEST_F(WriteTest, AnEditRightAfterTheLastLookIsNewerThanTheObject) {
  for (int i = 0; i < 20; ++i) {
    world_.Write("a.h", "old");
    const timespec past[] = {{1'700'000'000, 0}, {1'700'000'000, 0}};
    for (const char* name : {"a.h", "a.c"}) {
      ASSERT_EQ(utimensat(AT_FDCWD, Path(name).c_str(), past, 0), 0);
    }
    files::PathWalker walker(world_.digests());
    action_ = world_.ActionOver({"a.c", "a.h"}, walker);
    ASSERT_TRUE(WriteNow());
    world_.Write("a.h", "new");
    // By a tick of the slowest clock, though this kernel's may be finer.
    EXPECT_LE(ModifiedNs(Path("out.o")), ModifiedNs(Path("a.h")) - 10'000'000);
  }
}

TEST_F(WriteTest, NothingIsWrittenForNobody) {
  cancelled_ = [] { return true; };
  EXPECT_EQ(WriteNow().error().code, Code::kCancelled);
  EXPECT_FALSE(IsThere("out.o"));
}

TEST_F(WriteTest, RefusesWhatWasNotAnnounced) {
  for (const std::string& path :
       {std::string("/etc/passwd"), Path("b.o"), Path("outb.o"), Path("../out.o"),
        Path("sub/out.x"), world_.root() + "/out.x/../../evil", Path("out.o/../out.dwo"),
        Path("out.c"), Path("out.h"), Path("out"), Path("out.12t.x"), std::string("out.dwo"),
        Path("out.s"), Path("out.i"), Path("out.json"), Path("out.gcno"),
        Path("out.006t.gimple")}) {
    outcome_.files.clear();
    Give("out.o", "object");
    outcome_.files.push_back({path, 0644, "evil"});
    const auto written = WriteNow();
    ASSERT_FALSE(written) << path;
    EXPECT_EQ(written.error().word, "outputs") << path;
    EXPECT_FALSE(IsThere("out.o")) << path;
  }
}

TEST_F(WriteTest, SuccessWithoutAnObjectIsAnError) {
  outcome_.files.clear();
  EXPECT_EQ(WriteNow().error().word, "outputs");
  outcome_.wait_status = 1 << 8;  // the compiler found an error
  EXPECT_TRUE(WriteNow());
}

TEST_F(WriteTest, RemovesWhatTheCommandRemovedAndNothingElse) {
  world_.Write("out.o", "old");
  outcome_.files.clear();
  outcome_.wait_status = 1 << 8;
  outcome_.deleted = {Path("out.o")};
  ASSERT_TRUE(WriteNow());
  EXPECT_FALSE(IsThere("out.o"));
  outcome_.deleted = {Path("a.c")};
  EXPECT_FALSE(WriteNow());
  EXPECT_TRUE(IsThere("a.c"));
}

TEST_F(WriteTest, ModesFollowTheUmaskAndNeverSetIds) {
  action_.outputs.umask = 027;
  outcome_.files[0].mode = 06777;
  ASSERT_TRUE(WriteNow());
  struct stat st {};
  ASSERT_EQ(stat(Path("out.o").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0750u);
}

class CommandWriteTest : public WriteTest {
 protected:
  CommandWriteTest() {
    action_ = Action{};
    action_.closure = std::make_shared<Closure>();
    action_.outputs.announced = {{"/r/out", Path("out"), false},
                                 {"/r/tree", Path("deep/tree"), true}};
    outcome_.files.clear();
  }
};

TEST_F(CommandWriteTest, WritesAnnouncedFilesWhereTheUserSaid) {
  outcome_.files = {{"/r/out", 0644, "one"}, {"/r/tree/a/b", 0644, "two"}};
  const auto written = WriteNow();
  ASSERT_TRUE(written) << written.error().Text();
  EXPECT_EQ(*ReadFile(Path("out")), "one");
  EXPECT_EQ(*ReadFile(Path("deep/tree/a/b")), "two");
}

TEST_F(CommandWriteTest, WritesNothingIfMoreCameThanWasAnnounced) {
  for (const char* path : {"/r/other", "/etc/cron.d/x", "/r/tree", "/r/tree/../../etc/x", "out",
                           "/r/treehouse", "/r/out/x", "/r//out"}) {
    outcome_.files = {{"/r/out", 0644, "fine"}, {path, 0644, "evil"}};
    EXPECT_EQ(WriteNow().error().word, "outputs") << path;
    EXPECT_FALSE(IsThere("out")) << path;
  }
}

TEST_F(CommandWriteTest, FollowsNoLinkOutOfAnAnnouncedFolder) {
  TempDir outside = TempDir::Create("outside").value();
  ASSERT_TRUE(MakeDirs(Path("deep/tree")));
  ASSERT_EQ(symlink(outside.path().c_str(), Path("deep/tree/link").c_str()), 0);
  outcome_.files = {{"/r/tree/link/x", 0644, "evil"}};
  EXPECT_FALSE(WriteNow());
  EXPECT_TRUE(ListDir(outside.path())->empty());
}

}  // namespace
}  // namespace llama::execute
