#include "emulator/s3/conditions.h"

#include <gtest/gtest.h>

#include "emulator/request/s3_error.h"

namespace llama::emulator {
namespace {

std::string CodeOf(const Result<void>& result) {
  return result ? "" : std::string(ViewOf(result.error()).code);
}

TEST(ParseRange, ReadsWhatRfc9110Has) {
  const struct {
    const char* header;
    uint64_t size;
    const char* range;  // "offset+size", "whole" or "beyond"
  } cases[] = {
      {"bytes=0-0", 10, "0+1"},
      {"bytes=2-5", 10, "2+4"},
      {"bytes=2-", 10, "2+8"},
      {"bytes=2-99", 10, "2+8"},
      {"bytes=-3", 10, "7+3"},
      {"bytes=-99", 10, "0+10"},
      {"bytes=9-", 10, "9+1"},
      {"bytes=10-", 10, "beyond"},
      {"bytes=0-", 0, "beyond"},
      {"bytes=-0", 10, "beyond"},
      {"bytes=-5", 0, "beyond"},
      {"bytes=5-2", 10, "whole"},
      {"bytes=0-1,4-5", 10, "whole"},
      {"bytes=", 10, "whole"},
      {"bytes=-", 10, "whole"},
      {"bytes=a-b", 10, "whole"},
      {"items=0-1", 10, "whole"},
      {"bytes=18446744073709551615-", 10, "beyond"},
      {"bytes=99999999999999999999-", 10, "whole"},
  };
  for (const auto& c : cases) {
    const std::string header = c.header;
    const auto range = ParseRange(&header, c.size);
    std::string got = "beyond";
    if (range && *range) {
      got = std::to_string((*range)->offset) + "+" + std::to_string((*range)->size);
    } else if (range) {
      got = "whole";
    } else {
      EXPECT_EQ(ViewOf(range.error()).status, 416);
    }
    EXPECT_EQ(got, c.range) << c.header << " of " << c.size;
  }
  EXPECT_FALSE(ParseRange(nullptr, 10)->has_value());
}

TEST(CheckReadConditions, AnswersAsS3Does) {
  constexpr int64_t kModified = 1'700'000'000;  // Tue, 14 Nov 2023 22:13:20 GMT
  const char* before = "Tue, 14 Nov 2023 22:13:19 GMT";
  const char* same = "Tue, 14 Nov 2023 22:13:20 GMT";
  const struct {
    Pairs headers;
    const char* code;
  } cases[] = {
      {{}, ""},
      {{{"If-Match", "\"e\""}}, ""},
      {{{"If-Match", "e"}}, ""},
      {{{"If-Match", "*"}}, ""},
      {{{"If-Match", "\"a\", \"e\""}}, ""},
      {{{"If-Match", "\"a\""}}, "PreconditionFailed"},
      {{{"If-Match", ""}}, "PreconditionFailed"},
      {{{"If-None-Match", "\"e\""}}, "NotModified"},
      {{{"If-None-Match", "W/\"e\""}}, "NotModified"},
      {{{"If-None-Match", "\"a\""}}, ""},
      {{{"If-Modified-Since", same}}, "NotModified"},
      {{{"If-Modified-Since", before}}, ""},
      {{{"If-Modified-Since", "yesterday"}}, ""},
      {{{"If-Unmodified-Since", before}}, "PreconditionFailed"},
      {{{"If-Unmodified-Since", same}}, ""},
      {{{"If-Match", "\"e\""}, {"If-Unmodified-Since", before}}, ""},
      {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", same}}, ""},
  };
  for (const auto& c : cases) {
    Request request;
    request.headers = c.headers;
    EXPECT_EQ(CodeOf(CheckReadConditions(request, "e", kModified)), c.code)
        << (c.headers.empty() ? "" : c.headers[0].first + ": " + c.headers[0].second);
  }
}

TEST(WriteConditions, AnswerAsS3Does) {
  const struct {
    Pairs headers;
    std::optional<std::string> etag;
    const char* code;
  } cases[] = {
      {{}, "e", ""},
      {{{"If-None-Match", "*"}}, std::nullopt, ""},
      {{{"If-None-Match", "*"}}, "e", "PreconditionFailed"},
      {{{"If-Match", "\"e\""}}, "e", ""},
      {{{"If-Match", "\"x\""}}, "e", "PreconditionFailed"},
      {{{"If-Match", "\"e\""}}, std::nullopt, "NoSuchKey"},
  };
  for (const auto& c : cases) {
    Request request;
    request.headers = c.headers;
    const auto conditions = ReadWriteConditions(request);
    ASSERT_TRUE(conditions);
    EXPECT_EQ(CodeOf(CheckWriteConditions(*conditions, c.etag)), c.code);
  }
  Request request;
  request.headers = {{"If-None-Match", "\"e\""}};
  EXPECT_EQ(ViewOf(ReadWriteConditions(request).error()).status, 501);
}

}  // namespace
}  // namespace llama::emulator
