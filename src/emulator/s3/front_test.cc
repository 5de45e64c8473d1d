#include "emulator/s3/front.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "emulator/request/text.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

class Waiting final : public Exchange {
 public:
  bool Abandoned() const override { return false; }
  bool SleepUntil(int64_t) const override { return true; }
};

class Front : public testing::Test {
 protected:
  void SetUp() override {
    auto storage = S3Storage::Open(dir_.path(), clock_);
    ASSERT_TRUE(storage);
    storage_ = std::move(*storage);
    front_ = std::make_unique<S3Front>(*storage_, authority_, model_);
    authority_.Add(keys_);
    ASSERT_TRUE(storage_->CreateBucket("bucket"));
  }

  // A request as a client signs it.
  Request Signed(const std::string& method, const std::string& target, const std::string& body = "",
                 Pairs headers = {}, int64_t late_s = 0) {
    signing::Request to_sign;
    to_sign.method = method;
    to_sign.target = target;
    to_sign.headers = std::move(headers);
    to_sign.headers.emplace_back("Host", host_);
    to_sign.payload_sha256 = signing::Sha256Hex(body);
    signing::Sign(to_sign, keys_, {"us-east-1", "s3"}, clock_.NowNs() / 1'000'000'000 - late_s);
    return Unsigned(method, target, body, to_sign.headers);
  }
  Request Unsigned(const std::string& method, const std::string& target, const std::string& body,
                   Pairs headers) {
    Request request;
    request.method = method;
    request.target = target;
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = *ParseQuery(target.substr(mark + 1));
    request.headers = std::move(headers);
    request.body = body;
    return request;
  }
  Response Handle(const Request& request) { return front_->Handle(request, Waiting()); }
  // "200", or "403 AccessDenied".
  std::string Outcome(const Response& response) {
    return std::to_string(response.status) + (response.error.empty() ? "" : " " + response.error);
  }

  FakeClock clock_;
  TempDir dir_ = *TempDir::Create("front");
  std::string host_ = "127.0.0.1:4566";
  signing::Keys keys_ = {"AKIATEST", "secret", ""};
  Authority authority_{"us-east-1", clock_};
  Model model_;
  std::unique_ptr<S3Storage> storage_;
  std::unique_ptr<S3Front> front_;
};

TEST_F(Front, HoldsARoleToItsPolicies) {
  const std::string worker =
      R"({"Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],)"
      R"("Resource":"arn:aws:s3:::bucket/*"}]})";
  const std::string lister =
      R"({"Statement":{"Effect":"Allow","Action":"s3:ListBucket","Resource":"*"}})";
  authority_.Enforce([&](const std::string& role) -> std::optional<RoleView> {
    if (role == "worker") return RoleView{"", 0, {worker}};
    if (role == "lister") return RoleView{"", 0, {worker, lister}};
    return std::nullopt;
  });
  const struct {
    const char* method;
    const char* target;
    const char* of_worker;
    const char* of_lister;
  } cases[] = {
      {"PUT", "/bucket/k", "200", "200"},
      {"GET", "/bucket/k", "200", "200"},
      // What S3 tells of an absent object depends on whether one may list.
      {"GET", "/bucket/absent", "403 AccessDenied", "404 NoSuchKey"},
      {"HEAD", "/bucket/absent", "403 AccessDenied", "404 NoSuchKey"},
      {"GET", "/bucket?list-type=2", "403 AccessDenied", "200"},
      {"HEAD", "/bucket", "403 AccessDenied", "200"},
      {"DELETE", "/bucket/k", "403 AccessDenied", "403 AccessDenied"},
      {"GET", "/", "403 AccessDenied", "403 AccessDenied"},
  };
  for (const char* role : {"worker", "lister", "unknown"}) {
    keys_ = authority_.Issue("env-1", 1000, role).keys;
    for (const auto& c : cases) {
      const std::string outcome = Outcome(Handle(Signed(c.method, c.target)));
      const std::string_view name = role;
      if (name == "unknown") {
        EXPECT_EQ(outcome.find("AccessDenied"), std::string::npos) << c.method << " " << c.target;
      } else {
        EXPECT_EQ(outcome, name == "worker" ? c.of_worker : c.of_lister)
            << role << ": " << c.method << " " << c.target;
      }
    }
  }
}

TEST_F(Front, MindsTheExpectedOwner) {
  const auto get = [&](const std::string& owner) {
    return Outcome(
        Handle(Signed("GET", "/bucket?location", "", {{"x-amz-expected-bucket-owner", owner}})));
  };
  EXPECT_EQ(get("000000000000"), "200");
  EXPECT_EQ(get("123456789012"), "403 AccessDenied");
}

TEST_F(Front, AnswersWithS3sStatusesAndCodes) {
  const struct {
    const char* method;
    const char* target;
    const char* outcome;
  } cases[] = {
      {"GET", "/", "200"},
      {"PUT", "/", "405 MethodNotAllowed"},
      {"PUT", "/new-bucket", "200"},
      {"PUT", "/Bad_Name", "400 InvalidBucketName"},
      {"HEAD", "/bucket", "200"},
      {"HEAD", "/nowhere", "404 NoSuchBucket"},
      {"GET", "/bucket", "200"},
      {"GET", "/bucket?max-keys=x", "400 InvalidArgument"},
      {"GET", "/bucket?list-type=2&continuation-token=!", "400 InvalidArgument"},
      {"GET", "/bucket?lifecycle", "404 NoSuchLifecycleConfiguration"},
      {"GET", "/bucket/none", "404 NoSuchKey"},
      {"HEAD", "/bucket/none", "404 NoSuchKey"},
      {"DELETE", "/bucket/none", "204"},
      {"GET", "/nowhere/key", "404 NoSuchBucket"},
      {"GET", "/bucket/bad%zzescape", "400 InvalidURI"},
      {"GET", "/bucket/not%ffutf8", "400 InvalidURI"},
      {"GET", "/bucket/a%00b", "400 InvalidURI"},
      {"GET", "/bucket/none?tagging", "404 NoSuchKey"},
      {"PUT", "/bucket/key?tagging", "501 NotImplemented"},
      {"GET", "/bucket/key?retention", "501 NotImplemented"},
      {"PUT", "/bucket/key?partNumber=0&uploadId=x", "400 InvalidArgument"},
      {"PUT", "/bucket/key?partNumber=1&uploadId=x", "404 NoSuchUpload"},
      {"POST", "/bucket?delete", "400 MalformedXML"},
      {"PATCH", "/bucket/key", "405 MethodNotAllowed"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Outcome(Handle(Signed(c.method, c.target))), c.outcome) << c.method << c.target;
  }
}

TEST_F(Front, RefusesWhoMayNotAsk) {
  ASSERT_EQ(Handle(Signed("PUT", "/bucket/k", "bytes")).status, 200);
  EXPECT_EQ(Outcome(Handle(Unsigned("GET", "/bucket/k", "", {{"Host", host_}}))),
            "403 AccessDenied");
  Request changed = Signed("GET", "/bucket/k");
  changed.target = changed.path = "/bucket/other";
  EXPECT_EQ(Outcome(Handle(changed)), "403 SignatureDoesNotMatch");
  EXPECT_EQ(Outcome(Handle(Signed("GET", "/bucket/k", "", {}, 16 * 60))),
            "403 RequestTimeTooSkewed");
  Request other_body = Signed("PUT", "/bucket/k", "bytes");
  other_body.body = "other";
  EXPECT_EQ(Outcome(Handle(other_body)), "400 XAmzContentSHA256Mismatch");
  Request too_large = Signed("PUT", "/bucket/k", "bytes");
  too_large.body_too_large = true;
  EXPECT_EQ(Outcome(Handle(too_large)), "400 EntityTooLarge");
  keys_.access_key_id = "AKIAOTHER";
  EXPECT_EQ(Outcome(Handle(Signed("GET", "/bucket/k"))), "403 InvalidAccessKeyId");
}

TEST_F(Front, TakesTemporaryKeysUntilTheyExpire) {
  keys_ = authority_.Issue("env-1", 60).keys;
  const Response taken = Handle(Signed("GET", "/bucket"));
  EXPECT_EQ(Outcome(taken), "200");
  EXPECT_EQ(taken.worker, "env-1");
  clock_.AdvanceNs(61 * int64_t{1'000'000'000});
  EXPECT_EQ(Outcome(Handle(Signed("GET", "/bucket"))), "400 ExpiredToken");
  keys_ = authority_.Issue("env-2", 60).keys;
  authority_.Revoke("env-2");
  EXPECT_EQ(Outcome(Handle(Signed("GET", "/bucket"))), "403 InvalidAccessKeyId");
}

TEST_F(Front, FindsTheBucketInTheHostsName) {
  ASSERT_EQ(Handle(Signed("PUT", "/bucket/k", "bytes")).status, 200);
  for (const char* host : {"bucket.s3.localhost:4566", "bucket.localhost", "BUCKET.s3.localhost"}) {
    host_ = host;
    EXPECT_EQ(Handle(Signed("GET", "/k")).file_bytes, 5u) << host;
  }
  for (const char* host : {"localhost:1", "s3.localhost", "[::1]:4566", ""}) {
    host_ = host;
    EXPECT_EQ(Handle(Signed("GET", "/bucket/k")).file_bytes, 5u) << host;
  }
}

TEST_F(Front, ServesRangesAsPartsOfTheFile) {
  ASSERT_EQ(Handle(Signed("PUT", "/bucket/k", "0123456789")).status, 200);
  const Response part = Handle(Signed("GET", "/bucket/k", "", {{"Range", "bytes=2-4"}}));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.file_offset, 2u);
  EXPECT_EQ(part.file_bytes, 3u);
  EXPECT_NE(std::find(part.headers.begin(), part.headers.end(),
                      std::pair<std::string, std::string>("Content-Range", "bytes 2-4/10")),
            part.headers.end());
}

TEST_F(Front, InjectedErrorsReplaceTheWork) {
  model_.Replace(*ModelSettings::Parse("s3.error.503 = 100%"));
  EXPECT_EQ(Outcome(Handle(Signed("PUT", "/bucket/k", "x"))), "503 SlowDown");
  model_.Replace(*ModelSettings::Parse("s3.error.500 = 100%"));
  EXPECT_EQ(Outcome(Handle(Signed("PUT", "/bucket/k", "x"))), "500 InternalError");
  model_.Replace({});
  EXPECT_EQ(Outcome(Handle(Signed("GET", "/bucket/k"))), "404 NoSuchKey");
}

TEST_F(Front, GivesTheModelTheKindOfOperation) {
  model_.Replace(*ModelSettings::Parse("s3.get.latency = 20ms\ns3.put.latency = 30ms"));
  EXPECT_EQ(Handle(Signed("PUT", "/bucket/k", "x")).plan.latency_ns, 30'000'000);
  EXPECT_EQ(Handle(Signed("GET", "/bucket/k")).plan.latency_ns, 20'000'000);
  EXPECT_EQ(Handle(Signed("GET", "/bucket")).plan.latency_ns, 0);
}

// What a client that lost the answer asks again.
TEST_F(Front, CompletesAnUploadTwiceWithTheSameAnswer) {
  const Response created = Handle(Signed("POST", "/bucket/k?uploads"));
  const size_t at = created.body.find("<UploadId>") + 10;
  const std::string id = created.body.substr(at, created.body.find('<', at) - at);
  const std::string etag = "900150983cd24fb0d6963f7d28e17f72";
  ASSERT_EQ(Handle(Signed("PUT", "/bucket/k?partNumber=1&uploadId=" + id, "abc")).status, 200);
  const std::string body = "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&quot;" +
                           etag + "&quot;</ETag></Part></CompleteMultipartUpload>";
  const Response first = Handle(Signed("POST", "/bucket/k?uploadId=" + id, body));
  EXPECT_EQ(Outcome(first), "200");
  EXPECT_EQ(Handle(Signed("POST", "/bucket/k?uploadId=" + id, body)).body, first.body);
}

TEST_F(Front, EscapesKeysInListings) {
  ASSERT_EQ(Handle(Signed("PUT", "/bucket/a%3C%26%0D%20%2B", "x")).status, 200);
  EXPECT_NE(Handle(Signed("GET", "/bucket")).body.find("<Key>a&lt;&amp;&#13; +</Key>"),
            std::string::npos);
  EXPECT_NE(
      Handle(Signed("GET", "/bucket?encoding-type=url")).body.find("<Key>a%3C%26%0D%20%2B</Key>"),
      std::string::npos);
}

}  // namespace
}  // namespace llama::emulator
