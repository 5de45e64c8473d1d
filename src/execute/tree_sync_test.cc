#include "execute/tree_sync.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "base/file.h"
#include "store/digest.h"

namespace llama::execute {
namespace {

// Counts puts, can refuse them, and can hold the first one until told to go on.
class WatchedStore final : public store::ObjectStore {
 public:
  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const store::PutOptions& options) override {
    if (options.on_progress) options.on_progress(30'000);
    const int number = ++puts;
    if (number == 1 && hold_first) {
      while (!released) std::this_thread::yield();
    }
    if (fail) return Error{Code::kUnavailable, "store: refused"};
    replaced = replaced || !options.if_absent;
    return inner_->Put(key, bytes, options);
  }
  Result<std::string> Get(const std::string& key) override { return inner_->Get(key); }
  Result<void> HasRoomFor(uint64_t bytes) override {
    asked_bytes = bytes;
    if (full) return Error{Code::kUnavailable, "store: no room"};
    return {};
  }
  Result<bool> Exists(const std::string& key) override { return inner_->Exists(key); }
  Result<void> Delete(const std::string& key) override { return inner_->Delete(key); }

  std::atomic<int> puts = 0;
  std::atomic<uint64_t> asked_bytes = 0;
  std::atomic<bool> hold_first = false;
  std::atomic<bool> released = false;
  std::atomic<bool> fail = false;
  std::atomic<bool> full = false;
  std::atomic<bool> replaced = false;

 private:
  std::unique_ptr<store::ObjectStore> inner_ = store::NewMemoryStore();
};

class SyncTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("sync-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    auto index = tree::LayerIndex::Open("", "test");
    ASSERT_TRUE(index);
    index_ = std::move(*index);
    auto digests = files::DigestCache::Open("", SystemClock());
    ASSERT_TRUE(digests);
    digests_ = std::move(*digests);
    sync_ = std::make_unique<TreeSync>(store_, *index_, *digests_, clock_);
  }

  // Writes a file and gives the manifest that names it as it is now.
  tree::Manifest File(const std::string& name, const std::string& content) {
    const std::string path = JoinPath(dir_->path(), name);
    EXPECT_TRUE(WriteFileAtomic(path, content, 0644));
    tree::Entry entry;
    entry.size_bytes = content.size();
    entry.digest = store::Sha256(content);
    return {{path, entry}};
  }
  // Not compressible, so that sizes are what they seem.
  static std::string Noise(size_t bytes, unsigned seed = 1) {
    std::string out;
    while (out.size() < bytes) {
      seed = seed * 1664525u + 1013904223u;
      out.push_back(static_cast<char>(seed >> 24));
    }
    return out;
  }

  std::optional<TempDir> dir_;
  WatchedStore store_;
  FakeClock clock_;
  std::unique_ptr<tree::LayerIndex> index_;
  std::unique_ptr<files::DigestCache> digests_;
  std::unique_ptr<TreeSync> sync_;
};

TEST_F(SyncTest, SmallFilesTravelInlineForAWhileAndThenGetALayer) {
  const tree::Manifest wanted = File("a.h", "small");
  for (int job = 0; job < 16; ++job) {
    const auto synced = sync_->Ensure(wanted, {}, nullptr);
    ASSERT_TRUE(synced) << synced.error().message;
    ASSERT_EQ(synced->inline_contents.size(), 1u);
    EXPECT_EQ(synced->inline_contents[0].second, "small");
    EXPECT_TRUE(synced->layers.empty());
  }
  const auto last = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->inline_contents.empty());
  EXPECT_EQ(last->layers.size(), 1u);
  EXPECT_EQ(last->uploaded_objects, 1u);
  const auto after = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(after);
  EXPECT_EQ(after->layers, last->layers);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, ALayerTakesAlongWhatTravelledInline) {
  ASSERT_TRUE(sync_->Ensure(File("small.h", "small"), {}, nullptr));
  ASSERT_TRUE(sync_->Ensure(File("big.h", Noise(200'000)), {}, nullptr));
  const auto again = sync_->Ensure(File("small.h", "small"), {}, nullptr);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->inline_contents.empty());
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, ALayerTakesAlongTheHeadersBesideItsOwn) {
  const tree::Manifest neighbour = File("beside.h", Noise(90'000, 3));
  File("beside.c", Noise(90'000, 4));
  ASSERT_TRUE(sync_->Ensure(File("big.h", Noise(100'000)), {}, nullptr));
  EXPECT_TRUE(index_->Missing(neighbour).empty());
  const auto synced = sync_->Ensure(neighbour, {}, nullptr);
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->layers.size(), 1u);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, DirectoriesAndLinksNeedNoStore) {
  tree::Entry dir;
  dir.type = tree::EntryType::kDir;
  tree::Entry link;
  link.type = tree::EntryType::kSymlink;
  link.target = "d";
  const auto synced = sync_->Ensure({{"/d", dir}, {"/l", link}}, {}, nullptr);
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->inline_entries.size(), 2u);
  EXPECT_EQ(store_.puts, 0);
}

TEST_F(SyncTest, SharedEntriesAreNeverInline) {
  const auto synced = sync_->Ensure({}, File("cc1", "tiny compiler"), nullptr);
  ASSERT_TRUE(synced);
  EXPECT_TRUE(synced->inline_contents.empty());
  EXPECT_EQ(synced->layers.size(), 1u);
}

TEST_F(SyncTest, JobsThatWaitForAnUploadShareTheNext) {
  constexpr int kJobs = 8;
  store_.hold_first = true;
  std::vector<tree::Manifest> wanted;
  for (unsigned i = 0; i <= kJobs; ++i) {
    wanted.push_back(File("x" + std::to_string(i), Noise(100'000, i + 1)));
  }
  std::thread first([&] { EXPECT_TRUE(sync_->Ensure(wanted[0], {}, nullptr)); });
  while (store_.puts == 0) std::this_thread::yield();
  std::vector<std::thread> others;
  std::atomic<int> asked = 0;
  for (int i = 1; i <= kJobs; ++i) {
    others.emplace_back([&, i] {
      // Ensure asks this once before it queues and then in every wait, so twice means queued.
      int looks = 0;
      const auto synced = sync_->Ensure(wanted[static_cast<size_t>(i)], {}, [&] {
        if (++looks == 2) ++asked;
        return false;
      });
      EXPECT_TRUE(synced);
      EXPECT_FALSE(synced->layers.empty());
    });
  }
  while (asked < kJobs) std::this_thread::yield();
  store_.released = true;
  first.join();
  for (std::thread& thread : others) thread.join();
  EXPECT_EQ(store_.puts, 2);
}

TEST_F(SyncTest, AFileThatChangedSinceTheScanIsSaidSo) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  File("a.h", Noise(100'000, 7));
  const auto synced = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_FALSE(synced);
  EXPECT_EQ(synced.error().code, Code::kUnavailable);
  EXPECT_NE(synced.error().message.find("a.h"), std::string::npos);
  EXPECT_EQ(index_->layer_count(), 0u);
}

TEST_F(SyncTest, ANewVersionHidesTheOld) {
  ASSERT_TRUE(sync_->Ensure(File("a.h", Noise(100'000)), {}, nullptr));
  const auto newer = sync_->Ensure(File("a.h", Noise(100'000, 7)), {}, nullptr);
  ASSERT_TRUE(newer);
  EXPECT_EQ(newer->layers.size(), 1u);
  EXPECT_EQ(store_.puts, 2);
}

TEST_F(SyncTest, ARefusingStoreIsRememberedForAllUntilAProbeSucceeds) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  store_.fail = true;
  const auto refused = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_FALSE(refused);
  // Not kUnavailable, by which the files would be looked at again.
  EXPECT_EQ(refused.error().code, Code::kRemoteFailed);
  store_.fail = false;
  // Neither asked nor waited for again, whatever is wanted.
  const auto known = sync_->Ensure(File("b.h", Noise(100'000, 2)), {}, nullptr);
  ASSERT_FALSE(known);
  EXPECT_NE(known.error().message.find("refused"), std::string::npos);
  EXPECT_EQ(store_.puts, 1);
  // Who comes later sends a probe and does not wait for it either.
  clock_.AdvanceNs(UploadQueue::kFirstHoldMs * 1'000'000);
  EXPECT_FALSE(sync_->Ensure(wanted, {}, nullptr));
  while (index_->layer_count() == 0) std::this_thread::yield();
  // The probe's success is known a moment after the index has its layer.
  while (!sync_->Ensure(File("c.h", Noise(100'000, 3)), {}, nullptr)) std::this_thread::yield();
  EXPECT_EQ(store_.puts, 3);
  EXPECT_TRUE(sync_->Ensure(wanted, {}, nullptr));
}

// A toolchain's layer costs a core seconds, and on a full disk each probe would make it anew.
TEST_F(SyncTest, AsksForRoomBeforeItPacks) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  store_.full = true;
  const auto full = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Code::kRemoteFailed);
  EXPECT_EQ(full.error().message, "store: no room");
  EXPECT_EQ(store_.asked_bytes, 100'000u);
  EXPECT_EQ(store_.puts, 0);
  store_.full = false;
  while (!sync_->Ensure(wanted, {}, nullptr)) clock_.AdvanceNs(1'000'000'000);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, EachProbeThatFailsDoublesTheTimeToTheNext) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  store_.fail = true;
  ASSERT_FALSE(sync_->Ensure(wanted, {}, nullptr));
  const auto advance_and_ask = [&](int64_t ms) {
    clock_.AdvanceNs(ms * 1'000'000);
    EXPECT_FALSE(sync_->Ensure(wanted, {}, nullptr));
  };
  advance_and_ask(UploadQueue::kFirstHoldMs);
  while (store_.puts < 2) std::this_thread::yield();
  // From the probe's end on, or from its start if that is not seen yet.
  advance_and_ask(UploadQueue::kFirstHoldMs - 1);
  EXPECT_EQ(store_.puts, 2);
}

TEST_F(SyncTest, WhoHasSomethingBetterToDoLeavesAnUploadThatGoesOn) {
  store_.hold_first = true;
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  bool asked = false;
  const auto left = sync_->Ensure(
      wanted, {},
      [&] {
        if (store_.puts > 0) clock_.AdvanceNs(1'000'000'000);
        return false;
      },
      [&](const UploadQueue::UnderWay& upload) {
        asked = true;
        EXPECT_GT(upload.bytes, 100'000u);
        EXPECT_EQ(upload.sent_bytes, 30'000u);
        return upload.ms >= 2'000;
      });
  ASSERT_FALSE(left);
  EXPECT_TRUE(asked);
  EXPECT_EQ(left.error().code, Code::kRemoteFailed);
  store_.released = true;
  const auto synced = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(synced);
  EXPECT_EQ(synced->layers.size(), 1u);
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, ALostObjectIsSentAgainOverWhatIsThere) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  const auto first = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(first);
  EXPECT_FALSE(store_.replaced);
  clock_.AdvanceNs(1'000'000);
  sync_->Lost({first->layers[0].key}, clock_.MonotonicNs());
  const auto again = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->layers, first->layers);
  EXPECT_TRUE(store_.replaced);
  EXPECT_EQ(store_.puts, 2);
}

TEST_F(SyncTest, ALossReportedFromBeforeTheResendIsOld) {
  const tree::Manifest wanted = File("a.h", Noise(100'000));
  const int64_t before = clock_.MonotonicNs();
  clock_.AdvanceNs(1'000'000);
  const auto first = sync_->Ensure(wanted, {}, nullptr);
  ASSERT_TRUE(first);
  sync_->Lost({first->layers[0].key}, before);
  ASSERT_TRUE(sync_->Ensure(wanted, {}, nullptr));
  EXPECT_EQ(store_.puts, 1);
}

TEST_F(SyncTest, CancellationIsHeeded) {
  const auto synced = sync_->Ensure(File("a.h", "x"), {}, [] { return true; });
  ASSERT_FALSE(synced);
  EXPECT_EQ(synced.error().code, Code::kCancelled);
}

}  // namespace
}  // namespace llama::execute
