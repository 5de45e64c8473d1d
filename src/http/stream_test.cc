#include "http/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "http/testing.h"

namespace llama::http {
namespace {

struct Pair {
  Fd raw;
  Stream stream;
};

Pair MakePair() {
  int fds[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  return {Fd(fds[0]), Stream(Fd(fds[1]), SystemClock())};
}

void SendRaw(const Fd& fd, std::string_view bytes) {
  ASSERT_EQ(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

// What an answer of these bytes, followed by the end of the stream, is read as.
Result<Message> ReadAnswer(std::string_view bytes, uint64_t max = 1000) {
  Pair pair = MakePair();
  SendRaw(pair.raw, bytes);
  pair.raw.Reset();
  return pair.stream.Read(Kind::kAnswer, max, Soon());
}

TEST(Http, ReadsBodiesHoweverTheyAreFramed) {
  struct Case {
    const char* bytes;
    const char* body;
  };
  const Case kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello"},
      {"HTTP/1.1 200 OK\r\ncontent-length:5 \r\n\r\nhello and more", "hello"},
      {"HTTP/1.1 200 OK\r\n\r\nto the end", "to the end"},
      {"HTTP/1.0 200 OK\n\nbare line feeds", "bare line feeds"},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", ""},
      {"HTTP/1.1 204 No Content\r\n\r\nnot a body", ""},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n"
       "0\r\nTrailer: x\r\n\r\n",
       "abc0123456789"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nz\r\n0\r\n"
       "\r\n",
       "z"},
  };
  for (const Case& c : kCases) {
    Result<Message> message = ReadAnswer(c.bytes);
    ASSERT_TRUE(message) << c.bytes << ": " << message.error().message;
    EXPECT_EQ(message->body, c.body) << c.bytes;
  }
}

TEST(Http, RefusesWhatIsNotHttpOrTooLarge) {
  const std::string kLong(70'000, 'x');
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string kCases[] = {
      "\r\n\r\n",
      "SSH-2.0-OpenSSH\r\n\r\n",
      "HTTP/2 200 OK\r\n\r\n",
      "HTTP/1.1 2x0 OK\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
      "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
      "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'),
      "HTTP/1.1 200 OK\r\nA: " + kLong,
      kLong,
      many + "\r\n",
      interim,
  };
  for (const std::string& bytes : kCases) {
    Result<Message> message = ReadAnswer(bytes);
    ASSERT_FALSE(message) << bytes.substr(0, 100);
    EXPECT_EQ(message.error().code, Code::kInvalid) << bytes.substr(0, 100);
  }
}

TEST(Http, TellsAnEndBetweenMessagesFromOneWithin) {
  EXPECT_EQ(ReadAnswer("").error().code, Code::kNotFound);
  const std::string whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (size_t size = 1; size < whole.size(); ++size) {
    Result<Message> message = ReadAnswer(whole.substr(0, size));
    ASSERT_FALSE(message) << size;
    EXPECT_EQ(message.error().code, Code::kUnavailable) << size;
  }
  EXPECT_TRUE(ReadAnswer(whole));
}

TEST(Http, ReadsMessagesThatCameAtOnceOneByOne) {
  Pair pair = MakePair();
  SendRaw(pair.raw,
          "GET /a HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 2\r\n\r\nhiGET /c "
          "HTTP/1.1\r\n\r\n");
  EXPECT_EQ(pair.stream.Read(Kind::kRequest, 10, Soon())->start[1], "/a");
  EXPECT_EQ(pair.stream.Read(Kind::kRequest, 10, Soon())->body, "hi");
  EXPECT_EQ(pair.stream.Read(Kind::kRequest, 10, Soon())->start[1], "/c");
}

TEST(Http, CarriesLargeBodiesBothWays) {
  Pair pair = MakePair();
  Stream other(std::move(pair.raw), SystemClock());
  std::string body(20 << 20, 'x');
  std::mt19937 random(1);
  for (size_t i = 0; i < body.size(); i += 100) body[i] = static_cast<char>(random());
  std::thread writer([&] { EXPECT_TRUE(other.Write("HTTP/1.1 200 OK\r\n", body, Soon())); });
  Result<Message> message = pair.stream.Read(Kind::kAnswer, body.size(), Soon());
  writer.join();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->body == body);
}

TEST(Http, EveryWaitEnds) {
  Pair pair = MakePair();
  EXPECT_EQ(pair.stream.Read(Kind::kAnswer, 10, Soon(20)).error().code, Code::kDeadline);
  SendRaw(pair.raw, "HTTP/1.1 200 OK\r\nContent-Le");
  EXPECT_EQ(pair.stream.Read(Kind::kAnswer, 10, Soon(20)).error().code, Code::kDeadline);

  Wait cancelled;
  cancelled.cancelled = [] { return true; };
  cancelled.poll_ms = 1;
  EXPECT_EQ(pair.stream.Read(Kind::kAnswer, 10, cancelled).error().code, Code::kCancelled);

  int fds[2];
  ASSERT_EQ(pipe(fds), 0);
  const Fd read_end(fds[0]);
  const Fd write_end(fds[1]);
  ASSERT_EQ(write(write_end.get(), "x", 1), 1);
  Wait stopped;
  stopped.stop_fd = read_end.get();
  EXPECT_EQ(pair.stream.Read(Kind::kAnswer, 10, stopped).error().code, Code::kCancelled);
  // Nobody reads: a write ends as well.
  EXPECT_EQ(
      pair.stream.Write("HTTP/1.1 200 OK\r\n", std::string(10 << 20, 'x'), Soon(20)).error().code,
      Code::kDeadline);
}

TEST(Http, IsPolledLessOftenAsItLasts) {
  Pair pair = MakePair();
  int polls = 0;
  Wait wait = Soon(100);
  wait.poll_ms = 1;
  wait.max_poll_ms = 40;
  wait.cancelled = [&] { return ++polls > 1000; };
  EXPECT_EQ(pair.stream.Read(Kind::kAnswer, 10, wait).error().code, Code::kDeadline);
  EXPECT_LT(polls, 20);
}

TEST(Http, SeesAHangUp) {
  Pair pair = MakePair();
  EXPECT_FALSE(pair.stream.HungUp());
  SendRaw(pair.raw, "unread");
  EXPECT_FALSE(pair.stream.HungUp());
  pair.raw.Reset();
  EXPECT_TRUE(pair.stream.HungUp());
  EXPECT_EQ(pair.stream.Write("HTTP/1.1 200 OK\r\n", "", Soon()).error().code, Code::kUnavailable);
}

TEST(Http, SurvivesRandomBytes) {
  std::mt19937 random(3);
  const std::string_view kParts[] = {
      "HTTP/1.1", " ", "200", "\r\n", "\n", ":", "Content-Length", "Transfer-Encoding: chunked",
      "5",        "-", "fff", "\0",   "x"};
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = round % 2 == 0 ? "HTTP/1.1 200 OK\r\n" : "";
    for (int i = 0; i < 12; ++i) bytes += kParts[random() % std::size(kParts)];
    Result<Message> message = ReadAnswer(bytes);
    EXPECT_TRUE(!message || message->body.size() <= 1000u);
  }
}

}  // namespace
}  // namespace llama::http
