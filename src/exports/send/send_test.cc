#include "exports/send/send.h"

#include <algorithm>

#include "exports/spans/testing.h"

namespace llama::exports {
namespace {

// Answers what it was told to, one after the other, then 200; remembers what it was sent.
class FakeReceiver final : public aws::HttpSender {
 public:
  struct Seen {
    std::string url;
    aws::Headers headers;
    std::string body;
  };

  Result<aws::HttpAnswer> Send(const aws::HttpRequest& request) override {
    seen_.push_back({request.url, request.headers, std::string(request.body)});
    if (seen_.size() <= answers_.size()) return answers_[seen_.size() - 1];
    aws::HttpAnswer answer;
    answer.status = 200;
    return answer;
  }
  void Answer(int status, std::string body = "", aws::Headers headers = {}) {
    aws::HttpAnswer answer;
    answer.status = status;
    answer.body = std::move(body);
    answer.headers = std::move(headers);
    answers_.push_back(std::move(answer));
  }
  const std::vector<Seen>& seen() const { return seen_; }

 private:
  std::vector<aws::HttpAnswer> answers_;
  std::vector<Seen> seen_;
};

class Sending : public testing::Test {
 protected:
  Result<SendResult> Send(std::string_view format, const std::string& lines,
                          std::string url = "http://localhost:4318") {
    const auto columns = traces::LoadText(lines);
    SendOptions options;
    options.url = std::move(url);
    options.headers = {{"X-Key", "secret"}};
    options.gzip = false;
    options.pause = [this](int64_t ms) {
      clock_.AdvanceNs(ms * 1'000'000);
      waited_ms_ += ms;
    };
    return SendSpans(*FindFormat(format), SelectAll(columns), {}, options, receiver_, clock_);
  }

  static std::string Spans(int count) {
    std::string lines;
    for (int i = 1; i <= count; ++i) lines += SpanText(i, 1, 0, "llamacc", i, 1);
    return lines;
  }

  FakeReceiver receiver_;
  FakeClock clock_;
  int64_t waited_ms_ = 0;
};

TEST_F(Sending, AddsTheUsualPathAndTheHeaders) {
  struct Case {
    const char* format;
    const char* url;
    const char* sent_to;
    const char* type;
  };
  const Case cases[] = {
      {"otlp", "http://h:1", "http://h:1/v1/traces", "application/x-protobuf"},
      {"otlp-json", "https://h/", "https://h/v1/traces", "application/json"},
      {"zipkin", "http://h", "http://h/api/v2/spans", "application/json"},
      {"honeycomb", "https://h", "https://h/1/batch/llama", "application/json"},
      {"honeycomb", "https://h/1/batch/mine", "https://h/1/batch/mine", "application/json"},
      {"otlp", "http://h?key=1", "http://h/?key=1", "application/x-protobuf"},
  };
  for (const Case& c : cases) {
    ASSERT_TRUE(Send(c.format, Spans(1), c.url)) << c.url;
    const auto& seen = receiver_.seen().back();
    EXPECT_EQ(seen.url, c.sent_to);
    const auto has = [&](const char* name, const char* value) {
      return std::find(seen.headers.begin(), seen.headers.end(),
                       std::pair<std::string, std::string>(name, value)) != seen.headers.end();
    };
    EXPECT_TRUE(has("Content-Type", c.type));
    EXPECT_TRUE(has("X-Key", "secret"));
  }
}

TEST_F(Sending, KeepsRequestsWithinBounds) {
  const auto sent = Send("honeycomb", Spans(2'500));
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sent->spans, 2'500u);
  EXPECT_EQ(sent->requests, 3u);  // of at most 1000 events
  for (const auto& seen : receiver_.seen()) {
    EXPECT_LE(seen.body.size(), 900'000u);
    EXPECT_EQ(seen.body.front(), '[');
    EXPECT_EQ(seen.body.substr(seen.body.size() - 3), "\n]\n");
  }
}

TEST_F(Sending, TriesAgainAsLongAsItIsAsked) {
  receiver_.Answer(503);
  receiver_.Answer(429, "", {{"retry-after", "7"}});
  const auto sent = Send("zipkin", Spans(3));
  ASSERT_TRUE(sent) << sent.error().message;
  EXPECT_EQ(sent->spans, 3u);
  EXPECT_EQ(sent->retries, 2u);
  EXPECT_GE(waited_ms_, 7'000);
  EXPECT_EQ(receiver_.seen()[0].body, receiver_.seen()[2].body);
}

TEST_F(Sending, GivesUpAndSaysWhatWasTaken) {
  receiver_.Answer(200);
  for (int i = 0; i < 20; ++i) receiver_.Answer(500);
  const auto sent = Send("honeycomb", Spans(1'500));
  ASSERT_FALSE(sent);
  EXPECT_NE(sent.error().message.find("1,000 spans had been taken"), std::string::npos)
      << sent.error().message;
  EXPECT_EQ(sent.error().message.find("secret"), std::string::npos);
  EXPECT_LT(receiver_.seen().size(), 12u);
}

TEST_F(Sending, DoesNotRepeatWhatIsRefused) {
  receiver_.Answer(401, "{\"error\":\"unknown key\x1b[31m\"}");
  const auto sent = Send("honeycomb", Spans(1));
  ASSERT_FALSE(sent);
  EXPECT_EQ(receiver_.seen().size(), 1u);
  EXPECT_NE(sent.error().message.find("status 401, {\"error\":\"unknown key?[31m\"}"),
            std::string::npos)
      << sent.error().message;
}

TEST_F(Sending, CountsWhatWasTakenInPart) {
  struct Case {
    const char* format;
    std::string answer;
    uint64_t refused;
    const char* reason;
  };
  // ExportTraceServiceResponse{partial_success{rejected_spans: 2, error_message: "no"}}.
  const std::string protobuf("\x0a\x06\x08\x02\x12\x02no", 8);
  const Case cases[] = {
      {"otlp", protobuf, 2, "no"},
      {"otlp", "", 0, ""},
      {"otlp", "\x0a\x7f", 0, ""},
      {"otlp-json", R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"x"}})", 1, "x"},
      {"otlp-json", R"({"partialSuccess":{"rejectedSpans":99}})", 3, ""},
      {"otlp-json", "not json", 0, ""},
      {"honeycomb", R"([{"status":202},{"status":400,"error":"bad"},{"status":429}])", 2, "bad"},
      {"honeycomb", R"([{"status":400},1,{},[]])", 1, "status 400"},
  };
  for (const Case& c : cases) {
    receiver_ = {};
    receiver_.Answer(200, c.answer);
    const auto sent = Send(c.format, Spans(3));
    ASSERT_TRUE(sent) << c.answer;
    EXPECT_EQ(sent->refused, c.refused) << c.answer;
    EXPECT_EQ(sent->spans, 3 - c.refused) << c.answer;
    EXPECT_EQ(sent->reason, c.reason) << c.answer;
  }
}

TEST_F(Sending, RefusesWhatCannotBeSent) {
  for (const char* format : {"chrome", "xray", "jaeger", "perfetto"}) {
    EXPECT_EQ(Send(format, Spans(1)).error().code, Code::kInvalid) << format;
  }
  for (const char* url :
       {"", "localhost:4318", "ftp://h", "http://", "http:///v1", "https://user:secret@h/"}) {
    const auto sent = Send("otlp", Spans(1), url);
    ASSERT_FALSE(sent) << url;
    EXPECT_EQ(sent.error().code, Code::kInvalid) << url;
    EXPECT_EQ(sent.error().message.find("secret"), std::string::npos);
  }
  EXPECT_TRUE(receiver_.seen().empty());
}

TEST(Header, IsANameAndAValue) {
  using Pair = std::pair<std::string, std::string>;
  EXPECT_EQ(*ParseHeader("X-Key=a=b:c"), Pair("X-Key", "a=b:c"));
  EXPECT_EQ(*ParseHeader("X-Key:  v \r"), Pair("X-Key", "v"));
  EXPECT_EQ(*ParseHeader("X="), Pair("X", ""));
  for (const char* text : {"", "X", "=v", "X Y=v", "X\n=v", "X=a\r\nHost: b", "X=\x7f"}) {
    EXPECT_FALSE(ParseHeader(text)) << text;
  }
}

}  // namespace
}  // namespace llama::exports
