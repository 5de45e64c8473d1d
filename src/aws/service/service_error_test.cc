#include "aws/service/service_error.h"

#include <gtest/gtest.h>

namespace llama::aws {
namespace {

TEST(ServiceError, ReadsEveryDialect) {
  struct Case {
    const char* body;
    const char* type;  // x-amzn-errortype
    const char* code;
    const char* message;
    const char* reason;
    int64_t retry_after_ms;
  };
  const Case kCases[] = {
      {"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>gone &amp; away</Message>"
       "</Error>",
       "", "NoSuchKey", "gone & away", "", -1},
      {"<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>"
       "<Message>m</Message></Error></ErrorResponse>",
       "", "NoSuchEntity", "m", "", -1},
      {R"({"Type":"User","Message":"Function not found"})", "ResourceNotFoundException:http://x/",
       "ResourceNotFoundException", "Function not found", "", -1},
      {R"({"__type":"com.amazonaws.logs#ResourceNotFoundException","message":"m"})", "",
       "ResourceNotFoundException", "m", "", -1},
      {R"({"Reason":"ConcurrentInvocationLimitExceeded","retryAfterSeconds":"3","message":"Rate"})",
       "TooManyRequestsException", "TooManyRequestsException", "Rate",
       "ConcurrentInvocationLimitExceeded", 3'000},
      {R"({"retryAfterSeconds":0.5})", "", "", "", "", 500},
      {R"({"retryAfterSeconds":1e300})", "", "", "", "", 3'600'000},
      {R"({"retryAfterSeconds":"-5"})", "", "", "", "", -1},
      {R"({"retryAfterSeconds":"99999999999999999999"})", "", "", "", "", -1},
      {R"({"message":["no","text"],"code":{}})", "", "", "", "", -1},
      {"{", "", "", "", "", -1},
      {"<Error><Code>x", "", "", "", "", -1},
      {"", "Only.InTheHeader", "Only.InTheHeader", "", "", -1},
      {"plain text", "", "", "", "", -1},
      {"{\"code\":\"a\\u0007b\\nc\"}", "", "a b c", "", "", -1},
  };
  for (const Case& c : kCases) {
    HttpAnswer answer;
    answer.status = 400;
    answer.body = c.body;
    if (*c.type != '\0') answer.headers = {{"x-amzn-errortype", c.type}};
    const ServiceError error = ReadServiceError(answer);
    EXPECT_EQ(error.code, c.code) << c.body;
    EXPECT_EQ(error.message, c.message) << c.body;
    EXPECT_EQ(error.reason, c.reason) << c.body;
    EXPECT_EQ(error.retry_after_ms.value_or(-1), c.retry_after_ms) << c.body;
  }
}

TEST(ServiceError, BoundsWhatItReads) {
  HttpAnswer answer;
  answer.body = "{\"message\":\"" + std::string(5'000, 'm') + "\"}";
  EXPECT_EQ(ReadServiceError(answer).message.size(), 500u);
  answer.body = std::string(1'000'000, '[');
  EXPECT_EQ(ReadServiceError(answer).code, "");
  answer.body = std::string(1'000'000, '{');
  EXPECT_EQ(ReadServiceError(answer).code, "");
}

TEST(HttpDate, ReadsOnlyOneForm) {
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:01:00 GMT"), 60);
  EXPECT_EQ(ParseHttpDate("Sun, 13 Sep 2020 12:26:40 GMT"), 1'600'000'000);
  for (const char* text : {"", "now", "Sun, 13 Sep 2020 12:26:40", "Sun, 13 Sep 2020 12:26:40 GMT!",
                           "2020-09-13T12:26:40Z"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace llama::aws
