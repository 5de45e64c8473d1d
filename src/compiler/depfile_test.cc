#include <gtest/gtest.h>

#include "compiler/plan.h"

namespace llama::compiler {
namespace {

TEST(DepfileTest, ReadsTheNamesOfARule) {
  struct Case {
    const char* rule;
    std::vector<std::string> names;
  };
  const Case cases[] = {
      {"a.o: a.c\n", {"a.c"}},
      {"a.o: a.c \\\n b.h c.h\n\nb.h:\n", {"a.c", "b.h", "c.h"}},
      {"x: a\\ b.h c\\#d e$$f g:h i\\j\n", {"a b.h", "c#d", "e$f", "g:h", "i\\j"}},
      {"x: a\\\\\\ b\n", {"a\\ b"}},
      {"a:b.o: c\n", {"c"}},
      {"a.o:\n", {}},
      {"a.o:", {}},
      {"x: trailing\\", {"trailing\\"}},
  };
  for (const Case& c : cases) {
    auto names = ParseDepfile(c.rule);
    ASSERT_TRUE(names) << c.rule;
    EXPECT_EQ(*names, c.names) << c.rule;
  }
  for (const char* bad : {"", "no rule", "a b c\n"}) EXPECT_FALSE(ParseDepfile(bad)) << bad;
}

}  // namespace
}  // namespace llama::compiler
