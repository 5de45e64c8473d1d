#include "worker/transport/deliveries.h"

#include <gtest/gtest.h>

#include "worker/transport/fake_s3.h"

namespace llama::worker {
namespace {

class DeliveriesTest : public testing::Test {
 protected:
  DeliveriesTest() {
    facts_.version = "9.9";
    facts_.build = "b1";
    facts_.dir = "/tmp";
    facts_.region = "eu-west-1";
    facts_.memory_mb = 1769;
    facts_.keys = {"AKID", "the/secret", ""};
  }

  // What Lambda would be answered, by a worker whose every answer is `answer_`.
  Result<std::string> Answer(std::string_view payload) {
    Deliveries deliveries(facts_, *memory_, store_, SystemClock(), -1);
    DeliveryLimits limits;
    limits.bare_answer_bytes = 1000;
    return deliveries.Answer(payload, limits, [&](std::string_view job, uint64_t max_bytes) {
      jobs_.emplace_back(job);
      max_bytes_ = max_bytes;
      return answer_;
    });
  }

  std::string RefusalOf(const std::string& store) {
    job::Envelope envelope;
    envelope.bytes = "job";
    envelope.store = store;
    const Result<std::string> answer = Answer(job::EncodeEnvelope(envelope));
    return answer ? "" : answer.error().message;
  }

  FunctionFacts facts_;
  const std::unique_ptr<store::ObjectStore> memory_ = store::NewMemoryStore();
  JobStore store_{*memory_};
  Result<std::string> answer_ = std::string("the answer");
  std::vector<std::string> jobs_;
  uint64_t max_bytes_ = 0;
};

TEST_F(DeliveriesTest, AnswersInTheFormOfTheQuestion) {
  EXPECT_EQ(*Answer("llJ bare job"), "the answer");
  EXPECT_EQ(max_bytes_, 1000u);
  job::Envelope envelope;
  envelope.bytes = std::string("llJ\0\xff", 5);
  const Result<std::string> answer = Answer(job::EncodeEnvelope(envelope));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(job::DecodeEnvelope(*answer)->bytes, "the answer");
  EXPECT_EQ(jobs_, (std::vector<std::string>{"llJ bare job", envelope.bytes}));
}

TEST_F(DeliveriesTest, ToldSizesHoldForTheEnvelope) {
  job::Envelope envelope;
  envelope.bytes = "job";
  for (const uint64_t max : {uint64_t{0}, uint64_t{100'000}, uint64_t{1} << 40}) {
    envelope.max_answer = max;
    ASSERT_TRUE(Answer(job::EncodeEnvelope(envelope)));
    const uint64_t most = max == 100'000 ? max : job::kMaxEnvelopeBytes;
    EXPECT_LE(job::EnvelopeSize({}, max_bytes_), most);
    EXPECT_GT(job::EnvelopeSize({}, max_bytes_ + 3), most);
  }
}

TEST_F(DeliveriesTest, SaysWhatItIsForToAnybodyElse) {
  for (const char* event : {"{}", "{\"key1\":\"value1\"}", "{\"llama\":2,\"bytes\":\"\"}",
                            "{\"llama\":1,\"bytes\":\"*\"}", "{", "  {\"Records\":[]}"}) {
    const Result<std::string> answer = Answer(event);
    ASSERT_FALSE(answer) << event;
    EXPECT_EQ(answer.error().code, Code::kInvalid);
    EXPECT_NE(answer.error().message.find("runs jobs of llama"), std::string::npos) << event;
  }
  EXPECT_TRUE(jobs_.empty());
  answer_ = Error{Code::kInvalid, "not a job"};
  for (const char* event : {"", "[]", "\"hello\"", "null", "7"}) {
    EXPECT_NE(Answer(event).error().message.find("runs jobs of llama"), std::string::npos) << event;
  }
}

TEST_F(DeliveriesTest, AnswersPings) {
  const Result<std::string> answer = Answer("{\"llama\":1,\"ping\":true}");
  ASSERT_TRUE(answer);
  const Result<job::Pong> pong = job::DecodePong(*answer);
  ASSERT_TRUE(pong) << pong.error().message;
  EXPECT_EQ(pong->version, "9.9");
  EXPECT_EQ(pong->build, "b1");
  EXPECT_EQ(pong->memory_mb, 1769);
  EXPECT_GT(pong->tmp_bytes, 0);
  EXPECT_NEAR(static_cast<double>(pong->time_ms),
              static_cast<double>(SystemClock().NowNs() / 1'000'000), 60'000);
  EXPECT_TRUE(jobs_.empty());
}

TEST_F(DeliveriesTest, GoesOnlyToStoresThatAreMeant) {
  EXPECT_EQ(RefusalOf("s3://any-bucket/p"), "");
  EXPECT_EQ(RefusalOf("s3://b?endpoint=https%3A%2F%2Fs3.eu-west-1.amazonaws.com"), "");
  EXPECT_EQ(RefusalOf("s3://b?endpoint=https%3A%2F%2Fs3.eusc-de-east-1.amazonaws.eu"), "");
  EXPECT_EQ(RefusalOf("s3://b?endpoint=http%3A%2F%2F127.0.0.1%3A9000"), "");
  for (const char* store :
       {"s3://b?endpoint=https%3A%2F%2Fevil.example",
        "s3://b?endpoint=https%3A%2F%2Famazonaws.com.evil.example",
        "s3://b?endpoint=https%3A%2F%2Fevilamazonaws.com",
        "s3://b?endpoint=http%3A%2F%2Fs3.amazonaws.com", "s3://", "file:///etc", "s3://b/../c",
        "s3://b/a//b", "s3://b?endpoint=%zz", "s3://b@c", "s3://b?region=evil.example%2F"}) {
    EXPECT_NE(RefusalOf(store), "") << store;
  }
  facts_.fixed_store = "s3://ours/p?endpoint=https%3A%2F%2Fstore.example%3A9000&region=eu-west-1";
  EXPECT_EQ(RefusalOf("s3://ours/other?endpoint=https%3A%2F%2Fstore.example%3A9000"), "");
  for (const char* store :
       {"s3://ours/p", "s3://theirs/p?endpoint=https%3A%2F%2Fstore.example%3A9000",
        "s3://ours/p?endpoint=https%3A%2F%2Fstore.example%3A9001",
        "s3://ours/p?endpoint=http%3A%2F%2F127.0.0.1"}) {
    const std::string refusal = RefusalOf(store);
    EXPECT_NE(refusal.find("LLAMA_STORE"), std::string::npos) << store << ": " << refusal;
    EXPECT_EQ(refusal.find("the/secret"), std::string::npos);
  }
}

TEST_F(DeliveriesTest, NeedsCredentialsForAStore) {
  facts_.keys = {};
  EXPECT_NE(RefusalOf("s3://b").find("AWS_ACCESS_KEY_ID"), std::string::npos);
}

// The store behind the Runtime API serves jobs of an envelope that names none.
TEST_F(DeliveriesTest, FetchesJobsAndChecksThem) {
  ASSERT_TRUE(memory_->Put("jobs/1", "big job"));
  job::Envelope envelope;
  envelope.key = "jobs/1";
  envelope.sha256 = signing::Sha256Hex("big job");
  ASSERT_TRUE(Answer(job::EncodeEnvelope(envelope)));
  EXPECT_EQ(jobs_, std::vector<std::string>{"big job"});

  envelope.sha256 = signing::Sha256Hex("another");
  EXPECT_EQ(Answer(job::EncodeEnvelope(envelope)).error().code, Code::kUnavailable);
  envelope.key = "jobs/none";
  EXPECT_EQ(Answer(job::EncodeEnvelope(envelope)).error().code, Code::kNotFound);
  envelope.key = "../jobs";
  EXPECT_EQ(Answer(job::EncodeEnvelope(envelope)).error().code, Code::kInvalid);
  EXPECT_EQ(jobs_.size(), 1u);
}

// A request's and an answer's way through the bucket, when they are too large for an envelope.
TEST_F(DeliveriesTest, GoesThroughTheStoreWhenLarge) {
  FakeS3 bucket;
  facts_.keys = kFakeS3Keys;
  const std::string job(1 << 20, 'j');
  bucket.PutDirectly("/bucket/p/jobs/1", job);
  job::Envelope envelope;
  envelope.key = "jobs/1";
  envelope.sha256 = signing::Sha256Hex(job);
  envelope.store = job::FormatStoreUrl({"bucket", "p/", "", bucket.endpoint(), true});
  envelope.max_answer = 100'000;

  answer_ = std::string(70'000, 's');
  Result<std::string> small = Answer(job::EncodeEnvelope(envelope));
  ASSERT_TRUE(small) << small.error().message;
  EXPECT_EQ(job::DecodeEnvelope(*small)->bytes, *answer_);
  EXPECT_EQ(jobs_.back(), job);
  EXPECT_GT(max_bytes_, uint64_t{100} << 20);
  EXPECT_EQ(bucket.requests(), 1);

  answer_ = std::string(80'000, 'l');
  Result<std::string> large = Answer(job::EncodeEnvelope(envelope));
  ASSERT_TRUE(large) << large.error().message;
  EXPECT_LE(large->size(), 1000u);
  const Result<job::Envelope> receipt = job::DecodeEnvelope(*large);
  ASSERT_TRUE(receipt);
  EXPECT_TRUE(receipt->key.starts_with("answers/")) << receipt->key;
  EXPECT_EQ(receipt->sha256, signing::Sha256Hex(*answer_));
  EXPECT_EQ(bucket.Object("/bucket/p/" + receipt->key), *answer_);
  EXPECT_EQ(bucket.refused(), 0);

  bucket.PutDirectly("/bucket/p/jobs/1", "not the job");
  EXPECT_EQ(Answer(job::EncodeEnvelope(envelope)).error().code, Code::kUnavailable);
}

TEST(StoreUrl, ComesBackAsItWent) {
  const job::StoreUrl cases[] = {
      {"b", "", "", "", false},
      {"my.bucket", "a/b/", "eu-west-1", "https://h:9000", true},
      {"b", "p/", "", "http://[::1]:9", false},
  };
  for (const job::StoreUrl& url : cases) {
    const std::string text = job::FormatStoreUrl(url);
    const Result<job::StoreUrl> back = job::ParseStoreUrl(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, url) << text;
  }
  EXPECT_EQ(job::FormatStoreUrl(cases[1]),
            "s3://my.bucket/a/b/?region=eu-west-1&endpoint=https%3A%2F%2Fh%3A9000&path_style=1");
  EXPECT_EQ(job::ParseStoreUrl("s3://b/p?new=x&path_style=true")->prefix, "p/");
}

}  // namespace
}  // namespace llama::worker
