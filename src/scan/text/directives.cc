#include "scan/text/directives.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/hash.h"
#include "scan/text/assembler_operand.h"
#include "scan/text/characters.h"
#include "scan/text/condition.h"
#include "scan/text/readings.h"
#include "scan/text/source_lexer.h"
#include "scan/text/timestamp.h"
#include "scan/text/word_search.h"

namespace llama::scan {
namespace {

constexpr std::string_view kDependencyWord = "dependency";
// What is looked for in many places of a line is not looked for beyond it, lest a line be
// quadratic.
constexpr size_t kMaxName = 5000;

// All that is left of blanks by now.
bool IsSpaceOrTab(char c) { return c == ' ' || c == '\t'; }

std::string_view NameAt(std::string_view text, size_t at) {
  const size_t start = at;
  while (at < text.size() && IsNameCharacter(text[at])) ++at;
  return text.substr(start, at - start);
}

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsSpaceOrTab(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpaceOrTab(text.back())) text.remove_suffix(1);
  return text;
}

// Words of interest wherever they stand.
enum Word : size_t {
  kIncbin,
  kUpperIncbin,
  kInclude,
  kUpperInclude,
  kDependency,
  kTimestamp,
  kLastOfTimestamp = kTimestamp + kTimestampParts.size() - 1,
  kFirstOther,  // from here on, those that count in comments, too
  kPopMacro = kFirstOther,
  kHasInclude,
  kHasEmbed
};
const WordSearch& Words() {
  static const WordSearch words([] {
    std::vector<std::string_view> all = {".incbin", ".INCBIN", ".include", ".INCLUDE",
                                         kDependencyWord};
    all.insert(all.end(), kTimestampParts.begin(), kTimestampParts.end());
    all.insert(all.end(), {"pop_macro", "__has_include", "__has_embed"});
    return all;
  }());
  return words;
}

Definition ParseDefinition(std::string_view line) {
  Definition out;
  out.name = NameAt(line, 0);
  line.remove_prefix(out.name.size());
  const size_t close = line.starts_with('(') ? line.find(')') : line.npos;
  if (close != line.npos) {
    out.is_function = true;
    std::string_view list = line.substr(1, close - 1);
    while (!Trimmed(list).empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      std::string_view parameter = Trimmed(list.substr(0, comma));
      if (parameter.ends_with("...")) {
        out.is_variadic = true;
        parameter = Trimmed(parameter.substr(0, parameter.size() - 3));
        if (parameter.empty()) parameter = "__VA_ARGS__";
      }
      out.parameters.emplace_back(parameter);
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
    line.remove_prefix(close + 1);
  }
  out.body = Trimmed(line);
  return out;
}

class Collector {
 public:
  // Answers with the reading's doubts.
  unsigned Read(std::string_view text, unsigned reading);
  Directives Take();

 private:
  void Add(ReferenceKind kind, Spelling spelling, std::string_view name);
  void AddOperand(ReferenceKind kind, std::string_view text);
  void ReadDirective(SourceLexer::Directive directive, std::string_view line);
  void ReadDefine(std::string_view line);
  void ReadPragma(std::string_view line);
  void ReadPopMacro(std::string_view text);
  void AddUndefined(std::string_view name);
  void ReadLineName(std::string_view line);
  void ReadModuleLine(std::string_view line);
  void ReadWord(std::string_view text, SourceLexer::Word word);

  Directives out_;
  std::unordered_set<uint64_t> known_;  // hashes of the references
  std::unordered_set<uint64_t> known_line_names_;
  bool mentions_has_ = false;
};

unsigned Collector::Read(std::string_view text, unsigned reading) {
  std::vector<size_t> words;
  mentions_has_ = false;
  for (const auto& [at, word] : Words().Find(text)) {
    const bool is_in_timestamp = word >= kTimestamp && word <= kLastOfTimestamp;
    if (is_in_timestamp ? IsTimestampPart(text, at) : word < kFirstOther) words.push_back(at);
    if (word == kPopMacro) ReadPopMacro(text.substr(at));
    if (word == kHasInclude || word == kHasEmbed) mentions_has_ = true;
  }
  SourceLexer lexer(text, reading, words);
  for (;;) {
    switch (lexer.Next()) {
      case SourceLexer::Found::kEnd:
        return lexer.doubts();
      case SourceLexer::Found::kDirective:
        ReadDirective(lexer.directive(), lexer.line());
        break;
      case SourceLexer::Found::kModuleLine:
        ReadModuleLine(lexer.line());
        break;
      case SourceLexer::Found::kWord:
        ReadWord(text, lexer.word());
        break;
    }
  }
}

Directives Collector::Take() {
  for (std::vector<uint32_t>* names : {&out_.defined_names, &out_.undefined_names}) {
    std::sort(names->begin(), names->end());
    names->erase(std::unique(names->begin(), names->end()), names->end());
  }
  uint64_t hash = out_.hash;
  for (const Reference& reference : out_.references) {
    hash = Hash(reference.name, hash + (static_cast<uint64_t>(reference.kind) << 8 |
                                        static_cast<uint64_t>(reference.spelling) << 4 | 1));
  }
  for (const std::string& name : out_.line_names) hash = Hash(name, hash + 2);
  const char flags[] = {out_.mentions_timestamp ? '1' : '0', out_.wraps_has_include ? '1' : '0'};
  out_.hash = Hash({flags, sizeof flags}, hash);
  return std::move(out_);
}

void Collector::Add(ReferenceKind kind, Spelling spelling, std::string_view name) {
  const uint64_t seed = static_cast<uint64_t>(kind) << 8 | static_cast<uint64_t>(spelling);
  if (known_.insert(Hash(name, seed)).second) {
    out_.references.push_back({kind, spelling, std::string(name)});
  }
}

// A header name, or what is to become one.
void Collector::AddOperand(ReferenceKind kind, std::string_view text) {
  text = Trimmed(text);
  if (text.empty()) return;
  if (text[0] == '"') {
    const size_t end = text.find('"', 1);
    if (end == text.npos) return;
    Add(kind, Spelling::kQuoted, text.substr(1, end - 1));
    if (end >= kMaxName) return;
    // clang has a backslash escape the quote.
    text = text.substr(0, kMaxName);
    size_t escaped = end;
    while (escaped != text.npos && text[escaped - 1] == '\\') escaped = text.find('"', escaped + 1);
    if (escaped != text.npos && escaped != end) {
      Add(kind, Spelling::kQuoted, text.substr(1, escaped - 1));
    }
    return;
  }
  if (text[0] == '<') {
    const size_t end = text.find('>');
    if (end != text.npos) return Add(kind, Spelling::kAngled, text.substr(1, end - 1));
  } else if (!IsNameStart(text[0])) {
    return;
  }
  Add(kind, Spelling::kComputed, text);
}

void Collector::ReadDirective(SourceLexer::Directive directive, std::string_view line) {
  switch (directive) {
    case SourceLexer::Directive::kInclude:
      return AddOperand(ReferenceKind::kInclude, line);
    case SourceLexer::Directive::kIncludeNext:
      return AddOperand(ReferenceKind::kIncludeNext, line);
    case SourceLexer::Directive::kImport:
      return AddOperand(ReferenceKind::kImport, line);
    case SourceLexer::Directive::kEmbed:
      return AddOperand(ReferenceKind::kEmbed, line);
    case SourceLexer::Directive::kIf:
      return ReadCondition(
          line, [this](ReferenceKind kind, std::string_view text) { AddOperand(kind, text); });
    case SourceLexer::Directive::kDefine:
      return ReadDefine(line);
    case SourceLexer::Directive::kPragma:
      return ReadPragma(line);
    case SourceLexer::Directive::kLine:
      return ReadLineName(line);
    case SourceLexer::Directive::kUndef:
      return AddUndefined(NameAt(line, 0));
    default:  // of conditionals, which are not asked for
      return;
  }
}

void Collector::ReadDefine(std::string_view line) {
  const std::string_view name = NameAt(line, 0);
  if (name.empty()) return;
  out_.defined_names.push_back(HashName(name));
  out_.hash = Hash(line, out_.hash);
  if (!mentions_has_ || line.find("__has_") == line.npos) return;
  const Definition definition = ParseDefinition(line);
  const bool wraps =
      ReadHasInclude(definition.body, [&](ReferenceKind kind, std::string_view text) {
        const auto& parameters = definition.parameters;
        const bool is_parameter =
            std::find(parameters.begin(), parameters.end(), text) != parameters.end();
        if (!is_parameter) AddOperand(kind, text);
      });
  if (wraps && (definition.is_function || definition.body.find('(') == line.npos)) {
    out_.wraps_has_include = true;
  }
}

// pop_macro("X"), also within _Pragma's literal: X may be no macro from there on.
void Collector::ReadPopMacro(std::string_view text) {
  text = text.substr(0, kMaxName);
  const size_t quote = text.substr(0, text.find('\n')).find('"');
  if (quote != text.npos) AddUndefined(NameAt(text, quote + 1));
}

void Collector::AddUndefined(std::string_view name) {
  if (name.empty()) return;
  out_.undefined_names.push_back(HashName(name));
  out_.hash = Hash(name, out_.hash + 3);
}

void Collector::ReadPragma(std::string_view line) {
  for (const std::string_view name : {"GCC dependency", "clang dependency", "GCC pch_preprocess"}) {
    if (line.starts_with(name)) {
      AddOperand(ReferenceKind::kDependency, line.substr(name.size()));
    }
  }
  if (!line.starts_with("include_alias")) return;
  // #pragma include_alias("a.h", "b.h"): a.h, wherever it is included, is b.h.
  for (size_t at = line.find_first_of("\"<"); at != line.npos;) {
    const size_t end = line.find(line[at] == '<' ? '>' : '"', at + 1);
    if (end == line.npos) return;
    AddOperand(ReferenceKind::kInclude, line.substr(at, end + 1 - at));
    at = line.find_first_of("\"<", end + 1);
  }
}

void Collector::ReadLineName(std::string_view line) {
  size_t at = line.find('"');
  if (at == line.npos) return;
  std::string name;
  for (++at; at < line.size() && line[at] != '"'; ++at) {
    if (line[at] == '\\' && at + 1 < line.size()) ++at;
    name += line[at];
  }
  if (!name.starts_with('/')) return;
  if (known_line_names_.insert(Hash(name, 0)).second) out_.line_names.push_back(std::move(name));
}

void Collector::ReadModuleLine(std::string_view line) {
  if (line.starts_with("export ")) line.remove_prefix(7);
  const bool is_import = line.starts_with("import");
  if (!is_import && !line.starts_with("module")) return;
  line = Trimmed(line.substr(6));
  if (line.empty()) return;
  if (is_import && (line[0] == '"' || line[0] == '<')) {
    return AddOperand(ReferenceKind::kImport, line);
  }
  const std::string_view name = Trimmed(line.substr(0, line.find_first_of(";[")));
  const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
    return IsNameCharacter(c) || c == '.' || c == ':' || c == ' ' || c == '(' || c == ')';
  });
  if (!is_name || name.size() == line.size() || name.empty()) return;
  if (!IsNameStart(name[0]) && !(is_import && name[0] == ':')) return;
  Add(ReferenceKind::kModule, Spelling::kComputed, name);
}

// The word stands in code, in a definition or in a literal.
void Collector::ReadWord(std::string_view text, SourceLexer::Word word) {
  const size_t at = word.at;
  if (text[at] == '_' || (text[at] >= 'A' && text[at] <= 'Z')) {
    if (!word.is_in_string) out_.mentions_timestamp = true;
    return;
  }
  if (text[at] == '.') {
    const bool is_binary = text[at + 4] == 'b' || text[at + 4] == 'B';
    const auto kind = is_binary ? ReferenceKind::kIncbin : ReferenceKind::kAssemblerInclude;
    const size_t end = at + (is_binary ? 7 : 8);
    const AssemblerOperand operand = ReadAssemblerOperand(text.substr(end), word.is_in_string);
    if (operand.text.empty()) return;
    Add(kind, operand.is_computed ? Spelling::kComputed : Spelling::kQuoted, operand.text);
    return;
  }
  // _Pragma("GCC dependency \"x.h\""), or PRAGMA(GCC dependency "x.h") with a macro around _Pragma.
  std::string_view before = text.substr(0, at);
  while (!before.empty() && IsSpaceOrTab(before.back())) before.remove_suffix(1);
  if (before.size() == at || !(before.ends_with("GCC") || before.ends_with("clang"))) return;
  std::string_view rest = text.substr(at + kDependencyWord.size(), kMaxName);
  rest = Trimmed(rest.substr(0, rest.find('\n')));
  if (rest.starts_with("\\\"")) {
    const size_t end = rest.find("\\\"", 2);
    if (end != rest.npos)
      Add(ReferenceKind::kDependency, Spelling::kQuoted, rest.substr(2, end - 2));
  } else if (rest.starts_with('"') || rest.starts_with('<')) {
    AddOperand(ReferenceKind::kDependency, rest);
  } else {
    AddOperand(ReferenceKind::kDependency, NameAt(rest, 0));
  }
}

}  // namespace

uint32_t HashName(std::string_view name) { return static_cast<uint32_t>(Hash(name, 0) >> 32); }

Directives ReadDirectives(std::string_view text) {
  Collector collector;
  ForEachReading(
      text, [&](std::string_view seen, unsigned reading) { return collector.Read(seen, reading); });
  return collector.Take();
}

bool Definition::operator==(const Definition& other) const {
  return name == other.name && is_function == other.is_function &&
         is_variadic == other.is_variadic && parameters == other.parameters && body == other.body;
}

bool Definition::Excludes(const Definition& other) const {
  if (!is_placed || !other.is_placed || text != other.text) return false;
  const size_t shared = std::min(branches.size(), other.branches.size());
  for (size_t i = 0; i < shared && branches[i].group == other.branches[i].group; ++i) {
    if (branches[i].branch != other.branches[i].branch) return true;
  }
  return false;
}

bool Definition::HoldsWith(const Definition& other) const {
  return is_placed && other.is_placed && text == other.text && !is_undefined &&
         place <= other.place && branches.size() <= other.branches.size() &&
         std::equal(branches.begin(), branches.end(), other.branches.begin());
}

namespace {

// One reading's definitions.
class DefinitionReader {
 public:
  void Add(SourceLexer::Directive directive, std::string_view line);
  // In the order in which they came, with what they stand in.
  std::vector<Definition> Take();

 private:
  BranchTracker tracker_;
  uint32_t place_ = 0;
  std::vector<Definition> definitions_;  // branches: all open ones
};

void DefinitionReader::Add(SourceLexer::Directive directive, std::string_view line) {
  if (directive != SourceLexer::Directive::kDefine && directive != SourceLexer::Directive::kUndef) {
    ++place_;
  }
  switch (directive) {
    case SourceLexer::Directive::kIf:
      return tracker_.If(GuardOf(line), NeededBy(line));
    case SourceLexer::Directive::kIfdef:
      return tracker_.If({}, NameAt(line, 0));
    case SourceLexer::Directive::kIfndef:
      return tracker_.If(NameAt(line, 0));
    case SourceLexer::Directive::kElif:
      return tracker_.Else(NeededBy(line));
    case SourceLexer::Directive::kElse:
      return tracker_.Else();
    case SourceLexer::Directive::kEndif:
      return tracker_.Endif();
    case SourceLexer::Directive::kPragma:
      if (line == "once") tracker_.PragmaOnce();
      return;
    case SourceLexer::Directive::kDefine:
      definitions_.push_back(ParseDefinition(line));
      definitions_.back().branches = tracker_.open();
      definitions_.back().place = place_;
      tracker_.Define(definitions_.back().name);
      return;
    default:
      return;
  }
}

std::vector<Definition> DefinitionReader::Take() {
  for (Definition& definition : definitions_) {
    definition.needed = tracker_.NeededIn(definition.branches);
    BranchTracker::Settled settled = tracker_.Settle(definition.branches);
    definition.is_placed = settled.is_known;
    definition.branches = std::move(settled.branches);
    if (!settled.guard.empty()) definition.guard = HashName(settled.guard);
  }
  return std::move(definitions_);
}

}  // namespace

std::vector<Definition> ReadDefinitions(std::string_view text) {
  std::vector<Definition> out;
  std::unordered_map<uint64_t, size_t> known;  // in `out`, by name and body
  const std::vector<size_t> no_words;
  ForEachReading(text, [&](std::string_view seen, unsigned reading) {
    DefinitionReader reader;
    SourceLexer lexer(seen, reading, no_words, true);
    for (SourceLexer::Found found; (found = lexer.Next()) != SourceLexer::Found::kEnd;) {
      if (found == SourceLexer::Found::kDirective) reader.Add(lexer.directive(), lexer.line());
    }
    for (Definition& definition : reader.Take()) {
      uint64_t hash = Hash(definition.name, definition.is_function ? 1 : 0);
      for (const std::string& parameter : definition.parameters) hash = Hash(parameter, hash);
      hash = Hash(definition.body, hash + (definition.is_variadic ? 1 : 0));
      const auto [it, is_new] = known.try_emplace(hash, out.size());
      if (is_new) {
        out.push_back(std::move(definition));
      } else {
        // In several places, so in none.
        out[it->second].is_placed = false;
        out[it->second].needed.clear();
      }
    }
    return lexer.doubts();
  });
  return out;
}

}  // namespace llama::scan
