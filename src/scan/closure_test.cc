#include "scan/closure.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "scan/closure_project_testing.h"

namespace llama::scan {
namespace {

struct Case {
  std::string name;
  std::vector<std::pair<std::string, std::string>> files;  // and texts; "> target": a link
  Names quote, angle;
  Names found;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class ClosureTest : public testing::TestWithParam<Case> {};

TEST_P(ClosureTest, Holds) {
  const Case& test = GetParam();
  ClosureProject project;
  for (const auto& [name, text] : test.files) {
    if (text.starts_with("> ")) {
      project.Link(name, text.substr(2));
    } else {
      project.Write(name, text);
    }
  }
  project.Search(test.quote, test.angle);
  EXPECT_EQ(project.Files(), test.found);
}

INSTANTIATE_TEST_SUITE_P(
    Files, ClosureTest,
    testing::Values(
        Case{"QuotedNamesFirstBesideTheIncluder",
             {{"src/main.c", "#include \"a.h\"\n#include \"sub/b.h\""},
              {"src/a.h", ""},
              {"inc/a.h", ""},
              {"src/sub/b.h", "#include \"c.h\""},
              {"src/sub/c.h", ""},
              {"src/c.h", ""}},
             {},
             {"inc"},
             {"src/a.h", "src/sub/b.h", "src/sub/c.h"}},
        Case{"QuotedNamesThenAlongBothPaths",
             {{"src/main.c", "#include \"a.h\"\n#include \"b.h\""},
              {"quote/a.h", ""},
              {"inc/a.h", ""},
              {"inc/b.h", ""}},
             {"quote"},
             {"none", "inc"},
             {"inc/b.h", "quote/a.h"}},
        Case{
            "AngledNamesAlongTheirPathAlone",
            {{"src/main.c", "#include <a.h>"}, {"src/a.h", ""}, {"quote/a.h", ""}, {"inc/a.h", ""}},
            {"quote"},
            {"inc"},
            {"inc/a.h"}},
        Case{"BothBranches",
             {{"src/main.c", "#if 0\n#include \"a.h\"\n#else\n#include \"b.h\"\n#endif"},
              {"src/a.h", ""},
              {"src/b.h", ""}},
             {},
             {},
             {"src/a.h", "src/b.h"}},
        // gcc -isystem takes it for the file that it is, everyone else for the link.
        Case{"WhatALinkedHeaderNamesBesideEither",
             {{"src/main.c", "#include <l.h>"},
              {"inc/l.h", "> ../other/real.h"},
              {"other/real.h", "#include \"near.h\""},
              {"inc/near.h", ""},
              {"other/near.h", ""}},
             {},
             {"inc"},
             {"inc/near.h", "other/near.h", "other/real.h"}},
        Case{"EveryMatchForIncludeNext",
             {{"src/main.c", "#include <a.h>"},
              {"one/a.h", "#include_next <a.h>"},
              {"two/a.h", ""},
              {"three/a.h", ""}},
             {},
             {"one", "two", "three"},
             {"one/a.h", "three/a.h", "two/a.h"}},
        Case{"IncludeNextFromAFolderForQuotedNames",
             {{"src/main.c", "#include \"a.h\""},
              {"one/a.h", "#include_next <a.h>"},
              {"two/a.h", ""}},
             {"one", "two"},
             {},
             {"one/a.h", "two/a.h"}},
        Case{"EveryValueOfAComputedName",
             {{"src/main.c",
               "#include \"m.h\"\n#define NAME \"a.h\"\n#include NAME\n#include CALL(c)"},
              {"src/m.h", "#define NAME \"b.h\"\n#define CALL(x) <x.h>"},
              {"src/a.h", ""},
              {"src/b.h", ""},
              {"inc/c.h", ""}},
             {},
             {"inc"},
             {"inc/c.h", "src/a.h", "src/b.h", "src/m.h"}},
        Case{"AMacroOfAComputedHeader",
             {{"src/main.c", "#define ONE \"one.h\"\n#include ONE\n#include TWO"},
              {"src/one.h", "#define TWO \"two.h\""},
              {"src/two.h", ""}},
             {},
             {},
             {"src/one.h", "src/two.h"}},
        // In a branch for which something must be defined that is defined nowhere.
        Case{"NoDefinitionThatCannotHold",
             {{"src/main.c",
               "#if defined(NOT_HERE_AT_ALL)\n#define NAME \"a.h\"\n"
               "#elif defined HERE_AFTER_ALL\n#define NAME \"b.h\"\n"
               "#elif defined(_SOME_COMPILER_HAS)\n#define NAME \"c.h\"\n#else\n#ifdef "
               "NOT_HERE_EITHER\n"
               "#define NAME \"d.h\"\n#elifdef HERE_AFTER_ALL\n#define NAME \"e.h\"\n#endif\n"
               "#ifdef NOT_HERE_EITHER\n#define TWICE \"f.h\"\n#else\n#define TWICE \"f.h\"\n"
               "#endif\n#endif\n#include TWICE\n#include ONE\n#include NAME"},
              {"src/a.h", ""},
              {"src/b.h", ""},
              {"src/c.h", ""},
              {"src/d.h", ""},
              {"src/e.h", ""},
              {"src/f.h", "#define ONE \"one.h\""},
              {"src/one.h", "#define HERE_AFTER_ALL"}},
             {},
             {},
             {"src/b.h", "src/c.h", "src/e.h", "src/f.h", "src/one.h"}},
        // What is taken for guarded is not, since another file undefines the guard.
        Case{"BothBranchesOfATextWhoseGuardIsUndefined",
             {{"src/main.c", "#include \"g.h\"\n#undef G\n#include \"g.h\"\n#include NAME(a)"},
              {"src/g.h",
               "#ifndef G\n#define G\n#if X\n#define NAME(x) PART(x)\n#define PART(x) <one/x.h>\n"
               "#else\n#define NAME(x) PART(x)x\n#define PART(x) <two/x.h>\n#endif\n#endif\n"},
              {"inc/one/a.h", ""},
              {"inc/two/a.h", ""}},
             {},
             {"inc"},
             {"inc/one/a.h", "inc/two/a.h", "src/g.h"}},
        Case{"AMacroThatIsUndefinedElsewhere",
             {{"src/main.c", "#include \"g.h\"\n#undef DIR\n#include NAME()"},
              {"src/g.h", "#pragma once\n#define DIR dir\n#define NAME() <DIR/a.h>\n"},
              {"inc/DIR/a.h", ""},
              {"inc/dir/a.h", ""}},
             {},
             {"inc"},
             {"inc/DIR/a.h", "inc/dir/a.h", "src/g.h"}},
        // Each of them defined in many files: they are not multiplied.
        Case{"TheSameDefinitionsInManyFiles",
             {{"src/main.c",
               "#include \"1.h\"\n#include \"2.h\"\n#include \"3.h\"\n"
               "#include \"4.h\"\n#include STR(CAT(V,b).h)"},
              {"src/1.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n#include \"5.h\""},
              {"src/2.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n#include \"6.h\""},
              {"src/3.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n"},
              {"src/4.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n"},
              {"src/5.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n"},
              {"src/6.h",
               "#define STR_(x) #x\n#define STR(x) STR_(x)\n#define CAT_(x, y) x##y\n"
               "#define CAT(x, y) CAT_(x, y)\n#define V a\n"},
              {"src/ab.h", ""}},
             {},
             {},
             {"src/1.h", "src/2.h", "src/3.h", "src/4.h", "src/5.h", "src/6.h", "src/ab.h"}}),
    [](const auto& test) { return test.param.name; });

TEST(Closure, HoldsForcedIncludesFromTheWorkingFolder) {
  ClosureProject project;
  project.Write("src/main.c", "");
  project.Write("src/here.h", "");
  project.Write("here.h", "#include \"near.h\"");
  project.Write("near.h", "");
  project.Write("inc/other.h", "");
  project.Write("inc/here.h", "");
  project.Search({}, {"inc"});
  project.request.preprocessing.forced = {{"here.h"}, {"other.h"}, {"no.h", true, true}};
  EXPECT_EQ(project.Files(), Names({"here.h", "inc/other.h", "near.h"}));
}

TEST(Closure, HoldsWhatTheCommandLinesMacrosName) {
  ClosureProject project;
  project.Write("src/main.c", "#include NAME\n#include CALL(b)");
  project.Write("src/a.h", "");
  project.Write("inc/b.h", "");
  project.Search({}, {"inc"});
  project.request.preprocessing.defined = {{.name = "NAME", .parameters = {}, .body = "\"a.h\""},
                                           {"CALL", "x", "<x.h>", true}};
  EXPECT_EQ(project.Files(), Names({"inc/b.h", "src/a.h"}));
}

TEST(Closure, SeeksAngledNamesWhereQuotedOnesAreIfThereIsNoOtherPlace) {
  ClosureProject project;
  project.Write("src/main.c", "#include <a.h>");
  project.Write("quote/a.h", "");
  auto path = std::make_shared<SearchPath>();
  path->quote = {project.Path("quote")};
  path->angle_is_quote = true;
  project.request.preprocessing.path = path;
  EXPECT_EQ(project.Files(), Names({"quote/a.h"}));
}

TEST(Closure, HoldsTheWaysOfLookupsInVainAsWell) {
  ClosureProject project;
  project.Write("src/main.c", "#if __has_include(<../l/no.h>)\n#endif\n#include <a.h>");
  project.Write("inc/a.h", "");
  project.Link("l", "inc");
  project.Search({}, {"inc"});
  EXPECT_EQ(project.Entries(), Names({"inc/", "inc/a.h", "l>inc", "src/main.c"}));
}

TEST(Closure, HoldsThePrecompiledHeadersOfItsFolders) {
  ClosureProject project;
  project.Write("src/main.c", "#include <a.h>");
  project.Write("inc/a.h", "");
  project.Write("other/c.h.gch", "");
  project.Search({}, {"inc"});
  project.request.reads_precompiled = true;
  ASSERT_TRUE(project.Find());
  EXPECT_EQ(project.Entries(), Names({"inc/", "inc/a.h", "src/main.c"}));
  project.Write("inc/a.h.gch", "1");
  EXPECT_EQ(project.Entries(), Names({"inc/", "inc/a.h", "inc/a.h.gch", "src/main.c"}));
  const auto before = project.Find();
  ASSERT_TRUE(before);
  project.Write("inc/a.h.gch", "2");
  const auto after = project.Find();
  ASSERT_TRUE(after);
  EXPECT_NE((*before)->id, (*after)->id);
  ASSERT_TRUE(RemoveTree(project.Path("inc/a.h.gch")));
  EXPECT_EQ(project.Entries(), Names({"inc/", "inc/a.h", "src/main.c"}));
  project.Write("inc/a.h.gch/one", "");
  EXPECT_FALSE(project.Find()) << "which one is valid is for the compiler to try";
}

TEST(Closure, IsNoneWhereAPrecompiledHeaderGoesByTimes) {
  ClosureProject project;
  project.Write("src/main.c", "#include <a.h>");
  project.Write("inc/a.h", "");
  project.Write("inc/a.h.gch", "");
  project.Search({}, {"inc"});
  project.request.preprocessing.forced = {{project.Path("src/b.h"), false}};
  project.Write("src/b.h", "");
  EXPECT_EQ(project.Entries(), Names({"inc/", "inc/a.h", "src/b.h", "src/main.c"}));
  project.Write("src/b.h.pch", "");
  const auto closure = project.Find();
  ASSERT_FALSE(closure);
  EXPECT_EQ(closure.error().code, Code::kInvalid);
  EXPECT_NE(closure.error().message.find("precompiled"), std::string::npos);
}

TEST(Closure, HoldsWhatIsReachedByAnAbsoluteName) {
  for (const char* text :
       {"#include \"@/inc/a.h\"", "#if __has_include(<@/inc/a.h>)\n#endif",
        "#define NAME \"@/inc/a.h\"\n#include NAME", "__asm__(\".incbin \\\"@/inc/a.h\\\"\");"}) {
    ClosureProject project;
    project.Write("src/main.c", text);
    project.Search({}, {"inc"});
    ASSERT_TRUE(project.Find());
    EXPECT_FALSE((*project.Find())->manifest.contains(project.Path("inc/a.h"))) << text;
    project.Write("inc/a.h", "");
    ASSERT_TRUE(project.Find());
    EXPECT_TRUE((*project.Find())->manifest.contains(project.Path("inc/a.h"))) << text;
  }
}

TEST(Closure, NamesWhatElseWasAskedFor) {
  ClosureProject project;
  project.Write("src/main.c", "");
  project.Write("out/real/x", "");
  project.Link("build", "out/real");
  project.Search({}, {});
  project.request.others = {project.Path("build/../real"), project.Path("no"),
                            project.Path("build/x")};
  const auto closure = project.Find();
  ASSERT_TRUE(closure);
  EXPECT_EQ((*closure)->others, Names({project.Path("out/real"), "", project.Path("out/real/x")}));
  EXPECT_EQ(project.Entries(), Names({"build>out/real", "out/real/", "out/real/x", "src/main.c"}));
}

TEST(Closure, TakesTextWithoutDirectivesAsItIs) {
  ClosureProject project;
  project.Write("src/main.c", "#include \"a.h\"");
  project.Write("src/a.h", "");
  project.Search({}, {"src"});
  project.request.reads_directives = false;
  EXPECT_EQ(project.Files(), Names({}));
}

TEST(Closure, NeedsItsSourceAndItsFolder) {
  ClosureProject project;
  project.Write("src/other.c", "");
  project.Search({}, {});
  EXPECT_EQ(project.Find().error().code, Code::kNotFound);
}

// Tokens by the hundred thousand, and again at each edit: what came of them stands, until it is
// found to be not all.
TEST(Closure, LearnsWhatTookLongToCompute) {
  ClosureProject project;
  std::string text = "#define D0(x) x x\n";
  for (int i = 1; i < 16; ++i) {
    text += "#define D" + std::to_string(i) + "(x) D" + std::to_string(i - 1) + "(x x)\n";
  }
  project.Write("src/main.c", text + "#define NAME \"a.h\" D15(1)\n#include NAME\n");
  project.Write("src/a.h", "");
  project.Write("src/b.h", "");
  project.Search({}, {"src"});
  EXPECT_FALSE((*project.Find())->is_learned);
  EXPECT_EQ(project.Files(), Names{"src/a.h"});
  project.Write("src/main.c", text + "#define NAME \"b.h\" D15(1)\n#include NAME\n");
  EXPECT_TRUE((*project.Find())->is_learned);
  EXPECT_EQ(project.Files(), Names{"src/a.h"});
  project.Unlearn();
  EXPECT_FALSE((*project.Find())->is_learned);
  EXPECT_EQ(project.Files(), Names{"src/b.h"});
}

}  // namespace
}  // namespace llama::scan
