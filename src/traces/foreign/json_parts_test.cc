#include "traces/foreign/json_parts.h"

#include <gtest/gtest.h>

#include <string>

namespace llama::traces {
namespace {

std::string PartsOf(std::string_view text) {
  JsonParts parts(text);
  std::string out;
  while (parts.Next()) {
    out.append("<").append(parts.key()).append("=").append(parts.value()).append(">");
  }
  return parts.is_cut_off() ? out + "…" : out;
}

TEST(JsonPartsTest, CutsElementsAndMembers) {
  EXPECT_EQ(PartsOf(R"([1, "a,]\"", {"b":[2]}, [3,[4]], null ])"),
            R"(<=1><="a,]\""><={"b":[2]}><=[3,[4]]><=null>)");
  EXPECT_EQ(PartsOf(R"( {"a" : 1,"b\"":{"c":"}"}, "d":[]})"), R"(<a=1><b\"={"c":"}"}><d=[]>)");
  EXPECT_EQ(PartsOf("[]"), "");
  EXPECT_EQ(PartsOf("{}"), "");
}

TEST(JsonPartsTest, WhatIsBrokenEnds) {
  for (const char* text : {"", "1", "\"[1]\"", "]"}) EXPECT_EQ(PartsOf(text), "") << text;
  EXPECT_EQ(PartsOf("["), "…");
  EXPECT_EQ(PartsOf("[1,2"), "<=1><=2>…");
  EXPECT_EQ(PartsOf("[1,{\"a\":[2"), "<=1><={\"a\":[2>…");
  EXPECT_EQ(PartsOf("[\"a"), "<=\"a>…");
  EXPECT_EQ(PartsOf("[\"a\\"), "<=\"a\\>…");
  EXPECT_EQ(PartsOf("{\"a\"}"), "…");
  EXPECT_EQ(PartsOf("{\"a\":"), "…");
  EXPECT_EQ(PartsOf("{1:2}"), "…");
  EXPECT_EQ(PartsOf("[1}"), "<=1>…");
  EXPECT_EQ(PartsOf("{\"a\":}"), "…");
  EXPECT_EQ(PartsOf(std::string(100'000, '[')), "<=" + std::string(99'999, '[') + ">…");
}

TEST(JsonPartsTest, TellsWhatFollows) {
  JsonParts parts("{\"a\":1}\n{\"b\":2}");
  while (parts.Next()) {
  }
  EXPECT_EQ(parts.rest(), "\n{\"b\":2}");
}

TEST(JsonPartsTest, FindsMembers) {
  constexpr std::string_view kObject = R"({"a":{"b":1},"b":"x","c":"y\n"})";
  EXPECT_EQ(JsonMember(kObject, "b"), "\"x\"");
  EXPECT_EQ(JsonMember(kObject, "d"), "");
  EXPECT_EQ(JsonPlainString(JsonMember(kObject, "b")), "x");
  EXPECT_EQ(JsonPlainString(JsonMember(kObject, "c")), "");
  EXPECT_EQ(JsonPlainString(JsonMember(kObject, "a")), "");
}

}  // namespace
}  // namespace llama::traces
