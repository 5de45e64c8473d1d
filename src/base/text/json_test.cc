#include "base/text/json.h"

#include <gtest/gtest.h>

#include <cmath>

namespace llama {
namespace {

TEST(Json, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.BeginObject().Key("a").Int(1).Key("b").BeginArray().Bool(true).Null().EndArray();
  json.Key("c").BeginObject().EndObject().Key("d").Double(0.1).EndObject();
  EXPECT_EQ(json.str(), R"({"a":1,"b":[true,null],"c":{},"d":0.1})");
}

TEST(Json, EscapesWhatMustBeEscaped) {
  struct Case {
    std::string in;
    std::string out;
  };
  const Case cases[] = {
      {"plain", R"("plain")"},
      {"q\"b\\n\nt\t", R"("q\"b\\n\nt\t")"},
      {std::string("\x01\0", 2), R"("\u0001\u0000")"},
      {"caf\xc3\xa9 \xf0\x9f\xa6\x99", "\"caf\xc3\xa9 \xf0\x9f\xa6\x99\""},
  };
  for (const Case& c : cases) {
    std::string out;
    AppendJsonString(out, c.in);
    EXPECT_EQ(out, c.out);
  }
}

TEST(Json, ReplacesWhatIsNotUtf8) {
  // A lone continuation, an overlong form, a surrogate, a sequence cut short, beyond U+10FFFF.
  for (const char* bad : {"\x80", "\xc0", "\xed\xa0\x80", "\xe2\x82", "\xf5"}) {
    std::string out;
    AppendJsonString(out, bad);
    EXPECT_EQ(out.find(bad), std::string::npos);
    EXPECT_NE(out.find("\xef\xbf\xbd"), std::string::npos);
  }
}

TEST(Json, NumbersThatJsonLacksAreNull) {
  JsonWriter json;
  json.BeginArray().Double(NAN).Double(INFINITY).EndArray();
  EXPECT_EQ(json.str(), "[null,null]");
}

}  // namespace
}  // namespace llama
