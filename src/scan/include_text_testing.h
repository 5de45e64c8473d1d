// Random texts of headers, for tests that hold the scan against the compilers: every way to write
// an include that they know, and much that only looks like one.
//
// Nearly all includes stand behind a __has_include, so that the text compiles whatever there is.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llama::scan {

// The same numbers everywhere, unlike the standard's distributions.
class Chance {
 public:
  explicit Chance(uint32_t seed) : random_(seed) {}
  size_t Below(size_t n) { return random_() % n; }
  bool OneIn(size_t n) { return Below(n) == 0; }
  template <typename List>
  const auto& Pick(const List& list) {
    return list[Below(std::size(list))];
  }

 private:
  std::mt19937 random_;
};

inline constexpr auto kHeaderNames = std::to_array<std::string_view>(
    {"a.h", "b.h", "c.h", "d.h", "ab.h", "e.inc", "plain", "sp ace.h"});

// kCompiled: no compiler finds anything wrong with it, but what it cannot find.
enum class TextUse { kPreprocessed, kCompiled };

class IncludeText {
 public:
  // `folders` are those of the graph, from its root on, whatever they are; the root is absolute.
  IncludeText(Chance& chance, std::string root, std::vector<std::string> folders, TextUse use)
      : chance_(chance),
        root_(std::move(root)),
        folders_(std::move(folders)),
        is_compiled_(use == TextUse::kCompiled),
        has_absolute_(!is_compiled_ || chance.OneIn(8)) {}

  // The text of a header in `folder`; `beside` are names that are in there for sure.
  std::string Make(const std::string& folder, std::span<const std::string> beside) {
    folder_ = folder;
    std::string body;
    const size_t count = chance_.Below(6);
    for (size_t i = 0; i < count; ++i) body += Element(beside);
    body += Filler();
    const std::string number = std::to_string(next_++);
    std::string text;
    if (chance_.OneIn(3)) {
      text = "#pragma once\n#ifndef G" + number + "\n#define G" + number + "\n" + body + "#endif\n";
    } else {
      text = "#ifndef G" + number + "\n#define G" + number + "\n" + body + "#endif\n";
    }
    if (chance_.OneIn(8)) text.pop_back();
    if (chance_.OneIn(24)) text = WithCarriageReturns(text);
    if (chance_.OneIn(24)) text.insert(0, "\xEF\xBB\xBF");
    return text;
  }
  // Brings in several headers, so that the rest is reached.
  std::string MakeSource(const std::string& folder, std::span<const std::string> beside) {
    std::string text = Make(folder, beside);
    for (size_t i = 0; i < 7; ++i) text += "\n" + Guarded(Directive(), Name());
    return text + "\n";
  }

  // "a.h" or <a.h>.
  std::string Name() { return Spelt(Path()); }
  std::string MacroValue() { return chance_.OneIn(3) ? Spelt(Bare()) : Name(); }

 private:
  std::string Bare() { return std::string(chance_.Pick(kHeaderNames)); }

  std::string Path() {
    switch (chance_.Below(12)) {
      case 0:
        return "sub/" + Bare();
      case 1:
        return "deep/../" + Bare();
      case 2:
        return "./" + Bare();
      case 3:
        // A compile of such a name runs here.
        if (!has_absolute_) return Bare();
        return root_ + "/" + chance_.Pick(folders_) + "/" + Bare();
      case 4:
      case 5: {
        // From where it stands, by as many steps as its folder's name has; links make it another.
        std::string up = "../";
        for (const char c : folder_) up += c == '/' ? "../" : "";
        return up + chance_.Pick(folders_) + "/" + Bare();
      }
      case 6:
        return "../" + Bare();
      default:
        return Bare();
    }
  }

  std::string Spelt(const std::string& path) {
    return chance_.OneIn(2) ? "\"" + path + "\"" : "<" + path + ">";
  }

  std::string Directive() { return chance_.OneIn(12) ? "import" : "include"; }

  // The same directive in one of the ways in which it may be written.
  std::string Write(const std::string& directive, std::string operand) {
    if (chance_.OneIn(10) && operand.size() > 3) {
      operand.insert(1 + chance_.Below(operand.size() - 2), "\\\n");
    }
    const std::string split = directive.substr(0, 3) + "\\\n" + directive.substr(3);
    switch (chance_.Below(18)) {
      case 0:
        return "  #  " + directive + "\t" + operand + "  // it's \"one\n";
      case 1:
        return "/* x */ # /* y */ " + directive + " /* z */ " + operand + " /* more\n */\n";
      case 2:
        return "%:" + directive + " " + operand + "\n";
      case 3:
        return "#" + split + " " + operand + "\n";
      case 4:
        return "#" + directive + " \\\n\\\n  " + operand + "\n";
      case 5:
        return "#" + directive + (operand[0] == '"' || operand[0] == '<' ? "" : " ") + operand +
               "\n";
      case 6:
        return "#\\ \n" + directive + "/**/" + operand + "\n";
      case 8:
        return "/* one\n two */ #" + directive + "/*\n*/" + operand + "\n";
      case 7:
        if (is_compiled_) return "#" + directive + " " + operand + "\n";
        return "?\?=" + directive + " " + operand + "\n";
      default:
        return "#" + directive + " " + operand + "\n";
    }
  }

  std::string Guarded(const std::string& directive, const std::string& operand) {
    const bool is_next = directive == "include_next";
    const std::string test = is_next ? "__has_include_next" : "__has_include";
    std::string out = chance_.OneIn(6) ? "#define HAS(x) __has_include(x)\n#if HAS(" + operand + ")"
                                       : "#if " + test + "(" + operand + ")";
    if (is_next) out = "#if " + test + "(" + operand + ")";
    if (chance_.OneIn(6)) out += " && \\\n 1";
    return out + "\n" + Write(directive, operand) + "#endif\n";
  }

  std::string Element(std::span<const std::string> beside) {
    const std::string number = std::to_string(chance_.Below(4));
    switch (chance_.Below(20)) {
      case 0:
        if (beside.empty()) return Filler();
        return Write("include", "\"" + chance_.Pick(beside) + "\"");
      case 1:
      case 2:
        return Guarded("include_next", Spelt(Bare()));
      case 3:
        return "#if 0\nit's skipped\n" + Write("include", Name()) + "#endif\n";
      case 4:
        return "#ifdef X" + number + "\n" + Guarded("include", Name()) + "#else\n" +
               Guarded("include", Name()) + "#endif\n";
      case 5:
        return "#undef X" + number + "\n#define X" + number + "\n";
      case 6:
      case 7:
        return Computed("M" + number);
      case 8:
        return "#undef M" + number + "\n" + Define("M" + number, MacroValue());
      case 9:
        return ComputedByCall("F" + number);
      case 10:
        return Filler() + Filler();
      case 12:
        return "#ifdef X" + number + "\n#elifdef X3\n" + Guarded("include", Name()) +
               "#elif defined(__has_include) && __has_include(" + Name() + ")\n" +
               Guarded("include", Name()) + "#endif\n";
      case 13:
        return "#pragma push_macro(\"M" + number + "\")\n#undef M" + number + "\n" +
               Define("M" + number, MacroValue()) + Computed("M" + number) +
               "#pragma pop_macro(\"M" + number + "\")\n" + Computed("M" + number);
      case 11:
        return "#if __has_include(" + Name() + ")\n#elif __has_include(" + Name() + ")\n" +
               Write("include", Name()).insert(0, "#if 0\n") + "#endif\n#else\n#endif\n";
      default:
        return Guarded(Directive(), Name());
    }
  }

  std::string Define(const std::string& name, const std::string& value) {
    return chance_.OneIn(4) ? "#define \\\n" + name + " /* c */ " + value + "\n"
                            : "#define " + name + " " + value + "\n";
  }

  std::string Computed(const std::string& macro) {
    std::string out;
    if (chance_.OneIn(2)) out = "#undef " + macro + "\n" + Define(macro, MacroValue());
    if (chance_.OneIn(4)) {
      out += "#define VIA" + macro + " " + macro + "\n#ifdef " + macro + "\n";
      return out + Guarded("include", "VIA" + macro) + "#endif\n";
    }
    return out + "#ifdef " + macro + "\n" + Guarded("include", macro) + "#endif\n";
  }

  std::string ComputedByCall(const std::string& macro) {
    constexpr auto kBodies = std::to_array<std::string_view>(
        {"<x.h>", "STR(x.h)", "STR(sub/x.h)", "<sub/x.h>", "STR(../inc/x.h)", "STR(CAT(x,b).h)"});
    constexpr auto kArguments = std::to_array<std::string_view>({"a", "b", "c", "CAT(a,b)", "V"});
    std::string out = "#define STR_(x) #x\n#define STR(x) STR_(x)\n";
    out +=
        "#define CAT_(x, y) x##y\n#define CAT(x, y) CAT_(x, y)\n#ifndef V\n#define V d\n#endif\n";
    if (chance_.OneIn(2)) {
      out += "#undef " + macro + "\n#define " + macro + "(x) ";
      out += std::string(chance_.Pick(kBodies)) + "\n";
    }
    if (chance_.OneIn(6)) {
      out += "#undef R\n#define R(x, ...) <__VA_ARGS__ x>\n";
      return out + Guarded("include", chance_.OneIn(2) ? "R(a.h)" : "R(a.h, sub/../)");
    }
    if (chance_.OneIn(6)) {
      return out + "#define ALIAS" + macro + " " + macro + "\n#ifdef " + macro + "\n" +
             Guarded("include", "ALIAS" + macro + "(a)") + "#endif\n";
    }
    const std::string call = macro + "(" + std::string(chance_.Pick(kArguments)) + ")";
    return out + "#ifdef " + macro + "\n" + Guarded("include", call) + "#endif\n";
  }

  // Text that brings in nothing, or only by one of the languages.
  std::string Filler() {
    const std::string number =
        std::to_string(is_compiled_ ? next_variable_++ : static_cast<int>(chance_.Below(1000)));
    const std::string name = Name();
    const std::string guarded = "#if __has_include(" + name + ")\n#include " + name + "\n#endif\n";
    const auto if_known = [&](const std::string& condition, const std::string& text) {
      return is_compiled_ ? "#if " + condition + "\n" + text + "#endif\n" : text;
    };
    constexpr const char* kHasRaw = "defined(__cplusplus) || !defined(__clang__)";
    switch (chance_.Below(16)) {
      case 9:
        return "#line 7 \"../inc/deep/x.c\"\n";
      case 10:
        return if_known("0", "int n" + number + "; /*\n*/ #include \"no.h\"\n");
      case 11:
        return "const char* t" + number + " = \"\\\n#include \\\"no.h\\\"\";\n";
      case 12:
        // clang ends a line there.
        return "// c\r#if __has_include(" + name + ")\r#include " + name + "\r#endif\n";
      case 0:
        return "/* it's\n#include \"no.h\"\n */\n";
      case 1:
        return "// on \\\n#include \"no.h\"\n";
      case 2:
        return "char c" + number + "[] = \"/*\"; char q" + number + " = '\"';\n";
      case 3:
        return "const char* s" + number + " = \"#include \\\"no.h\\\"\";\n";
      case 4:
        return if_known(kHasRaw, "const char* r" + number + " = R\"(\n" + guarded + ")\";\n");
      case 5:
        return if_known(kHasRaw, "const char* r" + number + " = R\"x(\n/* )\" \" */\n)x\";\n");
      case 6:
        return "#define R" + number + " \"/*\" \\\n  'x' //\n";
      case 7:
        return if_known("defined(__cplusplus)", "int d" + number + " = 1'000;\n") + guarded +
               if_known("defined(__cplusplus)", "int e" + number + " = 1'0;\n");
      case 8:
        return "#if 0\n'\n\"\n#else\n" + guarded + "#endif\n";
      default:
        return "int v" + number + ";\n";
    }
  }

  static std::string WithCarriageReturns(const std::string& text) {
    std::string out;
    for (const char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
  }

  Chance& chance_;
  const std::string root_;
  const std::vector<std::string> folders_;
  const bool is_compiled_;
  const bool has_absolute_;
  std::string folder_;
  int next_ = 0;
  int next_variable_ = 0;
};

}  // namespace llama::scan
