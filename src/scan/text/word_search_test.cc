#include "scan/text/word_search.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace llama::scan {
namespace {

std::string Find(std::vector<std::string_view> words, std::string_view text) {
  std::string out;
  for (const WordSearch::Hit& hit : WordSearch(words).Find(text)) {
    if (!out.empty()) out += ' ';
    out += std::to_string(hit.at) + ":" + std::string(words[hit.word]);
  }
  return out;
}

TEST(WordSearchTest, FindsWordsInOrder) {
  EXPECT_EQ(Find({"ab", "cde"}, "cdeabab cd"), "0:cde 3:ab 5:ab");
  EXPECT_EQ(Find({"aba"}, "ababa"), "0:aba 2:aba");
  EXPECT_EQ(Find({"include", "incbin"}, "include incbi"), "0:include");
  EXPECT_EQ(Find({"include", "incbin"}, "incbin"), "0:incbin");
  EXPECT_EQ(Find({"long", "longer"}, "longer"), "0:long 0:longer");
  EXPECT_EQ(Find({"long"}, "lon"), "");
  EXPECT_EQ(Find({"long"}, ""), "");
}

TEST(WordSearchTest, FindsWhatALookAtEveryPlaceFinds) {
  std::mt19937 random(1);
  const std::vector<std::string_view> words = {"abca", "bcabc", "aaaa", "cabbage"};
  for (int round = 0; round < 200; ++round) {
    std::string text;
    while (text.size() < 200) {
      text += random() % 4 == 0 ? words[random() % 4]
                                : std::string_view("abcg").substr(random() % 4, 1);
    }
    std::string expected;
    for (size_t at = 0; at < text.size(); ++at) {
      for (const std::string_view word : words) {
        if (!std::string_view(text).substr(at).starts_with(word)) continue;
        if (!expected.empty()) expected += ' ';
        expected += std::to_string(at) + ":" + std::string(word);
      }
    }
    EXPECT_EQ(Find(words, text), expected) << text;
  }
}

}  // namespace
}  // namespace llama::scan
