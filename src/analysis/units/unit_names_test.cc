#include "analysis/units/unit_names.h"

#include <gtest/gtest.h>

#include <vector>

#include "analysis/units/testing.h"
#include "analysis/units/units.h"
#include "trace/names.h"

namespace llama::analysis {
namespace {

std::vector<std::string> NamesIn(const std::string& text) {
  const traces::Columns trace = traces::LoadText(text);
  const UnitNames names(trace, std::nullopt);
  std::vector<std::string> out;
  for (const Unit& unit : FindUnits(trace).all) out.push_back(names.Of(unit.row));
  return out;
}

std::string UnitOf(int unit, const std::string& cwd, const std::string& source,
                   const std::string& object) {
  return traces::SpanText(
      unit, 1, 0, "llamacc", unit, 1,
      R"("cwd":")" + cwd + R"(","source":")" + source + R"(","object":")" + object + "\"");
}

TEST(UnitNamesTest, ArePathsFromWhereTheBuildRan) {
  EXPECT_EQ(
      NamesIn(BuildText(100, R"("cwd":"/w/p")") + UnitOf(1, "/w/p", "a.c", "a.o") +
              UnitOf(2, "/w/p/sub", "b.c", "b.o") + UnitOf(3, "/w/p/sub", "../src/./c.c", "c.o") +
              UnitOf(4, "/w/p", "/w/p/d.c", "d.o") + UnitOf(5, "/w/p", "/w/e.c", "e.o") +
              UnitOf(6, "/tmp", "/tmp/f.c", "f.o")),
      (std::vector<std::string>{"a.c", "sub/b.c", "src/c.c", "d.c", "../e.c", "/tmp/f.c"}));
  // Nothing is known of where it ran.
  EXPECT_EQ(NamesIn(UnitOf(1, "/w/p/sub", "b.c", "b.o")), std::vector<std::string>{"b.c"});
}

TEST(UnitNamesTest, TellApartWhatWouldBeCalledTheSame) {
  EXPECT_EQ(NamesIn(BuildText(100, R"("cwd":"/w")") + UnitOf(1, "/w/d", "src/ctl.c", "ctl.o") +
                    UnitOf(2, "/w/d", "src/ctl.c", "ctl.sym.o") +
                    UnitOf(3, "/w/e", "src/ctl.c", "ctl.o") + UnitOf(4, "/w", "a.c", "a.o") +
                    UnitOf(5, "/w", "a.c", "a.o")),
            (std::vector<std::string>{"d/src/ctl.c → d/ctl.o", "d/src/ctl.c → d/ctl.sym.o",
                                      "e/src/ctl.c", "a.c → a.o", "a.c → a.o (2)"}));
}

TEST(UnitNamesTest, ALinkIsCalledByWhatItMakes) {
  EXPECT_EQ(NamesIn(LocalText(1, 0, 5, R"("reason":"link","source":"z.o","object":"prog")") +
                    LocalText(2, 6, 9, R"("reason":"query","cwd":"/w/sub")") +
                    BuildText(100, R"("cwd":"/w")")),
            (std::vector<std::string>{"prog", "query"}));
}

}  // namespace
}  // namespace llama::analysis
