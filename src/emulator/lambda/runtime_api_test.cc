#include "emulator/lambda/runtime_api.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "http/testing.h"

namespace llama::emulator {
namespace {

constexpr char kNext[] = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n";

class RuntimeApiTest : public testing::Test {
 protected:
  Fd Connect() {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(api_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void Send(const Fd& fd, std::string_view bytes) {
    EXPECT_EQ(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  static std::string Post(const std::string& path, const std::string& body,
                          const std::string& headers = "") {
    return "POST /2018-06-01/runtime/" + path + " HTTP/1.1\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  Result<RuntimeAnswer> Run(int64_t ms = 10'000) {
    RuntimeJob job;
    job.id = "id-1";
    job.payload = "the job";
    return api_->Run(job, 100, http::Soon(ms));
  }

  std::unique_ptr<RuntimeApi> api_ = RuntimeApi::Listen(SystemClock()).value();
};

TEST_F(RuntimeApiTest, AnswersMayComeOverAnotherConnection) {
  const Fd asks = Connect();
  const Fd answers = Connect();
  Send(asks, kNext);
  ASSERT_TRUE(api_->AwaitNext(http::Soon()));
  Send(answers, Post("invocation/id-1/response", "done"));
  const auto answer = Run();
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->body, "done");
}

TEST_F(RuntimeApiTest, AwaitsNoMoreThanItsDeadline) {
  const Fd silent = Connect();
  const auto next = api_->AwaitNext(http::Soon(20));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kDeadline);
  EXPECT_FALSE(api_->IsWaiting());
}

TEST_F(RuntimeApiTest, OneThatSpeaksNonsenseDoesNotHarmTheOthers) {
  const Fd nonsense = Connect();
  const Fd good = Connect();
  Send(nonsense, "\x16\x03\x01 nonsense\r\n\r\n");
  Send(good, kNext);
  EXPECT_TRUE(api_->AwaitNext(http::Soon()));
}

TEST_F(RuntimeApiTest, AWaitEndsWithTheFunction) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const Fd ours(fds[0]);
  Fd theirs(fds[1]);
  theirs.Reset();
  http::Wait wait = http::Soon();
  wait.stop_fd = ours.get();
  const auto next = api_->AwaitNext(wait);
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().code, Code::kCancelled);
}

TEST_F(RuntimeApiTest, LastWordsCount) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const Fd ours(fds[0]);
  Fd theirs(fds[1]);
  Fd function = Connect();
  Send(function, kNext);
  ASSERT_TRUE(api_->AwaitNext(http::Soon()));
  Send(function, Post("invocation/id-1/error", "{}", "Lambda-Runtime-Function-Error-Type: T\r\n"));
  theirs.Reset();
  RuntimeJob job;
  job.id = "id-1";
  http::Wait wait = http::Soon();
  wait.stop_fd = ours.get();
  const auto answer = api_->Run(job, 100, wait);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->kind, RuntimeAnswer::Kind::kError);
  EXPECT_EQ(answer->error_type, "T");
}

TEST_F(RuntimeApiTest, RefusesLargeAnswersAndGoesOn) {
  const Fd function = Connect();
  Send(function, kNext);
  ASSERT_TRUE(api_->AwaitNext(http::Soon()));
  Send(function, Post("invocation/id-1/response", std::string(101, 'x')));
  const auto answer = Run();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->kind, RuntimeAnswer::Kind::kTooLarge);
  Send(function, kNext);
  EXPECT_TRUE(api_->AwaitNext(http::Soon()));
}

TEST_F(RuntimeApiTest, NextBeforeAnAnswerIsRefused) {
  const Fd function = Connect();
  const Fd other = Connect();
  Send(function, kNext);
  ASSERT_TRUE(api_->AwaitNext(http::Soon()));
  Send(other, kNext);
  const auto answer = Run(50);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDeadline);
  char text[64] = {};
  EXPECT_GT(recv(other.get(), text, sizeof text - 1, 0), 0);
  EXPECT_TRUE(std::string_view(text).starts_with("HTTP/1.1 403 ")) << text;
}

}  // namespace
}  // namespace llama::emulator
