#include "aws/s3/store.h"

#include <gtest/gtest.h>

#include "aws/service/fake_service.h"

namespace llama::aws {
namespace {

std::string ErrorXml(const std::string& code, const std::string& more = "") {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>why</Message>" + more +
         "</Error>";
}

class S3StoreTest : public testing::Test {
 protected:
  S3StoreTest() { Open({.bucket = "bkt", .prefix = "p/"}); }

  void Open(const S3StoreOptions& options) {
    auto store = S3Store::Open(options, service_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = *std::move(store);
  }
  // Parts of 5 MiB from 6 MiB on, one after the other.
  void OpenForParts() {
    Open({.bucket = "bkt",
          .multipart_threshold_bytes = 6 << 20,
          .part_bytes = 5 << 20,
          .parallel_parts = 1});
  }
  void BeginUpload() {
    service_.Answer(200,
                    "<InitiateMultipartUploadResult><UploadId>u&amp;1</UploadId>"
                    "</InitiateMultipartUploadResult>");
  }
  void AnswerParts(int count) {
    for (int i = 1; i <= count; ++i) {
      service_.Answer(200, "", {{"etag", "\"e" + std::to_string(i) + "\""}});
    }
  }

  FakeService service_;
  std::unique_ptr<S3Store> store_;
};

TEST_F(S3StoreTest, PutsOnConditionUnderPrefixAndHost) {
  service_.Answer(200);
  EXPECT_TRUE(*store_->Put("a/b-c", "body"));
  ASSERT_EQ(service_.asked.size(), 1u);
  EXPECT_EQ(service_.asked[0].method, "PUT");
  EXPECT_EQ(service_.asked[0].host_prefix, "bkt.");
  EXPECT_EQ(service_.asked[0].target, "/p/a/b-c");
  EXPECT_EQ(service_.asked[0].body, "body");
  EXPECT_EQ(service_.asked[0].Header("If-None-Match"), "*");
}

TEST_F(S3StoreTest, AddressesByPathWhereAskedOrWhereNoCertificateCoversTheHost) {
  Open({.bucket = "bkt", .path_style = true});
  service_.Answer(200, "x");
  EXPECT_EQ(*store_->Get("k"), "x");
  Open({.bucket = "b.k.t"});
  service_.Answer(200, "x");
  EXPECT_EQ(*store_->Get("k"), "x");
  EXPECT_EQ(service_.asked[0].target, "/bkt/k");
  EXPECT_EQ(service_.asked[1].target, "/b.k.t/k");
  EXPECT_EQ(service_.asked[1].host_prefix, "");
}

TEST_F(S3StoreTest, ReplacingPutHasNoCondition) {
  service_.Answer(200);
  EXPECT_TRUE(*store_->Put("k", "x", {.if_absent = false}));
  EXPECT_EQ(service_.asked[0].Header("If-None-Match"), "");
}

TEST_F(S3StoreTest, StorageClassGoesWithEachPut) {
  Open({.bucket = "bkt", .storage_class = "STANDARD_IA"});
  service_.Answer(200);
  EXPECT_TRUE(*store_->Put("k", "x"));
  EXPECT_EQ(service_.asked[0].Header("x-amz-storage-class"), "STANDARD_IA");
}

TEST_F(S3StoreTest, AnObjectThatIsThereIsLeftAlone) {
  service_.Answer(412, ErrorXml("PreconditionFailed"));
  EXPECT_FALSE(*store_->Put("k", "x"));
}

TEST_F(S3StoreTest, AConflictOfTwoWritersIsAskedAgainAndAgainButNotForEver) {
  service_.Answer(409, ErrorXml("ConditionalRequestConflict"));
  service_.Answer(409, ErrorXml("ConditionalRequestConflict"));
  service_.Answer(412);
  EXPECT_FALSE(*store_->Put("k", "x"));
  for (int i = 0; i < 100; ++i) service_.Answer(409, ErrorXml("ConditionalRequestConflict"));
  const Result<bool> put = store_->Put("k", "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kUnavailable);
  EXPECT_LT(service_.asked.size(), 30u);
}

TEST_F(S3StoreTest, AServerWithoutConditionsIsAskedByHeadFromThenOn) {
  service_.Answer(501, ErrorXml("NotImplemented"));
  service_.Answer(404);  // HEAD
  service_.Answer(200);
  EXPECT_TRUE(*store_->Put("k", "x"));
  service_.Answer(200);  // HEAD
  EXPECT_FALSE(*store_->Put("k", "x"));
  ASSERT_EQ(service_.asked.size(), 4u);
  EXPECT_EQ(service_.asked[1].method, "HEAD");
  EXPECT_EQ(service_.asked[2].Header("If-None-Match"), "");
  EXPECT_EQ(service_.asked[3].method, "HEAD");
}

TEST_F(S3StoreTest, ABodyThatIsShorterThanAnnouncedIsNoObject) {
  service_.Answer(200, "shor", {{"content-length", "5"}});
  const Result<std::string> got = store_->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kUnavailable);
}

TEST_F(S3StoreTest, ErrorsSayWhatToDo) {
  struct Case {
    int status;
    std::string body;
    Headers headers;
    Code code;
    std::vector<std::string> words;
  };
  const Case cases[] = {
      {404, ErrorXml("NoSuchKey"), {}, Code::kNotFound, {"bkt/p/k"}},
      {404, ErrorXml("NoSuchBucket"), {}, Code::kInvalid, {"bkt does not exist", "bootstrap"}},
      {403, ErrorXml("AccessDenied"), {}, Code::kInvalid, {"s3:GetObject", "bkt/p/k", "--policy"}},
      {403, ErrorXml("SignatureDoesNotMatch"), {}, Code::kInvalid, {"SignatureDoesNotMatch"}},
      {403, ErrorXml("InvalidAccessKeyId"), {}, Code::kInvalid, {"InvalidAccessKeyId"}},
      {301,
       ErrorXml("PermanentRedirect"),
       {{"x-amz-bucket-region", "us-west-2"}},
       Code::kInvalid,
       {"bkt is in another region", "AWS_REGION=us-west-2"}},
      {400,
       ErrorXml("AuthorizationHeaderMalformed", "<Region>ap-south-1</Region>"),
       {},
       Code::kInvalid,
       {"AWS_REGION=ap-south-1"}},
      {307,
       ErrorXml("TemporaryRedirect"),
       {{"location", "https://bkt.s3.eu-south-2.amazonaws.com/p/k"}},
       Code::kInvalid,
       {"bkt is in another region", "AWS_REGION=eu-south-2"}},
      {307,
       ErrorXml("TemporaryRedirect"),
       {{"location", "https://bkt.s3-us-west-2.amazonaws.com/p/k"}},
       Code::kInvalid,
       {"AWS_REGION=us-west-2"}},
      {302,
       "",
       {{"location", "https://login.example/"}},
       Code::kInvalid,
       {"redirect", "302", "https://login.example/"}},
      {308, "", {}, Code::kInvalid, {"redirect", "308"}},
      {403, "not XML <<<", {}, Code::kInvalid, {"s3:GetObject"}},
      {418, std::string("\0\xff<", 3), {}, Code::kInvalid, {"418"}},
  };
  for (const Case& c : cases) {
    service_.Answer(c.status, c.body, c.headers);
    const Result<std::string> got = store_->Get("k");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, c.code) << got.error().message;
    for (const std::string& word : c.words) {
      EXPECT_NE(got.error().message.find(word), std::string::npos)
          << word << " in: " << got.error().message;
    }
  }
}

TEST_F(S3StoreTest, HeadAndDeleteTakeAbsenceForAnAnswer) {
  service_.Answer(404);
  EXPECT_FALSE(*store_->Exists("k"));
  service_.Answer(403);
  EXPECT_EQ(store_->Exists("k").error().code, Code::kInvalid);
  service_.Answer(204);
  EXPECT_TRUE(store_->Delete("k"));
  service_.Answer(404, ErrorXml("NoSuchKey"));
  EXPECT_TRUE(store_->Delete("k"));
  service_.Answer(404, ErrorXml("NoSuchBucket"));
  EXPECT_FALSE(store_->Delete("k"));
}

TEST_F(S3StoreTest, PassesOnWhatTheServiceGivesUpOn) {
  service_.Fail(Code::kUnavailable, "gone");
  EXPECT_EQ(store_->Put("k", "x").error().code, Code::kUnavailable);
}

TEST_F(S3StoreTest, LargeObjectsAppearWhenAllPartsAreThere) {
  OpenForParts();
  service_.Answer(404);  // HEAD: not there yet
  BeginUpload();
  AnswerParts(3);
  service_.Answer(200, "<CompleteMultipartUploadResult/>");
  EXPECT_TRUE(*store_->Put("k", std::string(11 << 20, 'x')));
  ASSERT_EQ(service_.asked.size(), 6u);
  EXPECT_EQ(service_.asked[1].target, "/k?uploads=");
  EXPECT_EQ(service_.asked[3].target, "/k?partNumber=2&uploadId=u%261");
  EXPECT_EQ(service_.asked[4].body.size(), size_t{1} << 20);
  EXPECT_EQ(service_.asked[5].Header("If-None-Match"), "*");
  EXPECT_NE(service_.asked[5].body.find("<PartNumber>3</PartNumber><ETag>&quot;e3&quot;</ETag>"),
            std::string::npos)
      << service_.asked[5].body;
}

TEST_F(S3StoreTest, ALargeObjectThatIsThereIsNotUploaded) {
  OpenForParts();
  service_.Answer(200);
  EXPECT_FALSE(*store_->Put("k", std::string(11 << 20, 'x')));
  EXPECT_EQ(service_.asked.size(), 1u);
}

TEST_F(S3StoreTest, PartsOfAFailedUploadAreThrownAway) {
  OpenForParts();
  BeginUpload();
  AnswerParts(1);
  service_.Fail(Code::kUnavailable, "the line is gone");
  service_.Answer(204);  // abort
  const Result<bool> put = store_->Put("k", std::string(11 << 20, 'x'), {.if_absent = false});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().message, "the line is gone");
  EXPECT_EQ(service_.asked.back().method, "DELETE");
  EXPECT_EQ(service_.asked.back().target, "/k?uploadId=u%261");
  EXPECT_TRUE(service_.AllGiven());
}

TEST_F(S3StoreTest, HowAMultipartUploadEnds) {
  struct Case {
    const char* what;
    int status;
    std::string body;
    int attempts;
    int head;  // 0: not asked
    const char* outcome;
  };
  const Case cases[] = {
      {"an error within 200", 200, ErrorXml("InternalError"), 1, 0, "unavailable"},
      {"another writer within 200", 200, ErrorXml("PreconditionFailed"), 1, 0, "exists"},
      {"another writer", 412, ErrorXml("PreconditionFailed"), 1, 0, "exists"},
      {"conflict, and it is there", 409, ErrorXml("ConditionalRequestConflict"), 1, 200, "exists"},
      {"conflict, and it is not", 409, ErrorXml("ConditionalRequestConflict"), 1, 404,
       "unavailable"},
      {"the first attempt did it", 404, ErrorXml("NoSuchUpload"), 2, 200, "written"},
      {"the upload is gone", 404, ErrorXml("NoSuchUpload"), 1, 0, "not found"},
  };
  for (const Case& c : cases) {
    OpenForParts();
    service_.Answer(404);
    BeginUpload();
    AnswerParts(2);
    service_.Answer(c.status, c.body, {}, c.attempts);
    if (c.head != 0) service_.Answer(c.head);
    if (std::string(c.outcome) != "written") service_.Answer(204);  // abort
    const Result<bool> put = store_->Put("k", std::string(7 << 20, 'x'));
    const std::string outcome =
        put ? (*put ? "written" : "exists") : std::string(CodeName(put.error().code));
    EXPECT_EQ(outcome, c.outcome) << c.what;
    EXPECT_TRUE(service_.AllGiven()) << c.what;
  }
}

TEST(S3StoreOpen, RefusesWhatCantBe) {
  FakeService service;
  const S3StoreOptions bad[] = {{.bucket = ""},
                                {.bucket = "ab"},
                                {.bucket = "UPPER"},
                                {.bucket = "a_b_c"},
                                {.bucket = "-abc"},
                                {.bucket = "a..b"},
                                {.bucket = "a/b/c"},
                                {.bucket = std::string(64, 'a')},
                                {.bucket = "b--x-s3"},
                                {.bucket = "bkt", .prefix = "no-slash"},
                                {.bucket = "bkt", .prefix = "/"},
                                {.bucket = "bkt", .prefix = "a//"},
                                {.bucket = "bkt", .prefix = "a b/"},
                                {.bucket = "bkt", .part_bytes = 1}};
  for (const S3StoreOptions& options : bad) {
    const auto store = S3Store::Open(options, service);
    ASSERT_FALSE(store) << options.bucket << " " << options.prefix;
    EXPECT_EQ(store.error().code, Code::kInvalid);
  }
}

}  // namespace
}  // namespace llama::aws
