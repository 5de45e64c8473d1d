#include "base/text/characters.h"

#include <gtest/gtest.h>

#include "base/text/format.h"
#include "base/text/text_writer.h"

namespace llama {
namespace {

TEST(Characters, TakeAsManyColumnsAsATerminalGivesThem) {
  struct Case {
    const char* text;
    size_t width;
  };
  const Case cases[] = {
      {"", 0},         {"abc", 3},      {"µs", 2},       {"日本語.c", 8}, {"한국", 4},
      {"ｆｕｌｌ", 8}, {"😀", 2},        {"e\u0301", 1},  {"…→", 2},       {"\u1112\u1161\u11ab", 2},
      {"\xff\xfe", 2}, {"\xe6\x97", 2}, {"か\u3099", 2}, {"𠀀", 2},
  };
  for (const Case& c : cases) EXPECT_EQ(DisplayWidth(c.text), c.width) << c.text;
}

TEST(Characters, ThatATerminalObeysAreReplaced) {
  struct Case {
    const char* text;
    const char* shown;
  };
  const Case cases[] = {
      {"a\x1b[2J", "a?[2J"},         {"\u009b1m", "?1m"},
      {"a\u202egpj.c", "a?gpj.c"},                                  // right to left from here on
      {"\u2066a\u2069", "?a?"},      {"a\u2028b\u2029c", "a?b?c"},  // lines and paragraphs end
      {"a\u200bb\ufeff", "a?b?"},                                   // not to be seen
      {"\u061c\u200d\u2060", "???"}, {"\xff\xc0\x80", "???"},       // no UTF-8
      {"\xed\xa0\x80", "???"},                                      // half of a UTF-16 pair
      {"\xf4\x90\x80\x80", "????"},  {"naïve e\u0301 日本 😀", "naïve e\u0301 日本 😀"},
  };
  for (const Case& c : cases) EXPECT_EQ(Printable(c.text), c.shown) << c.text;
}

TEST(Characters, AreNotCutInHalf) {
  EXPECT_EQ(CutTo("日本語", 6), "日本語");
  EXPECT_EQ(CutTo("日本語", 5), "日本…");
  EXPECT_EQ(CutTo("日本語", 4), "日…");
  EXPECT_EQ(CutFront("日本語", 5), "…本語");
  EXPECT_EQ(CutFront("日本語", 4), "…語");
  EXPECT_EQ(CutTo("abc", 2), "a…");
  EXPECT_EQ(CutFront("ae\u0301bc", 3), "…bc");
  EXPECT_EQ(CutFront("xe\u0301bc", 2), "…c");
}

}  // namespace
}  // namespace llama
