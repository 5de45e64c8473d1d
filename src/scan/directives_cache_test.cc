#include "scan/directives_cache.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/file.h"

namespace llama::scan {
namespace {

constexpr size_t kFileHeadBytes = 24;
constexpr size_t kRecordHeadBytes = 52;

// A text for a number, and what a scanner would say of it.
store::Digest DigestOf(int n) { return store::Sha256(std::to_string(n)); }
Directives DirectivesFor(int n) {
  return ReadDirectives("#include <" + std::to_string(n) + ".h>\n#define D" + std::to_string(n));
}

class DirectivesCacheTest : public testing::Test {
 protected:
  std::unique_ptr<DirectivesCache> Open(const DirectivesCacheOptions& options = {}) {
    auto cache = DirectivesCache::Open(path(), options);
    EXPECT_TRUE(cache) << (cache ? "" : cache.error().message);
    return *std::move(cache);
  }
  static void Add(DirectivesCache& cache, int n) { cache.Add(DigestOf(n), DirectivesFor(n)); }
  static bool Has(DirectivesCache& cache, int n) {
    const std::optional<Directives> found = cache.Find(DigestOf(n));
    if (!found) return false;
    EXPECT_EQ(found->references, DirectivesFor(n).references);
    EXPECT_EQ(found->defined_names, DirectivesFor(n).defined_names);
    EXPECT_EQ(found->hash, DirectivesFor(n).hash);
    return true;
  }
  std::string path() const { return dir_.path() + "/directives"; }
  std::string Bytes() const { return ReadFile(path()).value(); }
  void Put(const std::string& bytes) { ASSERT_TRUE(WriteFileAtomic(path(), bytes, 0600)); }

  TempDir dir_ = *TempDir::Create();
};

TEST_F(DirectivesCacheTest, GivesWhatItWasGiven) {
  const auto cache = Open();
  EXPECT_FALSE(Has(*cache, 1));
  Add(*cache, 1);
  EXPECT_TRUE(Has(*cache, 1));
  ASSERT_TRUE(cache->Flush());
  EXPECT_TRUE(Has(*cache, 1));
  EXPECT_FALSE(Has(*cache, 2));
}

TEST_F(DirectivesCacheTest, SurvivesRestarts) {
  for (int daemon = 0; daemon < 3; ++daemon) {
    const auto cache = Open();
    for (int n = 0; n < 2 * daemon; ++n) EXPECT_TRUE(Has(*cache, n)) << daemon << ' ' << n;
    Add(*cache, 2 * daemon);
    ASSERT_TRUE(cache->Flush());
    Add(*cache, 2 * daemon + 1);  // written at the end
  }
}

TEST_F(DirectivesCacheTest, WhatIsKnownIsWrittenOnce) {
  const auto cache = Open();
  Add(*cache, 1);
  Add(*cache, 1);
  ASSERT_TRUE(cache->Flush());
  const size_t size = Bytes().size();
  Add(*cache, 1);
  ASSERT_TRUE(cache->Flush());
  EXPECT_EQ(Bytes().size(), size);
}

TEST_F(DirectivesCacheTest, AnotherScannersResultsAreNotRead) {
  Add(*Open({.scanner = 1}), 1);
  const auto cache = Open({.scanner = 2});
  EXPECT_FALSE(Has(*cache, 1));
  Add(*cache, 2);
  ASSERT_TRUE(cache->Flush());
  EXPECT_TRUE(Has(*Open({.scanner = 2}), 2));
}

// It had the file open before the other one began it anew, and writes at its end.
TEST_F(DirectivesCacheTest, WhatAnotherScannerStillAppendsIsNotRead) {
  auto old = Open({.scanner = 1});
  Add(*old, 1);
  ASSERT_TRUE(old->Flush());
  Add(*Open({.scanner = 2}), 2);
  Add(*old, 3);
  old.reset();
  const auto cache = Open({.scanner = 2});
  EXPECT_TRUE(Has(*cache, 2));
  EXPECT_FALSE(Has(*cache, 1));
  EXPECT_FALSE(Has(*cache, 3));
}

TEST_F(DirectivesCacheTest, TwoAtOnceMixNothingUp) {
  Add(*Open(), 6);
  const auto a = Open();
  const auto b = Open();
  for (int round = 0; round < 3; ++round) {
    Add(*a, 2 * round);
    Add(*b, 2 * round + 1);
    ASSERT_TRUE(a->Flush());
    ASSERT_TRUE(b->Flush());
  }
  // What stands elsewhere than one of them thinks is not found; Has() fails for what is not its
  // own.
  for (int n = 0; n < 6; ++n) {
    Has(*a, n);
    Has(*b, n);
  }
  const auto later = Open();
  for (int n = 0; n < 7; ++n) EXPECT_TRUE(Has(*later, n)) << n;
}

TEST_F(DirectivesCacheTest, ADamagedBodyCostsOneRecordADamagedHeadAllBehind) {
  {
    const auto cache = Open();
    for (int n = 0; n < 3; ++n) {
      Add(*cache, n);
      ASSERT_TRUE(cache->Flush());
    }
  }
  const std::string sound = Bytes();
  const size_t record = (sound.size() - kFileHeadBytes) / 3;
  ASSERT_EQ(sound.size(), kFileHeadBytes + 3 * record);
  for (size_t at = 0; at < sound.size(); ++at) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    Put(damaged);
    const bool in_head = at < kFileHeadBytes;
    const size_t in_record = in_head ? 0 : (at - kFileHeadBytes) % record;
    const int which = in_head ? 0 : static_cast<int>((at - kFileHeadBytes) / record);
    const bool ends_there = in_head || in_record < kRecordHeadBytes;
    {
      const auto cache = Open();
      for (int n = 0; n < 3; ++n) {
        EXPECT_EQ(Has(*cache, n), n < which || (n > which && !ends_there)) << at << ' ' << n;
        Add(*cache, n);
      }
    }
    const auto mended = Open();
    for (int n = 0; n < 3; ++n) EXPECT_TRUE(Has(*mended, n)) << at << ' ' << n;
  }
}

TEST_F(DirectivesCacheTest, ATornTailIsCutOffAndAppendedTo) {
  Add(*Open(), 1);
  const size_t first = Bytes().size();
  Add(*Open(), 2);
  const std::string sound = Bytes();
  for (size_t size = 0; size < sound.size(); ++size) {
    Put(sound.substr(0, size));
    {
      const auto cache = Open();
      EXPECT_EQ(Has(*cache, 1), size >= first) << size;
      EXPECT_FALSE(Has(*cache, 2)) << size;
      Add(*cache, 3);
    }
    const auto cache = Open();
    EXPECT_EQ(Has(*cache, 1), size >= first) << size;
    EXPECT_TRUE(Has(*cache, 3)) << size;
  }
}

// As after a crash: the file's size was written, what is in it was not.
TEST_F(DirectivesCacheTest, ZeroesAreNoRecords) {
  Add(*Open(), 1);
  const std::string sound = Bytes();
  Put(sound + std::string(1000, '\0'));
  const auto cache = Open();
  EXPECT_TRUE(Has(*cache, 1));
  EXPECT_EQ(Bytes(), sound);
}

TEST_F(DirectivesCacheTest, ForeignBytesAreReplaced) {
  for (const std::string& foreign : {std::string("llama-digests 1\n"), std::string(1 << 20, 'x')}) {
    Put(foreign);
    {
      const auto cache = Open();
      EXPECT_FALSE(Has(*cache, 1));
      Add(*cache, 1);
    }
    EXPECT_TRUE(Has(*Open(), 1));
  }
}

TEST_F(DirectivesCacheTest, AFolderInItsPlaceIsAnError) {
  ASSERT_TRUE(MakeDirs(path()));
  EXPECT_FALSE(DirectivesCache::Open(path()));
}

// A file size limit stands for the full disk: the write takes a part, then fails.
TEST_F(DirectivesCacheTest, AFullDiskCostsWhatWasNew) {
  const auto cache = Open();
  Add(*cache, 1);
  ASSERT_TRUE(cache->Flush());
  const std::string sound = Bytes();
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{sound.size() + 10, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  Add(*cache, 2);
  const auto flushed = cache->Flush();
  const auto idle = cache->Flush();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_FALSE(flushed);
  EXPECT_TRUE(idle);
  EXPECT_EQ(Bytes(), sound);
  EXPECT_TRUE(Has(*cache, 1));
  EXPECT_FALSE(Has(*cache, 2));
  Add(*cache, 2);
  ASSERT_TRUE(cache->Flush());
  EXPECT_TRUE(Has(*Open(), 2));
}

TEST_F(DirectivesCacheTest, AFullDiskDoesNotKeepItFromOpening) {
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit full{10, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  auto opened = DirectivesCache::Open(path());
  if (opened) Add(**opened, 1);
  const bool flushed = opened && (*opened)->Flush().has_value();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_handler);
  ASSERT_TRUE(opened);
  EXPECT_FALSE(flushed);
  Add(**opened, 1);
  ASSERT_TRUE((*opened)->Flush());
  EXPECT_TRUE(Has(*Open(), 1));
}

TEST_F(DirectivesCacheTest, StaysWithinItsLimitAndKeepsWhatIsUsed) {
  constexpr uint64_t kMaxBytes = 16 << 10;
  {
    const auto cache = Open({.max_bytes = kMaxBytes});
    for (int n = 0; n < 1000; ++n) {
      Add(*cache, n);
      EXPECT_TRUE(Has(*cache, 0)) << n;
      if (n % 10 == 9) {
        ASSERT_TRUE(cache->Flush());
        ASSERT_LE(Bytes().size(), kMaxBytes);
      }
    }
  }
  const auto cache = Open({.max_bytes = kMaxBytes});
  EXPECT_TRUE(Has(*cache, 0));
  EXPECT_TRUE(Has(*cache, 999));
  EXPECT_FALSE(Has(*cache, 1));
}

TEST_F(DirectivesCacheTest, IsRewrittenWhenMostOfItIsDamaged) {
  Directives big = DirectivesFor(0);
  for (uint32_t i = 0; i < 700'000; ++i) big.defined_names.push_back(i * 5000);
  std::sort(big.defined_names.begin(), big.defined_names.end());
  {
    const auto cache = Open();
    Add(*cache, 1);
    cache->Add(DigestOf(0), big);
  }
  std::string bytes = Bytes();
  ASSERT_GT(bytes.size(), 1u << 20);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  Put(bytes);
  const auto cache = Open();
  EXPECT_FALSE(Has(*cache, 0));
  ASSERT_TRUE(cache->Flush());
  EXPECT_LT(Bytes().size(), 1000u);
  EXPECT_TRUE(Has(*cache, 1));
  Add(*cache, 2);
  ASSERT_TRUE(cache->Flush());
  EXPECT_TRUE(Has(*Open(), 1));
  EXPECT_TRUE(Has(*Open(), 2));
}

TEST_F(DirectivesCacheTest, WhatIsTooBigIsNotKept) {
  Directives huge;
  huge.line_names.emplace_back(DirectivesLog::kMaxBodyBytes, 'x');
  const auto cache = Open();
  cache->Add(DigestOf(0), huge);
  EXPECT_FALSE(cache->Find(DigestOf(0)));
}

TEST_F(DirectivesCacheTest, ServesManyThreads) {
  const auto cache = Open({.max_bytes = 8 << 10});
  std::atomic<bool> failed{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 200; ++n) {
        Add(*cache, n);
        Has(*cache, n);
        Has(*cache, n / 2);
        if (n % 16 == t && !cache->Flush()) failed = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace llama::scan
