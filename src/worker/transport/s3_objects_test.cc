#include "worker/transport/s3_objects.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "http/tls_testing.h"
#include "worker/transport/fake_s3.h"

namespace llama::worker {
namespace {

S3Access AccessTo(const FakeS3& server) {
  S3Access access;
  access.url = {"bucket", "some/prefix/", "eu-west-1", server.endpoint(), false};
  access.keys = kFakeS3Keys;
  return access;
}

std::unique_ptr<S3Objects> OpenAt(const FakeS3& server) {
  Result<std::unique_ptr<S3Objects>> store = S3Objects::Open(AccessTo(server), SystemClock(), -1);
  EXPECT_TRUE(store) << store.error().message;
  return *std::move(store);
}

TEST(S3Objects, SpeaksS3WithValidSignatures) {
  FakeS3 server;
  const auto store = OpenAt(server);
  EXPECT_TRUE(*store->Put("answers/1", "first", {}));
  EXPECT_FALSE(*store->Put("answers/1", "second", {}));
  EXPECT_EQ(server.Object("/bucket/some/prefix/answers/1"), "first");
  EXPECT_TRUE(*store->Put("answers/1", "third", {.if_absent = false}));
  EXPECT_EQ(*store->Get("answers/1"), "third");
  EXPECT_TRUE(*store->Exists("answers/1"));
  EXPECT_TRUE(store->Delete("answers/1"));
  EXPECT_FALSE(*store->Exists("answers/1"));
  EXPECT_EQ(store->Get("answers/1").error().code, Code::kNotFound);
  EXPECT_EQ(store->Get("../1").error().code, Code::kInvalid);
  EXPECT_EQ(server.refused(), 0);
  EXPECT_EQ(server.connections(), 1);
}

TEST(S3Objects, TriesAgainWhatMayPass) {
  for (const Fault fault :
       {Fault::kHangUp, Fault::kHalfAnswer, Fault::k500, Fault::k503, Fault::kGarbage}) {
    FakeS3 server([fault](int request) { return request < 2 ? fault : Fault::kNone; });
    server.PutDirectly("/bucket/some/prefix/k", "bytes");
    store::Retries retries;
    const Result<std::string> got = OpenAt(server)->GetWith("k", {.retries = &retries});
    ASSERT_TRUE(got) << static_cast<int>(fault) << ": " << got.error().message;
    EXPECT_EQ(*got, "bytes");
    EXPECT_EQ(server.requests(), 3) << static_cast<int>(fault);
    EXPECT_EQ(retries.requests(), 2u) << static_cast<int>(fault);
    EXPECT_GT(retries.ns(), 0);
  }
}

TEST(S3Objects, GivesUpInTheEnd) {
  for (const Fault fault : {Fault::kHangUp, Fault::kHalfAnswer, Fault::k503}) {
    FakeS3 server([fault](int) { return fault; });
    const Result<std::string> got = OpenAt(server)->Get("k");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::kUnavailable) << got.error().message;
    EXPECT_NE(got.error().message.find("bucket/some/prefix/k"), std::string::npos)
        << got.error().message;
    EXPECT_EQ(server.requests(), 3);
  }
}

// A byte a second is no transfer: it would be one for hours.
TEST(S3Objects, TakesAnAnswerThatDripsForOneThatStands) {
  FakeClock clock;
  FakeS3 server([](int) { return Fault::kDrip; });
  std::atomic<int> bytes{0};
  server.on_drip = [&] {
    ++bytes;
    clock.AdvanceNs(1'000'000'000);
  };
  const auto store = S3Objects::Open(AccessTo(server), clock, -1);
  ASSERT_TRUE(store);
  const Result<std::string> got = (*store)->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kUnavailable) << got.error().message;
  EXPECT_EQ(server.requests(), 3);
  EXPECT_LT(bytes, 300) << "the limit of the whole";
}

TEST(S3Objects, SaysWhatTheStoreRefuses) {
  FakeS3 server([](int) { return Fault::k403; });
  const Result<bool> put = OpenAt(server)->Put("k", "bytes", {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Code::kInvalid);
  EXPECT_NE(put.error().message.find("403 AccessDenied"), std::string::npos) << put.error().message;
  EXPECT_EQ(server.requests(), 1);
  EXPECT_EQ(put.error().message.find(kFakeS3Keys.secret_access_key), std::string::npos);
}

// S3 says no more of an object that is not there to one who may not list the bucket.
TEST(S3Objects, TakesAnObjectThatMayNotBeReadForAbsent) {
  FakeS3 server([](int) { return Fault::k403; });
  const Result<std::string> got = OpenAt(server)->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kNotFound);
  EXPECT_NE(got.error().message.find("403 AccessDenied"), std::string::npos) << got.error().message;
  EXPECT_EQ(server.requests(), 1);
}

TEST(S3Objects, TellsARefusedKeyFromAnAbsentObject) {
  FakeS3 server;
  S3Access access = AccessTo(server);
  access.keys.secret_access_key = "another";
  const auto store = S3Objects::Open(access, SystemClock(), -1);
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->Get("k").error().code, Code::kInvalid);
}

// The other side closes after each answer without a word: that may be seen before the next request,
// or only met by it.
TEST(S3Objects, RedialsConnectionsThatDiedUnnoticed) {
  FakeS3 server([](int) { return Fault::kCloseAfter; });
  server.PutDirectly("/bucket/some/prefix/k", "bytes");
  const auto store = OpenAt(server);
  for (int i = 1; i <= 20; ++i) {
    ASSERT_EQ(*store->Get("k"), "bytes");
    EXPECT_EQ(server.connections(), i);
    EXPECT_EQ(server.requests(), i);
  }
}

TEST(S3Objects, KeepsConnectionsOfParallelReaders) {
  FakeS3 server;
  for (int i = 0; i < 100; ++i) {
    server.PutDirectly("/bucket/some/prefix/k" + std::to_string(i), std::string(10'000, 'x'));
  }
  const auto store = OpenAt(server);
  std::atomic<int> next{0}, right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < 100; i = next++) {
        const Result<std::string> got = store->Get("k" + std::to_string(i));
        if (got && got->size() == 10'000) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 100);
  EXPECT_LE(server.connections(), 8);
}

TEST(S3Objects, SpeaksTlsToWhomItsCertificatesVouchFor) {
  const TempDir dir = *TempDir::Create();
  http::TestAuthority authority(dir.path());
  const auto files = authority.Issue("IP:127.0.0.1");
  FakeS3 server([](int) { return Fault::kNone; },
                *http::TlsContext::ForServers(files.certificate, files.key));
  server.PutDirectly("/bucket/some/prefix/k", std::string(3 << 20, 'y'));
  S3Access access = AccessTo(server);
  access.ca_files = {dir.path() + "/none.pem", authority.ca_file()};
  const auto store = *S3Objects::Open(access, SystemClock(), -1);
  EXPECT_EQ(store->Get("k")->size(), size_t{3} << 20);
  EXPECT_TRUE(*store->Exists("k"));
  EXPECT_EQ(server.connections(), 1);

  const TempDir elsewhere = *TempDir::Create();
  access.ca_files = {http::TestAuthority(elsewhere.path()).ca_file()};
  const auto strangers = *S3Objects::Open(access, SystemClock(), -1);
  EXPECT_EQ(strangers->Get("k").error().code, Code::kInvalid);
  access.ca_files = {};
  const auto none = *S3Objects::Open(access, SystemClock(), -1);
  EXPECT_NE(none->Get("k").error().message.find("LLAMA_CA_FILE"), std::string::npos);
}

TEST(S3Objects, SendsCredentialsNowhereInTheClear) {
  S3Access access;
  access.keys = kFakeS3Keys;
  for (const char* endpoint :
       {"http://store.example", "http://192.0.2.1:9000", "ftp://localhost", "https://u:p@localhost",
        "http://localhost.example", "https://localhost/path"}) {
    access.url = {"bucket", "", "eu-west-1", endpoint, true};
    EXPECT_EQ(S3Objects::Open(access, SystemClock(), -1).error().code, Code::kInvalid) << endpoint;
  }
  for (const char* endpoint :
       {"", "http://localhost:1", "http://127.0.0.1:1", "https://store.example"}) {
    access.url = {"bucket", "", "eu-west-1", endpoint, true};
    EXPECT_TRUE(S3Objects::Open(access, SystemClock(), -1)) << endpoint;
  }
  access.url = {"bucket", "", "", "", true};
  EXPECT_EQ(S3Objects::Open(access, SystemClock(), -1).error().code, Code::kInvalid);
}

TEST(S3Objects, EndsWithTheInvocation) {
  FakeS3 server([](int) { return Fault::k503; });
  const auto store = OpenAt(server);
  store->SetDeadline(SystemClock().MonotonicNs() - 1);
  EXPECT_EQ(store->Get("k").error().code, Code::kDeadline);
  EXPECT_EQ(server.requests(), 0);
}

}  // namespace
}  // namespace llama::worker
