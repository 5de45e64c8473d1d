#include "worker/s3_objects.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <thread>

#include "base/file.h"
#include "http/dial.h"
#include "http/tls_testing.h"

namespace llama::worker {
namespace {

const signing::Keys kKeys = {"AKID", "the/secret+key", "a/session+token="};

http::Wait Soon() {
  http::Wait wait;
  wait.deadline_ns = SystemClock().MonotonicNs() + 20'000'000'000;
  return wait;
}

// What happens to a request instead of the right answer to it.
enum class Fault { kNone, kHangUp, kHalfAnswer, k500, k503, k403, kGarbage, kCloseAfter };

// A bucket on loopback: checks every signature, and does as it is told with the requests that come.
class FakeS3 {
 public:
  // `fault` is asked for each request, with its number from 0 on.
  explicit FakeS3(
      std::function<Fault(int)> fault = [](int) { return Fault::kNone; },
      std::shared_ptr<const http::TlsContext> tls = nullptr)
      : fault_(std::move(fault)), tls_(std::move(tls)) {
    int fds[2];
    EXPECT_EQ(pipe(fds), 0);
    stop_read_ = Fd(fds[0]);
    stop_write_ = Fd(fds[1]);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~FakeS3() {
    stop_write_.Reset();
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
  }

  std::string endpoint() const {
    return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(listener_.port);
  }
  void PutDirectly(const std::string& path, const std::string& bytes) {
    const MutexLock lock(mutex_);
    objects_[path] = bytes;
  }
  std::string Object(const std::string& path) {
    const MutexLock lock(mutex_);
    return objects_.count(path) != 0 ? objects_[path] : "(none)";
  }
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  int refused() const { return refused_; }

 private:
  void Accept() {
    http::Wait wait = Soon();
    wait.stop_fd = stop_read_.get();
    while (true) {
      Result<Fd> fd = http::AcceptNext(listener_, SystemClock(), wait);
      if (!fd) return;
      ++connections_;
      threads_.emplace_back(
          [this, socket = *std::move(fd)]() mutable { Serve(std::move(socket)); });
    }
  }

  void Serve(Fd socket) {
    http::Wait wait = Soon();
    wait.stop_fd = stop_read_.get();
    Result<http::Stream> stream =
        tls_ ? tls_->Accept(std::move(socket), SystemClock(), wait)
             : Result<http::Stream>(http::Stream(std::move(socket), SystemClock()));
    while (stream) {
      const Result<http::Message> request = stream->Read(http::Kind::kRequest, 1 << 30, wait);
      if (!request || !Answer(*stream, *request, wait)) return;
    }
  }

  bool Answer(http::Stream& stream, const http::Message& request, const http::Wait& wait) {
    switch (fault_(requests_++)) {
      case Fault::kHangUp:
        return false;
      case Fault::kHalfAnswer:
        (void)stream.WriteRaw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", wait)
            .has_value();
        return false;
      case Fault::kGarbage:
        (void)stream.WriteRaw("what?\r\n\r\n", wait).has_value();
        return false;
      case Fault::k500:
        return Say(stream, "500 Internal Server Error",
                   "<Error><Code>InternalError</Code></Error>");
      case Fault::k503:
        return Say(stream, "503 Slow Down", "<Error><Code>SlowDown</Code></Error>");
      case Fault::k403:
        return Say(stream, "403 Forbidden", "<Error><Code>AccessDenied</Code></Error>");
      case Fault::kCloseAfter:
        (void)Right(stream, request);
        return false;
      case Fault::kNone:
        return Right(stream, request);
    }
    return false;
  }

  bool Right(http::Stream& stream, const http::Message& request) {
    if (!IsSigned(request)) {
      ++refused_;
      return Say(stream, "403 Forbidden", "<Error><Code>SignatureDoesNotMatch</Code></Error>");
    }
    const std::string& method = request.start[0];
    const std::string& path = request.start[1];
    const MutexLock lock(mutex_);
    const bool is_there = objects_.count(path) != 0;
    if (method == "PUT") {
      if (is_there && request.Find("If-None-Match") != nullptr) {
        return Say(stream, "412 Precondition Failed", "");
      }
      objects_[path] = request.body;
      return Say(stream, "200 OK", "");
    }
    if (method == "DELETE") {
      objects_.erase(path);
      return Say(stream, "204 No Content", "");
    }
    if (!is_there)
      return Say(stream, "404 Not Found", method == "HEAD" ? "" : "<Code>NoSuchKey</Code>");
    if (method == "HEAD") {
      return stream.WriteRaw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Soon()).has_value();
    }
    return Say(stream, "200 OK", objects_[path]);
  }

  static bool IsSigned(const http::Message& message) {
    const signing::Request request = {message.start[0], message.start[1], message.headers};
    const signing::Verification result =
        signing::Verify(request, {"eu-west-1", "s3"}, SystemClock().NowNs() / 1'000'000'000,
                        [](const std::string&) { return std::optional(kKeys); });
    return result.refusal == signing::Refusal::kNone &&
           result.claim.payload_sha256 == signing::Sha256Hex(message.body);
  }

  static bool Say(http::Stream& stream, const std::string& status, const std::string& body) {
    return stream.Write("HTTP/1.1 " + status + "\r\n", body, Soon()).has_value();
  }

  const std::function<Fault(int)> fault_;
  const std::shared_ptr<const http::TlsContext> tls_;
  const http::Listener listener_ = *http::Listen("127.0.0.1", 0);
  Fd stop_read_, stop_write_;
  std::atomic<int> requests_{0}, connections_{0}, refused_{0};
  Mutex mutex_;
  std::map<std::string, std::string> objects_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;  // of the acceptor
  std::thread acceptor_;
};

S3Access AccessTo(const FakeS3& server) {
  S3Access access;
  access.url = {"bucket", "some/prefix/", "eu-west-1", server.endpoint(), false};
  access.keys = kKeys;
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
    const Result<std::string> got = OpenAt(server)->Get("k");
    ASSERT_TRUE(got) << static_cast<int>(fault) << ": " << got.error().message;
    EXPECT_EQ(*got, "bytes");
    EXPECT_EQ(server.requests(), 3) << static_cast<int>(fault);
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

TEST(S3Objects, SaysWhatTheStoreRefuses) {
  FakeS3 server([](int) { return Fault::k403; });
  const Result<std::string> got = OpenAt(server)->Get("k");
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kInvalid);
  EXPECT_NE(got.error().message.find("403 AccessDenied"), std::string::npos) << got.error().message;
  EXPECT_EQ(server.requests(), 1);
  EXPECT_EQ(got.error().message.find(kKeys.secret_access_key), std::string::npos);
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
  access.keys = kKeys;
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
