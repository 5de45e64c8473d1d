#include "compiler/command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "compiler/options.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

struct NamedLanguage {
  std::string_view name;
  Language language;
};

// The suffix of a source file, as gcc's and clang's drivers know it.
constexpr auto kSuffixes = std::to_array<NamedLanguage>({
    {"c", Language::kC},
    {"i", Language::kPreprocessedC},
    {"cc", Language::kCxx},
    {"cp", Language::kCxx},
    {"cxx", Language::kCxx},
    {"cpp", Language::kCxx},
    {"CPP", Language::kCxx},
    {"c++", Language::kCxx},
    {"C", Language::kCxx},
    {"ii", Language::kPreprocessedCxx},
    {"s", Language::kAssembler},
    {"S", Language::kAssemblerWithCpp},
    {"sx", Language::kAssemblerWithCpp},
});

// Values of -x.
constexpr auto kLanguages = std::to_array<NamedLanguage>({
    {"c", Language::kC},
    {"c++", Language::kCxx},
    {"cpp-output", Language::kPreprocessedC},
    {"c++-cpp-output", Language::kPreprocessedCxx},
    {"assembler", Language::kAssembler},
    {"assembler-with-cpp", Language::kAssemblerWithCpp},
});

// What -Wa, may carry: harmless words of the assembler's own.
constexpr auto kAssemblerWords = std::to_array<std::string_view>({"--noexecstack",
                                                                  "--execstack",
                                                                  "--fatal-warnings",
                                                                  "--no-warn",
                                                                  "--warn",
                                                                  "-W",
                                                                  "--32",
                                                                  "--64",
                                                                  "--x32",
                                                                  "-g",
                                                                  "--gen-debug",
                                                                  "-gdwarf-2",
                                                                  "-gdwarf-3",
                                                                  "-gdwarf-4",
                                                                  "-gdwarf-5",
                                                                  "--gdwarf-2",
                                                                  "--gdwarf-3",
                                                                  "--gdwarf-4",
                                                                  "--gdwarf-5",
                                                                  "--compress-debug-sections",
                                                                  "--nocompress-debug-sections",
                                                                  "-L",
                                                                  "--keep-locals",
                                                                  "--divide",
                                                                  "-mbig-obj"});
constexpr auto kAssemblerPrefixes = std::to_array<std::string_view>(
    {"-march=", "-mtune=", "-mrelax-relocations=", "-mx86-used-note=", "-malign-branch",
     "-mbranches-within-32B-boundaries", "-mlfence-", "-mmnemonic=", "-msyntax=",
     "--compress-debug-sections=", "--size-check=", "--generate-missing-build-notes="});

template <size_t N>
Language Lookup(const std::array<NamedLanguage, N>& table, std::string_view name) {
  for (const NamedLanguage& entry : table) {
    if (entry.name == name) return entry.language;
  }
  return Language::kOther;
}

// The suffix after the last dot of the last component; empty if there is none.
std::string_view Suffix(std::string_view path) {
  const std::string_view base = BaseName(path);
  const size_t dot = base.rfind('.');
  return dot == base.npos ? std::string_view() : base.substr(dot + 1);
}

std::string ReplaceSuffix(std::string_view path, std::string_view suffix) {
  const size_t slash = path.rfind('/');
  const size_t dot = path.rfind('.');
  const bool has_suffix = dot != path.npos && (slash == path.npos || dot > slash);
  return std::string(path.substr(0, has_suffix ? dot : path.npos)) + std::string(suffix);
}

// What is not there fails elsewhere.
bool IsWritable(const std::string& path) {
  return path.empty() || access(path.c_str(), W_OK) == 0 || errno == ENOENT || errno == ENOTDIR;
}

// One pass over the arguments; then Finish decides what they add up to. The first reason for a
// local run that is found is kept: an action (link, preprocess, …) explains more than the options
// that came with it, so actions replace the reasons of options.
class Parser {
 public:
  Parser(const ParseOptions& options, Command& command) : options_(options), command_(command) {}

  void Run(std::vector<std::string> args);

 private:
  void TakeOption(std::vector<std::string>& args, size_t& i);
  void TakeSource(const std::string& arg);
  void Apply(const Option& option, Arg arg, const std::string& value);
  void ApplyPath(Effect effect, Arg& arg, const std::string& value);
  void AddSides(std::string_view suffixes);
  void SplitPreprocessor(Arg arg);
  void SplitAssembler(Arg arg);
  void Finish();
  std::string Reason() const;
  void CheckFiles();

  void RefuseSplit(Arg arg) {
    Unsafe(arg);
    command_.args.push_back(std::move(arg));
  }
  void Unsafe(const Arg& arg) { OptionReason("unsafe-option:" + arg.words[0]); }
  void OptionReason(std::string reason) {
    if (option_reason_.empty()) option_reason_ = std::move(reason);
  }

  const ParseOptions& options_;
  Command& command_;
  std::string action_;
  std::string option_reason_;
  std::optional<Language> forced_;  // by -x
  bool compile_ = false;
  bool depfile_wanted_ = false;
  int sources_ = 0;
  int outputs_ = 0;
};

void Parser::Run(std::vector<std::string> args) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i].size() > 1 && args[i][0] == '-') {
      TakeOption(args, i);
    } else {
      TakeSource(args[i]);
    }
  }
  Finish();
}

void Parser::TakeOption(std::vector<std::string>& args, size_t& i) {
  Arg arg;
  arg.words.push_back(args[i]);
  const Match match = MatchOption(args[i]);
  if (match.option == nullptr) {
    OptionReason("unknown-option:" + args[i]);
    command_.args.push_back(std::move(arg));
    return;
  }
  if (match.value_in_next) {
    if (i + 1 == args.size()) {
      OptionReason("missing-value:" + args[i]);
      command_.args.push_back(std::move(arg));
      return;
    }
    arg.words.push_back(args[++i]);
  }
  arg.word = arg.words.size() - 1;
  arg.offset = match.value_in_next ? 0 : match.value_offset;
  std::string value = arg.words[arg.word].substr(arg.offset);
  Apply(*match.option, std::move(arg), value);
}

void Parser::TakeSource(const std::string& arg) {
  ++sources_;
  if (arg == "-" || arg.empty()) {
    if (action_.empty()) action_ = arg.empty() ? "no-source" : "stdin";
    return;
  }
  command_.source = arg;
  Language language = forced_.value_or(Lookup(kSuffixes, Suffix(arg)));
  if (!forced_ && options_.is_cxx_driver) {
    if (language == Language::kC) language = Language::kCxx;
    if (language == Language::kPreprocessedC) language = Language::kPreprocessedCxx;
  }
  command_.language = language;
  Arg source;
  source.kind = ArgKind::kSource;
  source.words.push_back(arg);
  source.path = arg;
  command_.args.push_back(std::move(source));
}

void Parser::Apply(const Option& option, Arg arg, const std::string& value) {
  switch (option.effect) {
    case Effect::kPlain:
      break;
    case Effect::kCompile:
      compile_ = true;
      break;
    case Effect::kLocalAction:
      if (action_.empty()) action_ = option.detail;
      break;
    case Effect::kLanguage:
      forced_ = Lookup(kLanguages, value);
      if (value == "none") forced_.reset();
      break;
    case Effect::kRecordsCommand:
      command_.records_command = true;
      break;
    case Effect::kUnsafe:
      Unsafe(arg);
      break;
    case Effect::kDepfile:
      depfile_wanted_ = true;
      [[fallthrough]];
    case Effect::kDepTarget:
    case Effect::kDepFlag:
      arg.kind = ArgKind::kDependency;
      break;
    case Effect::kNative:
      arg.kind = ArgKind::kHostNative;
      break;
    case Effect::kNoDebug:
      command_.has_debug_info = false;
      break;
    case Effect::kSplitDebug:
      AddSides(option.detail);
      [[fallthrough]];
    case Effect::kDebug:
      command_.has_debug_info = true;
      break;
    case Effect::kSaveTemps:
      command_.has_sides_in_cwd = true;
      [[fallthrough]];
    case Effect::kSideFile:
      AddSides(option.detail);
      break;
    case Effect::kColor:
      command_.color_given = true;
      break;
    case Effect::kCharset:
      if (value != "UTF-8" && value != "utf-8") Unsafe(arg);
      break;
    case Effect::kPreprocessor:
      return SplitPreprocessor(std::move(arg));
    case Effect::kAssembler:
      return SplitAssembler(std::move(arg));
    case Effect::kOutput:
    case Effect::kSearchDir:
    case Effect::kPathIn:
    case Effect::kDepfilePath:
      ApplyPath(option.effect, arg, value);
      break;
  }
  command_.args.push_back(std::move(arg));
}

void Parser::ApplyPath(Effect effect, Arg& arg, const std::string& value) {
  arg.path = value;
  if (value.empty()) OptionReason("missing-value:" + arg.words[0]);
  if (effect == Effect::kOutput) {
    arg.kind = ArgKind::kPathOut;
    command_.object = value;
    command_.object_given = true;
    if (++outputs_ > 1) Unsafe(arg);
  } else if (effect == Effect::kDepfilePath) {
    arg.kind = ArgKind::kPathOut;
    command_.depfile = value;
    if (value == "-") Unsafe(arg);
  } else if (effect == Effect::kPathIn) {
    arg.kind = ArgKind::kPathIn;
  } else {
    arg.kind = ArgKind::kSearchDir;
    // "=dir" and "$SYSROOT/dir" are relative to the sysroot, which is another one remotely.
    if (value.starts_with("=") || value.starts_with("$SYSROOT")) Unsafe(arg);
  }
}

void Parser::AddSides(std::string_view suffixes) {
  while (!suffixes.empty()) {
    const size_t end = std::min(suffixes.find(' '), suffixes.size());
    command_.side_suffixes.emplace_back(suffixes.substr(0, end));
    suffixes.remove_prefix(std::min(end + 1, suffixes.size()));
  }
}

// -Wp,-MMD,path and the few others that build systems write. gcc hands the words to the
// preprocessor, where -MD and -MMD take the depfile's name as their value. A depfile stands alone
// in its argument, so that a dependency run can leave it out whole.
void Parser::SplitPreprocessor(Arg arg) {
  const std::string word = arg.words[0];
  arg.kind = ArgKind::kPlain;
  bool defines = false;
  for (size_t begin = 4; begin <= word.size();) {
    const size_t end = std::min(word.find(',', begin), word.size());
    const std::string_view part = std::string_view(word).substr(begin, end - begin);
    if (part == "-MD" || part == "-MMD") {
      const size_t path_end = std::min(word.find(',', std::min(end + 1, word.size())), word.size());
      if (end + 1 >= path_end || arg.kind == ArgKind::kSplitPath || defines)
        return RefuseSplit(std::move(arg));
      arg.kind = ArgKind::kSplitPath;
      arg.offset = end + 1;
      arg.path = word.substr(arg.offset, path_end - arg.offset);
      command_.depfile = arg.path;
      begin = path_end + 1;
      continue;
    }
    const bool harmless = part.starts_with("-D") || part.starts_with("-U") || part == "-MP" ||
                          part.starts_with("-W") || part == "-w";
    if (!harmless || arg.kind == ArgKind::kSplitPath) return RefuseSplit(std::move(arg));
    defines |= part != "-MP";
    begin = end + 1;
  }
  command_.args.push_back(std::move(arg));
}

void Parser::SplitAssembler(Arg arg) {
  const std::string& word = arg.words[0];
  for (size_t begin = 4; begin <= word.size();) {
    const size_t end = std::min(word.find(',', begin), word.size());
    const std::string_view part = std::string_view(word).substr(begin, end - begin);
    const auto is_prefix = [&](std::string_view prefix) { return part.starts_with(prefix); };
    if (std::find(kAssemblerWords.begin(), kAssemblerWords.end(), part) == kAssemblerWords.end() &&
        std::none_of(kAssemblerPrefixes.begin(), kAssemblerPrefixes.end(), is_prefix)) {
      return RefuseSplit(std::move(arg));
    }
    begin = end + 1;
  }
  command_.args.push_back(std::move(arg));
}

std::string Parser::Reason() const {
  if (!action_.empty()) return action_;
  if (sources_ == 0) return "no-source";
  if (!compile_) return "link";
  if (sources_ > 1) return "several-sources";
  if (!option_reason_.empty()) return option_reason_;
  const bool assembler =
      command_.language == Language::kAssembler || command_.language == Language::kAssemblerWithCpp;
  if (assembler && !options_.remote_assemble) return "assembler";
  if (command_.language == Language::kOther) {
    return "language:" + std::string(Suffix(command_.source));
  }
  return {};
}

void Parser::CheckFiles() {
  struct stat st {};
  if (stat(JoinPath(options_.cwd, command_.source).c_str(), &st) != 0 || !S_ISREG(st.st_mode)) {
    command_.local_reason = "source-not-regular";
  }
  for (const std::string* path : {&command_.object, &command_.depfile}) {
    if (path->empty()) continue;
    const std::string whole = JoinPath(options_.cwd, *path);
    const bool exists = lstat(whole.c_str(), &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
      command_.local_reason = "output-not-regular";
    } else if (!IsWritable(exists ? whole : std::string()) ||
               !IsWritable(std::string(DirName(whole)))) {
      command_.local_reason = "output-not-writable";
    }
  }
}

void Parser::Finish() {
  if (command_.object.empty()) {
    command_.object = ReplaceSuffix(BaseName(command_.source), ".o");
  }
  if (depfile_wanted_ && command_.depfile.empty()) {
    command_.depfile = ReplaceSuffix(command_.object, ".d");
  }
  command_.local_reason = Reason();
  if (command_.local_reason.empty()) CheckFiles();
}

}  // namespace

Command Parse(const std::vector<std::string>& args, const ParseOptions& options) {
  Command command;
  auto expanded = ExpandResponseFiles(args, options.cwd);
  if (!expanded) {
    command.local_reason = "response-file";
    return command;
  }
  const bool has_files = *expanded != args;
  Parser(options, command).Run(std::move(*expanded));
  // gcc hands files to its parts, too, if it was given any, and keeps those.
  if (has_files && command.has_sides_in_cwd && !options.is_clang && command.local_reason.empty()) {
    command.local_reason = "response-file";
  }
  return command;
}

}  // namespace llama::compiler
