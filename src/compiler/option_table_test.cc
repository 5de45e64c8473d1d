// Every option that the compilers here know has a row of its own or of a family; and none that is
// about files has only a family's.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/process.h"
#include "compiler/options.h"

namespace llama::compiler {
namespace {

namespace fs = std::filesystem;

constexpr auto kFamilies =
    std::to_array<std::string_view>({"-f", "-m", "-W", "-O", "-g", "-R", "--param=", "-std="});

// What of the families is about files, or seems so, and was looked at: it reads or writes none, or
// what it reads is found out by what it looks up.
constexpr auto kLookedAt = std::to_array<std::string_view>(
    {// Names stand in what is made.
     "-fcoverage-compilation-dir=", "-fcoverage-prefix-map=", "-fdebug-compilation-dir=",
     "-fdebug-prefix-map=", "-ffile-compilation-dir=", "-ffile-prefix-map=", "-fmacro-prefix-map=",
     "-fprofile-dir=", "-fprofile-exclude-files=", "-fprofile-filter-files=",
     "-fprofile-prefix-map=", "-fprofile-prefix-path=", "-finstrument-functions-exclude-file-list=",
     "-fworking-directory", "-fcs-profile-generate", "-fcs-profile-generate=", "-fmemory-profile=",
     "-fprofile-generate", "-fprofile-generate=", "-fprofile-instr-generate",
     "-fprofile-instr-generate=", "-fprofile-abs-path", "-frtlib-add-rpath", "-fno-rtlib-add-rpath",
     "-funique-internal-linkage-names",
     // Read where they are looked for by a rule.
     "-fauto-profile", "-fprofile-use",
     // Written if a compiler crashes; then a local run tells.
     "-freport-bug", "-fcrash-diagnostics-dir=", "-fno-crash-diagnostics",
     // Printed, the same everywhere.
     "-fmax-errors=", "-ftabstop=", "-mdump-tune-features", "-mdump-tune-features=",
     // About other options.
     "-fplugin-arg-", "-fada-spec-parent=", "-fuse-linker-plugin", "-fuse-cuid=", "-fpch-codegen",
     "-fno-pch-codegen", "-fpch-preprocess", "-fpch-validate-input-files-content",
     "-fvalidate-ast-input-files-content", "-fno-sanitize-ignorelist",
     "-fdiagnostics-hotness-threshold=", "-fbasic-block-sections=", "-fno-temp-file",
     "-flarge-source-files", "-fbuiltin-module-map", "-fms-compatibility-version=",
     "-fmsc-version=", "-fembed-bitcode-marker", "-fopenmp-enable-irbuilder",
     "-fmodules-validate-input-files-content", "-fmodules-validate-once-per-build-session",
     "-fmodules-prune-after=", "-mincremental-linker-compatible",
     "-mno-incremental-linker-compatible", "-fchkp-check-write", "-fipa-reference-addressable",
     "-Rpass=", "-Rpass-missed=", "-Rpass-analysis=", "-faapcs-bitfield-load",
     "-fbinutils-version=", "-fpch-debuginfo", "-fno-pch-debuginfo", "-frwpi",
     "-fsanitize-address-use-odr-indicator", "-fsplit-dwarf-inlining", "-mmark-bti-property",
     "-mignore-xcoff-visibility"});

// Of cc1 a value follows them, of gcc's driver none.
constexpr auto kFlagsOfTheDriver = std::to_array<std::string_view>(
    {"-MD", "-MMD", "--write-dependencies", "--write-user-dependencies"});

struct Helped {
  std::string text;
  bool is_separate = false;  // its value is said to be a word of its own
};
using Help = std::map<std::string, Helped>;

std::set<std::string> InstalledCompilers() {
  const std::regex name("(.*-)?(gcc|g\\+\\+|clang|clang\\+\\+)(-[0-9.]+)?");
  std::set<std::string> found;
  for (const char* dir : {"/usr/bin", "/usr/local/bin"}) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(dir, error)) {
      if (!std::regex_match(entry.path().filename().string(), name)) continue;
      const fs::path real = fs::canonical(entry.path(), error);
      if (!error && real.filename().string().find("ccache") == std::string::npos) {
        found.insert(real);
      }
    }
  }
  return found;
}

std::string Ask(const std::string& compiler, const std::string& option) {
  ProcessOptions options;
  options.program = compiler;
  options.argv = {compiler, option};
  options.env = {"LC_ALL=C", "PATH=/usr/bin:/bin", "COLUMNS=200"};
  options.timeout_ms = 60'000;
  const auto result = RunProcess(options);
  return result ? result->out : std::string();
}

// "  -fdump-<type>   What it does" and the lines below it that are further in.
void Read(const std::string& text, bool all_are_separate, Help& help) {
  static const std::regex line_with_option("^  (-[^\\s<\\[]+)( <[^>]*>)?[^\\s]*(.*)$");
  Helped* last = nullptr;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    std::smatch match;
    if (line.starts_with("  -") && std::regex_match(line, match, line_with_option)) {
      const std::string name = match[1];
      const size_t equals = name.find('=');
      last = &help[equals == name.npos ? name : name.substr(0, equals + 1)];
      last->text += line.substr(2) + " ";
      last->is_separate |= all_are_separate || match[2].length() > 0;
    } else if (line.starts_with("      ") && last != nullptr) {
      last->text += line + " ";
    } else {
      last = nullptr;
    }
  }
}

Help HelpOf(const std::string& compiler) {
  Help help;
  if (compiler.find("clang") != std::string::npos) {
    Read(Ask(compiler, "--help"), false, help);
    Read(Ask(compiler, "--help-hidden"), false, help);
    return help;
  }
  for (const char* part : {"common", "target", "optimizers", "params", "warnings", "c", "c++",
                           "c,joined", "c++,joined", "common,joined", "c,undocumented"}) {
    Read(Ask(compiler, std::string("--help=") + part), false, help);
  }
  for (const char* part : {"c,separate", "c++,separate", "common,separate"}) {
    Read(Ask(compiler, std::string("--help=") + part), true, help);
  }
  return help;
}

bool IsFamily(const Option& option) {
  return std::find(kFamilies.begin(), kFamilies.end(), option.name) != kFamilies.end();
}

bool SpeaksOfFiles(const std::string& text) {
  static const std::regex words(
      "<(file|path|dir|dso)|\\bfile|filename|director|\\bdump|plugin|\\bwrites?\\b|\\breports?\\b",
      std::regex::icase);
  return std::regex_search(text, words);
}

TEST(OptionTableTest, KnowsWhatTheCompilersHereKnow) {
  const std::set<std::string> compilers = InstalledCompilers();
  if (compilers.empty()) GTEST_SKIP() << "no compiler is installed";
  for (const std::string& compiler : compilers) {
    const Help help = HelpOf(compiler);
    EXPECT_GT(help.size(), 500u) << compiler;
    for (const auto& [name, helped] : help) {
      const Match match = MatchOption(name.ends_with('=') ? name + "x" : name);
      EXPECT_NE(match.option, nullptr) << compiler << ": no row for " << helped.text;
      if (match.option == nullptr) continue;
      const bool is_family = IsFamily(*match.option);
      const bool is_flag = std::find(kFlagsOfTheDriver.begin(), kFlagsOfTheDriver.end(), name) !=
                           kFlagsOfTheDriver.end();
      if (helped.is_separate && !is_flag && !name.ends_with('=')) {
        EXPECT_TRUE(match.value_in_next) << compiler << ": a value follows " << helped.text;
      }
      if (!is_family || name.starts_with("-W") || name.starts_with("--param")) continue;
      const bool was_looked_at =
          std::find(kLookedAt.begin(), kLookedAt.end(), name) != kLookedAt.end();
      EXPECT_TRUE(was_looked_at || !SpeaksOfFiles(helped.text))
          << compiler << ": only a family has " << helped.text;
    }
  }
}

TEST(OptionTableTest, IsInOrder) {
  const std::span<const Option> table = OptionTable();
  for (size_t i = 1; i < table.size(); ++i) EXPECT_LT(table[i - 1].name, table[i].name);
  for (const Option& option : table) {
    EXPECT_TRUE(option.name.starts_with('-')) << option.name;
    const bool says_why = option.effect != Effect::kUnsafe || !option.detail.empty();
    EXPECT_TRUE(says_why) << option.name;
    const Match match = MatchOption(option.name);
    ASSERT_NE(match.option, nullptr) << option.name;
    EXPECT_EQ(match.option->name, option.name);
  }
}

// As one would look them up by hand.
TEST(OptionTableTest, TheLongestNameThatFitsWins) {
  for (const std::string arg : {"-c",
                                "-coverage",
                                "-ofile",
                                "--output=x",
                                "--outputs",
                                "-fplugin=x",
                                "-fplugi",
                                "-f",
                                "-fno-such",
                                "-march=native",
                                "-march=nativ",
                                "-m",
                                "-include",
                                "-include-pch",
                                "-include-pchx",
                                "-includex",
                                "-Wp,-MD",
                                "-Wl,x",
                                "-W",
                                "-g0",
                                "-g0x",
                                "-gz=x",
                                "-gzx",
                                "--param=x",
                                "--param",
                                "--params",
                                "-stdlib++-isystem/x",
                                "-std",
                                "-",
                                "--",
                                "-~",
                                "-fdump-noaddr",
                                "-fdump-noaddrs",
                                "-O",
                                "--help=x",
                                "-zx",
                                "-isystem-afterx"}) {
    const Option* best = nullptr;
    for (const Option& option : OptionTable()) {
      const bool fits = option.form == Form::kFlag || option.form == Form::kSeparate
                            ? arg == option.name
                        : option.form == Form::kEqualsOrSeparate
                            ? arg == option.name || arg.starts_with(std::string(option.name) + "=")
                            : arg.starts_with(option.name);
      if (fits && (best == nullptr || option.name.size() > best->name.size())) best = &option;
    }
    EXPECT_EQ(MatchOption(arg).option, best) << arg;
  }
}

}  // namespace
}  // namespace llama::compiler
