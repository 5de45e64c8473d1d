#include "base/text/text_writer.h"

#include <gtest/gtest.h>

namespace llama {
namespace {

TEST(TextWriterTest, WrapsWordsAndBreaksPathsBehindSlashes) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(Wrap("one two three", 8), (Lines{"one two", "three"}));
  EXPECT_EQ(Wrap("one two", 7), Lines{"one two"});
  EXPECT_EQ(Wrap("for 99 % of", 6), (Lines{"for", "99 %", "of"}));
  EXPECT_EQ(Wrap("aa/bbbb/cccc/d", 10), (Lines{"aa/bbbb/", "cccc/d"}));
  EXPECT_EQ(Wrap("0123456789ab", 10), (Lines{"0123456789", "ab"}));
  EXPECT_EQ(Wrap("日本語", 4), (Lines{"日本", "語"}));
  EXPECT_EQ(Wrap("", 4), Lines{});
}

TEST(TextWriterTest, TextsGoOnBelowTheirBeginning) {
  EXPECT_EQ(WithName("  12 ms  remote  ", "some/folder/a.c", 30),
            "  12 ms  remote\n"
            "      some/folder/a.c");
  TextWriter wider({false, 44});
  wider.Line("label", "a text that is too long here");
  EXPECT_EQ(wider.text(),
            "  label           a text that is too long\n"
            "                  here\n");
}

TEST(TextWriterTest, ATableLeavesOutWhatCanBeSpared) {
  TextTable table({"", "first", "second", "text"}, true, {2, 1});
  table.Add({"row", "1", "2", "some words that are long"});
  TextWriter wide({false, 60});
  table.Write(wide);
  EXPECT_EQ(wide.text(),
            "       first  second  text\n"
            "  row      1       2  some words that are long\n");
  TextWriter narrow({false, 40});
  table.Write(narrow);
  EXPECT_EQ(narrow.text(),
            "       first  text\n"
            "  row      1  some words that are long\n"
            "  (a wider terminal shows: second)\n");
}

}  // namespace
}  // namespace llama
