#include "scan/text/source_lexer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "scan/text/characters.h"
#include "scan/text/readings.h"

namespace llama::scan {
namespace {

enum Class : unsigned char {
  kPlain = 0,
  kBlank = 1,
  kNewline = 2,
  kQuote = 4,
  kSlash = 8,
  kBackslash = 16,
  kAngle = 32,
  kWordCharacter = 64,
};

constexpr std::array<unsigned char, 256> MakeClasses() {
  std::array<unsigned char, 256> out{};
  for (const char c : {' ', '\t', '\r', '\f', '\v', '\0'})
    out[static_cast<unsigned char>(c)] = kBlank;
  out['\n'] = kNewline;
  out['"'] = out['\''] = kQuote;
  out['/'] = kSlash;
  out['\\'] = kBackslash;
  out['<'] = kAngle;
  for (size_t c = 0; c < 256; ++c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;
    if (is_word) out[c] = kWordCharacter;
  }
  return out;
}
constexpr std::array<unsigned char, 256> kClasses = MakeClasses();

bool Is(char c, unsigned classes) {
  return (kClasses[static_cast<unsigned char>(c)] & classes) != 0;
}
std::optional<SourceLexer::Directive> DirectiveOf(std::string_view name) {
  using Directive = SourceLexer::Directive;
  if (name.empty()) return {};
  switch (name[0]) {
    case 'u':
      if (name == "undef") return Directive::kUndef;
      break;
    case 'd':
      if (name == "define") return Directive::kDefine;
      break;
    case 'e':
      if (name == "elif") return Directive::kIf;
      if (name == "embed") return Directive::kEmbed;
      break;
    case 'i':
      if (name == "if") return Directive::kIf;
      if (name == "include") return Directive::kInclude;
      if (name == "include_next") return Directive::kIncludeNext;
      if (name == "import") return Directive::kImport;
      break;
    case 'l':
      if (name == "line") return Directive::kLine;
      break;
    case 'p':
      if (name == "pragma") return Directive::kPragma;
      break;
    case '_':
      if (name == "__include_macros") return Directive::kInclude;
      break;
    default:
      break;
  }
  return {};
}

std::optional<SourceLexer::Directive> ConditionalOf(std::string_view name) {
  using Directive = SourceLexer::Directive;
  if (name == "ifdef") return Directive::kIfdef;
  if (name == "ifndef") return Directive::kIfndef;
  if (name == "elif") return Directive::kElif;
  if (name == "else" || name == "elifdef" || name == "elifndef") return Directive::kElse;
  if (name == "endif") return Directive::kEndif;
  return {};
}

}  // namespace

SourceLexer::SourceLexer(std::string_view text, unsigned reading, const std::vector<size_t>& words,
                         bool finds_conditionals)
    : text_(text), reading_(reading), words_(words), finds_conditionals_(finds_conditionals) {}

SourceLexer::Found SourceLexer::Next() {
  for (;;) {
    if (next_passed_ < passed_.size()) {
      word_ = passed_[next_passed_++];
      return Found::kWord;
    }
    passed_.clear();
    next_passed_ = 0;
    if (!SkipBlanks()) return Found::kEnd;
    const char c = text_[at_];
    const bool is_hash = c == '#' || (c == '%' && at_ + 1 < text_.size() && text_[at_ + 1] == ':');
    Found found = Found::kEnd;
    if (is_hash) {
      at_ += c == '#' ? 1 : 2;
      if (ReadDirective()) found = Found::kDirective;
    } else if (c == 'i' || c == 'e' || c == 'm') {
      if (ReadModuleLine()) found = Found::kModuleLine;
    } else {
      SkipLine();
    }
    PassWords(at_);
    if (found != Found::kEnd) return found;
  }
}

bool SourceLexer::SkipBlanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (Is(c, kBlank)) {
      ++at_;
    } else if (c == '\\') {
      const size_t next = EndOfSplice(at_);
      if (next == 0) return true;
      at_ = next;
    } else if (c != '/' || !SkipComment()) {
      return true;
    }
  }
  return false;
}

// To the start of the next line.
void SourceLexer::SkipLine() {
  constexpr unsigned kStops = kNewline | kQuote | kSlash;
  for (;;) {
    while (at_ < text_.size() && !Is(text_[at_], kStops)) ++at_;
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '\n') {
      ++at_;
      if (!IsSpliced(at_ - 1)) return;
    } else if (c != '/') {
      SkipLiteral();
    } else if (!SkipComment()) {
      ++at_;
    }
  }
}

bool SourceLexer::ReadDirective() {
  in_directive_ = true;
  if (!SkipBlanks()) return false;
  const size_t start = at_;
  while (at_ < text_.size() && Is(text_[at_], kWordCharacter)) ++at_;
  const std::string_view name = text_.substr(start, at_ - start);
  std::optional<Directive> directive = finds_conditionals_ ? ConditionalOf(name) : std::nullopt;
  if (!directive) directive = DirectiveOf(name);
  if (!name.empty() && IsDigit(name[0])) {
    directive = Directive::kLine;
    at_ = start;
  }
  if (!directive) {
    if (name == "warning" || name == "error") {
      SkipMessage();
    } else {
      SkipLine();
    }
    in_directive_ = false;
    return false;
  }
  directive_ = *directive;
  const bool is_header_name_first = directive_ <= Directive::kEmbed;
  ReadLine(is_header_name_first, directive_ == Directive::kIf || directive_ == Directive::kPragma ||
                                     directive_ == Directive::kDefine);
  in_directive_ = false;
  return true;
}

void SourceLexer::SkipMessage() {
  size_t end = text_.find('\n', at_);
  while (end != text_.npos && IsSpliced(end)) end = text_.find('\n', end + 1);
  end = end == text_.npos ? text_.size() : end + 1;
  const bool is_verbatim = (reading_ & kVerbatimMessages) != 0;
  if (!is_verbatim) SkipLine();
  if (at_ > end) doubts_ |= kVerbatimMessages;
  if (is_verbatim) at_ = end;
}

bool SourceLexer::ReadModuleLine() {
  const std::string_view rest = text_.substr(at_);
  for (const std::string_view word : {"import", "export", "module"}) {
    if (!rest.starts_with(word)) continue;
    if (rest.size() > word.size() && Is(rest[word.size()], kWordCharacter)) break;
    ReadLine(false, true);
    return true;
  }
  SkipLine();
  return false;
}

// Ends at the start of the next line.
void SourceLexer::ReadLine(bool is_header_name_first, bool has_header_names) {
  constexpr unsigned kCopied = kWordCharacter;
  line_.clear();
  while (at_ < text_.size()) {
    const size_t run = at_;
    while (at_ < text_.size() && (Is(text_[at_], kCopied) ||
                                  kClasses[static_cast<unsigned char>(text_[at_])] == kPlain)) {
      ++at_;
    }
    line_.append(text_, run, at_ - run);
    if (at_ == text_.size()) break;
    const char c = text_[at_];
    const size_t start = at_;
    if (c == '\n') {
      ++at_;
      break;
    }
    if (Is(c, kBlank)) {
      ++at_;
      AddBlank();
    } else if (c == '\\') {
      const size_t next = EndOfSplice(at_);
      if (next == 0) line_ += c;
      at_ = next == 0 ? at_ + 1 : next;
    } else if (c == '/') {
      if (SkipComment()) {
        AddBlank();
      } else {
        line_ += c;
        ++at_;
      }
    } else if (c == '<') {
      // A header name, where one may stand; otherwise it holds comments and literals as any text.
      const std::string_view before = line_;
      const bool is_header_name =
          is_header_name_first
              ? before.empty()
              : has_header_names &&
                    (before.ends_with('(') || before.ends_with("( ") ||
                     before.ends_with("dependency ") || before == "import " ||
                     before == "export import " || before == "import" || before == "export import");
      const size_t end = is_header_name ? EndOfAngled() : 0;
      at_ = end == 0 ? at_ + 1 : end;
      AddJoined(start, at_);
    } else if (c == '"' && is_header_name_first && line_.empty()) {
      // A backslash is one character of a header name, and no escape.
      do {
        ++at_;
      } while (at_ < text_.size() && text_[at_] != '"' && (text_[at_] != '\n' || IsSpliced(at_)));
      if (at_ < text_.size() && text_[at_] == '"') ++at_;
      AddJoined(start, at_);
    } else {
      SkipLiteral();
      AddJoined(start, at_);
    }
  }
  if (line_.ends_with(' ')) line_.pop_back();
}

// Whether the line that ends with the newline goes on.
bool SourceLexer::IsSpliced(size_t newline) const {
  if ((reading_ & kJoined) != 0) return false;
  size_t at = newline;
  while (at > 0 && Is(text_[at - 1], kBlank)) --at;
  return at > 0 && text_[at - 1] == '\\';
}

size_t SourceLexer::EndOfSplice(size_t at) const {
  return (reading_ & kJoined) != 0 ? 0 : scan::EndOfSplice(text_, at);
}

void SourceLexer::AddBlank() {
  if (!line_.empty() && line_.back() != ' ') line_ += ' ';
}

void SourceLexer::AddJoined(size_t from, size_t to) {
  const std::string_view part = text_.substr(0, to);
  while (from < to) {
    const size_t at = std::min(part.find('\\', from), to);
    line_.append(part, from, at - from);
    if (at == to) return;
    const size_t next = EndOfSplice(at);
    if (next == 0) line_ += '\\';
    from = next == 0 ? at + 1 : next;
  }
}

bool SourceLexer::SkipComment() {
  const size_t start = at_;
  const char kind = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (kind == '/') {
    do {
      at_ = text_.find('\n', at_ + 1);
    } while (at_ != text_.npos && IsSpliced(at_));
  } else if (kind == '*') {
    at_ += 2;
    do {
      at_ = text_.find('/', at_ + 1);
    } while (at_ != text_.npos && text_[at_ - 1] != '*');
    if (at_ != text_.npos) ++at_;
  } else {
    return false;
  }
  if (at_ == text_.npos) at_ = text_.size();
  PassWords(start);
  while (next_word_ < words_.size() && words_[next_word_] < at_) ++next_word_;
  return true;
}

void SourceLexer::SkipLiteral() {
  const char quote = text_[at_];
  const bool may_be_raw = quote == '"' && IsRawStringPrefix();
  if (may_be_raw && SkipRawString()) return;
  if (quote == '\'' && SkipDigitSeparator()) return;
  const size_t start = at_++;
  SkipString(quote);
  if (quote == '"' && !may_be_raw && text_[at_ - 1] == '"' && at_ > start + 1) {
    PassWords(start);
    PassWords(at_, true);
  }
}

// Past the closing quote, or to the line's end if there is none.
void SourceLexer::SkipString(char quote) {
  constexpr unsigned kStops = kNewline | kQuote | kBackslash;
  for (;;) {
    while (at_ < text_.size() && !Is(text_[at_], kStops)) ++at_;
    if (at_ == text_.size()) return;
    const char c = text_[at_];
    if (c == '\n') return;
    if (c != '\\') {
      ++at_;
      if (c == quote) return;
      continue;
    }
    size_t next = EndOfSplice(at_);
    if (next != 0) {
      at_ = next;
      continue;
    }
    // What is escaped may stand on the next line.
    ++at_;
    while (at_ < text_.size() && text_[at_] == '\\' && (next = EndOfSplice(at_)) != 0) {
      at_ = next;
    }
    if (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }
}

bool SourceLexer::IsRawStringPrefix() const {
  if (at_ == 0 || text_[at_ - 1] != 'R') return false;
  size_t start = at_ - 1;
  while (start > 0 && at_ - start < 4 && Is(text_[start - 1], kWordCharacter)) --start;
  const std::string_view prefix = text_.substr(start, at_ - start);
  return prefix == "R" || prefix == "LR" || prefix == "uR" || prefix == "UR" || prefix == "u8R";
}

bool SourceLexer::SkipRawString() {
  doubts_ |= kNoRawStrings;
  if ((reading_ & kNoRawStrings) != 0) return false;
  constexpr size_t kMaxDelimiter = 16;
  const std::string_view rest = text_.substr(at_ + 1);
  const size_t open = rest.substr(0, kMaxDelimiter + 1).find_first_of("()\\ \t\v\f\n\"");
  if (open == rest.npos || rest[open] != '(') return false;
  const std::string end = ")" + std::string(rest.substr(0, open)) + "\"";
  const bool is_line = in_directive_ && (reading_ & kLongRawStrings) == 0;
  const size_t line = is_line ? std::min(rest.find('\n'), rest.size()) : rest.size();
  const size_t close = rest.substr(0, line).find(end, open + 1);
  if (close == rest.npos && is_line) doubts_ |= kLongRawStrings;
  at_ += 1 + (close == rest.npos ? line : close + end.size());
  return true;
}

bool SourceLexer::SkipDigitSeparator() {
  if (at_ == 0 || at_ + 1 >= text_.size() || !Is(text_[at_ + 1], kWordCharacter)) return false;
  size_t start = at_;
  while (start > 0 && (Is(text_[start - 1], kWordCharacter) || text_[start - 1] == '.')) --start;
  if (start < at_ && text_[start] == '.') ++start;
  if (start == at_ || !IsDigit(text_[start])) return false;
  doubts_ |= kNoDigitSeparators;
  if ((reading_ & kNoDigitSeparators) != 0) return false;
  // To the number's end: what follows a later one of its quotes need not be a digit.
  while (at_ < text_.size()) {
    const bool is_separator =
        text_[at_] == '\'' && at_ + 1 < text_.size() && Is(text_[at_ + 1], kWordCharacter);
    if (!is_separator && !Is(text_[at_], kWordCharacter) && text_[at_] != '.') break;
    ++at_;
  }
  return true;
}

// Of the header name at at_: past its '>'; 0 if the line ends first.
size_t SourceLexer::EndOfAngled() const {
  if (at_ < no_angle_before_) return 0;
  size_t at = at_ + 1;
  while (at < text_.size() && text_[at] != '>' && (text_[at] != '\n' || IsSpliced(at))) ++at;
  if (at < text_.size() && text_[at] == '>') return at + 1;
  no_angle_before_ = at;
  return 0;
}

void SourceLexer::PassWords(size_t to, bool is_in_string) {
  while (next_word_ < words_.size() && words_[next_word_] < to) {
    passed_.push_back({words_[next_word_++], is_in_string});
  }
}

}  // namespace llama::scan
