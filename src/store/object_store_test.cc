#include "store/object_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <utility>

#include "base/file.h"
#include "store/object_store_conformance.h"

namespace llama::store {
namespace {

// A folder store that takes its folder with it.
class TempFolderStore final : public ObjectStore {
 public:
  TempFolderStore(TempDir dir, std::unique_ptr<ObjectStore> store)
      : dir_(std::move(dir)), store_(std::move(store)) {}
  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const PutOptions& options) override {
    return store_->Put(key, bytes, options);
  }
  Result<std::string> Get(const std::string& key) override { return store_->Get(key); }
  Result<bool> Exists(const std::string& key) override { return store_->Exists(key); }
  Result<void> Delete(const std::string& key) override { return store_->Delete(key); }

 private:
  TempDir dir_;
  std::unique_ptr<ObjectStore> store_;
};

std::unique_ptr<ObjectStore> NewTempFolderStore() {
  TempDir dir = *TempDir::Create();
  std::unique_ptr<ObjectStore> store = *OpenFolderStore(dir.path() + "/made/on/demand");
  return std::make_unique<TempFolderStore>(std::move(dir), std::move(store));
}

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values(&NewMemoryStore));
INSTANTIATE_TEST_SUITE_P(Folder, ObjectStoreConformance, testing::Values(&NewTempFolderStore));

TEST(FolderStoreTest, KeepsObjectsBetweenOpens) {
  const TempDir dir = *TempDir::Create();
  ASSERT_TRUE(*(*OpenFolderStore(dir.path()))->Put("layers/1", "bytes"));
  EXPECT_EQ(*(*OpenFolderStore(dir.path()))->Get("layers/1"), "bytes");
}

TEST(FolderStoreTest, SaysWhetherThereIsRoomAndTakesNone) {
  const auto dir = *TempDir::Create("store-test");
  const auto store = *OpenFolderStore(dir.path());
  // A limit on the size of files stands for a full disk.
  const auto told = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1 << 20, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_TRUE(store->HasRoomFor(1 << 19));
  EXPECT_FALSE(store->HasRoomFor(2 << 20));
  EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, told);
  EXPECT_TRUE(store->HasRoomFor(2 << 20));
  EXPECT_TRUE(store->HasRoomFor(0));
  EXPECT_EQ(ListDir(dir.path() + "/~")->size(), 0u);
}

TEST(FolderStoreTest, BeyondItsBoundWhatWasUsedLeastRecentlyGoes) {
  const TempDir dir = *TempDir::Create();
  ASSERT_TRUE(*(*OpenFolderStore(dir.path()))->Put("files/kept", std::string(5000, 'k')));
  const auto store = *OpenFolderStore(dir.path(), {"layers/", 1000});
  const auto age = [&](const std::string& key, time_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (dir.path() + "/" + key + "~").c_str(), times, 0), 0);
  };
  for (int i = 0; i < 9; ++i) {
    const std::string key = "layers/" + std::to_string(i);
    ASSERT_TRUE(*store->Put(key, std::string(100, 'x')));
    age(key, 1000 + i);
  }
  ASSERT_TRUE(store->Get("layers/0"));
  ASSERT_TRUE(*store->Put("layers/new", std::string(150, 'x')));
  EXPECT_TRUE(*store->Exists("layers/0"));
  EXPECT_FALSE(*store->Exists("layers/1"));
  EXPECT_FALSE(*store->Exists("layers/2"));
  EXPECT_TRUE(*store->Exists("layers/3"));
  EXPECT_TRUE(*store->Exists("layers/new"));
  EXPECT_TRUE(*store->Exists("files/kept"));
}

TEST(FolderStoreTest, IsPrivateToItsOwner) {
  const TempDir dir = *TempDir::Create();
  ASSERT_TRUE(OpenFolderStore(dir.path() + "/s"));
  struct stat st {};
  ASSERT_EQ(stat((dir.path() + "/s").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0700u);
}

TEST(FolderStoreTest, LeavesNoTemporaryFileBehind) {
  const TempDir dir = *TempDir::Create();
  const auto store = *OpenFolderStore(dir.path());
  ASSERT_TRUE(*store->Put("k", "1"));
  ASSERT_FALSE(*store->Put("k", "2"));
  ASSERT_TRUE(*store->Put("k", "3", {.if_absent = false}));
  EXPECT_TRUE(ListDir(dir.path() + "/~")->empty());
}

TEST(FolderStoreTest, RemovesOldLeftoversOfKilledWritersOnly) {
  const TempDir dir = *TempDir::Create();
  ASSERT_TRUE(OpenFolderStore(dir.path()));
  const std::string old_file = dir.path() + "/~/old";
  const std::string new_file = dir.path() + "/~/new";
  ASSERT_TRUE(WriteFileAtomic(old_file, "half", 0600));
  ASSERT_TRUE(WriteFileAtomic(new_file, "half", 0600));
  const time_t two_hours_ago = time(nullptr) - 7200;
  const timespec times[2] = {{two_hours_ago, 0}, {two_hours_ago, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, old_file.c_str(), times, 0), 0);
  ASSERT_TRUE(OpenFolderStore(dir.path()));
  EXPECT_EQ(*ListDir(dir.path() + "/~"), std::vector<std::string>{"new"});
}

TEST(FolderStoreTest, AKilledWriterLeavesWholeObjectsOrNone) {
  const TempDir dir = *TempDir::Create();
  const std::string body(4 << 20, 'b');
  for (int round = 0; round < 10; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) {
      const Result<std::unique_ptr<ObjectStore>> store = OpenFolderStore(dir.path());
      for (int i = 0; store; ++i) {
        if (write(pipe_fds[1], "x", 1) != 1) break;
        (void)(*store)->Put(std::to_string(i % 50), body, {.if_absent = false}).has_value();
      }
      _exit(1);
    }
    close(pipe_fds[1]);
    // Somewhere in its third object or later.
    char started[3];
    for (char& c : started) ASSERT_EQ(read(pipe_fds[0], &c, 1), 1);
    ASSERT_EQ(kill(writer, SIGKILL), 0);
    ASSERT_EQ(waitpid(writer, nullptr, 0), writer);
    close(pipe_fds[0]);
    const auto store = *OpenFolderStore(dir.path());
    EXPECT_EQ(*store->Get("0"), body);
    for (int i = 1; i < 50; ++i) {
      const Result<std::string> got = store->Get(std::to_string(i));
      if (got) {
        EXPECT_EQ(got->size(), body.size()) << i;
      } else {
        EXPECT_EQ(got.error().code, Code::kNotFound) << i;
      }
    }
  }
}

// While it is open, as people do who begin anew.
TEST(FolderStoreTest, WorksOnWhenItsFoldersAreGoneOrNoFoldersAnyMore) {
  const TempDir dir = *TempDir::Create();
  const std::string root = dir.path() + "/store";
  const auto store = *OpenFolderStore(root);
  for (const char* part : {"", "/~", "/layers"}) {
    ASSERT_TRUE(*store->Put("layers/1", "bytes", {.if_absent = false}));
    ASSERT_TRUE(RemoveTree(root + part));
    EXPECT_TRUE(*store->Put("layers/2", "bytes", {.if_absent = false})) << part;
    ASSERT_TRUE(RemoveTree(root + part));
    ASSERT_TRUE(WriteFileAtomic(root + part, "no folder", 0600));
    EXPECT_EQ(store->Get("layers/none").error().code, Code::kNotFound) << part;
    EXPECT_TRUE(*store->Put("layers/3", "bytes", {.if_absent = false})) << part;
    EXPECT_EQ(*store->Get("layers/3"), "bytes") << part;
  }
}

TEST(FolderStoreTest, OpensWhatIsClosedToItsOwner) {
  const TempDir dir = *TempDir::Create();
  const std::string root = dir.path() + "/store";
  const auto store = *OpenFolderStore(root);
  ASSERT_TRUE(*store->Put("layers/1", "bytes"));
  for (const char* part : {"", "/layers", "/layers/1~"}) {
    ASSERT_EQ(chmod((root + part).c_str(), 0), 0);
    EXPECT_EQ(*store->Get("layers/1"), "bytes") << part;
  }
}

TEST(FolderStoreTest, AWriteThatFailsLeavesNoObject) {
  const TempDir dir = *TempDir::Create();
  const auto store = *OpenFolderStore(dir.path());
  // A folder stands where the object would: the last step fails.
  ASSERT_TRUE(MakeDirs(dir.path() + "/k~/x"));
  EXPECT_FALSE(store->Put("k", "bytes", {.if_absent = false}));
  EXPECT_TRUE(ListDir(dir.path() + "/~")->empty());
}

}  // namespace
}  // namespace llama::store
