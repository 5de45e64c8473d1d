#include "files/digest_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"

namespace llama::files {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

class DigestCacheTest : public testing::Test {
 protected:
  DigestCacheTest() : clock_(SystemClock().NowNs() + 3600 * kSecondNs) {}

  std::string Write(const std::string& name, std::string_view bytes, mode_t mode = 0644) {
    const std::string path = dir_.path() + "/" + name;
    EXPECT_TRUE(WriteFileAtomic(path, bytes, mode));
    return path;
  }
  static struct stat StatOf(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(stat(path.c_str(), &st), 0);
    return st;
  }
  // Whether the cache knows the file without reading it: its identity under a name that isn't
  // there.
  bool Knows(DigestCache& cache, const std::string& path) {
    return cache.Get(dir_.path() + "/no-such-file", StatOf(path)).has_value();
  }
  std::string log_path() const { return dir_.path() + "/digests"; }

  TempDir dir_ = *TempDir::Create();
  FakeClock clock_;  // an hour ahead: files made now are old enough to be cached
};

TEST_F(DigestCacheTest, GivesDigestSizeAndMode) {
  const auto cache = *DigestCache::Open("", clock_);
  const Result<FileDigest> plain = cache->Get(Write("plain", "abc"));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->digest, store::Sha256("abc"));
  EXPECT_EQ(plain->size_bytes, 3u);
  EXPECT_FALSE(plain->executable);
  EXPECT_TRUE(cache->Get(Write("program", "abc", 0755))->executable);
  const std::string big(1'000'000, 'z');
  EXPECT_EQ(cache->Get(Write("big", big))->digest, store::Sha256(big));
}

TEST_F(DigestCacheTest, FindsWordsThatDependOnTheBuildsPlaceAndTime) {
  struct Case {
    std::string text;
    unsigned flags;
  };
  const std::string elf(
      "\x7f"
      "ELF\0__TIMESTAMP__",
      18);
  const Case cases[] = {
      {"nothing", 0u},
      {"x __TIMESTAMP__", kMentionsTimestamp},
      {"__TIME__", 0u},
      {"__TIMESTAMP_", 0u},
      {elf, 0u},
      // Across the border between two reads, wherever it falls.
      {std::string((256 << 10) - 5, ' ') + "__TIMESTAMP__", kMentionsTimestamp},
      {std::string((256 << 10) - 12, ' ') + "__TIMESTAMP__", kMentionsTimestamp},
      {std::string((256 << 10) - 1, ' ') + "__TIMESTAMP__", kMentionsTimestamp},
  };
  const auto cache = *DigestCache::Open("", clock_);
  int n = 0;
  for (const Case& c : cases) {
    EXPECT_EQ(cache->Get(Write(std::to_string(n++), c.text))->text_flags, c.flags)
        << c.text.substr(c.text.size() > 40 ? c.text.size() - 40 : 0);
  }
}

TEST_F(DigestCacheTest, GivesTheTextThatItReadAnyway) {
  const auto cache = *DigestCache::Open("", clock_);
  const std::string elf("\x7f\0__TIMESTAMP__", 15);
  const std::string texts[] = {"", "abc", "x __TIMESTAMP__", elf, std::string(1'000'000, 'z')};
  int n = 0;
  for (const std::string& bytes : texts) {
    const std::string path = Write(std::to_string(n++), bytes);
    std::optional<std::string> text;
    const Result<FileDigest> read = cache->Get(path, StatOf(path), &text);
    ASSERT_TRUE(read);
    EXPECT_EQ(text, bytes);
    EXPECT_EQ(read->digest, store::Sha256(bytes));
    EXPECT_EQ(read->size_bytes, bytes.size());
    const Result<FileDigest> piecewise = (*DigestCache::Open("", clock_))->Get(path);
    EXPECT_EQ(read->text_flags, piecewise->text_flags) << n;
    ASSERT_TRUE(cache->Get(path, StatOf(path), &text));
    EXPECT_EQ(text, std::nullopt) << "known";
  }
}

TEST_F(DigestCacheTest, AHugeTextIsDigestedButNotGiven) {
  const auto cache = *DigestCache::Open("", clock_);
  const std::string path = Write("huge", "");
  ASSERT_EQ(truncate(path.c_str(), static_cast<off_t>(kMaxTextBytes) + 1), 0);
  std::optional<std::string> text = "before";
  const Result<FileDigest> read = cache->Get(path, StatOf(path), &text);
  ASSERT_TRUE(read);
  EXPECT_EQ(text, std::nullopt);
  EXPECT_EQ(read->size_bytes, kMaxTextBytes + 1);
}

TEST_F(DigestCacheTest, RefusesWhatIsNoRegularFile) {
  const auto cache = *DigestCache::Open("", clock_);
  EXPECT_EQ(cache->Get(dir_.path()).error().code, Code::kInvalid);
  EXPECT_EQ(cache->Get(dir_.path() + "/none").error().code, Code::kNotFound);
  const std::string fifo = dir_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(cache->Get(fifo).error().code, Code::kInvalid);
}

TEST_F(DigestCacheTest, APipeInTheFilesPlaceDoesNotHang) {
  const auto cache = *DigestCache::Open("", clock_);
  const struct stat before = StatOf(Write("f", "abc"));
  const std::string fifo = dir_.path() + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(cache->Get(fifo, before).error().code, Code::kInvalid);
}

TEST_F(DigestCacheTest, AKnownFileIsNotReadAgain) {
  const auto cache = *DigestCache::Open("", clock_);
  const std::string path = Write("f", "abc");
  EXPECT_FALSE(Knows(*cache, path));
  ASSERT_TRUE(cache->Get(path));
  EXPECT_TRUE(Knows(*cache, path));
}

TEST_F(DigestCacheTest, AnyChangeOfIdentityIsRead) {
  const auto cache = *DigestCache::Open("", clock_);
  const std::string path = Write("f", "abc");
  ASSERT_TRUE(cache->Get(path));
  const struct stat known = StatOf(path);
  const std::string none = dir_.path() + "/none";
  const std::function<void(struct stat&)> changes[] = {
      [](struct stat& st) { st.st_dev += 1; },
      [](struct stat& st) { st.st_ino += 1; },
      [](struct stat& st) { st.st_size += 1; },
      [](struct stat& st) { st.st_mtim.tv_nsec ^= 1; },
      [](struct stat& st) { st.st_ctim.tv_nsec ^= 1; },
  };
  EXPECT_TRUE(cache->Get(none, known));
  for (size_t i = 0; i < std::size(changes); ++i) {
    struct stat changed = known;
    changes[i](changed);
    EXPECT_FALSE(cache->Get(none, changed)) << i;
  }
}

TEST_F(DigestCacheTest, AYoungFileIsDigestedButNotRemembered) {
  const std::string path = Write("f", "abc");
  const int64_t ctime_ns = StatOf(path).st_ctim.tv_sec * kSecondNs + StatOf(path).st_ctim.tv_nsec;
  FakeClock clock(ctime_ns + 49'000'000);
  const auto cache = *DigestCache::Open("", clock);
  EXPECT_EQ(cache->Get(path)->digest, store::Sha256("abc"));
  EXPECT_FALSE(Knows(*cache, path));
  clock.AdvanceNs(1'000'000);
  EXPECT_EQ(cache->Get(path)->digest, store::Sha256("abc"));
  EXPECT_TRUE(Knows(*cache, path));
}

TEST_F(DigestCacheTest, AChangeWithinOneTickIsSeen) {
  // The file is rewritten in place with its size and times as they were, as far as stat can tell:
  // all in one tick. Only a cache that did not trust the first look gives the second content.
  const auto cache = *DigestCache::Open("", SystemClock());
  const std::string path = Write("f", "abc");
  const struct stat first = StatOf(path);
  ASSERT_EQ(cache->Get(path, first)->digest, store::Sha256("abc"));
  {
    const Fd fd = *OpenFile(path, O_WRONLY);
    ASSERT_TRUE(WriteAll(fd.get(), "xyz", path));
  }
  EXPECT_EQ(cache->Get(path, first)->digest, store::Sha256("xyz"));
}

TEST_F(DigestCacheTest, AFutureMtimeDoesNotKeepAFileOut) {
  const auto cache = *DigestCache::Open("", clock_);
  const std::string path = Write("f", "abc");
  const timespec times[2] = {{4'000'000'000, 0}, {4'000'000'000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  ASSERT_TRUE(cache->Get(path));
  EXPECT_TRUE(Knows(*cache, path));
}

TEST_F(DigestCacheTest, SurvivesRestarts) {
  const std::string a = Write("a", "__TIMESTAMP__");
  const std::string b = Write("b", "abc");
  {
    const auto cache = *DigestCache::Open(log_path(), clock_);
    ASSERT_TRUE(cache->Get(a));
    ASSERT_TRUE(cache->Flush());
    ASSERT_TRUE(cache->Get(b));  // written at the end
  }
  const auto cache = *DigestCache::Open(log_path(), clock_);
  EXPECT_TRUE(Knows(*cache, a));
  EXPECT_TRUE(Knows(*cache, b));
  EXPECT_EQ(cache->Get(a)->text_flags, kMentionsTimestamp);
  EXPECT_EQ(cache->Get(b)->digest, store::Sha256("abc"));
}

TEST_F(DigestCacheTest, DamageCostsOnlyTheDamagedRecords) {
  const std::string a = Write("a", "1");
  const std::string b = Write("b", "2");
  {
    const auto cache = *DigestCache::Open(log_path(), clock_);
    ASSERT_TRUE(cache->Get(a));
    ASSERT_TRUE(cache->Get(b));
  }
  const std::string sound = *ReadFile(log_path());
  ASSERT_EQ(sound.size(), 16u + 2 * 88u);
  for (size_t i = 0; i < sound.size(); ++i) {
    std::string damaged = sound;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    ASSERT_TRUE(WriteFileAtomic(log_path(), damaged, 0600));
    const auto cache = *DigestCache::Open(log_path(), clock_);
    EXPECT_EQ(Knows(*cache, a), i >= 16 + 88) << i;
    EXPECT_EQ(Knows(*cache, b), i >= 16 && i < 16 + 88) << i;
    EXPECT_EQ(cache->Get(a)->digest, store::Sha256("1"));
  }
}

TEST_F(DigestCacheTest, ATornTailIsCutOffAndAppendedTo) {
  const std::string a = Write("a", "1");
  const std::string b = Write("b", "2");
  {
    const auto cache = *DigestCache::Open(log_path(), clock_);
    ASSERT_TRUE(cache->Get(a));
  }
  const std::string sound = *ReadFile(log_path());
  for (size_t size = 0; size < sound.size(); ++size) {
    ASSERT_TRUE(WriteFileAtomic(log_path(), sound.substr(0, size), 0600));
    {
      const auto cache = *DigestCache::Open(log_path(), clock_);
      EXPECT_FALSE(Knows(*cache, a)) << size;
      ASSERT_TRUE(cache->Get(b));
    }
    const auto cache = *DigestCache::Open(log_path(), clock_);
    EXPECT_TRUE(Knows(*cache, b)) << size;
  }
}

TEST_F(DigestCacheTest, RewritesItsFileWhenMostOfItIsSuperseded) {
  const std::string path = Write("f", "abc");
  uint64_t biggest = 0;
  const auto cache = *DigestCache::Open(log_path(), clock_);
  for (int i = 0; i < 6000; ++i) {
    const timespec times[2] = {{1000 + i, 0}, {1000 + i, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
    ASSERT_TRUE(cache->Get(path));
    if (i % 100 == 0) {
      ASSERT_TRUE(cache->Flush());
    }
    biggest = std::max(biggest, static_cast<uint64_t>(StatOf(log_path()).st_size));
  }
  EXPECT_LT(biggest, 4300u * 88);
  ASSERT_TRUE(cache->Flush());
  EXPECT_TRUE(Knows(**DigestCache::Open(log_path(), clock_), path));
}

TEST_F(DigestCacheTest, ServesManyThreads) {
  const auto cache = *DigestCache::Open(log_path(), clock_);
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) {
    paths.push_back(Write(std::to_string(i), std::to_string(i)));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        for (size_t i = 0; i < paths.size(); ++i) {
          const Result<FileDigest> got = cache->Get(paths[i]);
          if (!got || got->digest != store::Sha256(std::to_string(i))) ++wrong;
        }
        if (!cache->Flush()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace llama::files
