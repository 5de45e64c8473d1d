#include "traces/columns/intern.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace llama::traces {
namespace {

TEST(StringPoolTest, EqualStringsAreOne) {
  StringPool pool;
  EXPECT_EQ(pool.Add(""), 0u);
  std::vector<StringId> ids;
  for (int i = 0; i < 50'000; ++i) ids.push_back(pool.Add("text " + std::to_string(i)));
  for (int i = 0; i < 50'000; ++i) {
    const std::string text = "text " + std::to_string(i);
    EXPECT_EQ(pool.Add(text), ids[static_cast<size_t>(i)]);
    EXPECT_EQ(pool[ids[static_cast<size_t>(i)]], text);
  }
  EXPECT_EQ(pool.size(), 50'001u);
  EXPECT_EQ(pool.Find("text 49999"), ids.back());
  EXPECT_EQ(pool.Find("text 50000"), std::nullopt);
}

// Lengths around the steps of the hash, each told from one that differs in one byte.
TEST(StringPoolTest, StringsOfAnyLengthAreToldApart) {
  StringPool pool;
  for (size_t size = 1; size < 200; ++size) {
    std::string text(size, 'a');
    const StringId id = pool.Add(text);
    for (size_t i = 0; i < size; ++i) {
      text[i] = 'b';
      EXPECT_NE(pool.Add(text), id);
      text[i] = 'a';
    }
    EXPECT_EQ(pool.Add(text), id);
  }
}

TEST(StringPoolTest, LongStringsStayWhereTheyAre) {
  StringPool pool;
  const StringId id = pool.Add("first");
  const std::string_view view = pool[id];
  for (size_t i = 1; i < 60; ++i) pool.Add(std::string(i * 10'000, 'x'));
  EXPECT_EQ(pool[id].data(), view.data());
  EXPECT_EQ(pool[pool.Add(std::string(590'000, 'x'))].size(), 590'000u);
}

// Whether the other's memory is worth keeping (it has more that is new) or not.
TEST(StringPoolTest, TakesOverAnothersStrings) {
  for (const size_t fresh : {size_t{1}, size_t{100}}) {
    StringPool pool;
    const StringId a = pool.Add("a");
    std::vector<StringId> ids;
    {
      StringPool other;
      other.Add(std::string(fresh, 'b'));
      other.Add("a");
      ids = pool.TakeOver(std::move(other));
    }
    ASSERT_EQ(ids.size(), 3u);
    EXPECT_EQ(ids[0], 0u);
    EXPECT_EQ(pool[ids[1]], std::string(fresh, 'b'));
    EXPECT_EQ(pool.Find(std::string(fresh, 'b')), ids[1]);
    EXPECT_EQ(ids[2], a);
  }
}

TEST(StringPoolTest, AnyThreadMayFind) {
  StringPool pool;
  std::string texts;
  for (int i = 0; i < 1000; ++i) texts += std::to_string(1000 + i);
  for (size_t i = 0; i < 1000; ++i) pool.AddDistinct(std::string_view(texts).substr(i * 4, 4));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        EXPECT_EQ(pool.Find(std::to_string(1000 + i)), static_cast<StringId>(i + 1));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace llama::traces
