// A bucket on loopback, for tests: checks every signature, and fails requests as it is told.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "http/dial.h"
#include "http/stream.h"
#include "http/testing.h"
#include "http/tls.h"
#include "signing/sigv4.h"

namespace llama::worker {

inline const signing::Keys kFakeS3Keys = {"AKID", "the/secret+key", "a/session+token="};

// What happens to a request instead of the right answer to it.
enum class Fault { kNone, kHangUp, kHalfAnswer, k500, k503, k403, kGarbage, kCloseAfter, kDrip };

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
  std::function<void()> on_drip;  // before each byte; to be set before the first request
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  int refused() const { return refused_; }

 private:
  void Accept() {
    http::Wait wait = http::Soon(20'000);
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
    http::Wait wait = http::Soon(20'000);
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
      case Fault::kDrip:
        Drip(stream, wait);
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

  // An answer byte by byte, for as long as it is listened to.
  void Drip(http::Stream& stream, const http::Wait& wait) {
    bool listened =
        stream.WriteRaw("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", wait).has_value();
    for (int i = 0; listened && i < 9'000; ++i) {
      if (on_drip) on_drip();
      listened = stream.WriteRaw("x", wait).has_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
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
      return stream.WriteRaw("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", http::Soon(20'000))
          .has_value();
    }
    return Say(stream, "200 OK", objects_[path]);
  }

  static bool IsSigned(const http::Message& message) {
    const signing::Request request = {message.start[0], message.start[1], message.headers};
    const signing::Verification result =
        signing::Verify(request, {"eu-west-1", "s3"}, SystemClock().NowNs() / 1'000'000'000,
                        [](const std::string&) { return std::optional(kFakeS3Keys); });
    return result.refusal == signing::Refusal::kNone &&
           result.claim.payload_sha256 == signing::Sha256Hex(message.body);
  }

  static bool Say(http::Stream& stream, const std::string& status, const std::string& body) {
    return stream.Write("HTTP/1.1 " + status + "\r\n", body, http::Soon(20'000)).has_value();
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

}  // namespace llama::worker
