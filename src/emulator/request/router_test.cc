#include "emulator/request/router.h"

#include <gtest/gtest.h>

#include "emulator/request/authority.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

Request RequestOf(const std::string& target, Pairs headers = {}) {
  Request request;
  request.target = target;
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = *ParseQuery(target.substr(mark + 1));
  request.headers = std::move(headers);
  return request;
}

std::string Authorization(const std::string& credential) {
  return "AWS4-HMAC-SHA256 Credential=" + credential + ", SignedHeaders=host, Signature=0";
}

TEST(ServiceOf, GoesByScopeThenByPath) {
  const std::string lambda = Authorization("AKIA/20260131/us-east-1/lambda/aws4_request");
  const std::string s3 = Authorization("A/K/20260131/us-east-1/s3/aws4_request");
  const struct {
    Request request;
    const char* service;
  } cases[] = {
      {RequestOf("/bucket/key"), "s3"},
      {RequestOf("/"), "s3"},
      {RequestOf("/2015-03-31/functions"), "lambda"},
      {RequestOf("/2015-03-31/functions", {{"Authorization", s3}}), "s3"},
      {RequestOf("/2015-03-31"), "s3"},
      {RequestOf("/20x5-03-31/functions"), "s3"},
      {RequestOf("/any", {{"authorization", lambda}}), "lambda"},
      {RequestOf("/k?X-Amz-Credential=A%2F2026%2Fr%2Fsts%2Faws4_request"), "sts"},
      {RequestOf("/_emulator/metrics", {{"authorization", lambda}}), "emulator"},
      {RequestOf("/k", {{"authorization", "Basic abc"}}), "s3"},
      {RequestOf("/k", {{"authorization", "Credential=x"}}), "s3"},
      {RequestOf("/k", {{"authorization", "Credential=/"}}), "s3"},
      {RequestOf("/k", {{"authorization", "Credential=a/b"}}), "s3"},
  };
  for (const auto& c : cases) EXPECT_EQ(ServiceOf(c.request), c.service) << c.request.target;
}

TEST(Request, SplitsItsPathBeforeDecodingIt) {
  const std::pair<const char*, std::vector<std::string>> cases[] = {
      {"/", {""}},
      {"/a%2Fb//c", {"a/b", "", "c"}},
      {"/a/", {"a", ""}},
      {"/a+b%20c", {"a+b c"}},
  };
  for (const auto& [path, segments] : cases) {
    EXPECT_EQ(*RequestOf(path).Segments(), segments) << path;
  }
  EXPECT_FALSE(RequestOf("/%4").Segments());
}

TEST(ParseQuery, ReadsPairs) {
  const std::pair<const char*, Pairs> cases[] = {
      {"", {}},
      {"uploads", {{"uploads", ""}}},
      {"a=1&&b=%26+c&a=2", {{"a", "1"}, {"b", "& c"}, {"a", "2"}}},
      {"x==", {{"x", "="}}},
  };
  for (const auto& [text, pairs] : cases) EXPECT_EQ(*ParseQuery(text), pairs) << text;
  EXPECT_FALSE(ParseQuery("a=%"));
}

TEST(HttpDate, GoesThereAndBack) {
  EXPECT_EQ(HttpDate(784'111'777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(ParseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  for (const char* wrong : {"", "yesterday", "Sun, 06 Foo 1994 08:49:37 GMT"}) {
    EXPECT_FALSE(ParseHttpDate(wrong)) << wrong;
  }
  EXPECT_EQ(IsoDate(784'111'777'123'456'789), "1994-11-06T08:49:37.123Z");
}

}  // namespace
}  // namespace llama::emulator
