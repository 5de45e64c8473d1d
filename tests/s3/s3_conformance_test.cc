// S3Store against a real server: the suite of every ObjectStore, and what only S3 has. The server
// is given by the environment:
//
//   LLAMA_TEST_S3_ENDPOINT    http://127.0.0.1:9000
//   LLAMA_TEST_S3_BUCKET      is made if absent; everything below the test's prefixes is removed
//   AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_CA_BUNDLE
//   LLAMA_TEST_S3_PATH_STYLE  1: path-style addressing
//
// Without it the program says so and exits with 77. tests/s3/conformance.py starts servers.
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "aws/s3/bucket.h"
#include "aws/s3/store.h"
#include "aws/service/credentials.h"
#include "aws/settings/settings.h"
#include "store/object_store_conformance.h"

namespace llama::aws {
namespace {

std::string Env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// One server for all tests. Lives from main's begin to its end.
struct Server {
  std::unique_ptr<HttpSender> sender;
  std::unique_ptr<CredentialsProvider> credentials;
  std::unique_ptr<Service> service;
  S3Location location;
  int prefixes = 0;
};
Server* server = nullptr;

S3StoreOptions NewOptions() {
  S3StoreOptions options;
  options.bucket = server->location.bucket;
  options.path_style = server->location.path_style;
  options.prefix = "t" + std::to_string(++server->prefixes) + "/";
  return options;
}

std::unique_ptr<S3Store> OpenStore(const S3StoreOptions& options) {
  auto store = S3Store::Open(options, *server->service);
  EXPECT_TRUE(store) << store.error().message;
  return store ? *std::move(store) : nullptr;
}

}  // namespace

using store::ObjectStoreConformance;

class S3Specifics : public testing::Test {};

TEST_F(S3Specifics, LargeObjectsGoUpInParts) {
  S3StoreOptions options = NewOptions();
  options.multipart_threshold_bytes = 6 << 20;
  options.part_bytes = 5 << 20;
  const auto store = OpenStore(options);
  std::string body(11'000'001, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  const Result<bool> put = store->Put("large", body);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_TRUE(*put);
  const Result<std::string> got = store->Get("large");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_TRUE(*got == body);
  const Result<bool> again = store->Put("large", "x" + body);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(*again);
  EXPECT_TRUE(*store->Put("large", "y" + body, {.if_absent = false}));
  EXPECT_EQ((*store->Get("large")).size(), body.size() + 1);
}

TEST_F(S3Specifics, MissingBucketIsSaidToBeMissing) {
  S3StoreOptions options = NewOptions();
  options.bucket += "-that-is-not-there";
  const auto store = OpenStore(options);
  const Result<std::string> got = store->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kInvalid) << got.error().message;
  EXPECT_NE(got.error().message.find("does not exist"), std::string::npos) << got.error().message;
  EXPECT_EQ(store->Put("k", "x").error().code, Code::kInvalid);
}

TEST_F(S3Specifics, WrongSecretIsRefusedAndNotShown) {
  const Credentials good = *server->credentials->Get();
  Credentials bad = good;
  bad.keys.secret_access_key = "wrong-secret-of-a-test";
  const auto provider = NewStaticCredentials(bad);
  const auto service =
      NewService(server->service->options(), *server->sender, *provider, SystemClock());
  const auto store = S3Store::Open(NewOptions(), *service);
  const Result<std::string> got = (*store)->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kInvalid) << got.error().message;
  EXPECT_EQ(got.error().message.find("wrong-secret"), std::string::npos);
}

TEST_F(S3Specifics, BucketListsAndDeletesAwkwardKeys) {
  S3Bucket bucket(server->location, *server->service);
  const std::string prefix = NewOptions().prefix;
  const std::vector<std::string> names = {
      "plain",    "with space", "plus+plus", "a&b<c>\"d'",       "percent%20",
      "ü/ñ/漢字", "eq=q?x#y",   "dots.../x", "semi;colon,comma", "tilde~(paren)",
      "star*",    "at@:col",    "trailing "};
  std::vector<std::string> keys;
  for (const std::string& name : names) {
    ServiceCall call = NewS3Call(server->location, "PUT", prefix + name);
    call.body = "x";
    const Result<ServiceAnswer> answer = server->service->Call(call);
    ASSERT_TRUE(answer) << answer.error().message;
    ASSERT_EQ(answer->http.status, 200) << name << answer->http.body;
    keys.push_back(prefix + name);
  }
  const auto of_this_test = [&] {
    std::set<std::string> out;
    const auto all = bucket.List();
    EXPECT_TRUE(all) << all.error().message;
    for (const std::string& key : *all) {
      if (key.starts_with(prefix)) out.insert(key);
    }
    return out;
  };
  EXPECT_EQ(of_this_test(), std::set<std::string>(keys.begin(), keys.end()));
  const Result<void> deleted = bucket.DeleteObjects(keys);
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_TRUE(of_this_test().empty());
}

TEST_F(S3Specifics, BucketsAreMadeOnceAndRemovedWhenEmpty) {
  S3Location location = server->location;
  location.bucket += "-of-a-test";
  S3Bucket bucket(location, *server->service);
  EXPECT_EQ(*bucket.Head(), BucketState::kAbsent);
  const Result<bool> made = bucket.Create();
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(*made);
  EXPECT_EQ(*bucket.Head(), BucketState::kOurs);
  ServiceCall call = NewS3Call(location, "PUT", "k");
  ASSERT_TRUE(server->service->Call(call));
  EXPECT_EQ(bucket.Delete().error().code, Code::kInvalid);
  ASSERT_TRUE(bucket.DeleteObjects({"k"}));
  const Result<void> deleted = bucket.Delete();
  ASSERT_TRUE(deleted) << deleted.error().message;
  EXPECT_TRUE(bucket.Delete());
  EXPECT_EQ(*bucket.Head(), BucketState::kAbsent);
}

INSTANTIATE_TEST_SUITE_P(
    S3, ObjectStoreConformance,
    testing::Values(store::StoreFactory([]() -> std::unique_ptr<store::ObjectStore> {
      return OpenStore(NewOptions());
    })));

namespace {

Result<void> RemoveAll(S3Bucket& bucket) {
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<std::string> keys, bucket.List());
    if (keys.empty()) return {};
    TRY(bucket.DeleteObjects(keys));
  }
}

Result<void> Connect(Server& out) {
  ASSIGN_OR_RETURN(out.sender, StartHttpEngine({.ca_file = Env("AWS_CA_BUNDLE")}));
  ChainOptions chain;
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}) {
    chain.env.push_back(std::string(name) + "=" + Env(name));
  }
  chain.env.push_back("AWS_EC2_METADATA_DISABLED=true");
  out.credentials = NewCredentialsChain(chain, *out.sender, SystemClock());
  ServiceOptions options;
  options.name = "s3";
  options.region = Env("AWS_REGION").empty() ? "us-east-1" : Env("AWS_REGION");
  options.endpoint = Env("LLAMA_TEST_S3_ENDPOINT");
  out.service = NewService(options, *out.sender, *out.credentials, SystemClock());
  out.location = {Env("LLAMA_TEST_S3_BUCKET"), Env("LLAMA_TEST_S3_PATH_STYLE") == "1"};
  S3Bucket bucket(out.location, *out.service);
  TRY(bucket.Create());
  return RemoveAll(bucket);
}

}  // namespace

int RunAll() {
  Server here;
  server = &here;
  if (const Result<void> connected = Connect(here); !connected) {
    std::fprintf(stderr, "%s\n", connected.error().message.c_str());
    return 1;
  }
  const int status = RUN_ALL_TESTS();
  S3Bucket bucket(here.location, *here.service);
  const Result<void> removed = RemoveAll(bucket);
  if (!removed) std::fprintf(stderr, "%s\n", removed.error().message.c_str());
  server = nullptr;
  return status != 0 || !removed ? 1 : 0;
}

}  // namespace llama::aws

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (std::getenv("LLAMA_TEST_S3_ENDPOINT") == nullptr) {
    std::printf("skipped: no server is named by LLAMA_TEST_S3_ENDPOINT\n");
    return 77;
  }
  return llama::aws::RunAll();
}
