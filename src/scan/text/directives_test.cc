#include "scan/text/directives.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace llama::scan {
namespace {

// include <x>, has_include "x", computed embed FOO
std::string Shown(const Reference& reference) {
  constexpr const char* kKinds[] = {"include",     "include_next",      "import",    "embed",
                                    "has_include", "has_include_next",  "has_embed", "dependency",
                                    "incbin",      "assembler_include", "module",    "call"};
  const std::string kind = kKinds[static_cast<size_t>(reference.kind)];
  switch (reference.spelling) {
    case Spelling::kQuoted:
      return kind + " \"" + reference.name + "\"";
    case Spelling::kAngled:
      return kind + " <" + reference.name + ">";
    case Spelling::kComputed:
      break;
  }
  return "computed " + kind + " " + reference.name;
}

std::vector<std::string> References(std::string_view text) {
  std::vector<std::string> out;
  for (const Reference& reference : ReadDirectives(text).references) {
    out.push_back(Shown(reference));
  }
  return out;
}

using Strings = std::vector<std::string>;

struct Row {
  std::string text;
  Strings references;
};

void Expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) EXPECT_EQ(References(row.text), row.references) << row.text;
}

TEST(DirectivesTest, FindsEveryKindOfInclude) {
  Expect({
      {"#include <a.h>\n#include \"b.h\"\n", {"include <a.h>", "include \"b.h\""}},
      {"#include_next <a.h>\n", {"include_next <a.h>"}},
      {"#import \"a.h\"\n", {"import \"a.h\""}},
      {"#__include_macros <a.h>\n", {"include <a.h>"}},
      {"#if 0\n#include <a.h>\n#else\n#include <b.h>\n#endif", {"include <a.h>", "include <b.h>"}},
      {"#include <a.h>\n#include <a.h>\n", {"include <a.h>"}},
      {"#include MACRO\n", {"computed include MACRO"}},
      {"#include  MACRO( a,\tb ) // c\n", {"computed include MACRO( a, b )"}},
      {"#include BOOST_PP_ITERATE()\n", {"computed include BOOST_PP_ITERATE()"}},
      {"#pragma include_alias(\"a.h\", <b.h>)\n", {"include \"a.h\"", "include <b.h>"}},
      {"f(1,\n#include \"a.h\"\n2)", {"include \"a.h\""}},
      {"\xEF\xBB\xBF#include <a.h>", {"include <a.h>"}},
      {"#includes <a.h>\n#inc <b.h>\nx #include <c.h>\n#\n#", {}},
  });
}

TEST(DirectivesTest, TakesBlanksCommentsAndDigraphsAroundTheHash) {
  Expect({
      {"  \t# \t include\t<a.h>  \n", {"include <a.h>"}},
      {"/* c */ # /* c\n c */ include /**/ <a.h> /* c */", {"include <a.h>"}},
      {"#include<a.h>// c", {"include <a.h>"}},
      {"#include<a.h>/* c\n#include <b.h>\n*/ #include <c.h>\n#include <d.h>",
       {"include <a.h>", "include <d.h>"}},
      {"/* c */ /* d\n */ #include <a.h>", {"include <a.h>"}},
      {"%:include <a.h>\n%: include <b.h>", {"include <a.h>", "include <b.h>"}},
      {"?\?=include <a.h>\n?\?= include \"b.h\"", {"include <a.h>", "include \"b.h\""}},
      {std::string("\0#\0include\0<a.h>", 16), {"include <a.h>"}},
      {"\f\v#\finclude\v<a.h>", {"include <a.h>"}},
  });
}

TEST(DirectivesTest, TakesHeaderNamesAsTheyAre) {
  Expect({
      {"#include <x//y.h>\n#include <x/*y.h>\n#include \"z//y.h\" /* c */",
       {"include <x//y.h>", "include <x/*y.h>", "include \"z//y.h\""}},
      {"#include \"a\\b.h\"\n#include \"c:\\n\\\"", {"include \"a\\b.h\"", "include \"c:\\n\\\""}},
      {"#include \"smart1,2.h\"\n#include < a b.h >\n#include \"it's\"\n#include <it's>\n"
       "#include <say \"hi\".h>\n#include \"\xC3\xA4.h\"\n#include \"$x.h\"\n#include <c>",
       {"include \"smart1,2.h\"", "include < a b.h >", "include \"it's\"", "include <it's>",
        "include <say \"hi\".h>", "include \"\xC3\xA4.h\"", "include \"$x.h\"", "include <c>"}},
      // gcc ends it at the first quote, clang escapes that.
      {"#include \"a\\\"b.h\"", {"include \"a\\\"", "include \"a\\\"b.h\""}},
      {"#include <a.h\n#include \"b.h\n#include <c.h>", {"computed include <a.h", "include <c.h>"}},
  });
}

TEST(DirectivesTest, JoinsLinesWherever) {
  Expect({
      {"#inc\\\nlude <a.h>", {"include <a.h>"}},
      {"#\\\n\\\ninclude \\\n <a\\\n.h>", {"include <a.h>"}},
      {"\\\n#include <a.h>", {"include <a.h>"}},
      {"x \\\n#include <a.h>", {}},
      {"#inc\\\r\nlude <a.h>\r\n#include <b.h>\r\n", {"include <a.h>", "include <b.h>"}},
      {"#inc\\ \t\nlude <a.h>", {"include <a.h>"}},
      {"// c \\\n#include <a.h>\n#include <b.h>", {"include <b.h>"}},
      {"// c \\ \n#include <a.h>\n#include <b.h>", {"include <b.h>"}},
      {"/\\\n* c\n#include <a.h>\n*\\\n/\n#include <b.h>", {"include <b.h>"}},
      {"/\\\n/ c\\\n#include <a.h>\n#include <b.h>", {"include <b.h>"}},
      {"\"s \\\n#include <a.h>\\\n\"\n#include <b.h>", {"include <b.h>"}},
      {"\"s\\\\\\\n\"\n#include <b.h>\"", {"include <b.h>"}},
      {"\"s \\\\\n\"\n#include <b.h>", {"include <b.h>"}},
      {"// c ?\?/\n#include <a.h>\n#include <b.h>", {"include <a.h>", "include <b.h>"}},
      {"#inc?\?/\nlude <a.h>", {"include <a.h>"}},
      {"%\\\n:include <a.h>", {"include <a.h>"}},
      // What is joined once is not joined again.
      {"// c \\\\\n\n#include <a.h>\n#inc\\\nlude <b.h>", {"include <a.h>", "include <b.h>"}},
  });
}

TEST(DirectivesTest, KnowsCommentsAndLiterals) {
  Expect({
      {"/* #include <a.h>\n#include <b.h>\n*/\n#include <c.h>", {"include <c.h>"}},
      {"// /*\n#include <a.h>\n// */", {"include <a.h>"}},
      {"x = \"/*\";\n#include <a.h>\n//\"*/\"", {"include <a.h>"}},
      {"x = '\"'; /*\n#include <a.h>\n*/ '\"'", {}},
      {"x = \"\\\"/*\";\n#include <a.h>", {"include <a.h>"}},
      {"/*/ #include <x> */\n#include <a.h>/**/\n/***/ #include <b.h>",
       {"include <a.h>", "include <b.h>"}},
      {"a / b * c; /\n#include <a.h>", {"include <a.h>"}},
      {"/* not closed\n#include <a.h>", {}},
      // What is not closed ends with the line, and hides what would open a comment.
      {"don't /* \n#include <a.h>\n", {"include <a.h>"}},
      {"#if 0\ndon't say \"\n#endif\n#include <a.h>\n", {"include <a.h>"}},
      {"#error don't /*\n#include <a.h>\n", {"include <a.h>"}},
      {"# it's a comment of the assembler's\n#include <a.h>\n", {"include <a.h>"}},
      {"#define X '\n#include <a.h>\n", {"include <a.h>"}},
  });
}

TEST(DirectivesTest, KnowsRawStrings) {
  Expect({
      // Without raw strings all but the first line is code.
      {"x = R\"(\n#include <a.h>\n)\";\n#include <b.h>", {"include <b.h>", "include <a.h>"}},
      {"x = R\"(\" /* )\";\n#include <b.h>", {"include <b.h>"}},
      {"x = u8R\"d(\")\" /* )d\";\n#include <b.h>", {"include <b.h>"}},
      {"x = LR\"(\" /*)\" + uR\"(\" /*)\" + UR\"(\" /*)\";\n#include <b.h>", {"include <b.h>"}},
      {"x = R\"(\\)\"; /* \"\n*/\n#include <b.h>", {"include <b.h>"}},
      {"x = R\"(a\\\n)\"; /* c */\n#include <b.h>", {"include <b.h>"}},
      {"x = FOOR\"(\n#include <b.h>\n/*)\"", {"include <b.h>"}},
      {"x = R\"too long to be one(\"\n#include <b.h>", {"include <b.h>"}},
      {"x = R\"(never closed\n#include <b.h>", {"include <b.h>"}},
      // gcc ends it with the directive, clang doesn't.
      {"#define X R\"(\n/*)\"\n#include <a.h>\n/**/\n#include <b.h>",
       {"include <b.h>", "include <a.h>"}},
  });
}

TEST(DirectivesTest, ReadsWhatIsDoubtfulBothWays) {
  Expect({
      // In C the ' begins a character.
      {"x = 1'000; /* c\n#include <a.h>\n*/", {"include <a.h>"}},
      {"x = 0xAB'CD'EF; /*\n#include <a.h>\n*/\n#include <b.h>", {"include <b.h>"}},
      {"x = u8'a' + L'\"' + 'b'; /*\n#include <a.h>\n*/", {}},
      {"// c\r#include <a.h>\r", {"include <a.h>"}},
      // gcc begins a comment there, clang doesn't.
      {"#warning /* c\n#include <a.h>\n#error */\n#include <b.h>",
       {"include <b.h>", "include <a.h>"}},
      {"what?\?!?\?!\n// why?\?/\n#include <a.h>", {"include <a.h>"}},
      {"\"?\?/\"; /*\"\n#include <a.h>\n/**/", {"include <a.h>"}},
  });
}

TEST(DirectivesTest, FindsWhatConditionsLookFor) {
  Expect({
      {"#if __has_include(<x.h>) && __has_include( \"y.h\" )",
       {"has_include <x.h>", "has_include \"y.h\""}},
      {"#ifdef __has_include\n#elif __has_include (<x//y.h>) // c", {"has_include <x//y.h>"}},
      {"#if __has_include(MACRO) || __has_include(F(a, b) )",
       {"computed has_include MACRO", "computed has_include F(a, b)"}},
      {"#define HAS(x) __has_include(x)\n#if HAS(<y.h>) || HAS(\"z.h\")",
       {"computed call HAS(<y.h>)", "has_include <y.h>", "computed call HAS(\"z.h\")",
        "has_include \"z.h\""}},
      {"#if __has_include_next(<x.h>)", {"has_include_next <x.h>"}},
      {"#if __has_embed(<x> limit(3)) || __has_embed(\"y\")", {"has_embed <x>", "has_embed \"y\""}},
      {"#define HAVE_X __has_include(<x.h>)\n#define HAVE_Y __has_include(Y_H)",
       {"has_include <x.h>", "computed has_include Y_H"}},
      {"#if __has_in\\\nclude(<x.h>)", {"has_include <x.h>"}},
      {"#if defined(__has_include) && __has_attribute(x) && __GNUC_PREREQ(4, 3)", {}},
      {"#if (A < B) && (C > D) && 'a' < (b)", {}},
      {"#if WORKAROUND(A, < 5) && B(C(D))",
       {"computed call WORKAROUND(A, < 5)", "computed call B(C(D))"}},
  });
}

TEST(DirectivesTest, SaysWhetherHasIncludeIsWrapped) {
  const auto wraps = [](std::string_view text) { return ReadDirectives(text).wraps_has_include; };
  EXPECT_TRUE(wraps("#define HAS(x) __has_include(x)"));
  EXPECT_TRUE(wraps("#define HAS(x) __has_include(<dir/x>)"));
  EXPECT_TRUE(wraps("#define HAS __has_include"));
  EXPECT_FALSE(wraps("#define HAS __has_include(<x>)\n#if __has_include(X)\n"));
}

TEST(DirectivesTest, FindsEmbeds) {
  Expect({
      {"#embed <x> limit(3)\n#embed \"y.bin\" prefix('{',)", {"embed <x>", "embed \"y.bin\""}},
      {"# embed FILE limit(1)", {"computed embed FILE limit(1)"}},
  });
}

TEST(DirectivesTest, FindsDependencies) {
  Expect({
      {"#pragma GCC dependency \"a.y\" is newer", {"dependency \"a.y\""}},
      {"# pragma GCC /* c */ dependency <a.y>", {"dependency <a.y>"}},
      {"#pragma GCC dependency FILE", {"computed dependency FILE"}},
      {"_Pragma(\"GCC dependency \\\"a.y\\\"\") _Pragma(\"clang dependency <b.y>\")",
       {"dependency \"a.y\"", "dependency <b.y>"}},
      {"#define D \\\n  _Pragma(\"GCC dependency \\\"a.y\\\"\")", {"dependency \"a.y\""}},
      {"PRAGMA(GCC dependency \"a.y\")", {"dependency \"a.y\""}},
      {"// GCC dependency \"a.y\"\nint dependency; /* GCC dependency \"b\" */", {}},
  });
}

TEST(DirectivesTest, FindsWhatTheAssemblerOpens) {
  Expect({
      {"asm(\".incbin \\\"a.bin\\\"\");", {"incbin \"a.bin\""}},
      {"asm(\"x: .incbin \" \"\\\"dir/\"\n  \"a.bin\\\"\\n\");", {"incbin \"dir/a.bin\""}},
      {"\t.incbin \"a.bin\", 4\n\t.INCBIN\t\"b.bin\"\n", {"incbin \"a.bin\"", "incbin \"b.bin\""}},
      {".include \"a.inc\" /* .include \"b.inc\" */", {"assembler_include \"a.inc\""}},
      {"asm(\".include \\\"a.inc\\\"\");", {"assembler_include \"a.inc\""}},
      {".incbin FILE\n.incbin __stringify(A/B)\n",
       {"computed incbin FILE", "computed incbin __stringify(A/B)"}},
      {"asm(R\"(.incbin \"a.bin\")\");", {"incbin \"a.bin\""}},
      {"#define I(f) asm(\".incbin \\\"\" f \"\\\"\\n\")",
       {"computed incbin \" \\\"\" f \"\\\"\""}},
      {"// the .incbin \"directive\"\nobject.include(\"x\", y);", {}},
      {".in\\\ncbin \"a.bin\"", {"incbin \"a.bin\""}},
  });
}

TEST(DirectivesTest, FindsImportsOfModules) {
  Expect({
      {"import <x//y.h>;\n  export import \"y.h\" ;\nimport<z>;",
       {"import <x//y.h>", "import \"y.h\"", "import <z>"}},
      {"import foo.bar;\nexport import :part;\nmodule foo:part;\nexport module baz [[a]];",
       {"computed module foo.bar", "computed module :part", "computed module foo:part",
        "computed module baz"}},
      {"import = 5;\nimport(x);\nmodule;\nmodule_init(x);\nexport int f();\nx import <y>;\n"
       "imports <x>;\nexport template<int a /* \n*/>",
       {}},
  });
}

TEST(DirectivesTest, FindsLineNames) {
  const Directives directives = ReadDirectives(
      "#line 3 \"/abs/a.c\"\n# 4 \"/abs/b.c\" 1\n#line 5 \"rel.c\"\n#line 6\n# 7 \"<stdin>\"\n"
      "#line 3 \"/abs/a.c\"\n# 1 \"/q\\\"\\\\.c\"\n");
  EXPECT_EQ(directives.line_names, (Strings{"/abs/a.c", "/abs/b.c", "/q\"\\.c"}));
}

TEST(DirectivesTest, FindsDefinedNames) {
  const Directives directives = ReadDirectives(
      "#define A\n#  define B(x) x\n#define C/**/1\n#def\\\nine D\\\nE 2\n#undef F\n"
      "// #define G\n#define A 2\n#define");
  std::vector<uint32_t> expected = {HashName("A"), HashName("B"), HashName("C"), HashName("DE")};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(directives.defined_names, expected);
}

TEST(DirectivesTest, FindsTimestamp) {
  EXPECT_TRUE(ReadDirectives("x = __TIMESTAMP__;").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("x = __TIME\\\nSTAMP__;").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("#define T __TIMESTAMP__").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("#ifdef __TIMESTAMP__\n#endif").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("f(\"\") /**/ __TIMESTAMP__").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("#define S \"//\" __TIMESTAMP__").mentions_timestamp);
  EXPECT_TRUE(ReadDirectives("c = '\"'; x = __TIMESTAMP__; // \"").mentions_timestamp);
  for (const char* part : {"__TIME", "STAMP__", "_TIMESTAMP__", "__TIMESTAMP", "TIMESTAMP", "STAMP",
                           "__TIMES", "TAMP__"}) {
    EXPECT_TRUE(ReadDirectives(std::string("C(") + part + ",x)").mentions_timestamp) << part;
  }
  for (const char* other : {"TIMESTAMPS", "MY_TIMESTAMP", "STAMPED", "TIME", "__TIME__", "__"}) {
    EXPECT_FALSE(ReadDirectives(other).mentions_timestamp) << other;
  }
  EXPECT_FALSE(ReadDirectives("// like __TIMESTAMP__\nint x;").mentions_timestamp);
  EXPECT_FALSE(ReadDirectives("/* \n __TIMESTAMP__ */ int x;").mentions_timestamp);
  EXPECT_FALSE(ReadDirectives("#define X // __TIMESTAMP__\n").mentions_timestamp);
  EXPECT_FALSE(ReadDirectives("x = \"__TIMESTAMP__\";").mentions_timestamp);
}

TEST(DirectivesTest, HashesWhatTheDirectivesSay) {
  const std::string text =
      "#include <a.h>\n#define A(x) x + 1\n#if B(C)\nint f();\n#endif\n#line 3 \"/a\"\n";
  const uint64_t hash = ReadDirectives(text).hash;
  const auto replaced = [&](std::string_view from, std::string_view to) {
    std::string out = text;
    out.replace(out.find(from), from.size(), to);
    return ReadDirectives(out).hash;
  };
  EXPECT_EQ(replaced("int f();", "int g(); // c\n\n"), hash);
  EXPECT_EQ(replaced("x + 1", "  x  + /* c */ \\\n  1 // c"), hash);
  EXPECT_EQ(replaced("#define", "  #  define"), hash);
  EXPECT_NE(replaced("x + 1", "x + 2"), hash);
  EXPECT_NE(replaced("A(x)", "A (x)"), hash);
  EXPECT_NE(replaced("<a.h>", "\"a.h\""), hash);
  EXPECT_NE(replaced("include", "import"), hash);
  EXPECT_NE(replaced("C", "D"), hash);
  EXPECT_NE(replaced("/a", "/b"), hash);
  EXPECT_NE(replaced("int f();", "char f[] = __TIMESTAMP__;"), hash);
}

TEST(DirectivesTest, KnowsWhatIsUndefined) {
  const auto undefines = [](std::string_view text) {
    return ReadDirectives(text).undefined_names == std::vector<uint32_t>{HashName("A")};
  };
  EXPECT_TRUE(undefines("#undef A\n"));
  EXPECT_TRUE(undefines("#if 0\n# undef A // B\n#endif\n#undef A"));
  EXPECT_TRUE(undefines("#pragma pop_macro(\"A\")\n"));
  EXPECT_TRUE(undefines("_Pragma(\"pop_macro(\\\"A\\\")\") x\n"));
  EXPECT_FALSE(undefines("#define A\n"));
  EXPECT_NE(ReadDirectives("#undef A").hash, ReadDirectives("#undef B").hash);
}

TEST(DirectivesTest, ReadsDefinitions) {
  const auto read = [](std::string_view text) { return ReadDefinitions(text); };
  const std::vector<Definition> definitions = read(
      "#define A <a.h> // c\n#if 0\n#define A \\\n  \"b.h\"\n#endif\n#define B( x,y ) x /* */ ## "
      "y\n"
      "#define C(x, ...) x\n#define D(x, rest...)\n#define E 1\n#define A  <a.h>\n");
  const std::vector<Definition> expected = {
      {"A", false, false, {}, "<a.h>"},         {"A", false, false, {}, "\"b.h\""},
      {"B", true, false, {"x", "y"}, "x ## y"}, {"C", true, true, {"x", "__VA_ARGS__"}, "x"},
      {"D", true, true, {"x", "rest"}, ""},     {"E", false, false, {}, "1"},
  };
  EXPECT_EQ(definitions, expected);
  EXPECT_EQ(read("#define A (x)").at(0), (Definition{"A", false, false, {}, "(x)"}));
  EXPECT_EQ(read("#define A() x").at(0), (Definition{"A", true, false, {}, "x"}));
  EXPECT_EQ(read("#define A(x").size(), 1u);
}

// Ten megabytes of what a careless lexer would look through again and again.
TEST(DirectivesTest, TakesTimeInProportionToTheText) {
  for (const std::string_view piece : {"x",
                                       "(",
                                       "'",
                                       "\"",
                                       "/",
                                       "/*",
                                       "\\",
                                       "\\ ",
                                       "#",
                                       "<",
                                       "R\"(",
                                       "1'",
                                       "a(",
                                       "?\?/",
                                       "\r",
                                       " ",
                                       "__has_include(",
                                       "__has_include(<",
                                       "__has_include(\"\\",
                                       "(<a>",
                                       "f(<",
                                       ".incbin \"",
                                       ".incbin \\\"",
                                       "GCC dependency \"",
                                       "#if f(",
                                       "\\\n",
                                       "#a R\"(\n",
                                       "/*\n",
                                       "#include <",
                                       "import <"}) {
    std::string text = "#if ";
    while (text.size() < 1'000'000) text += piece;
    (void)ReadDirectives(text);
    (void)ReadDirectives(std::string_view(text).substr(4));
  }
  std::string text(10'000'000, 'x');
  EXPECT_EQ(References(text + "\n#include <a.h>"), Strings{"include <a.h>"});
}

}  // namespace
}  // namespace llama::scan
