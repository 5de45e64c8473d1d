#include "http/tls.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "base/file.h"
#include "http/testing.h"
#include "http/tls_testing.h"

namespace llama::http {
namespace {

std::pair<Fd, Fd> SocketPair() {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Fd(fds[1])};
}

class TlsTest : public testing::Test {
 protected:
  // A client and a server with that certificate, connected; `serve` runs on a thread of its own.
  Result<Stream> Connect(
      const TestAuthority::Files& files, const std::string& host,
      std::function<void(Stream)> serve = [](Stream) {}, std::string ca_file = "") {
    auto server = TlsContext::ForServers(files.certificate, files.key);
    auto client = TlsContext::ForClients(ca_file.empty() ? authority_.ca_file() : ca_file);
    EXPECT_TRUE(server) << server.error().message;
    EXPECT_TRUE(client) << client.error().message;
    auto [near, far] = SocketPair();
    thread_ = std::thread([server = *server, peer = std::move(far), serve]() mutable {
      Result<Stream> stream = server->Accept(std::move(peer), SystemClock(), Soon());
      if (stream) serve(*std::move(stream));
    });
    return (*client)->Connect(std::move(near), host, SystemClock(), Soon());
  }
  void TearDown() override {
    if (thread_.joinable()) thread_.join();
  }

  const TempDir dir_ = *TempDir::Create();
  TestAuthority authority_{dir_.path()};
  std::thread thread_;
};

TEST_F(TlsTest, CarriesMessagesBothWays) {
  const auto echo = [](Stream stream) {
    for (int i = 0; i < 3; ++i) {
      Result<Message> request = stream.Read(Kind::kRequest, 1 << 30, Soon());
      ASSERT_TRUE(request) << request.error().message;
      ASSERT_TRUE(stream.Write("HTTP/1.1 200 OK\r\n", request->body, Soon()));
    }
  };
  Result<Stream> client = Connect(authority_.Issue("DNS:store.test"), "store.test", echo);
  ASSERT_TRUE(client) << client.error().message;
  for (const size_t size : {size_t{0}, size_t{100}, size_t{5'000'000}}) {
    const std::string body(size, 'x');
    ASSERT_TRUE(client->Write("PUT / HTTP/1.1\r\n", body, Soon()));
    const Result<Message> answer = client->Read(Kind::kAnswer, 1 << 30, Soon());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, body);
  }
  thread_.join();
  const Result<Message> end = client->Read(Kind::kAnswer, 1, Soon());
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::kNotFound) << end.error().message;
}

TEST_F(TlsTest, TrustsOnlyTheRightCertificates) {
  TempDir elsewhere = *TempDir::Create();
  const TestAuthority stranger(elsewhere.path());
  struct Case {
    const char* names;
    const char* host;
    long valid_s;
    bool is_strange;
    bool ok;
  };
  const Case cases[] = {
      {"DNS:store.test", "store.test", 60, false, true},
      {"DNS:*.s3.test", "bucket.s3.test", 60, false, true},
      {"IP:127.0.0.1", "127.0.0.1", 60, false, true},
      {"IP:::1", "::1", 60, false, true},
      {"DNS:store.test", "other.test", 60, false, false},
      {"DNS:*.s3.test", "a.b.s3.test", 60, false, false},
      {"DNS:127.0.0.1", "127.0.0.1", 60, false, false},
      {"IP:127.0.0.1", "127.0.0.2", 60, false, false},
      {"DNS:store.test", "store.test", -60, false, false},
      {"DNS:store.test", "store.test", 60, true, false},
  };
  for (const Case& c : cases) {
    const Result<Stream> stream = Connect(
        authority_.Issue(c.names, c.valid_s), c.host, [](Stream) {},
        c.is_strange ? stranger.ca_file() : "");
    EXPECT_EQ(stream.has_value(), c.ok) << c.names << " " << c.host;
    if (!stream) {
      EXPECT_EQ(stream.error().code, Code::kInvalid) << stream.error().message;
      EXPECT_NE(stream.error().message.find("certificate"), std::string::npos)
          << stream.error().message;
      EXPECT_NE(stream.error().message.find(c.host), std::string::npos) << stream.error().message;
    }
    thread_.join();
  }
}

TEST_F(TlsTest, TrustsACertificateThatTheFileItselfHolds) {
  const auto files = authority_.SelfSigned("DNS:localhost");
  EXPECT_TRUE(Connect(
      files, "localhost", [](Stream) {}, files.certificate));
  thread_.join();
  EXPECT_FALSE(Connect(files, "localhost"));
}

// Certificates are read when they are first needed, which may be by all threads at once.
TEST_F(TlsTest, ServesManyThreadsAtOnce) {
  const auto files = authority_.Issue("DNS:h");
  const auto server = *TlsContext::ForServers(files.certificate, files.key);
  for (int round = 0; round < 5; ++round) {
    const auto client = *TlsContext::ForClients(authority_.ca_file());
    std::atomic<int> connected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      auto [near, far] = SocketPair();
      threads.emplace_back([&, fd = std::move(far)]() mutable {
        (void)server->Accept(std::move(fd), SystemClock(), Soon()).has_value();
      });
      threads.emplace_back([&, fd = std::move(near)]() mutable {
        if (client->Connect(std::move(fd), "h", SystemClock(), Soon())) ++connected;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(connected, 8);
  }
}

// Of a body without a length, only an end that the other side has signed is the end.
TEST_F(TlsTest, TellsAnEndFromATruncation) {
  const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
  for (const bool is_orderly : {true, false}) {
    const auto serve = [&](Stream stream) {
      ASSERT_TRUE(stream.WriteRaw(head + "all that", Soon()));
      if (!is_orderly) shutdown(stream.fd(), SHUT_RDWR);
    };
    Result<Stream> client = Connect(authority_.Issue("DNS:h"), "h", serve);
    ASSERT_TRUE(client) << client.error().message;
    const Result<Message> answer = client->Read(Kind::kAnswer, 1000, Soon());
    EXPECT_EQ(answer.has_value(), is_orderly);
    if (answer) {
      EXPECT_EQ(answer->body, "all that");
    } else {
      EXPECT_EQ(answer.error().code, Code::kUnavailable) << answer.error().message;
    }
    thread_.join();
  }
}

TEST_F(TlsTest, WritesToNobodyWithoutASignal) {
  Result<Stream> client = Connect(authority_.Issue("DNS:h"), "h");
  ASSERT_TRUE(client) << client.error().message;
  thread_.join();
  Result<void> written;
  for (int i = 0; i < 10 && written; ++i) {
    written = client->Write("PUT / HTTP/1.1\r\n", std::string(1 << 20, 'x'), Soon());
  }
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::kUnavailable);
}

TEST_F(TlsTest, WaitsForAHandshakeNoLongerThanItIsTold) {
  const auto client = *TlsContext::ForClients(authority_.ca_file());
  const auto files = authority_.Issue("DNS:h");
  const auto server = *TlsContext::ForServers(files.certificate, files.key);
  auto [a, silent_server] = SocketPair();
  EXPECT_EQ(client->Connect(std::move(a), "h", SystemClock(), Soon(20)).error().code,
            Code::kDeadline);
  auto [b, silent_client] = SocketPair();
  EXPECT_EQ(server->Accept(std::move(b), SystemClock(), Soon(20)).error().code, Code::kDeadline);
  int stop[2];
  ASSERT_EQ(pipe(stop), 0);
  const Fd stop_read(stop[0]);
  Fd(stop[1]).Reset();
  Wait stopped = Soon();
  stopped.stop_fd = stop_read.get();
  auto [c, other] = SocketPair();
  EXPECT_EQ(client->Connect(std::move(c), "h", SystemClock(), stopped).error().code,
            Code::kCancelled);
}

TEST_F(TlsTest, SurvivesWhatIsNoHandshake) {
  const auto client = *TlsContext::ForClients(authority_.ca_file());
  const auto files = authority_.Issue("DNS:h");
  const auto server = *TlsContext::ForServers(files.certificate, files.key);
  const std::string junk[] = {
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
      std::string("\x16\x03\x01\xff\xff\x01", 6) + std::string(70'000, '\xff'), ""};
  for (const std::string& bytes : junk) {
    for (const bool is_client : {true, false}) {
      auto [near, far] = SocketPair();
      std::thread writer([&bytes, fd = std::move(far)]() mutable {
        (void)send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      });
      const Result<Stream> stream =
          is_client ? client->Connect(std::move(near), "h", SystemClock(), Soon())
                    : server->Accept(std::move(near), SystemClock(), Soon());
      ASSERT_FALSE(stream);
      EXPECT_EQ(stream.error().code, Code::kUnavailable) << stream.error().message;
      writer.join();
    }
  }
}

TEST_F(TlsTest, NamesTheFileThatIsWrong) {
  const auto files = authority_.Issue("DNS:h");
  const auto other = authority_.Issue("DNS:h");
  EXPECT_NE(TlsContext::ForClients(dir_.path() + "/none").error().message.find("/none"),
            std::string::npos);
  EXPECT_EQ(TlsContext::ForClients(files.key).error().code, Code::kInvalid);
  EXPECT_EQ(TlsContext::ForServers(files.key, files.key).error().code, Code::kInvalid);
  const auto mixed = TlsContext::ForServers(files.certificate, other.key);
  ASSERT_FALSE(mixed);
  EXPECT_NE(mixed.error().message.find(other.key), std::string::npos) << mixed.error().message;
}

}  // namespace
}  // namespace llama::http
