#include "scan/text/computed_name.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <unordered_set>

#include "scan/text/condition.h"
#include "scan/text/macro_expander.h"
#include "scan/text/tokens.h"

namespace llama::scan {
namespace {

// Past them the compiler is asked instead. Boost's MPL names its headers by some 50 macros in the
// folders of a dozen compilers: about 1,000 names.
constexpr size_t kMaxNames = 4096;
constexpr size_t kMaxReached = 2000;

class Results {
 public:
  void Add(ReferenceKind kind, Spelling spelling, std::string name) {
    if (!known_.emplace(kind, spelling, name).second) return;
    out_.names.push_back({kind, spelling, std::move(name)});
  }
  // The header name that stands at tokens[at], if one does.
  void AddHeaderName(ReferenceKind kind, const std::vector<Token>& tokens, size_t at);
  void AddConditionCall(const std::vector<Token>& tokens);
  void AddAssemblerOperand(ReferenceKind kind, const std::vector<Token>& tokens);
  void SetIncomplete() { out_.is_complete = false; }
  void AddMacros(std::vector<std::string> names) {
    std::move(names.begin(), names.end(), std::back_inserter(out_.macros));
  }
  size_t size() const { return out_.names.size(); }
  PossibleNames Take() { return std::move(out_); }

 private:
  PossibleNames out_;
  std::set<std::tuple<ReferenceKind, Spelling, std::string>> known_;
};

void Results::AddHeaderName(ReferenceKind kind, const std::vector<Token>& tokens, size_t at) {
  if (at == tokens.size()) return;
  const std::string& first = tokens[at].text;
  if (tokens[at].kind == Token::Kind::kLiteral) {
    const bool is_angled = first.front() == '<';
    const char close = is_angled ? '>' : '"';
    if (first.size() < 3 || (!is_angled && first.front() != '"') || first.back() != close) return;
    const Spelling spelling = is_angled ? Spelling::kAngled : Spelling::kQuoted;
    return Add(kind, spelling, first.substr(1, first.size() - 2));
  }
  if (!tokens[at].Is("<")) return;
  std::string as_gcc;
  std::string as_clang;
  for (++at; at < tokens.size() && !tokens[at].Is(">"); ++at) {
    const Token& token = tokens[at];
    if (token.has_own_space) as_gcc += ' ';
    if (token.has_space) as_clang += ' ';
    as_gcc += token.text;
    as_clang += token.text;
  }
  if (at == tokens.size()) return;
  if (!as_gcc.empty()) Add(kind, Spelling::kAngled, std::move(as_gcc));
  if (tokens[at].has_space) as_clang += ' ';
  if (!as_clang.empty()) Add(kind, Spelling::kAngled, std::move(as_clang));
}

void Results::AddConditionCall(const std::vector<Token>& tokens) {
  AddHeaderName(ReferenceKind::kHasInclude, tokens, 0);
  for (size_t i = 0; i + 2 < tokens.size(); ++i) {
    const auto kind = HasIncludeKind(tokens[i].text);
    if (kind && tokens[i + 1].Is("(")) AddHeaderName(*kind, tokens, i + 2);
  }
}

void Results::AddAssemblerOperand(ReferenceKind kind, const std::vector<Token>& tokens) {
  std::string text;
  for (const Token& token : tokens) {
    // A name that is no macro is an operand of the asm statement, or a parameter.
    if (token.kind != Token::Kind::kLiteral || token.text.size() < 2) return SetIncomplete();
    for (size_t i = 1; i + 1 < token.text.size(); ++i) {
      if (token.text[i] == '\\') ++i;
      text += token.text[i];
    }
  }
  const size_t open = text.find('"');
  if (open != text.npos) {
    const size_t close = text.find('"', open + 1);
    if (close == text.npos) return SetIncomplete();
    text = text.substr(open + 1, close - open - 1);
  }
  if (!text.empty()) Add(kind, Spelling::kQuoted, std::move(text));
}

// Whether some definition of a macro that `text` leads to mentions __has_include or its like.
bool ReachesHasInclude(std::string_view text, const DefinitionsOf& definitions) {
  std::vector<std::string> pending = NamesIn(text);
  std::set<std::string, std::less<>> reached(pending.begin(), pending.end());
  while (!pending.empty() && reached.size() < kMaxReached) {
    const std::string name = std::move(pending.back());
    pending.pop_back();
    for (const Definition& definition : definitions(name)) {
      for (std::string& next : NamesIn(definition.body)) {
        if (HasIncludeKind(next)) return true;
        if (reached.insert(next).second) pending.push_back(std::move(next));
      }
    }
  }
  return !pending.empty();
}

void ExpandEveryWay(ReferenceKind kind, const std::vector<Token>& input,
                    const DefinitionsOf& definitions, MacroExpander& expander, int64_t& steps,
                    Results& results) {
  expander.Expand(input, definitions, steps, [&](const std::vector<Token>& tokens) {
    switch (kind) {
      case ReferenceKind::kConditionCall:
        results.AddConditionCall(tokens);
        break;
      case ReferenceKind::kIncbin:
      case ReferenceKind::kAssemblerInclude:
        results.AddAssemblerOperand(kind, tokens);
        break;
      case ReferenceKind::kModule:
        results.AddHeaderName(ReferenceKind::kImport, tokens, 0);
        break;
      default:
        results.AddHeaderName(kind, tokens, 0);
        break;
    }
    return results.size() <= kMaxNames;
  });
  if (steps <= 0 || results.size() > kMaxNames) results.SetIncomplete();
  results.AddMacros(expander.Met());
}

}  // namespace

PossibleNames ExpandReference(const Reference& reference, const DefinitionsOf& definitions,
                              MacroExpander& expander, int64_t max_steps) {
  Results results;
  int64_t steps = max_steps;
  const ReferenceKind kind = reference.kind;
  if (kind == ReferenceKind::kConditionCall && !ReachesHasInclude(reference.name, definitions)) {
    return results.Take();
  }
  ExpandEveryWay(kind, Tokenize(reference.name), definitions, expander, steps, results);
  if (reference.name.find('<') != std::string::npos) {
    ExpandEveryWay(kind, Tokenize(reference.name, true), definitions, expander, steps, results);
  }
  PossibleNames possible = results.Take();
  possible.steps = max_steps - steps;
  return possible;
}

std::vector<std::string> NamesIn(std::string_view text) {
  std::vector<std::string> out;
  std::unordered_set<std::string> known;
  for (Token& token : Tokenize(text)) {
    if (token.kind != Token::Kind::kName || !known.insert(token.text).second) continue;
    out.push_back(std::move(token.text));
  }
  return out;
}

}  // namespace llama::scan
