#include "aws/http/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "aws/http/loopback_server.h"
#include "base/clock.h"

namespace llama::aws {
namespace {

std::unique_ptr<HttpSender> NewEngine(EngineOptions options = {}) {
  Result<std::unique_ptr<HttpSender>> engine = StartHttpEngine(options);
  EXPECT_TRUE(engine) << engine.error().message;
  return *std::move(engine);
}

// Answers each request on a connection by its body, until the client leaves.
void Echo(int fd, int) {
  while (true) {
    const std::string request = ReadRequest(fd);
    if (request.empty()) return;
    SendBytes(fd, AnswerOf(request.substr(request.find("\r\n\r\n") + 4)));
  }
}

void AnswerOnce(int fd, std::string_view answer) {
  if (!ReadRequest(fd).empty()) SendBytes(fd, answer);
}

HttpRequest Get(const LoopbackServer& server) {
  HttpRequest request;
  request.url = server.Url();
  request.deadlines = {2'000, 5'000, 5'000, 20'000};
  return request;
}

TEST(HttpEngine, SendsTheRequestExactlyAsGiven) {
  struct Case {
    const char* method;
    const char* target;
    const char* body;
    const char* sent;  // the head, Host left out
  };
  const Case kCases[] = {
      {"GET", "/a/../b/./c?list-type=2&prefix=a%2fB&x", "",
       "GET /a/../b/./c?list-type=2&prefix=a%2fB&x"},
      {"PUT", "/k%20%7e//x?uploads", "body", "PUT /k%20%7e//x?uploads"},
      {"DELETE", "/k?a=b=c+d", "", "DELETE /k?a=b=c+d"},
      {"POST", "/?", "", "POST /"},
      {"GET", "/?a=?", "", "GET /?a=?"},
      {"HEAD", "/%E4%BD%A0", "", "HEAD /%E4%BD%A0"},
      {"GET", "?only-query", "", "GET /?only-query"},
  };
  for (const Case& c : kCases) {
    std::string seen;
    LoopbackServer server([&](int fd, int) {
      seen = ReadRequest(fd);
      SendBytes(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    const auto engine = NewEngine();
    HttpRequest request = Get(server);
    request.method = c.method;
    request.url = server.Url(c.target);
    request.body = c.body;
    request.headers = {{"X-Amz-Date", "now"}, {"X-Empty", ""}};
    const auto answer = engine->Send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(seen.starts_with(std::string(c.sent) + " HTTP/1.1\r\n")) << seen;
    EXPECT_NE(seen.find("\r\nX-Amz-Date: now\r\n"), std::string::npos) << seen;
    EXPECT_NE(seen.find("\r\nX-Empty:\r\n"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Expect:"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Accept:"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Content-Type:"), std::string::npos) << seen;
    const bool has_body =
        std::string_view(c.method) == "PUT" || std::string_view(c.method) == "POST";
    EXPECT_EQ(seen.find("Content-Length:") != std::string::npos, has_body) << seen;
    EXPECT_TRUE(seen.ends_with(std::string("\r\n\r\n") + c.body)) << seen;
  }
}

TEST(HttpEngine, GivesStatusHeadersAndBody) {
  LoopbackServer server([](int fd, int) {
    AnswerOnce(
        fd,
        "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
        "HTTP/1.1 404 Not Found\r\nETag:  \"x\" \r\nX-Empty:\r\nContent-Length: 4\r\n\r\ngone");
  });
  const auto engine = NewEngine();
  const auto answer = engine->Send(Get(server));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "gone");
  ASSERT_NE(answer->Find("etag"), nullptr);
  EXPECT_EQ(*answer->Find("etag"), "\"x\"");
  EXPECT_EQ(*answer->Find("x-empty"), "");
  EXPECT_EQ(answer->Find("x-interim"), nullptr);
  EXPECT_GT(answer->connect_ns, 0);
  EXPECT_GE(answer->first_byte_ns, answer->connect_ns);
  EXPECT_GE(answer->total_ns, answer->first_byte_ns);
}

TEST(HttpEngine, FollowsNoRedirect) {
  LoopbackServer server([](int fd, int) {
    AnswerOnce(fd, "HTTP/1.1 301 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
  });
  const auto answer = NewEngine()->Send(Get(server));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 301);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpEngine, KeepsConnectionsAlive) {
  LoopbackServer server(Echo);
  const auto engine = NewEngine();
  for (int i = 0; i < 20; ++i) {
    HttpRequest request = Get(server);
    request.method = "PUT";
    const std::string body(static_cast<size_t>(i) * 10'000, 'b');
    request.body = body;
    const auto answer = engine->Send(request);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, body);
    EXPECT_EQ(answer->connect_ns == 0, i > 0);
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpEngine, CarriesHundredsAtOnce) {
  constexpr int kRequests = 500;
  std::atomic<int> here{0};
  std::atomic<bool> all_here{false};
  // None is answered before all have come.
  LoopbackServer server([&](int fd, int) {
    const std::string request = ReadRequest(fd);
    if (++here == kRequests) all_here = true;
    all_here.notify_all();
    all_here.wait(false);
    SendBytes(fd, AnswerOf(request.substr(request.find("\r\n\r\n") + 4)));
  });
  const auto engine = NewEngine();
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kRequests; ++i) {
    threads.emplace_back([&, i] {
      HttpRequest request = Get(server);
      request.method = "POST";
      request.deadlines.first_byte_ms = 60'000;
      request.deadlines.total_ms = 60'000;
      const std::string body = "job " + std::to_string(i);
      request.body = body;
      const auto answer = engine->Send(request);
      right += answer && answer->body == body ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kRequests);
  all_here = true;
  all_here.notify_all();
}

TEST(HttpEngine, LimitsConnectionsToAHost) {
  LoopbackServer server(Echo);
  EngineOptions options;
  options.max_connections_per_host = 3;
  const auto engine = NewEngine(options);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 30; ++i) {
    threads.emplace_back([&] {
      const auto answer = engine->Send(Get(server));
      right += answer ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 30);
  EXPECT_LE(server.connections(), 3);
}

TEST(HttpEngine, ReportsServersThatMisbehave) {
  struct Case {
    const char* name;
    LoopbackServer::Handler handler;
    Code code;
    const char* message;
  };
  const Case kCases[] = {
      {"truncated body",
       [](int fd, int) { AnswerOnce(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"); },
       Code::kUnavailable, "bytes"},
      {"truncated chunks",
       [](int fd, int) {
         AnswerOnce(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf");
       },
       Code::kUnavailable, ""},
      {"truncated head", [](int fd, int) { AnswerOnce(fd, "HTTP/1.1 200 OK\r\nContent-Le"); },
       Code::kUnavailable, ""},
      {"closed without an answer", [](int fd, int) { ReadRequest(fd); }, Code::kUnavailable, ""},
      {"reset before the request", [](int fd, int) { ResetOnClose(fd); }, Code::kUnavailable, ""},
      {"reset after the request",
       [](int fd, int) {
         ReadRequest(fd);
         ResetOnClose(fd);
       },
       Code::kUnavailable, ""},
      {"no HTTP", [](int fd, int) { AnswerOnce(fd, "SSH-2.0-OpenSSH_9.2\r\n\r\n"); },
       Code::kUnavailable, ""},
      {"no answer",
       [](int fd, int) {
         ReadRequest(fd);
         AwaitHangUp(fd);
       },
       Code::kDeadline, "no answer within 300 ms"},
      {"stalled in the body",
       [](int fd, int) {
         AnswerOnce(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
         AwaitHangUp(fd);
       },
       Code::kDeadline, "stalled"},
      {"a body byte by byte",
       [](int fd, int) {
         ReadRequest(fd);
         SendBytes(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n");
         pollfd hang_up{fd, POLLIN, 0};
         while (poll(&hang_up, 1, 20) == 0) SendBytes(fd, "x");
       },
       Code::kDeadline, "stalled"},
      {"a head byte by byte",
       [](int fd, int) {
         ReadRequest(fd);
         SendBytes(fd, "HTTP/1.1 200 OK\r\nX-Filler: ");
         pollfd hang_up{fd, POLLIN, 0};
         while (poll(&hang_up, 1, 20) == 0) SendBytes(fd, "x\r\nY: ");
       },
       Code::kDeadline, "no complete head within 300 ms"},
      {"a body that takes too long",
       [](int fd, int) {
         ReadRequest(fd);
         SendBytes(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
         pollfd hang_up{fd, POLLIN, 0};
         const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
         while (poll(&hang_up, 1, 14) == 0) SendBytes(fd, chunk);
       },
       Code::kDeadline, "not done within 900 ms"},
      {"endless headers",
       [](int fd, int) {
         ReadRequest(fd);
         SendBytes(fd, "HTTP/1.1 200 OK\r\n");
         const std::string line = "X-Filler: " + std::string(8'000, 'x') + "\r\n";
         for (int i = 0; i < 100; ++i) SendBytes(fd, line);
         AwaitHangUp(fd);
       },
       Code::kInvalid, "headers are too large"},
      {"announced as huge",
       [](int fd, int) {
         AnswerOnce(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\nx");
         AwaitHangUp(fd);
       },
       Code::kInvalid, "larger than 90000 bytes"},
      {"huge without announcement",
       [](int fd, int) { AnswerOnce(fd, "HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x')); },
       Code::kInvalid, "larger than 90000 bytes"},
  };
  for (const Case& c : kCases) {
    LoopbackServer server(c.handler);
    const auto engine = NewEngine();
    HttpRequest request = Get(server);
    request.url = server.Url("/path?X-Amz-Signature=secret");
    request.deadlines = {1'000, 300, 300, 900};
    request.max_answer_bytes = 90'000;
    const auto answer = engine->Send(request);
    ASSERT_FALSE(answer) << c.name;
    EXPECT_EQ(answer.error().code, c.code) << c.name << ": " << answer.error().message;
    EXPECT_NE(answer.error().message.find(c.message), std::string::npos)
        << c.name << ": " << answer.error().message;
    EXPECT_NE(answer.error().message.find(server.Url("/path")), std::string::npos)
        << answer.error().message;
    EXPECT_EQ(answer.error().message.find("secret"), std::string::npos) << answer.error().message;
    EXPECT_EQ(server.connections(), 1) << c.name << ": one request is one attempt";
  }
}

TEST(HttpEngine, AStaleConnectionIsAnErrorAndNotASecondAttempt) {
  std::atomic<int> requests{0};
  // The connection is reset when its second request has come, without a byte of an answer.
  LoopbackServer server([&](int fd, int) {
    if (ReadRequest(fd).empty()) return;
    ++requests;
    SendBytes(fd, AnswerOf("first"));
    if (ReadRequest(fd).empty()) return;
    ++requests;
  });
  const auto engine = NewEngine();
  ASSERT_TRUE(engine->Send(Get(server)));
  const auto second = engine->Send(Get(server));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable) << second.error().message;
  EXPECT_EQ(requests, 2);
  const auto third = engine->Send(Get(server));
  EXPECT_TRUE(third) << third.error().message;
}

TEST(HttpEngine, TellsWhetherTheRequestMayHaveArrived) {
  LoopbackServer closed([](int, int) {});
  std::string url;
  {
    LoopbackServer gone([](int, int) {});
    url = gone.Url();
  }
  const auto engine = NewEngine();
  bool begun = false;
  HttpRequest request = Get(closed);
  request.on_begun = [&] { begun = true; };
  EXPECT_FALSE(engine->Send(request));
  EXPECT_TRUE(begun);
  begun = false;
  request.url = url;
  const auto refused = engine->Send(request);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable) << refused.error().message;
  EXPECT_FALSE(begun);
}

TEST(HttpEngine, TellsWhenTheBodyHasBeenTaken) {
  std::atomic<bool> sent{false};
  LoopbackServer server([&](int fd, int) {
    ReadRequest(fd);
    sent.wait(false);
    SendBytes(fd, AnswerOf("done"));
  });
  const auto engine = NewEngine();
  const std::string body(3 << 20, 'b');
  HttpRequest request = Get(server);
  request.method = "PUT";
  request.body = body;
  request.on_sent = [&] {
    sent = true;
    sent.notify_all();
  };
  std::vector<uint64_t> progress;
  request.on_progress = [&](uint64_t bytes) { progress.push_back(bytes); };
  const auto answer = engine->Send(request);
  EXPECT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(sent);
  ASSERT_FALSE(progress.empty());
  EXPECT_TRUE(std::is_sorted(progress.begin(), progress.end()));
  EXPECT_EQ(progress.back(), body.size());
  sent = true;
  sent.notify_all();
}

TEST(HttpEngine, AnUploadThatNobodyReadsStalls) {
  LoopbackServer server([](int fd, int) {
    pollfd hang_up{fd, POLLRDHUP, 0};
    poll(&hang_up, 1, 10'000);
  });
  const auto engine = NewEngine();
  const std::string body(64 << 20, 'b');
  HttpRequest request = Get(server);
  request.method = "PUT";
  request.body = body;
  request.deadlines = {1'000, 5'000, 300, 10'000};
  const auto answer = engine->Send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDeadline);
  EXPECT_NE(answer.error().message.find("stalled"), std::string::npos) << answer.error().message;
}

TEST(HttpEngine, AConnectionThatIsNotAcceptedTimesOut) {
  // A full backlog: the kernel drops what comes beyond.
  const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 0), 0);
  getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<Fd> fillers;
  for (int i = 0; i < 3; ++i) {
    fillers.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)connect(fillers.back().get(), reinterpret_cast<sockaddr*>(&address), size);
  }
  HttpRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  request.deadlines.connect_ms = 200;
  const auto answer = NewEngine()->Send(request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kDeadline);
  EXPECT_NE(answer.error().message.find("no connection within 200 ms"), std::string::npos)
      << answer.error().message;
}

TEST(HttpEngine, CancellationEndsARequestSoon) {
  LoopbackServer server([](int fd, int) { AwaitHangUp(fd); });
  const auto engine = NewEngine();
  std::atomic<bool> cancelled{false};
  std::atomic<int64_t> cancelled_ns{0};
  HttpRequest request = Get(server);
  request.on_begun = [&] {
    cancelled_ns = SystemClock().MonotonicNs();
    cancelled = true;
  };
  request.cancelled = [&] { return cancelled.load(); };
  const auto answer = engine->Send(request);
  const int64_t took_ms = (SystemClock().MonotonicNs() - cancelled_ns) / 1'000'000;
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kCancelled);
  EXPECT_LT(took_ms, 2'000);  // 50 in truth; the rest is for a busy machine
}

TEST(HttpEngine, RefusesWhatCurlWouldChange) {
  const auto engine = NewEngine();
  for (const char* url :
       {"", "127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///path",
        "http://user:secret@127.0.0.1/", "http://127.0.0.1/a b", "http://127.0.0.1/a#b",
        "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\xc3\xa9"}) {
    HttpRequest request;
    request.url = url;
    const auto answer = engine->Send(request);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(answer.error().code, Code::kInvalid) << url;
  }
  HttpRequest request;
  request.url = "http://127.0.0.1:1/";
  request.headers = {{"X", "a\r\nInjected: b"}};
  EXPECT_EQ(engine->Send(request).error().code, Code::kInvalid);
}

TEST(HttpEngine, NamesACaFileThatIsNotThere) {
  const auto engine = StartHttpEngine({.ca_file = "/nowhere/ca.pem"});
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, Code::kInvalid);
  EXPECT_NE(engine.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

}  // namespace
}  // namespace llama::aws
