// What every ObjectStore must do, as one parameterised suite. An implementation's test includes
// this and instantiates it with a factory:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreConformance, testing::Values(StoreFactory{…}));
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/object_store.h"

namespace llama::store {

// Gives an empty store; called once per test.
using StoreFactory = std::function<std::unique_ptr<ObjectStore>()>;

class ObjectStoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override {
    store_ = GetParam()();
    ASSERT_NE(store_, nullptr);
  }
  std::unique_ptr<ObjectStore> store_;
};

TEST_P(ObjectStoreConformance, GivesBackWhatWasPut) {
  std::string every_byte;
  for (int i = 0; i < 256; ++i) every_byte.push_back(static_cast<char>(i));
  const std::string bodies[] = {"", "x", every_byte, std::string(3 << 20, 'y')};
  for (size_t i = 0; i < std::size(bodies); ++i) {
    const std::string key = "a/b-" + std::to_string(i);
    const Result<bool> put = store_->Put(key, bodies[i]);
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_TRUE(*put);
    const Result<std::string> got = store_->Get(key);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, bodies[i]);
  }
}

TEST_P(ObjectStoreConformance, AbsentObjectsAreNotFound) {
  const Result<std::string> got = store_->Get("layers/none");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kNotFound);
  EXPECT_NE(got.error().message.find("layers/none"), std::string::npos) << got.error().message;
  EXPECT_EQ(*store_->Exists("layers/none"), false);
  EXPECT_TRUE(store_->Delete("layers/none"));
}

TEST_P(ObjectStoreConformance, FirstPutWinsUnlessReplacingIsAsked) {
  ASSERT_TRUE(*store_->Put("k", "first"));
  EXPECT_FALSE(*store_->Put("k", "second"));
  EXPECT_EQ(*store_->Get("k"), "first");
  EXPECT_TRUE(*store_->Put("k", "third", {.if_absent = false}));
  EXPECT_EQ(*store_->Get("k"), "third");
}

TEST_P(ObjectStoreConformance, DeletedObjectsAreGoneAndCanBePutAgain) {
  ASSERT_TRUE(*store_->Put("d/k", "old"));
  ASSERT_TRUE(store_->Delete("d/k"));
  EXPECT_FALSE(*store_->Exists("d/k"));
  EXPECT_EQ(store_->Get("d/k").error().code, Code::kNotFound);
  EXPECT_TRUE(*store_->Put("d/k", "new"));
  EXPECT_TRUE(*store_->Exists("d/k"));
  EXPECT_EQ(*store_->Get("d/k"), "new");
}

TEST_P(ObjectStoreConformance, AKeyMayBePartOfAnother) {
  ASSERT_TRUE(*store_->Put("a", "1"));
  ASSERT_TRUE(*store_->Put("a/b", "2"));
  ASSERT_TRUE(*store_->Put("a/b/c", "3"));
  EXPECT_EQ(*store_->Get("a"), "1");
  EXPECT_EQ(*store_->Get("a/b"), "2");
  EXPECT_EQ(*store_->Get("a/b/c"), "3");
  EXPECT_EQ(store_->Get("a/c").error().code, Code::kNotFound);
  EXPECT_EQ(store_->Get("a/b/c/d").error().code, Code::kNotFound);
}

TEST_P(ObjectStoreConformance, RefusesBadKeysEverywhere) {
  const std::string bad[] = {"",
                             "/a",
                             "a/",
                             "a//b",
                             ".",
                             "..",
                             "a/../b",
                             "../a",
                             "a/.",
                             "a b",
                             "a~",
                             "~/a",
                             "a\\b",
                             "\xc3\xa9",
                             std::string("a\0b", 3),
                             std::string(251, 'k'),
                             std::string(1025, 'k')};
  for (const std::string& key : bad) {
    EXPECT_EQ(store_->Put(key, "x").error().code, Code::kInvalid) << key;
    EXPECT_EQ(store_->Get(key).error().code, Code::kInvalid) << key;
    EXPECT_EQ(store_->Exists(key).error().code, Code::kInvalid) << key;
    EXPECT_EQ(store_->Delete(key).error().code, Code::kInvalid) << key;
  }
}

TEST_P(ObjectStoreConformance, OfManyWritersOneWinsAndReadersSeeItWhole) {
  constexpr int kWriters = 4;
  std::atomic<int> wins{0};
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      const std::string body(1 << 20, static_cast<char>('a' + i));
      for (int round = 0; round < 8; ++round) {
        const std::string key = "race/" + std::to_string(round);
        const Result<bool> put = store_->Put(key, body);
        if (put && *put) ++wins;
        const Result<std::string> got = store_->Get(key);
        if (!got || got->size() != body.size() || *got != std::string(body.size(), got->front())) {
          ++torn;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wins, 8);
  EXPECT_EQ(torn, 0);
}

}  // namespace llama::store
