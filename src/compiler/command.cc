#include "compiler/command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "compiler/handed_words.h"
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

// Without -c or -S a driver precompiles it.
bool IsHeaderSuffix(std::string_view suffix) {
  constexpr auto kHeaders =
      std::to_array<std::string_view>({"h", "hh", "H", "hp", "hxx", "hpp", "HPP", "h++", "tcc"});
  return std::find(kHeaders.begin(), kHeaders.end(), suffix) != kHeaders.end();
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
  void AddSidePath(Arg& arg, std::string_view value);
  void Select(const Arg& arg, Effect effect, const std::string& value);
  void TakeFrontEnd(Arg arg, const std::string& value);
  void SplitPreprocessor(Arg arg);
  void SplitAssembler(Arg arg);
  void CheckAssembler(Arg& arg, size_t begin, size_t end);
  void Finish();
  std::string Reason() const;
  void CheckFiles();

  void RefuseSplit(Arg arg) {
    Unsafe(arg);
    command_.args.push_back(std::move(arg));
  }
  void Unsafe(const Arg& arg) { OptionReason("unsafe-option:" + arg.words[0]); }
  void UnsafeValue(const Arg& arg, const std::string& value) {
    OptionReason("unsafe-option:" + arg.words[0] + "=" + value);
  }
  void OptionReason(std::string reason) { command_.option_reasons.push_back(std::move(reason)); }

  const ParseOptions& options_;
  Command& command_;
  std::string action_;
  std::optional<Language> forced_;  // by -x
  bool forces_header_ = false;      // likewise
  bool compile_ = false;
  bool assembly_ = false;
  bool preprocess_ = false;
  bool is_header_ = false;  // the source
  bool emits_llvm_ = false;
  bool is_preprocessed_ = false;
  bool depfile_wanted_ = false;
  std::string front_end_option_;  // of the last -Xclang, whose value comes next
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
  is_header_ = forced_ ? forces_header_ : IsHeaderSuffix(Suffix(arg));
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
    case Effect::kAssembly:
      assembly_ = true;
      break;
    case Effect::kPreprocess:
      preprocess_ = true;
      break;
    case Effect::kEmitLlvm:
      emits_llvm_ = true;
      break;
    case Effect::kPreprocessed:
      is_preprocessed_ = true;
      break;
    case Effect::kLocalAction:
      if (action_.empty()) action_ = option.detail;
      break;
    case Effect::kLanguage:
      forced_ = Lookup(kLanguages, value);
      forces_header_ = value.ends_with("-header");
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
    case Effect::kSideFileOfValue:
      if (value.ends_with("-file")) AddSides(option.detail);
      break;
    case Effect::kSidePath:
      AddSidePath(arg, value);
      break;
    case Effect::kSidePathInValue:
      if (const size_t equals = value.find('='); equals != value.npos) {
        arg.offset += equals + 1;
        AddSidePath(arg, std::string_view(value).substr(equals + 1));
      }
      break;
    case Effect::kSelect:
    case Effect::kSelectPath:
    case Effect::kProgramIn:
      Select(arg, option.effect, value);
      break;
    case Effect::kFrontEnd:
      return TakeFrontEnd(std::move(arg), value);
    case Effect::kXPreprocessor:
      if (!IsPreprocessorWord(value)) {
        UnsafeValue(arg, value);
      }
      break;
    case Effect::kXAssembler:
      CheckAssembler(arg, 0, value.size());
      break;
    case Effect::kColor:
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
  }
}

void Parser::AddSides(std::string_view suffixes) {
  while (!suffixes.empty()) {
    const size_t end = std::min(suffixes.find(' '), suffixes.size());
    command_.side_suffixes.emplace_back(suffixes.substr(0, end));
    suffixes.remove_prefix(std::min(end + 1, suffixes.size()));
  }
}

// "-" and the streams' names are no files.
void Parser::AddSidePath(Arg& arg, std::string_view value) {
  if (value.empty()) return OptionReason("missing-value:" + arg.words[0]);
  if (value == "-" || value == "stderr" || value == "stdout") return;
  arg.kind = ArgKind::kPathOut;
  arg.path = value;
  command_.side_paths.emplace_back(value);
}

void Parser::Select(const Arg& arg, Effect effect, const std::string& value) {
  Selection& selection = command_.selection;
  if (effect == Effect::kProgramIn) {
    // Without a slash it is a name in a folder of the compiler's.
    if (value.find('/') != value.npos) {
      selection.programs.push_back(JoinPath(options_.cwd, value));
    }
    return;
  }
  selection.options.insert(selection.options.end(), arg.words.begin(), arg.words.end());
  if (effect == Effect::kSelectPath && !value.starts_with('/')) selection.cwd = options_.cwd;
}

void Parser::TakeFrontEnd(Arg arg, const std::string& value) {
  const std::string option = std::exchange(front_end_option_, {});
  if (option == "-load") {
    Select(arg, Effect::kProgramIn, value);
  } else if (option == "-include" || option == "-imacros") {
    arg.kind = ArgKind::kPathIn;
    arg.path = value;
  } else if (option.empty() && PinsFrontEnd(value)) {
    UnsafeValue(arg, value);
  } else if (option.empty() && FrontEndTakesValue(value)) {
    front_end_option_ = value;
  }
  command_.args.push_back(std::move(arg));
}

// -Wp,-MMD,path and the few others that build systems write. gcc hands the words to the
// preprocessor, where -MD and -MMD take the depfile's name as their value. What is about
// dependencies stands alone in its argument, so that a dependency run can leave it out whole.
void Parser::SplitPreprocessor(Arg arg) {
  const std::string word = arg.words[0];
  arg.kind = ArgKind::kPlain;
  bool defines = false;
  const auto next = [&](size_t from) { return std::min(word.find(',', from), word.size()); };
  for (size_t begin = 4; begin <= word.size();) {
    const size_t end = next(begin);
    const std::string_view part = std::string_view(word).substr(begin, end - begin);
    const bool names_depfile = part == "-MD" || part == "-MMD";
    if (names_depfile || part == "-MT" || part == "-MQ") {
      const size_t value_end = next(std::min(end + 1, word.size()));
      if (end + 1 >= value_end || arg.kind == ArgKind::kSplitPath || defines)
        return RefuseSplit(std::move(arg));
      arg.kind = names_depfile ? ArgKind::kSplitPath : ArgKind::kDependency;
      if (names_depfile) {
        arg.offset = end + 1;
        arg.path = word.substr(arg.offset, value_end - arg.offset);
        command_.depfile = arg.path;
      }
      begin = value_end + 1;
      continue;
    }
    const bool harmless = part.starts_with("-D") || part.starts_with("-U") || part == "-MP" ||
                          (part.starts_with("-I") && part.size() > 2 && part != "-I-") ||
                          part.starts_with("-W") || part == "-w";
    if (!harmless || arg.kind != ArgKind::kPlain) return RefuseSplit(std::move(arg));
    defines |= part != "-MP";
    begin = end + 1;
  }
  command_.args.push_back(std::move(arg));
}

void Parser::SplitAssembler(Arg arg) {
  const size_t size = arg.words[0].size();
  for (size_t begin = 4; begin <= size;) {
    const size_t end = std::min(arg.words[0].find(',', begin), size);
    CheckAssembler(arg, begin, end);
    begin = end + 1;
  }
  command_.args.push_back(std::move(arg));
}

// The part [begin, end) of the argument's value.
void Parser::CheckAssembler(Arg& arg, size_t begin, size_t end) {
  const std::string_view word = std::string_view(arg.words[arg.word]).substr(begin, end - begin);
  if (word.starts_with("-I") && word.size() > 2) {
    arg.kind = ArgKind::kPathIn;
    arg.path = word.substr(2);
    arg.offset = begin + 2;
  } else if (PinsAssembler(word)) {
    Unsafe(arg);
  }
}

std::string Parser::Reason() const {
  if (!action_.empty()) return action_;
  // Half of what it takes to preprocess elsewhere is to send what was read here for that.
  if (preprocess_) return "preprocess";
  if (sources_ == 0) return "no-source";
  if (!compile_ && !assembly_) return is_header_ ? "precompile" : "link";
  if (sources_ > 1) return "several-sources";
  if (!command_.option_reasons.empty()) return command_.option_reasons.front();
  const bool assembler =
      command_.language == Language::kAssembler || command_.language == Language::kAssemblerWithCpp;
  if (assembler && assembly_) return "assembly";
  if (assembler && !options_.remote_assemble) return "assembler";
  if (is_header_) return "precompile";
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
  std::vector<std::string> outputs = command_.side_paths;
  outputs.push_back(command_.object);
  if (!command_.depfile.empty()) outputs.push_back(command_.depfile);
  for (const std::string& path : outputs) {
    if (path.empty()) continue;
    const std::string whole = JoinPath(options_.cwd, path);
    const bool exists = lstat(whole.c_str(), &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
      command_.local_reason = "output-not-regular";
    } else if (!IsWritable(exists ? whole : std::string()) ||
               !IsWritable(std::string(DirName(whole)))) {
      command_.local_reason = "output-not-writable";
    }
  }
}

Language Preprocessed(Language language) {
  if (language == Language::kC) return Language::kPreprocessedC;
  return language == Language::kCxx ? Language::kPreprocessedCxx : language;
}

void Parser::Finish() {
  if (is_preprocessed_) command_.language = Preprocessed(command_.language);
  if (command_.object.empty()) {
    const char* suffix = assembly_ ? (emits_llvm_ ? ".ll" : ".s") : (emits_llvm_ ? ".bc" : ".o");
    command_.object = ReplaceSuffix(BaseName(command_.source), suffix);
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
