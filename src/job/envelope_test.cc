#include "job/envelope.h"

#include <gtest/gtest.h>

#include <random>

#include "job/base64.h"

namespace llama::job {
namespace {

std::string RandomBytes(std::mt19937& random, size_t size) {
  std::string bytes(size, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

std::string Base64(std::string_view bytes) {
  std::string out;
  AppendBase64(out, bytes);
  return out;
}

const std::string kHash(64, 'a');

// RFC 4648, section 10.
TEST(Base64, EncodesAsTheStandardSays) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [bytes, text] : kCases) {
    EXPECT_EQ(Base64(bytes), text);
    EXPECT_EQ(*DecodeBase64(text), bytes);
  }
  EXPECT_EQ(Base64("\xfb\xff\xfe"), "+//+");
}

TEST(Base64, GivesBackEveryLength) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 300; ++size) {
    const std::string bytes = RandomBytes(random, size);
    const Result<std::string> back = DecodeBase64(Base64(bytes));
    ASSERT_TRUE(back) << size;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==",
                           "Zm9v\n", "Zm 9", "Zm-_", "=Zg=", "Z=g=", "Zm9vZm\x80v"}) {
    EXPECT_EQ(DecodeBase64(text).error().code, Code::kInvalid) << text;
  }
}

TEST(Envelope, CarriesBytesOfAnyKind) {
  std::mt19937 random(2);
  for (const size_t size : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{1000000}}) {
    Envelope envelope;
    envelope.bytes = RandomBytes(random, size);
    envelope.store = "s3://b/p\"q?endpoint=https%3A%2F%2Fx";
    envelope.max_answer = 6'000'000;
    const std::string text = EncodeEnvelope(envelope);
    EXPECT_TRUE(IsEnvelope(text));
    const Result<Envelope> back = DecodeEnvelope(text);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(back->bytes, envelope.bytes);
    EXPECT_EQ(back->store, envelope.store);
    EXPECT_EQ(back->max_answer, envelope.max_answer);
    EXPECT_TRUE(back->key.empty());
    Envelope without = envelope;
    without.bytes.clear();
    EXPECT_EQ(EnvelopeSize(without, size), text.size());
  }
}

TEST(Envelope, NamesAnObjectOfTheStore) {
  const std::string text = EncodeEnvelope({.key = "jobs/ab", .sha256 = kHash});
  EXPECT_EQ(text, "{\"llama\":1,\"key\":\"jobs/ab\",\"sha256\":\"" + kHash + "\"}");
  const Result<Envelope> back = DecodeEnvelope(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->key, "jobs/ab");
  EXPECT_EQ(back->sha256, kHash);
}

TEST(Envelope, ReadsWhateverJsonAnotherWriterMakesOfIt) {
  const char* const kSame[] = {
      R"({"llama":1,"bytes":"+//+"})",
      "  {\n\t\"bytes\" : \"+\\/\\u002f+\" , \"llama\" : 1 }\r\n",
      R"({"llama":1,"\u0062ytes":"+//+","x":[1,{"bytes":"no"},-0.5e+3,null,true],"y":{}})",
  };
  for (const char* text : kSame) {
    const Result<Envelope> envelope = DecodeEnvelope(text);
    ASSERT_TRUE(envelope) << text << ": " << envelope.error().message;
    EXPECT_EQ(envelope->bytes, "\xfb\xff\xfe") << text;
  }
  EXPECT_EQ(DecodeEnvelope(R"({"llama":1,"bytes":"","store":"\ud83e\udd99\ud800\n\u00e9"})")->store,
            "\U0001F999\uFFFD\n\u00e9");
}

TEST(Envelope, RefusesEverythingElse) {
  const std::string kCases[] = {
      "",
      "{",
      "{}",
      "[]",
      "null",
      "\"llama\"",
      "ll",
      "{\"a\":1}",
      R"({"llama":1})",
      R"({"llama":2,"bytes":""})",
      R"({"llama":"1","bytes":""})",
      R"({"llama":1.0,"bytes":""})",
      R"({"llama":1,"bytes":"A"})",
      R"({"llama":1,"bytes":7})",
      R"({"llama":1,"bytes":null})",
      R"({"llama":1,"key":"k"})",
      R"({"llama":1,"key":"k","sha256":"abc"})",
      "{\"llama\":1,\"key\":\"k\",\"sha256\":\"" + std::string(64, 'A') + "\"}",
      "{\"llama\":1,\"key\":\"\",\"sha256\":\"" + kHash + "\"}",
      R"({"llama":1,"bytes":"","bytes":""})",
      R"({"llama":1,"bytes":""} x)",
      R"({"llama":1,"bytes":"",})",
      R"({"llama":1,,"bytes":""})",
      R"({llama:1,"bytes":""})",
      R"({"llama":1 "bytes":""})",
      R"({"llama":01,"bytes":""})",
      R"({"llama":1,"bytes":"","x":tru})",
      R"({"llama":1,"bytes":"","x":-})",
      R"({"llama":1,"bytes":"","x":1.})",
      R"({"llama":1,"bytes":"","x":"\q"})",
      R"({"llama":1,"bytes":"","x":"\u12g4"})",
      "{\"llama\":1,\"bytes\":\"\",\"x\":\"\n\"}",
      "{\"llama\":1,\"bytes\":\"\",\"x\":\"" + std::string(1, '\0') + "\"}",
      R"({"llama":1,"bytes":"","x":[}})",
      R"({"llama":1,"bytes":"","x":"\)",
      R"({"llama":1,"bytes":"","x":"\u12)",
      R"({"llama":1,"bytes":"","x":)" + std::string(100000, '['),
      R"({"llama":1,"bytes":"","x":)" + std::string(65, '[') + std::string(65, ']') + "}",
  };
  for (const std::string& text : kCases) {
    const Result<Envelope> envelope = DecodeEnvelope(text);
    ASSERT_FALSE(envelope) << text.substr(0, 200);
    EXPECT_EQ(envelope.error().code, Code::kInvalid);
    EXPECT_LT(envelope.error().message.size(), 200u);
  }
}

TEST(Envelope, SurvivesEveryCutAndFlippedBit) {
  const std::string text =
      EncodeEnvelope({.bytes = "payload", .store = "s3://bucket/\x01", .max_answer = 77});
  for (size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(DecodeEnvelope(text.substr(0, cut))) << cut;
  }
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const Result<Envelope> envelope = DecodeEnvelope(flipped);
    EXPECT_TRUE(envelope || envelope.error().code == Code::kInvalid) << bit;
  }
}

TEST(Envelope, PingsAndPongs) {
  const std::string ping = EncodeEnvelope({.ping = true});
  EXPECT_EQ(ping, R"({"llama":1,"ping":true})");
  EXPECT_TRUE(DecodeEnvelope(ping)->ping);
  const std::string text = EncodePong({"0.1", "b\"1", 1769, 512, 1'700'000'000'000});
  EXPECT_EQ(text, R"({"llama":1,"version":"0.1","build":"b\"1","memory_mb":1769,"tmp_bytes":512,)"
                  R"("time_ms":1700000000000})");
  const Result<Pong> pong = DecodePong(text);
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->build, "b\"1");
  EXPECT_EQ(pong->memory_mb, 1769);
  EXPECT_EQ(pong->time_ms, 1'700'000'000'000);
  EXPECT_FALSE(DecodePong(ping));
}

TEST(Envelope, IsToldFromABareJob) {
  EXPECT_TRUE(IsEnvelope(" \n{}"));
  EXPECT_FALSE(IsEnvelope("lla{"));
  EXPECT_FALSE(IsEnvelope(""));
}

}  // namespace
}  // namespace llama::job
