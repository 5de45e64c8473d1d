#include "http/dial.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "http/testing.h"
#include "http/url.h"

namespace llama::http {
namespace {

std::string Text(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.family() == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address.get())->sin_addr, text,
              sizeof text);
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address.get())->sin6_addr, text,
              sizeof text);
  }
  return text;
}

std::vector<std::string> Texts(const Result<std::vector<Address>>& addresses) {
  std::vector<std::string> texts;
  if (!addresses) return {addresses.error().message};
  for (const Address& address : *addresses) texts.push_back(Text(address));
  return texts;
}

// A name server on loopback with an answer to every question: the question itself and `records`,
// each of them behind the name.
class FakeNameServer {
 public:
  // `answer` makes the records of a type (1: A, 28: AAAA) and sets the response code.
  using Answer = std::function<std::vector<std::string>(int type, int& code)>;

  explicit FakeNameServer(Answer answer) : answer_(std::move(answer)) {
    fd_ = Fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    socklen_t size = sizeof address_;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address_), &size);
    thread_ = std::thread([this] { Serve(); });
  }
  ~FakeNameServer() {
    stop_ = true;
    sendto(fd_.get(), "", 0, 0, reinterpret_cast<sockaddr*>(&address_), sizeof address_);
    thread_.join();
  }
  sockaddr_in address() const { return address_; }

 private:
  void Serve() {
    while (true) {
      char packet[1024];
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t n =
          recvfrom(fd_.get(), packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (stop_) return;
      if (n < 17) continue;
      std::string question(packet, static_cast<size_t>(n));
      const size_t name_end = question.find('\0', 12);
      const int type = static_cast<unsigned char>(question[name_end + 2]);
      int code = 0;
      const std::vector<std::string> records = answer_(type, code);
      std::string answer = question.substr(0, name_end + 5);
      answer[2] = '\x81';
      answer[3] = static_cast<char>(0x80 | code);
      answer[7] = static_cast<char>(records.size());
      answer[11] = '\0';  // no additional records (EDNS) in the answer
      for (const std::string& record : records) answer += std::string("\xc0\x0c", 2) + record;
      sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
    }
  }

  const Answer answer_;
  Fd fd_;
  sockaddr_in address_{};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

std::string Record(char type, const std::string& data) {
  return std::string("\0", 1) + type + std::string("\0\1\0\0\0\x3c\0", 7) +
         static_cast<char>(data.size()) + data;
}

class ResolveTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.hosts_file = dir_.path() + "/hosts";
    ASSERT_TRUE(WriteFileAtomic(options_.hosts_file,
                                "# comment\n\n127.0.0.9\tplain.test  Alias.Test # not.this\n"
                                "::9 plain.test\nnonsense plain.test\n127.0.0.8 other.test",
                                0644));
  }
  const TempDir dir_ = *TempDir::Create();
  ResolverOptions options_;
};

TEST_F(ResolveTest, TakesLiteralsAndLocalhostAsTheyAre) {
  EXPECT_EQ(Texts(Resolve("192.0.2.1", 80, options_)), std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(Texts(Resolve("2001:db8::1", 80, options_)), std::vector<std::string>{"2001:db8::1"});
  const std::vector<std::string> loopback = {"127.0.0.1", "::1"};
  EXPECT_EQ(Texts(Resolve("localhost", 80, options_)), loopback);
  EXPECT_EQ(Texts(Resolve("bucket.localhost", 80, options_)), loopback);
}

TEST_F(ResolveTest, ReadsTheHostsFile) {
  EXPECT_EQ(Texts(Resolve("plain.test", 80, options_)),
            (std::vector<std::string>{"127.0.0.9", "::9"}));
  EXPECT_EQ(Texts(Resolve("ALIAS.test", 80, options_)), std::vector<std::string>{"127.0.0.9"});
  EXPECT_EQ(Texts(Resolve("other.test", 80, options_)), std::vector<std::string>{"127.0.0.8"});
}

TEST_F(ResolveTest, AsksTheNameServer) {
  const FakeNameServer server([](int type, int&) -> std::vector<std::string> {
    // A CNAME (5) before the addresses, one of which is too short.
    if (type == 1) {
      return {Record(5, std::string("\3www\xc0\x0c", 6)), Record(1, "\x7f\1\1\1"),
              Record(1, "\x7f\1"), Record(1, "\x7f\1\1\2")};
    }
    return {Record(28, std::string(15, '\0') + "\7")};
  });
  options_.name_server = server.address();
  EXPECT_EQ(Texts(Resolve("bucket.s3.test", 443, options_)),
            (std::vector<std::string>{"127.1.1.1", "127.1.1.2", "::7"}));
}

TEST_F(ResolveTest, KnowsThatThereIsNoSuchName) {
  const FakeNameServer server([](int, int& code) {
    code = 3;
    return std::vector<std::string>();
  });
  options_.name_server = server.address();
  const auto none = Resolve("nowhere.test", 443, options_);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kNotFound);
  EXPECT_NE(none.error().message.find("nowhere.test"), std::string::npos);
}

TEST_F(ResolveTest, DoesNotTakeAFailingServersWordForIt) {
  const FakeNameServer server([](int, int& code) {
    code = 2;
    return std::vector<std::string>();
  });
  options_.name_server = server.address();
  EXPECT_EQ(Resolve("some.test", 443, options_).error().code, Code::kUnavailable);
}

TEST_F(ResolveTest, TriesOneAddressAfterTheOther) {
  const Listener listener = *Listen("127.0.0.1", 0);
  // Nobody listens at that port of the first address.
  const FakeNameServer server([](int type, int&) -> std::vector<std::string> {
    if (type != 1) return {};
    return {Record(1, "\x7f\1\1\1"), Record(1, std::string("\x7f\0\0\1", 4))};
  });
  options_.name_server = server.address();
  const Result<Fd> fd = Dial("two.test", listener.port, SystemClock(), Soon(), options_);
  ASSERT_TRUE(fd) << fd.error().message;
  EXPECT_TRUE(AcceptNext(listener, SystemClock(), Soon()));
}

TEST(Dial, SaysWhyNobodyIsThere) {
  uint16_t port = 0;
  {
    const Listener gone = *Listen("127.0.0.1", 0);
    port = gone.port;
  }
  const Result<Fd> fd = Dial("127.0.0.1", port, SystemClock(), Soon());
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kUnavailable);
  EXPECT_NE(fd.error().message.find("127.0.0.1:" + std::to_string(port)), std::string::npos);
}

TEST(Listen, TakesOnlyAddressesThatAreFree) {
  const Listener first = *Listen("localhost", 0);
  EXPECT_NE(first.port, 0);
  EXPECT_EQ(Listen("127.0.0.1", first.port).error().code, Code::kUnavailable);
  EXPECT_EQ(Listen("example.com", 0).error().code, Code::kInvalid);
  EXPECT_EQ(AcceptNext(first, SystemClock(), Soon(10)).error().code, Code::kDeadline);
}

TEST(Url, IsReadStrictly) {
  struct Case {
    const char* text;
    const char* host;
    int port;
    bool tls;
    const char* authority;
    const char* path;
  };
  const Case good[] = {
      {"https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com", 443, true,
       "s3.eu-west-1.amazonaws.com", ""},
      {"http://localhost:9000/a?b", "localhost", 9000, false, "localhost:9000", "/a?b"},
      {"https://[::1]:8443", "::1", 8443, true, "[::1]:8443", ""},
      {"http://[::1]", "::1", 80, false, "[::1]", ""},
      {"http://h:80?x=/@", "h", 80, false, "h", "?x=/@"},
  };
  for (const Case& c : good) {
    const Result<Url> url = ParseUrl(c.text);
    ASSERT_TRUE(url) << c.text;
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->port, c.port);
    EXPECT_EQ(url->tls, c.tls);
    EXPECT_EQ(url->Authority(), c.authority);
    EXPECT_EQ(url->path, c.path);
  }
  for (const char* bad :
       {"", "h", "ftp://h", "https://", "https://:1", "https://u@h", "https://u:p@h", "https://h:0",
        "https://h:65536", "https://h:x", "https://h:", "https://[::1", "https://[h]",
        "https://[::1]x", "https://a b", "https://h/#f", "https://h\r\n", "HTTPS://h/\x7f"}) {
    EXPECT_EQ(ParseUrl(bad).error().code, Code::kInvalid) << bad;
  }
}

TEST(Url, KnowsLoopback) {
  for (const char* host : {"localhost", "b.localhost", "127.0.0.1", "127.255.1.2", "::1"}) {
    EXPECT_TRUE(IsLoopback(host)) << host;
  }
  for (const char* host :
       {"localhost.evil", "128.0.0.1", "::2", "127.0.0.1.evil", "notlocalhost", ""}) {
    EXPECT_FALSE(IsLoopback(host)) << host;
  }
}

}  // namespace
}  // namespace llama::http
