#include "scan/search/search_options.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/environment.h"
#include "base/file.h"
#include "base/search_path.h"
#include "compiler/options.h"
#include "scan/search/search_table.h"

namespace llama::scan {
namespace {

using compiler::Family;
using Effect = SearchEffect;

class Reader {
 public:
  Reader(const compiler::Command& command, const compiler::Toolchain& toolchain,
         const std::vector<std::string>& env, const std::string& cwd)
      : command_(command),
        is_clang_(toolchain.family == Family::kClang),
        default_sysroot_(is_clang_ ? std::string() : toolchain.sysroot),
        env_(env),
        cwd_(cwd) {}

  Result<SearchOptions> Read() {
    // What '=' stands for may be said after it is used.
    for (const compiler::Arg& arg : command_.args) NoteSysroot(arg);
    for (const compiler::Arg& arg : command_.args) TRY(Take(arg));
    // gcc's and clang's drivers give cc1 what -Wp, holds after all others.
    for (const std::string_view word : preprocessor_) TRY(TakePreprocessor(word));
    TRY(AddVariables());
    // What is defined is known before anything is read, then come -imacros, then the rest.
    out_.forced = std::move(macros_);
    if (!is_clang_ && is_hosted_ && has_standard_) {
      out_.forced.push_back({"stdc-predef.h", true, true});
    }
    out_.forced.insert(out_.forced.end(), includes_.begin(), includes_.end());
    return std::move(out_);
  }

 private:
  static Error Refuse(std::string_view what) {
    return Error{Code::kInvalid, "not understood by the scan: " + std::string(what)};
  }

  bool IsCxx() const { return command_.language == compiler::Language::kCxx; }

  static bool IsOfSearch(const compiler::Arg& arg) {
    using enum compiler::ArgKind;
    return arg.kind != kSource && arg.kind != kPathOut && arg.kind != kDependency;
  }

  static std::string_view ValueOf(const compiler::Arg& arg, const SearchOption& entry) {
    return arg.words.size() > 1 ? arg.words[1]
                                : std::string_view(arg.words[0]).substr(entry.name.size());
  }

  void NoteSysroot(const compiler::Arg& arg) {
    if (!IsOfSearch(arg)) return;
    const SearchOption* entry = FindSearchOption(arg.words[0]);
    if (entry == nullptr || entry->effect != Effect::kSysroot) return;
    ++sysroots_;
    sysroot_ = ValueOf(arg, *entry);
  }

  Result<void> Take(const compiler::Arg& arg);
  Result<void> TakePreprocessor(std::string_view word);
  Result<void> TakeFrontEnd(const std::string& option, std::string_view value);
  Result<void> AddVariables();
  Result<void> AddFolder(std::vector<std::string>& chain, std::string_view dir);
  void AddVariable(std::vector<std::string>& chain, const char* name);
  std::string Absolute(std::string_view dir) const;

  void TakeBuiltIn(const compiler::Arg& arg, bool is_path, std::string_view value) {
    out_.built_in.insert(out_.built_in.end(), arg.words.begin(), arg.words.end());
    has_prefix_ |= arg.words[0].starts_with("-B") || arg.words[0].starts_with("--prefix");
    out_.depends_on_cwd |= is_path && !value.starts_with('/');
  }

  const compiler::Command& command_;
  const bool is_clang_;
  const std::string default_sysroot_;
  const std::vector<std::string>& env_;
  const std::string& cwd_;
  SearchOptions out_;
  std::vector<ForcedInclude> macros_, includes_;
  std::vector<std::string_view> preprocessor_;
  std::string_view sysroot_;
  int sysroots_ = 0;
  bool is_hosted_ = true;
  bool has_standard_ = true;
  bool has_prefix_ = false;
  bool front_end_value_is_next_ = false;
};

Result<void> Reader::Take(const compiler::Arg& arg) {
  if (!IsOfSearch(arg)) return {};
  const std::string& word = arg.words[0];
  const SearchOption* entry = FindSearchOption(word);
  if (entry == nullptr) {
    // The parser has told the caller already if there is nothing unknown.
    if (command_.local_reason.empty()) return {};
    if (compiler::MatchOption(word).option == nullptr) return Refuse(word);
    return {};
  }
  const std::string_view value = ValueOf(arg, *entry);
  switch (entry->effect) {
    case Effect::kNone:
      return {};
    case Effect::kQuote:
      return AddFolder(out_.quote, value);
    case Effect::kAngle:
      if (value != "-") return AddFolder(out_.angle, value);
      if (is_clang_ || out_.skips_includer_dir) return Refuse(word);
      // gcc's driver puts every -I before -iquote.
      out_.skips_includer_dir = true;
      out_.quote.insert(out_.quote.begin(), out_.angle.begin(), out_.angle.end());
      out_.angle.clear();
      return {};
    case Effect::kSystem:
      return AddFolder(out_.system, value);
    case Effect::kCxxSystem:
      if (!is_clang_) return Refuse(word);
      return AddFolder(IsCxx() ? out_.language : out_.unused, value);
    case Effect::kAfter:
      return AddFolder(out_.after, value);
    case Effect::kInclude:
      includes_.push_back({std::string(value)});
      return {};
    case Effect::kMacros:
      macros_.push_back({std::string(value)});
      return {};
    case Effect::kDefine:
      out_.defined.push_back(ParseCommandLineMacro(value));
      return {};
    case Effect::kUndefine:
      out_.defined.push_back({std::string(value), {}, {}, false, true});
      return {};
    case Effect::kPreprocessor:
      preprocessor_.push_back(word);
      return {};
    case Effect::kHosted:
    case Effect::kFreestanding:
      is_hosted_ = entry->effect == Effect::kHosted;
      return {};
    case Effect::kTarget:
      // Windows, which searches as MSVC does, and Darwin, with its frameworks.
      if (value.find("msvc") != value.npos || value.find("win") != value.npos) return Refuse(word);
      TakeBuiltIn(arg, false, value);
      return {};
    case Effect::kNoStandard:
      has_standard_ = false;
      [[fallthrough]];
    case Effect::kBuiltIn:
      TakeBuiltIn(arg, false, value);
      return {};
    case Effect::kBuiltInPath:
    case Effect::kSysroot:
      TakeBuiltIn(arg, true, value);
      return {};
    case Effect::kFrontEnd:
      return TakeFrontEnd(word, value);
    case Effect::kRefusedWithClang:
      if (!is_clang_) return {};
      [[fallthrough]];
    case Effect::kRefused:
      return Refuse(arg.words.size() > 1 ? word + " " + arg.words[1] : word);
  }
  return {};
}

// A word for the front end itself. Those that may change the search, or name what is read first,
// are refused; of the others a value may be the next such word.
Result<void> Reader::TakeFrontEnd(const std::string& option, std::string_view value) {
  constexpr auto kPlain = std::to_array<std::string_view>(
      {"-f", "-W", "-w", "-load", "-plugin", "-add-plugin", "-mllvm", "-disable-", "-target-",
       "-tune-cpu", "-no-opaque-", "-opaque-", "-verify", "-O", "-debug-info", "-mrelocation-model",
       "-pic-"});
  constexpr auto kWithValue = std::to_array<std::string_view>(
      {"-load", "-plugin", "-add-plugin", "-mllvm", "-target-feature", "-target-cpu", "-tune-cpu",
       "-mrelocation-model"});
  if (std::exchange(front_end_value_is_next_, false)) return {};
  const bool is_plain =
      std::any_of(kPlain.begin(), kPlain.end(),
                  [&](std::string_view prefix) { return value.starts_with(prefix); }) &&
      !value.starts_with("-fms-") && !value.starts_with("-fmodule") &&
      !value.starts_with("-fpreprocessed");
  if (!is_plain) return Refuse(option + " " + std::string(value));
  front_end_value_is_next_ =
      std::find(kWithValue.begin(), kWithValue.end(), value) != kWithValue.end() ||
      value.starts_with("-plugin-arg-");
  return {};
}

// The few words that build systems write there (compiler/command.cc); none else.
Result<void> Reader::TakePreprocessor(std::string_view word) {
  bool skips = false;
  for (size_t begin = 4; begin <= word.size();) {
    const size_t end = std::min(word.find(',', begin), word.size());
    const std::string_view part = word.substr(begin, end - begin);
    begin = end + 1;
    if (std::exchange(skips, false)) continue;
    const std::string_view value = part.substr(std::min<size_t>(part.size(), 2));
    if (part == "-MD" || part == "-MMD" || part == "-MF" || part == "-MT" || part == "-MQ") {
      skips = true;
    } else if (part.starts_with("-D") && !value.empty()) {
      out_.defined.push_back(ParseCommandLineMacro(value));
    } else if (part.starts_with("-U") && !value.empty()) {
      out_.defined.push_back({std::string(value), {}, {}, false, true});
    } else if (part.starts_with("-I") && !value.empty() && value != "-") {
      TRY(AddFolder(out_.angle, value));
    } else if (!part.starts_with("-W") && part != "-w" && part != "-MP") {
      return Refuse(word);
    }
  }
  return {};
}

// Absolute. clang takes a slash off the end.
std::string Reader::Absolute(std::string_view dir) const {
  if (is_clang_ && dir.size() > 1 && dir.ends_with('/')) dir.remove_suffix(1);
  return JoinPath(cwd_, dir);
}

// With a sysroot, '=' at the beginning stands for it: for gcc in every option, for clang in -I (in
// others since 17).
Result<void> Reader::AddFolder(std::vector<std::string>& chain, std::string_view dir) {
  if (dir.empty()) return Refuse("an empty name of a folder");
  constexpr std::string_view kVariable = "$SYSROOT";
  const bool is_variable = !is_clang_ && dir.starts_with(kVariable);
  const std::string_view sysroot = sysroots_ > 0 ? sysroot_ : std::string_view(default_sysroot_);
  if ((!dir.starts_with('=') && !is_variable) || (sysroots_ == 0 && sysroot.empty())) {
    chain.push_back(Absolute(dir));
    return {};
  }
  if (sysroots_ > 1 || (is_clang_ && &chain != &out_.angle)) {
    return Refuse(std::string(dir) + " and the sysroot");
  }
  const std::string_view rest = dir.substr(is_variable ? kVariable.size() : 1);
  // clang puts a slash between the two, gcc doesn't.
  const bool needs_slash = is_clang_ && !sysroot.ends_with('/') && !rest.starts_with('/');
  std::string joined(sysroot);
  joined.append(needs_slash ? "/" : "").append(rest);
  chain.push_back(Absolute(joined));
  return {};
}

// An empty folder in them is the working directory; an empty variable names none.
void Reader::AddVariable(std::vector<std::string>& chain, const char* name) {
  const char* value = FindVariable(env_, name);
  if (value == nullptr || *value == '\0') return;
  for (const std::string_view dir : SplitSearchPath(value)) {
    chain.push_back(Absolute(dir.empty() ? "." : dir));
  }
}

Result<void> Reader::AddVariables() {
  AddVariable(out_.angle, "CPATH");
  const char* name = IsCxx() ? "CPLUS_INCLUDE_PATH" : "C_INCLUDE_PATH";
  AddVariable(out_.language, name);
  if (is_clang_) AddVariable(out_.unused, IsCxx() ? "C_INCLUDE_PATH" : "CPLUS_INCLUDE_PATH");
  for (const char* prefix : {"COMPILER_PATH", "GCC_EXEC_PREFIX"}) {
    const char* value = FindVariable(env_, prefix);
    if (value == nullptr) continue;
    has_prefix_ = true;
    // Its later folders may be relative too; what they lead to is then asked for each directory.
    out_.depends_on_cwd = true;
  }
  // gcc adds a folder "include" below each prefix before those of the variable.
  const char* system = FindVariable(env_, name);
  if (!is_clang_ && has_prefix_ && system != nullptr && *system != '\0') {
    return Refuse(std::string(name) + " together with -B, COMPILER_PATH or GCC_EXEC_PREFIX");
  }
  for (const std::string& entry : env_) {
    if (is_clang_ && entry.starts_with("CCC_")) return Refuse(entry.substr(0, entry.find('=')));
  }
  return {};
}

}  // namespace

Result<SearchOptions> ReadSearchOptions(const compiler::Command& command,
                                        const compiler::Toolchain& toolchain,
                                        const std::vector<std::string>& env,
                                        const std::string& cwd) {
  return Reader(command, toolchain, env, cwd).Read();
}

std::string LanguageName(compiler::Language language) {
  switch (language) {
    case compiler::Language::kC:
      return "c";
    case compiler::Language::kCxx:
      return "c++";
    case compiler::Language::kAssemblerWithCpp:
      return "assembler-with-cpp";
    default:
      return {};
  }
}

}  // namespace llama::scan
