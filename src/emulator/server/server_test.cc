#include "emulator/server/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include "base/file.h"
#include "emulator/server/certificate.h"
#include "http/stream.h"
#include "http/tls.h"

namespace llama::emulator {
namespace {

constexpr int64_t kPatienceNs = 20'000'000'000;

// Answers with what was asked, and does what the path says.
class Echo final : public Handler {
 public:
  Response Handle(const Request& request, const Exchange& exchange) override {
    Response response;
    response.service = "echo";
    response.operation = "Echo";
    {
      const MutexLock lock(mutex);
      response.plan = plan;
    }
    if (request.body_too_large) {
      response.status = 400;
      response.body = "too large";
    } else if (request.path == "/file") {
      response.file = file;
      response.file_offset = 2;
      response.file_bytes = 5;
    } else if (request.path == "/wait") {
      exchange.SleepUntil(SystemClock().MonotonicNs() + kPatienceNs);
      response.body = exchange.Abandoned() ? "abandoned" : "waited";
      abandoned = exchange.Abandoned();
    } else {
      response.body = request.method + " " + request.target + " " + request.body;
    }
    return response;
  }
  void SetPlan(const Plan& next) {
    const MutexLock lock(mutex);
    plan = next;
  }
  Mutex mutex;
  Plan plan GUARDED_BY(mutex);
  std::shared_ptr<const Fd> file;
  std::atomic<bool> abandoned = false;
};

class ServerTest : public testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    auto server = Server::Listen(options, echo_, &model_, &log_, SystemClock());
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { server_->Run(); });
  }
  void TearDown() override {
    if (server_) server_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  Fd Dial() {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static http::Wait Patience() {
    http::Wait wait;
    wait.deadline_ns = SystemClock().MonotonicNs() + kPatienceNs;
    return wait;
  }
  // Sends bytes as they are on a connection of their own, and reads one answer.
  Result<http::Message> Ask(std::string_view bytes, http::Kind kind = http::Kind::kAnswer) {
    http::Stream stream(Dial(), SystemClock());
    EXPECT_TRUE(stream.WriteRaw(bytes, Patience()));
    return stream.Read(kind, 1 << 20, Patience());
  }

  Echo echo_;
  Model model_;
  RequestLog log_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, AnswersManyRequestsOfOneConnection) {
  Start();
  http::Stream stream(Dial(), SystemClock());
  for (const std::string body : {"", "x", "yz"}) {
    ASSERT_TRUE(stream.Write("POST /p?q=1 HTTP/1.1\r\nHost: h\r\n", body, Patience()));
    const auto answer = stream.Read(http::Kind::kAnswer, 1000, Patience());
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "POST /p?q=1 " + body);
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  http::Stream stream(Dial(), SystemClock());
  ASSERT_TRUE(stream.WriteRaw("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n", Patience()));
  EXPECT_EQ(stream.Read(http::Kind::kAnswer, 1000, Patience())->body, "GET /1 ");
  EXPECT_EQ(stream.Read(http::Kind::kAnswer, 1000, Patience())->body, "GET /2 ");
}

TEST_F(ServerTest, SaysContinueBeforeTheBody) {
  Start();
  http::Stream stream(Dial(), SystemClock());
  ASSERT_TRUE(stream.WriteRaw("PUT / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
                              Patience()));
  EXPECT_EQ(stream.ReadHead(http::Kind::kAnswer, Patience())->status(), 100);
  ASSERT_TRUE(stream.WriteRaw("ab", Patience()));
  EXPECT_EQ(stream.Read(http::Kind::kAnswer, 1000, Patience())->body, "PUT / ab");
}

TEST_F(ServerTest, RefusesATooLargeBodyWithoutReadingIt) {
  ServerOptions options;
  options.max_body_bytes = 10;
  Start(options);
  const auto answer = Ask("PUT / HTTP/1.1\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status(), 400);
  EXPECT_EQ(answer->body, "too large");
  EXPECT_EQ(*answer->Find("Connection"), "close");
}

TEST_F(ServerTest, RefusesWhatIsNoHttp) {
  Start();
  const std::string many_headers = [] {
    std::string text = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 500; ++i) text += "a: b\r\n";
    return text;
  }();
  const std::string cases[] = {"rubbish\r\n\r\n",
                               "GET / HTTP/9.9\r\n\r\n",
                               "GET nowhere HTTP/1.1\r\n\r\n",
                               "GET /?%zz HTTP/1.1\r\n\r\n",
                               "GET / HTTP/1.1\r\n: x\r\n\r\n",
                               "PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                               "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                               many_headers,
                               "GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n"};
  for (const std::string& text : cases) {
    const auto answer = Ask(text);
    ASSERT_TRUE(answer) << text.substr(0, 60) << answer.error().message;
    EXPECT_EQ(answer->status(), 400) << text.substr(0, 60);
  }
}

TEST_F(ServerTest, SendsPartsOfFilesAndNoBodyForHead) {
  TempDir dir = *TempDir::Create("server");
  ASSERT_TRUE(WriteFileAtomic(dir.path() + "/f", "0123456789", 0600));
  echo_.file = std::make_shared<const Fd>(*OpenFile(dir.path() + "/f", O_RDONLY));
  Start();
  EXPECT_EQ(Ask("GET /file HTTP/1.1\r\n\r\n")->body, "23456");
  const auto head =
      Ask("HEAD /file HTTP/1.1\r\nConnection: close\r\n\r\n", http::Kind::kAnswerToHead);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head->Find("Content-Length"), "5");
  EXPECT_EQ(head->body, "");
}

TEST_F(ServerTest, BreaksAnswersAsTheModelWants) {
  Start();
  const struct {
    Fault fault;
    Code code;
  } cases[] = {
      {Fault::kResetAfter, Code::kNotFound},
      {Fault::kResetBefore, Code::kNotFound},
      {Fault::kTruncate, Code::kUnavailable},
      {Fault::kStall, Code::kUnavailable},
  };
  for (const auto& c : cases) {
    echo_.SetPlan({0, c.fault, 1'000'000});
    const auto answer = Ask("GET / HTTP/1.1\r\n\r\n");
    ASSERT_FALSE(answer) << FaultName(c.fault);
    EXPECT_EQ(answer.error().code, c.code) << FaultName(c.fault) << answer.error().message;
  }
}

TEST_F(ServerTest, WaitsOutTheLatency) {
  Start();
  echo_.SetPlan({30'000'000, Fault::kNone, 0});
  const int64_t begin_ns = SystemClock().MonotonicNs();
  ASSERT_TRUE(Ask("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_GE(SystemClock().MonotonicNs() - begin_ns, 30'000'000);
}

TEST_F(ServerTest, HoldsUploadsAndAnswersToTheBandwidth) {
  model_.Replace(
      *ModelSettings::Parse("bandwidth.connection.up = 2MB/s\n"
                            "bandwidth.connection.down = 2MB/s"));
  Start();
  const int64_t begin_ns = SystemClock().MonotonicNs();
  http::Stream stream(Dial(), SystemClock());
  const std::string body(200'000, 'b');
  ASSERT_TRUE(stream.Write("PUT / HTTP/1.1\r\n", body, Patience()));
  const auto answer = stream.Read(http::Kind::kAnswer, 1 << 20, Patience());
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "PUT / " + body);
  // 100 ms up, 100 ms down, less what is too short to sleep for.
  // 100 ms each way, but for the last piece of each, which nobody has to wait behind.
  EXPECT_GE(SystemClock().MonotonicNs() - begin_ns, 150'000'000);
}

TEST_F(ServerTest, TellsAHandlerThatItsClientHungUp) {
  Start();
  {
    http::Stream stream(Dial(), SystemClock());
    ASSERT_TRUE(stream.Write("GET /wait HTTP/1.1\r\n", "", Patience()));
  }
  const int64_t end_ns = SystemClock().MonotonicNs() + kPatienceNs / 2;
  while (!echo_.abandoned && SystemClock().MonotonicNs() < end_ns) std::this_thread::yield();
  EXPECT_TRUE(echo_.abandoned);
}

TEST_F(ServerTest, StopEndsIdleConnectionsAndRun) {
  Start();
  http::Stream idle(Dial(), SystemClock());
  ASSERT_TRUE(idle.Write("GET / HTTP/1.1\r\n", "", Patience()));
  ASSERT_TRUE(idle.Read(http::Kind::kAnswer, 1000, Patience()));
  server_->Stop();
  thread_.join();
  EXPECT_EQ(idle.Read(http::Kind::kAnswer, 1000, Patience()).error().code, Code::kNotFound);
}

TEST_F(ServerTest, ServesNoMoreAtOnceThanItMay) {
  ServerOptions options;
  options.max_connections = 1;
  Start(options);
  auto first = std::make_unique<http::Stream>(Dial(), SystemClock());
  ASSERT_TRUE(first->Write("GET /1 HTTP/1.1\r\n", "", Patience()));
  ASSERT_TRUE(first->Read(http::Kind::kAnswer, 1000, Patience()));
  http::Stream second(Dial(), SystemClock());
  ASSERT_TRUE(second.Write("GET /2 HTTP/1.1\r\n", "", Patience()));
  http::Wait shortly;
  shortly.deadline_ns = SystemClock().MonotonicNs() + 50'000'000;
  EXPECT_EQ(second.Read(http::Kind::kAnswer, 1000, shortly).error().code, Code::kDeadline);
  first.reset();
  EXPECT_EQ(second.Read(http::Kind::kAnswer, 1000, Patience())->body, "GET /2 ");
}

TEST_F(ServerTest, SpeaksTlsWithACertificateOfItsOwn) {
  TempDir dir = *TempDir::Create("tls");
  ServerOptions options;
  options.certificate_file = dir.path() + "/c.pem";
  options.key_file = dir.path() + "/k.pem";
  ASSERT_TRUE(MakeCertificate(options.certificate_file, options.key_file, "127.0.0.1"));
  struct stat st {};
  ASSERT_EQ(stat(options.key_file.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777, 0600u);
  const std::string made = *ReadFile(options.certificate_file);
  ASSERT_TRUE(MakeCertificate(options.certificate_file, options.key_file, "127.0.0.1"));
  EXPECT_EQ(*ReadFile(options.certificate_file), made) << "made again";
  Start(options);
  const auto context = http::TlsContext::ForClients(options.certificate_file);
  ASSERT_TRUE(context);
  for (const char* host : {"127.0.0.1", "localhost", "bucket.s3.localhost"}) {
    auto stream = (*context)->Connect(Dial(), host, SystemClock(), Patience());
    ASSERT_TRUE(stream) << host << stream.error().message;
    ASSERT_TRUE(stream->Write("GET /tls HTTP/1.1\r\n", "", Patience()));
    EXPECT_EQ(stream->Read(http::Kind::kAnswer, 1000, Patience())->body, "GET /tls ");
  }
  EXPECT_FALSE((*context)->Connect(Dial(), "example.com", SystemClock(), Patience()));
}

TEST_F(ServerTest, CountsWhatWasAsked) {
  Start();
  ASSERT_TRUE(Ask("PUT / HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"));
  server_->Stop();
  thread_.join();
  const std::string metrics = log_.MetricsJson();
  EXPECT_NE(metrics.find("\"echo.Echo\":1"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("\"bytes_in\":3"), std::string::npos) << metrics;
  EXPECT_NE(metrics.find("\"bytes_out\":9"), std::string::npos) << metrics;
}

}  // namespace
}  // namespace llama::emulator
