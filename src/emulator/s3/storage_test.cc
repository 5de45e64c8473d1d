#include "emulator/s3/storage.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "emulator/request/s3_error.h"
#include "emulator/s3/checksum.h"

namespace llama::emulator {
namespace {

template <typename T>
std::string CodeOf(const Result<T>& result) {
  return result ? "" : std::string(ViewOf(result.error()).code);
}

class Storage : public testing::Test {
 protected:
  void SetUp() override {
    Reopen();
    EXPECT_TRUE(storage_->CreateBucket("bucket").value());
  }
  void Reopen() {
    storage_.reset();
    auto storage = S3Storage::Open(dir_.path(), clock_);
    ASSERT_TRUE(storage) << storage.error().message;
    storage_ = std::move(*storage);
  }
  Result<ObjectMeta> Put(const std::string& key, std::string_view bytes,
                         const WriteConditions& conditions = {}) {
    ObjectMeta meta;
    meta.key = key;
    return storage_->Put("bucket", meta, bytes, conditions);
  }
  std::string Get(const std::string& key) {
    const Result<OpenObject> object = storage_->Get("bucket", key);
    if (!object) return CodeOf(object);
    return object->Read({0, object->meta.size}).value();
  }
  size_t Keys() { return storage_->List("bucket", {}).value().objects.size(); }

  FakeClock clock_;
  TempDir dir_ = *TempDir::Create("s3");
  std::unique_ptr<S3Storage> storage_;
};

TEST_F(Storage, KeepsObjectsUnderAnyKeyAcrossRestarts) {
  const std::vector<std::string> keys = {
      "a", "/", "..", "a//b", " ", "ü\n", std::string(1024, 'k')};
  for (const std::string& key : keys) ASSERT_TRUE(Put(key, "bytes of " + key));
  Reopen();
  for (const std::string& key : keys) EXPECT_EQ(Get(key), "bytes of " + key);
  EXPECT_EQ(Keys(), keys.size());
  EXPECT_EQ(storage_->Get("bucket", "a")->meta.etag, HexMd5("bytes of a"));
}

TEST_F(Storage, AnOpenObjectStaysAsItWas) {
  ASSERT_TRUE(Put("k", "old"));
  const OpenObject old = storage_->Get("bucket", "k").value();
  ASSERT_TRUE(Put("k", "new and longer"));
  EXPECT_EQ(old.Read({0, old.meta.size}).value(), "old");
  EXPECT_EQ(Get("k"), "new and longer");
  ASSERT_TRUE(storage_->Delete("bucket", "k"));
  EXPECT_EQ(old.Read({0, old.meta.size}).value(), "old");
  EXPECT_EQ(Get("k"), "NoSuchKey");
}

TEST_F(Storage, OfManyConditionalPutsOneWins) {
  std::atomic<int> winners = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (Put("k", std::to_string(i), {.must_be_new = true, .must_match = {}})) ++winners;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(winners, 1);
  EXPECT_EQ(CodeOf(Put("k", "late", {.must_be_new = true, .must_match = {}})),
            "PreconditionFailed");
  EXPECT_EQ(ListDir(dir_.path() + "/tmp")->size(), 0u) << "the losers left their drafts";
}

TEST_F(Storage, LeavesOutWhatIsDamaged) {
  ASSERT_TRUE(Put("good", "bytes"));
  ASSERT_TRUE(Put("bad", "bytes"));
  for (const std::string& folder : ListDir(dir_.path() + "/buckets/bucket/objects").value()) {
    const std::string path = dir_.path() + "/buckets/bucket/objects/" + folder;
    for (const std::string& file : ListDir(path).value()) {
      const std::string text = ReadFile(path + "/" + file).value();
      if (text.find("bad") == std::string::npos) continue;
      ASSERT_TRUE(WriteFileAtomic(path + "/" + file, text.substr(0, text.size() - 1), 0600));
    }
  }
  Reopen();
  EXPECT_EQ(Get("good"), "bytes");
  EXPECT_EQ(Get("bad"), "NoSuchKey");
}

TEST_F(Storage, DeletesOnlyEmptyBuckets) {
  ASSERT_TRUE(Put("k", ""));
  EXPECT_EQ(CodeOf(storage_->DeleteBucket("bucket")), "BucketNotEmpty");
  ASSERT_TRUE(storage_->Delete("bucket", "k"));
  EXPECT_TRUE(storage_->DeleteBucket("bucket"));
  EXPECT_EQ(CodeOf(Put("k", "")), "NoSuchBucket");
  EXPECT_EQ(CodeOf(storage_->DeleteBucket("bucket")), "NoSuchBucket");
  Reopen();
  EXPECT_TRUE(storage_->Buckets().empty());
}

TEST_F(Storage, KeepsConfigurations) {
  EXPECT_FALSE(storage_->GetConfig("bucket", "lifecycle")->has_value());
  ASSERT_TRUE(storage_->PutConfig("bucket", "lifecycle", "<x/>"));
  Reopen();
  EXPECT_EQ(storage_->GetConfig("bucket", "lifecycle")->value(), "<x/>");
  ASSERT_TRUE(storage_->DeleteConfig("bucket", "lifecycle"));
  EXPECT_FALSE(storage_->GetConfig("bucket", "lifecycle")->has_value());
}

class Uploads : public Storage {
 protected:
  void SetUp() override {
    Storage::SetUp();
    ObjectMeta meta;
    meta.key = "large";
    meta.headers = {{"x-amz-meta-a", "b"}};
    id_ = storage_->CreateUpload("bucket", meta).value();
  }
  std::string id_;
};

TEST_F(Uploads, JoinPartsInTheOrderGivenEvenAfterARestart) {
  ASSERT_TRUE(storage_->PutPart("bucket", "large", id_, 2, {}, "second"));
  ASSERT_TRUE(storage_->PutPart("bucket", "large", id_, 1, {}, "to be replaced"));
  ASSERT_TRUE(storage_->PutPart("bucket", "large", id_, 10, {}, "left out"));
  Reopen();
  ASSERT_TRUE(storage_->PutPart("bucket", "large", id_, 1, {}, "first "));
  const auto parts = storage_->Parts("bucket", "large", id_);
  ASSERT_EQ(parts->size(), 3u);
  EXPECT_EQ((*parts)[2].number, 10u);
  EXPECT_EQ(Keys(), 0u) << "an upload under way is no object";
  ASSERT_TRUE(storage_->CompleteUpload("bucket", "large", id_, {1, 2}, "e-2", {}));
  EXPECT_EQ(Get("large"), "first second");
  EXPECT_EQ(storage_->Get("bucket", "large")->meta.etag, "e-2");
  EXPECT_EQ(*storage_->Get("bucket", "large")->meta.Header("x-amz-meta-a"), "b");
  EXPECT_TRUE(storage_->Uploads("bucket")->empty());
}

TEST_F(Uploads, AreKnownByIdAndKeyOnly) {
  EXPECT_EQ(CodeOf(storage_->PutPart("bucket", "other", id_, 1, {}, "")), "NoSuchUpload");
  const std::string wrongs[] = {"", "../../x", "x", std::string(48, 'f')};
  for (const std::string& wrong : wrongs) {
    EXPECT_EQ(CodeOf(storage_->PutPart("bucket", "large", wrong, 1, {}, "")), "NoSuchUpload");
    EXPECT_EQ(CodeOf(storage_->AbortUpload("bucket", "large", wrong)), "NoSuchUpload");
  }
  ASSERT_TRUE(storage_->AbortUpload("bucket", "large", id_));
  EXPECT_EQ(CodeOf(storage_->Parts("bucket", "large", id_)), "NoSuchUpload");
}

}  // namespace
}  // namespace llama::emulator
