#include "aws/s3/bucket.h"

#include <gtest/gtest.h>

#include "aws/http/xml.h"
#include "aws/service/fake_service.h"

namespace llama::aws {
namespace {

TEST(S3Bucket, NamesItsRegionUnlessItIsTheFirst) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  service.Answer(200);
  EXPECT_TRUE(*bucket.Create());
  EXPECT_NE(service.asked[0].body.find("<LocationConstraint>eu-west-1</LocationConstraint>"),
            std::string::npos);
  EXPECT_NE(service.asked[0].Header("Content-MD5"), "");
  service.settings.region = "us-east-1";
  service.Answer(200);
  EXPECT_TRUE(*bucket.Create());
  EXPECT_EQ(service.asked[1].body, "");
}

TEST(S3Bucket, WaitsUntilANameIsFree) {
  FakeService service;
  int64_t paused_ms = 0;
  service.settings.pause = [&](int64_t ms) { paused_ms += ms; };
  S3Bucket bucket({"bkt", false}, service);
  const std::string busy =
      "<Error><Code>OperationAborted</Code><Message>Try again.</Message></Error>";
  service.Answer(409, busy);
  service.Answer(409, busy);
  service.Answer(200);
  EXPECT_TRUE(*bucket.Create());
  EXPECT_GT(paused_ms, 0);
  for (int i = 0; i < 4; ++i) service.Answer(409, busy);
  EXPECT_EQ(bucket.Create(12'000).error().code, Code::kUnavailable);
  EXPECT_TRUE(service.AllGiven());
}

TEST(S3Bucket, SaysWhoseItMustBe) {
  FakeService service;
  S3Bucket bucket({"llama-123456789012-eu-west-1", false}, service);
  service.Answer(200);
  ASSERT_TRUE(bucket.Head());
  EXPECT_EQ(service.asked[0].Header("x-amz-expected-bucket-owner"), "123456789012");
  service.Answer(200);
  ASSERT_TRUE(bucket.PutEncryption());
  EXPECT_EQ(service.asked[1].Header("x-amz-expected-bucket-owner"), "123456789012");
  service.Answer(200);
  ASSERT_TRUE(bucket.Create());
  EXPECT_EQ(service.asked[2].Header("x-amz-expected-bucket-owner"), "") << "nobody owns it yet";
  S3Bucket other({"bkt", false}, service);
  service.Answer(200);
  ASSERT_TRUE(other.Head());
  EXPECT_EQ(service.asked[3].Header("x-amz-expected-bucket-owner"), "");
}

TEST(S3Bucket, TellsOursFromThoseOfOthers) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  service.Answer(409, "<Error><Code>BucketAlreadyOwnedByYou</Code></Error>");
  EXPECT_FALSE(*bucket.Create());
  service.Answer(409, "<Error><Code>BucketAlreadyExists</Code></Error>");
  EXPECT_EQ(bucket.Create().error().code, Code::kInvalid);
  const std::pair<int, BucketState> heads[] = {
      {200, BucketState::kOurs}, {404, BucketState::kAbsent}, {403, BucketState::kForeign}};
  for (const auto& [status, state] : heads) {
    service.Answer(status);
    EXPECT_EQ(*bucket.Head(), state) << status;
  }
  service.Answer(301, "", {{"x-amz-bucket-region", "us-west-2"}});
  EXPECT_EQ(bucket.Head().error().code, Code::kInvalid);
}

// As S3's documentation shows the bodies; each must be checked by Content-MD5.
TEST(S3Bucket, ConfigurationsAreWhatS3WantsThemToBe) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  for (int i = 0; i < 4; ++i) service.Answer(200);
  ASSERT_TRUE(bucket.PutEncryption());
  ASSERT_TRUE(bucket.PutPublicAccessBlock());
  ASSERT_TRUE(bucket.PutLifecycle({{.id = "r<1>", .prefix = "jobs/", .expire_days = 7},
                                   {.id = "r2", .abort_incomplete_multipart_days = 1}}));
  ASSERT_TRUE(bucket.PutTags({{"llama", "a&b"}}));
  const std::string targets[] = {
      "/?encryption=", "/?publicAccessBlock=", "/?lifecycle=", "/?tagging="};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(service.asked[i].target, targets[i]);
    EXPECT_EQ(service.asked[i].Header("Content-MD5").size(), 24u);
    EXPECT_TRUE(ParseXml(service.asked[i].body)) << service.asked[i].body;
  }
  const XmlElement lifecycle = *ParseXml(service.asked[2].body);
  ASSERT_EQ(lifecycle.children.size(), 2u);
  EXPECT_EQ(lifecycle.children[0].Text("ID"), "r<1>");
  EXPECT_EQ(lifecycle.children[0].Find("Filter")->Text("Prefix"), "jobs/");
  EXPECT_EQ(lifecycle.children[0].Find("Expiration")->Text("Days"), "7");
  EXPECT_EQ(lifecycle.children[1].Find("Expiration"), nullptr);
  EXPECT_EQ(
      lifecycle.children[1].Find("AbortIncompleteMultipartUpload")->Text("DaysAfterInitiation"),
      "1");
}

TEST(S3Bucket, ReadsTags) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  service.Answer(
      200, "<Tagging><TagSet><Tag><Key>a</Key><Value>1&lt;2</Value></Tag></TagSet></Tagging>");
  EXPECT_EQ((*bucket.GetTags()).at("a"), "1<2");
  service.Answer(404, "<Error><Code>NoSuchTagSet</Code></Error>");
  EXPECT_TRUE((*bucket.GetTags()).empty());
}

TEST(S3Bucket, ListsKeysAsTheyWereBeforeEncoding) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  service.Answer(200,
                 "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                 "<EncodingType>url</EncodingType>"
                 "<Contents><Key>p/l/1</Key><Size>3</Size></Contents>"
                 "<Contents><Key>p/a%2Bb+c</Key></Contents></ListBucketResult>");
  const auto keys = bucket.List();
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_EQ(*keys, (std::vector<std::string>{"p/l/1", "p/a+b c"}));
  EXPECT_EQ(service.asked[0].target, "/?encoding-type=url&list-type=2");
  for (const char* body : {"", "<Other/>"}) {
    service.Answer(200, body);
    EXPECT_EQ(bucket.List().error().code, Code::kInvalid) << body;
  }
}

TEST(S3Bucket, DeletesInBatchesAndNamesWhatCouldNotBe) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  std::vector<std::string> keys;
  for (int i = 0; i < 1001; ++i) keys.push_back("k&" + std::to_string(i));
  service.Answer(200, "<DeleteResult/>");
  service.Answer(200,
                 "<DeleteResult><Error><Key>k&amp;1000</Key><Code>AccessDenied</Code></Error>"
                 "</DeleteResult>");
  const Result<void> deleted = bucket.DeleteObjects(keys);
  ASSERT_FALSE(deleted);
  EXPECT_NE(deleted.error().message.find("bkt/k&1000: AccessDenied"), std::string::npos)
      << deleted.error().message;
  ASSERT_EQ(service.asked.size(), 2u);
  EXPECT_NE(service.asked[0].body.find("<Key>k&amp;999</Key>"), std::string::npos);
  EXPECT_EQ(service.asked[0].body.find("<Key>k&amp;1000</Key>"), std::string::npos);
}

TEST(S3Bucket, DeletesABucketThatIsEmptyOrGone) {
  FakeService service;
  S3Bucket bucket({"bkt", false}, service);
  service.Answer(204);
  EXPECT_TRUE(bucket.Delete());
  service.Answer(404, "<Error><Code>NoSuchBucket</Code></Error>");
  EXPECT_TRUE(bucket.Delete());
  service.Answer(409, "<Error><Code>BucketNotEmpty</Code></Error>");
  EXPECT_EQ(bucket.Delete().error().code, Code::kInvalid);
}

}  // namespace
}  // namespace llama::aws
