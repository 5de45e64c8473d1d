#include "scan/text/computed_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "scan/text/macro_expander.h"

namespace llama::scan {
namespace {

using Strings = std::vector<std::string>;

// Definitions as a text has them.
class Macros {
 public:
  explicit Macros(std::string_view text) : all_(ReadDefinitions(text)) {}

  const std::vector<Definition>& Of(std::string_view name) {
    const auto [found, is_new] = known_.try_emplace(std::string(name));
    if (is_new) {
      found->second = all_;
      std::erase_if(found->second, [&](const Definition& one) { return one.name != name; });
    }
    return found->second;
  }

 private:
  const std::vector<Definition> all_;
  std::map<std::string, std::vector<Definition>, std::less<>> known_;
};

PossibleNames Expand(const std::string& definitions, const std::string& text,
                     ReferenceKind kind = ReferenceKind::kInclude) {
  Macros macros(definitions);
  MacroExpander expander;
  return ExpandReference(
      {kind, Spelling::kComputed, text},
      [&](std::string_view name) -> const std::vector<Definition>& { return macros.Of(name); },
      expander);
}

// "x" or <x>; sorted.
Strings Names(const PossibleNames& possible) {
  Strings out;
  for (const Reference& name : possible.names) {
    const bool is_quoted = name.spelling == Spelling::kQuoted;
    out.push_back((is_quoted ? '"' : '<') + name.name + (is_quoted ? '"' : '>'));
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct NameRow {
  std::string definitions;
  std::string text;
  Strings names;
};

void ExpectNames(const std::vector<NameRow>& rows) {
  for (const NameRow& row : rows) {
    const PossibleNames possible = Expand(row.definitions, row.text);
    EXPECT_EQ(Names(possible), row.names) << row.definitions << row.text;
    EXPECT_TRUE(possible.is_complete) << row.text;
  }
}

TEST(ComputedNameTest, TakesEveryDefinition) {
  ExpectNames({
      {"#define A \"a.h\"\n#define A <b.h>\n", "A", {"\"a.h\"", "<b.h>"}},
      {"#define A B\n#define B <b.h>\n#define B C\n#define C \"c.h\"\n", "A", {"\"c.h\"", "<b.h>"}},
      {"", "A", {}},
      {"#define A a.h\n", "A", {}},
      {"#define A\n", "A <x.h>", {"<x.h>"}},
      {"#define A \"a.h\" \"b.h\"\n", "A", {"\"a.h\""}},
      {"#define FT_FREETYPE_H <freetype/freetype.h>\n", "FT_FREETYPE_H", {"<freetype/freetype.h>"}},
  });
}

TEST(ComputedNameTest, MakesOfAMacroThatIsANumberEachWhereItMatters) {
  const std::string number = "#define N 1\n#define N 2\n";
  ExpectNames({
      {number + "#define H <x/N.h>\n", "H", {"<x/1.h>", "<x/2.h>", "<x/N.h>"}},
      {number + "#define S_1(x) #x\n#define S(x) S_1(x)\n",
       "S(N/N.h)",
       {"\"1/1.h\"", "\"2/2.h\"", "\"N/N.h\""}},
      {number + "#define P_1(a, b) <a##b.h>\n#define P(a, b) P_1(a, b)\n",
       "P(x, N)",
       {"<x1.h>", "<x2.h>", "<xN.h>"}},
      {number + "#define P_1(a, b) a##b\n#define P(a, b) P_1(a, b)\n#define y1 \"y.h\"\n",
       "P(y, N)",
       {"\"y.h\""}},
      {number + "#define P_1(a) a##0\n#define P(a) P_1(a)\n",
       "<P(N)>",
       {"<10>", "<20>", "<N0>", "<P(N)>"}},
  });
}

// Boost's iterations define 257 numbers, and pass them through all that its names are made of.
TEST(ComputedNameTest, DoesNotBranchAtANumberThatIsNoPartOfAName) {
  std::string definitions =
      "#define SECOND(a, b) SECOND_1(a, b)\n#define SECOND_1(a, b) b\n#define ID(x) x\n";
  for (int i = 0; i < 300; ++i) {
    for (const char* name : {"N", "M"}) {
      definitions += std::string("#define ") + name + " " + std::to_string(i) + "\n";
    }
  }
  const PossibleNames possible =
      Expand(definitions, "SECOND(ID(N) ID(M), SECOND(ID(M - N), ID(\"a.h\")))");
  EXPECT_EQ(Names(possible), Strings{"\"a.h\""});
  EXPECT_LT(possible.steps, 1000);
}

// As the compilers' cc -M has it.
TEST(ComputedNameTest, ExpandsAsThePreprocessorDoes) {
  ExpectNames({
      {"#define STR_1(x...) #x\n#define STR(x...) STR_1(x)\n#define NAME y\n",
       "STR(x/NAME.h)",
       {"\"x/NAME.h\"", "\"x/y.h\""}},
      {"#define STR(x) #x\n", "STR( a  b/\"c\\d\" )", {"\"a b/\\\"c\\\\d\\\"\""}},
      {"#define CAT(a, b) a ## b\n#define FOOBAR \"x.h\"\n", "CAT(FOO,BAR)", {"\"x.h\""}},
      {"#define CAT(a, b) a %:%: b\n#define FOOBAR \"x.h\"\n", "CAT(FOO,BAR)", {"\"x.h\""}},
      {"#define CAT(a, b) a##b\n#define X 1\n#define H1 <h1>\n#define HX <hx>\n",
       "CAT(H,X)",
       {"<hx>"}},
      {"#define CAT_(a, b) a##b\n#define CAT(a, b) CAT_(a, b)\n#define X 1\n#define H1 <h1>\n"
       "#define HX <hx>\n",
       "CAT(H,X)",
       {"<h1>", "<hx>"}},
      {"#define CAT(a, b, c) a##b##c\n#define XY <xy.h>\n", "CAT(X,,Y)", {"<xy.h>"}},
      {"#define P <dir/F>\n#define F f.h\n", "P", {"<dir/F>", "<dir/f.h>"}},
      {"#define P sys\n", "<P/x.h>", {"<P/x.h>", "<sys/x.h>"}},
      {"#define A A\n#define B C\n#define C B\n", "A B", {}},
      {"#define A <A.h>\n", "A", {"<A.h>"}},
      {"#define F(x) <x.h>\n#define G F\n", "G(a)", {"<a.h>"}},
      {"#define F(x) <x.h>\n#define G F(\n", "G a)", {"< a.h>", "<a.h>"}},
      {"#define F(x) x\n", "F(F(F(<a.h>)))", {"<a.h>"}},
      {"#define F(x) x\n", "F(<a,b.h>)", {"<a,b.h>"}},
      {"#define F(x, ...) G(x, ## __VA_ARGS__)\n#define G(...) #__VA_ARGS__\n", "F(a)", {"\"a\""}},
      {"#define F(x, y...) G(x, ## y)\n#define G(...) #__VA_ARGS__\n", "F(a,b)", {"\"a,b\""}},
  });
}

TEST(ComputedNameTest, MeansOneThingByAMacroInOneExpansion) {
  ExpectNames({{"#define A 1\n#define A 2\n#define S(x) S_(x)\n#define S_(x) #x\n",
                "S(A A)",
                {"\"1 1\"", "\"2 2\"", "\"A A\""}}});
}

TEST(ComputedNameTest, ExpandsTheKernelsTraceIncludes) {
  ExpectNames(
      {{"#define TRACE_INCLUDE(system) __TRACE_INCLUDE(system)\n"
        "#define __TRACE_INCLUDE(system) __stringify(TRACE_INCLUDE_PATH/system.h)\n"
        "#define __stringify_1(x...) #x\n#define __stringify(x...) __stringify_1(x)\n"
        "#define TRACE_INCLUDE_PATH ../../fs\n#define TRACE_INCLUDE_PATH trace/events\n"
        "#define TRACE_INCLUDE_FILE sched\n",
        "TRACE_INCLUDE(TRACE_INCLUDE_FILE)",
        {"\"../../fs/TRACE_INCLUDE_FILE.h\"", "\"../../fs/sched.h\"",
         "\"TRACE_INCLUDE_PATH/TRACE_INCLUDE_FILE.h\"", "\"TRACE_INCLUDE_PATH/sched.h\"",
         "\"trace/events/TRACE_INCLUDE_FILE.h\"", "\"trace/events/sched.h\""}}});
}

TEST(ComputedNameTest, ExpandsBoostsIteration) {
  ExpectNames(
      {{"#define BOOST_PP_ITERATE() BOOST_PP_CAT(BOOST_PP_ITERATE_, "
        "BOOST_PP_INC(BOOST_PP_ITERATION_DEPTH()))\n"
        "#define BOOST_PP_ITERATE_1 <boost/preprocessor/iteration/detail/iter/forward1.hpp>\n"
        "#define BOOST_PP_ITERATE_2 <boost/preprocessor/iteration/detail/iter/forward2.hpp>\n"
        "#define BOOST_PP_CAT(a, b) BOOST_PP_CAT_I(a, b)\n#define BOOST_PP_CAT_I(a, b) a ## b\n"
        "#define BOOST_PP_CAT(a, b) BOOST_PP_CAT_OO((a, b))\n"
        "#define BOOST_PP_CAT_OO(par) BOOST_PP_CAT_I ## par\n"
        "#define BOOST_PP_INC(x) BOOST_PP_INC_I(x)\n#define BOOST_PP_INC_I(x) BOOST_PP_INC_ ## x\n"
        "#define BOOST_PP_INC_0 1\n#define BOOST_PP_INC_1 2\n"
        "#define BOOST_PP_ITERATION_DEPTH() 0\n#define BOOST_PP_ITERATION_DEPTH() 1\n",
        "BOOST_PP_ITERATE()",
        {"<boost/preprocessor/iteration/detail/iter/forward1.hpp>",
         "<boost/preprocessor/iteration/detail/iter/forward2.hpp>"}}});
}

// As Boost's preprocessor library does: each way ends alike, so that the ways do not multiply.
TEST(ComputedNameTest, JoinsWaysThatEndAlike) {
  std::string definitions = "#define NAME() NAME_0(<a.h>)\n#define NAME_40(x) x\n";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "#define NAME_" + std::to_string(i) + "(x) ";
    const std::string next = "NAME_" + std::to_string(i + 1);
    definitions += name + next + "(x)\n" + name + "CAT_" + std::to_string(i) + "((x))\n";
    definitions += "#define CAT_" + std::to_string(i) + "(x) " + next + " x\n";
  }
  ExpectNames({{definitions, "NAME()", {"<a.h>"}}});
}

TEST(ComputedNameTest, HoldsAtMostOneBranchOfATextWithinABody) {
  const std::string branches =
      "#if X\n#define NAME(x) PART(x.h)\n#define PART(x) <one/x>\n#else\n"
      "#define NAME(x) PART((x.hpp))\n#define PART(x) OTHER x\n#define OTHER(x) <two/x>\n#endif\n";
  const Strings one_each = {"<one/a.h>", "<two/a.hpp>"};
  // Passed through again, it may have other branches the next time.
  const Strings all = {"<one/(a.hpp)>", "<one/a.h>", "<two/a.hpp>"};
  ExpectNames({
      {"#pragma once\n" + branches, "NAME(a)", one_each},
      {"#ifndef G\n#define G\n" + branches + "#endif\n", "NAME(a)", one_each},
      {"#if !defined( G )\n#define G\n" + branches + "#endif\n", "NAME(a)", one_each},
      {"#ifndef G\n" + branches + "#endif\n", "NAME(a)", all},
      {"#if G\n#pragma once\n#endif\n" + branches, "NAME(a)", all},
      {branches, "NAME(a)", all},
      {"#pragma once\n" + branches + "#endif\n", "NAME(a)", all},
      {"#pragma once\n" + branches + "#define PART(x) <one/x>\n", "NAME(a)", all},
  });
}

TEST(ComputedNameTest, KnowsThatAMacroBesideABodyIsOne) {
  const auto text = [](const std::string& first, const std::string& second) {
    return "#pragma once\n" + first + second;
  };
  const std::string name = "#define NAME() <DIR/a.h>\n";
  const std::string dir = "#define DIR dir\n";
  ExpectNames({
      {text(dir, name), "NAME()", {"<dir/a.h>"}},
      {text(name, dir), "NAME()", {"<dir/a.h>"}},
      // The name may be asked for in between.
      {text(name, "#include <x.h>\n" + dir), "NAME()", {"<DIR/a.h>", "<dir/a.h>"}},
      {text("#if X\n" + dir + "#endif\n", name), "NAME()", {"<DIR/a.h>", "<dir/a.h>"}},
  });
}

TEST(ComputedNameTest, ComesToNothingWithAWrongNumberOfArguments) {
  ExpectNames({
      {"#define F(x) <x.h>\n#define F(x, y) <y.h>\n", "F(a)", {"<a.h>"}},
      {"#define F() <none.h>\n#define F(x, y) <y.h>\n", "F()", {"<none.h>"}},
      {"#define F(x, ...) <x.h>\n#define F(x, y, z) <z.h>\n", "F(a)", {"<a.h>"}},
  });
}

// gcc spells a token with the space that it had where it stood itself, clang with that of what it
// replaces, and one before the > as well.
TEST(ComputedNameTest, SpellsSpacesAsEitherCompilerDoes) {
  ExpectNames({
      {"#define P <a/ F>\n#define F() b.h\n", "P", {"<a/ F>"}},
      {"#define P <a/ F()>\n#define F() b.h\n", "P", {"<a/ b.h>", "<a/b.h>"}},
      {"#define P(x) <a/ x >\n", "P( b.h)", {"<a/ b.h >", "<a/ b.h>"}},
      {"#define P(x) <a/x>\n#define Q(x) P( x)\n", "Q(  b.h )", {"<a/ b.h>", "<a/b.h>"}},
      {"#define P(x) <a/x>\n#define E() \n", "P( E() b E().h)", {"<a/ b.h>", "<a/b .h>"}},
      {"#define F(x, ...) <x __VA_OPT__(.) __VA_ARGS__>\n", "F(a)", {"<a >", "<a>"}},
      {"#define F(x, ...) <x __VA_OPT__(.) __VA_ARGS__>\n", "F(a, b)", {"<a . b>", "<a. b>"}},
      {"#define F(x, y...) G(x,##y)\n#define G(...) #__VA_ARGS__\n", "F(a, b)", {"\"a, b\""}},
  });
}

TEST(ComputedNameTest, FindsWhatWrappersLookFor) {
  const std::string definitions =
      "#define HAS(x) __has_include(x)\n#define NEXT(x) __has_include_next(<dir/x>)\n"
      "#define OTHER(x) x\n#define X \"x.h\"\n#define X <y.h>\n";
  const auto call = [&](const std::string& text) {
    return Expand(definitions, text, ReferenceKind::kConditionCall);
  };
  EXPECT_EQ(Names(call("HAS(X)")), (Strings{"\"x.h\"", "<y.h>"}));
  EXPECT_EQ(Names(call("NEXT(z.h)")), Strings{"<dir/z.h>"});
  EXPECT_EQ(call("NEXT(z.h)").names.at(0).kind, ReferenceKind::kHasIncludeNext);
  EXPECT_EQ(Names(call("OTHER(X)")), Strings{});
}

TEST(ComputedNameTest, ReadsWhatTheAssemblerIsTold) {
  const auto expand = [](const std::string& definitions, const std::string& text) {
    return Expand(definitions, text, ReferenceKind::kIncbin);
  };
  EXPECT_EQ(Names(expand("#define F \"a.bin\"\n", "\" \\\"\" F \"\\\"\"")), Strings{"\"a.bin\""});
  EXPECT_EQ(Names(expand("#define F \"a.bin\"\n", "F")), Strings{"\"a.bin\""});
  EXPECT_FALSE(expand("", "\" \\\"\" f \"\\\"\"").is_complete);
}

TEST(ComputedNameTest, SaysWhenThereAreTooMany) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "#define A <" + std::to_string(i) + ">\n";
  EXPECT_FALSE(Expand(many, "A").is_complete);
  std::string choices;
  std::string uses;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "X" + std::to_string(i);
    choices += "#define " + name + "\n#define " + name + " y\n";
    uses += name + " ";
  }
  EXPECT_FALSE(Expand(choices, uses).is_complete);
  EXPECT_FALSE(Expand("#define D(x) E(x x)\n#define E(x) x x\n",
                      "D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(x)))))))))))))))")
                   .is_complete);
  EXPECT_FALSE(Expand("#define D(x) E(x)\n#define E(x) x##x\n",
                      "D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(x"
                      "))))))))))))))))))))))))))))))")
                   .is_complete);
}

TEST(ComputedNameTest, NamesWhatMayBeMacros) {
  EXPECT_EQ(NamesIn("F(a, \"b\", 1e5, <c/d.h>) F ## __x 'e'"),
            (Strings{"F", "a", "c", "d", "h", "__x"}));
}

}  // namespace
}  // namespace llama::scan
