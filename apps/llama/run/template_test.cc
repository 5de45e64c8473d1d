#include "llama/run/template.h"

#include <gtest/gtest.h>

namespace llama::app {
namespace {

using Words = std::vector<std::string>;

Expansion Expand(const Words& command, std::string_view item, size_t number = 1) {
  const auto parsed = Template::Parse(command);
  EXPECT_TRUE(parsed) << parsed.error().message;
  if (!parsed) return {};
  auto out = parsed->Expand(item, number);
  EXPECT_TRUE(out) << out.error().message;
  return out ? *out : Expansion{};
}

TEST(Template, StandsForTheItemAsGnuParallelDoes) {
  struct Case {
    const char* word;
    const char* item;
    const char* expected;
  };
  const Case cases[] = {
      {"{}", "a/b.c", "a/b.c"},
      {"<{}>{}", "x y", "<x y>x y"},
      {"{/}", "a/b.c", "b.c"},
      {"{//}", "a/b.c", "a"},
      {"{//}", "b.c", "."},
      {"{.}", "a/b.tar.gz", "a/b.tar"},
      {"{.}", "a.d/b", "a.d/b"},
      {"{.}", "plain", "plain"},
      {"{/.}", "a/b.c", "b"},
      {"{#}", "x", "7"},
      {"{x}", "y", "{x}"},
      {"{", "y", "{"},
      {"${HOME}", "y", "${HOME}"},
      {"{{.Line}}", "x", "x"},
      {"{{ .Line }}-{{.Idx}}", "x", "x-6"},
      {"{{.Other}}", "x", "{{.Other}}"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Expand({"echo", c.word, "{}"}, c.item, 7).argv[1], c.expected) << c.word;
  }
}

TEST(Template, GetsTheItemAsItsLastWordIfNoMarkIsThere) {
  EXPECT_EQ(Expand({"echo", "-n"}, "a b").argv, (Words{"echo", "-n", "a b"}));
  EXPECT_EQ(Expand({"echo", "{}", "x"}, "a").argv, (Words{"echo", "a", "x"}));
}

TEST(Template, NotesTheFilesThatAJobReadsAndMakes) {
  struct Case {
    const char* word;
    const char* item;
    const char* placed;
    Words inputs;
    Words outputs;
  };
  const Case cases[] = {
      {"{i:f}", "a.txt", "a.txt", {"a.txt"}, {}},
      {"{o:f.sum}", "a.txt", "a.txt.sum", {}, {"a.txt.sum"}},
      {"{o:f/}", "dir", "dir/", {}, {"dir/"}},
      {"{i:{}}", "a b", "a b", {"a b"}, {}},
      {"--out={o:{.}.min.{#}}", "a.js", "--out=a.min.1", {}, {"a.min.1"}},
      {"{i:./f}", "x", "./f", {"./f"}, {}},
      {"{i:file}", "x", "file", {"file"}, {}},
      {"{i:f}:{o:f.o}", "x", "x:x.o", {"x"}, {"x.o"}},
      {"{i:f}", "-n", "./-n", {"./-n"}, {}},
      {"{{.I .Line}}", "x", "x", {"x"}, {}},
      {"{{.I \"lib.h\"}}", "x", "lib.h", {"lib.h"}, {}},
      {"{{.O (printf \"%s.%d\" .Line .Idx)}}", "x", "x.0", {}, {"x.0"}},
  };
  for (const Case& c : cases) {
    const Expansion out = Expand({"cmd", c.word}, c.item);
    ASSERT_EQ(out.argv.size(), 2u) << c.word;
    EXPECT_EQ(out.argv[1], c.placed) << c.word;
    EXPECT_EQ(out.inputs, c.inputs) << c.word;
    EXPECT_EQ(out.outputs, c.outputs) << c.word;
  }
}

TEST(Template, KeepsAnItemOutOfTheShellsCode) {
  const Expansion out =
      Expand({"sh", "-c", "cat < {i:f} > {o:f.x}; echo '{}' \"{}\" \"$(echo {})\""}, "$(rm x)'\"");
  ASSERT_EQ(out.argv.size(), 3u);
  EXPECT_EQ(out.argv[2],
            "cat < \"${LLAMA_1}\" > \"${LLAMA_2}\"; echo ''\"${LLAMA_3}\"'' \"${LLAMA_4}\" "
            "\"$(echo ${LLAMA_5})\"");
  ASSERT_EQ(out.env.size(), 5u);
  EXPECT_EQ(out.env[0], "LLAMA_1=$(rm x)'\"");
  EXPECT_EQ(out.env[1], "LLAMA_2=$(rm x)'\".x");
  EXPECT_EQ(out.inputs, Words{"$(rm x)'\""});
}

TEST(Template, KnowsTheScriptOfAShellByItsPlace) {
  const auto is_script = [](const Words& command) { return !Expand(command, "i").env.empty(); };
  EXPECT_TRUE(is_script({"sh", "-c", "echo {}"}));
  EXPECT_TRUE(is_script({"/bin/bash", "-ec", "echo {}"}));
  EXPECT_TRUE(is_script({"bash", "-e", "-c", "echo {}"}));
  EXPECT_TRUE(is_script({"env", "A=b", "sh", "-c", "echo {}"}));
  EXPECT_FALSE(is_script({"sh", "script", "{}"}));
  EXPECT_FALSE(is_script({"sh", "-c", "echo $1", "sh", "{}"}));
  EXPECT_FALSE(is_script({"python3", "-c", "print({})"}));
}

TEST(Template, ShowsWhatOneWouldType) {
  const Expansion out = Expand({"sh", "-c", "cat {i:f}"}, "a b");
  EXPECT_EQ(out.shown[2], "cat 'a b'");
}

TEST(Template, RefusesMarksThatMakeNoSense) {
  for (const char* word :
       {"{i:f", "{o:}", "{i:{o:x}}", "{{.I .Other}}", "{{.O (printf \"%q\" .Line)}}",
        "{{.O (printf \"%s\")}}", "{{.I (join .Line)}}"}) {
    const auto parsed = Template::Parse({"cmd", word});
    ASSERT_FALSE(parsed) << word;
    EXPECT_EQ(parsed.error().code, Code::kInvalid) << word;
  }
  EXPECT_FALSE(Template::Parse({}));
  const auto file = Template::Parse({"cmd", "{i:{}}"});
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->Expand("", 1)) << "an empty name of a file";
  EXPECT_FALSE(file->Expand(std::string("a\0b", 3), 1)) << "no argument can hold it";
}

TEST(ShellQuoted, GivesBackTheSameWord) {
  EXPECT_EQ(ShellQuoted("a-b/c.d"), "a-b/c.d");
  EXPECT_EQ(ShellQuoted(""), "''");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace llama::app
