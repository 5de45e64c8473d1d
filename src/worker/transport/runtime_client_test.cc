#include "worker/transport/runtime_client.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "http/dial.h"
#include "http/testing.h"

namespace llama::worker {
namespace {

// A Runtime API over TCP whose every connection is served by `serve`, one after the other.
class FakeRuntimeApi {
 public:
  explicit FakeRuntimeApi(int connections, std::function<void(http::Stream&, int)> serve)
      : thread_([this, connections, serve = std::move(serve)] {
          for (int i = 0; i < connections; ++i) {
            Result<Fd> fd = http::AcceptNext(listener_, SystemClock(), http::Soon(20'000));
            ASSERT_TRUE(fd) << fd.error().message;
            http::Stream stream(*std::move(fd), SystemClock());
            serve(stream, i);
          }
        }) {}
  ~FakeRuntimeApi() { thread_.join(); }

  std::unique_ptr<RuntimeClient> Connect() const {
    auto client =
        RuntimeClient::Connect("localhost:" + std::to_string(listener_.port), SystemClock());
    EXPECT_TRUE(client) << client.error().message;
    return *std::move(client);
  }

 private:
  const http::Listener listener_ = *http::Listen("127.0.0.1", 0);
  std::thread thread_;
};

std::string RequestLine(http::Stream& stream) {
  const Result<http::Message> request =
      stream.Read(http::Kind::kRequest, 1 << 20, http::Soon(20'000));
  return request ? request->start[0] + " " + request->start[1] + " " + request->body
                 : request.error().message;
}

void Answer(http::Stream& stream, const std::string& head, const std::string& body) {
  ASSERT_TRUE(stream.Write("HTTP/1.1 " + head + "\r\n", body, http::Soon(20'000)));
}

TEST(RuntimeClient, TakesWhateverHeadersThereAre) {
  const int64_t soon_ms = SystemClock().NowNs() / 1'000'000 + 60'000;
  struct Case {
    std::string headers;
    std::string id;
    int64_t deadline_ms;
    std::string xray;
  };
  const std::string id = "Lambda-Runtime-Aws-Request-Id: r1\r\n";
  const Case cases[] = {
      {"", "", 0, ""},
      {id + "Lambda-Runtime-Deadline-Ms: " + std::to_string(soon_ms) +
           "\r\nLambda-Runtime-Trace-Id: Root=1-5759e988;Sampled=1\r\n",
       "r1", soon_ms, "Root=1-5759e988;Sampled=1"},
      // A deadline that is no time of day, or no number.
      {id + "Lambda-Runtime-Deadline-Ms: 10000\r\n", "r1", 0, ""},
      {id + "Lambda-Runtime-Deadline-Ms: 9223372036854775807\r\n", "r1", 0, ""},
      {id + "Lambda-Runtime-Deadline-Ms: -9223372036854775807\r\n", "r1", 0, ""},
      {id + "Lambda-Runtime-Deadline-Ms: soon\r\n", "r1", 0, ""},
      {id + "Lambda-Runtime-Trace-Id: " + std::string(5000, 'x') + "\r\n", "r1", 0,
       std::string(256, 'x')},
  };
  const FakeRuntimeApi api(1, [&](http::Stream& stream, int) {
    for (const Case& c : cases) {
      EXPECT_EQ(RequestLine(stream), "GET /2018-06-01/runtime/invocation/next ");
      std::string headers = c.headers;
      if (headers.ends_with("\r\n")) headers.resize(headers.size() - 2);
      Answer(stream, headers.empty() ? "200 OK" : "200 OK\r\n" + headers, "payload");
    }
  });
  const auto client = api.Connect();
  for (const Case& c : cases) {
    const Result<RuntimeJob> job = client->Next();
    ASSERT_TRUE(job) << job.error().message;
    EXPECT_EQ(job->id, c.id);
    EXPECT_EQ(job->deadline_ms, c.deadline_ms) << c.headers;
    EXPECT_EQ(job->xray, c.xray);
    EXPECT_EQ(job->payload, "payload");
  }
}

TEST(RuntimeClient, RefusesIdsThatAreMoreThanThat) {
  for (const char* bad : {"a/b", "a b", "a?b", "a#b"}) {
    const FakeRuntimeApi api(1, [&](http::Stream& stream, int) {
      RequestLine(stream);
      Answer(stream, std::string("200 OK\r\nLambda-Runtime-Aws-Request-Id: ") + bad, "");
    });
    EXPECT_EQ(api.Connect()->Next().error().code, Code::kInvalid) << bad;
  }
}

// As when the process was frozen while the other side let go.
TEST(RuntimeClient, RedialsAConnectionThatDiedOnce) {
  const FakeRuntimeApi api(3, [](http::Stream& stream, int i) {
    if (i == 0) {
      RequestLine(stream);
      Answer(stream, "200 OK\r\nLambda-Runtime-Aws-Request-Id: r1", "job");
    } else if (i == 1) {
      EXPECT_EQ(RequestLine(stream), "POST /2018-06-01/runtime/invocation/r1/response answer");
      Answer(stream, "202 Accepted", "");
    }
  });
  const auto client = api.Connect();
  const Result<RuntimeJob> job = client->Next();
  ASSERT_TRUE(job) << job.error().message;
  const Result<void> responded = client->Respond(job->id, "answer");
  EXPECT_TRUE(responded) << responded.error().message;
  // Connected anew, and closed again: that is the end.
  EXPECT_EQ(client->Next().error().code, Code::kNotFound);
}

TEST(RuntimeClient, ReportsFailuresAsLambdaWantsThem) {
  const FakeRuntimeApi api(1, [](http::Stream& stream, int) {
    for (const char* target : {"invocation/r1/error", "init/error"}) {
      const Result<http::Message> request =
          stream.Read(http::Kind::kRequest, 1 << 20, http::Soon(20'000));
      ASSERT_TRUE(request);
      EXPECT_EQ(request->start[1], std::string("/2018-06-01/runtime/") + target);
      EXPECT_EQ(*request->Find("Lambda-Runtime-Function-Error-Type"), "invalid");
      EXPECT_EQ(request->body,
                R"({"errorMessage":"a \"job\"","errorType":"invalid","stackTrace":[]})");
      Answer(stream, "202 Accepted", "");
    }
  });
  const auto client = api.Connect();
  EXPECT_TRUE(client->Fail("r1", Error{Code::kInvalid, "a \"job\""}));
  EXPECT_TRUE(client->FailInit(Error{Code::kInvalid, "a \"job\""}));
}

TEST(RuntimeClient, NeedsAnAddress) {
  for (const char* api : {"", "localhost", "localhost:", "localhost:x", "localhost:99999",
                          "fd:", "fd:x", "fd:-1", "127.0.0.1:9001/path"}) {
    const auto client = RuntimeClient::Connect(api, SystemClock());
    ASSERT_FALSE(client) << api;
    EXPECT_EQ(client.error().code == Code::kNotFound, false) << api;
  }
}

}  // namespace
}  // namespace llama::worker
