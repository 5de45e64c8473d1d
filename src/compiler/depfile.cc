// Make rules as the compilers write them, and their way back to local paths.
//
// gcc (mkdeps.cc) counts columns in escaped bytes and breaks before a name that would pass column
// 72, with " \" and one space. clang (DependencyFile.cpp) keeps 75 columns, counts the names of
// prerequisites unescaped, leaves room for the next " \" and indents by two. Both escape a space
// (and the backslashes before it) with a backslash, '#' with a backslash, and '$' with '$'.

#include <algorithm>

#include "compiler/plan.h"

namespace llama::compiler {
namespace {

constexpr size_t kGccColumns = 72;
constexpr size_t kClangColumns = 75;

// Where the token that begins at `i` ends: an unescaped space, tab or newline, or " \".
size_t TokenEnd(std::string_view text, size_t i) {
  while (i < text.size() && text[i] != '\n') {
    if (text[i] != ' ' && text[i] != '\t') {
      ++i;
      continue;
    }
    size_t slashes = 0;
    while (slashes < i && text[i - 1 - slashes] == '\\') ++slashes;
    if (slashes % 2 == 0) break;
    ++i;
  }
  return i;
}

// Past the blanks and line continuations before the next token.
size_t SkipBlanks(std::string_view text, size_t i) {
  while (i < text.size()) {
    if (text[i] == ' ' || text[i] == '\t') {
      ++i;
    } else if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '\n') {
      i += 2;
    } else {
      break;
    }
  }
  return i;
}

std::string Unescape(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size();) {
    if (token[i] == '$' && i + 1 < token.size() && token[i + 1] == '$') {
      out += '$';
      i += 2;
      continue;
    }
    if (token[i] != '\\') {
      out += token[i++];
      continue;
    }
    size_t run = 0;
    while (i + run < token.size() && token[i + run] == '\\') ++run;
    const char next = i + run < token.size() ? token[i + run] : '\0';
    // Backslashes are doubled only before a blank; before '#' one is added.
    if (next == ' ' || next == '\t') {
      out.append(run / 2, '\\');
    } else {
      out.append(next == '#' ? run - 1 : run, '\\');
    }
    i += run;
    if (next != '\0') out += next;
    i += next != '\0' ? 1 : 0;
  }
  return out;
}

std::string Escape(std::string_view name) {
  std::string out;
  size_t slashes = 0;
  for (const char c : name) {
    if (c == ' ' || c == '\t') out.append(slashes + 1, '\\');
    if (c == '#') out += '\\';
    if (c == '$') out += '$';
    slashes = c == '\\' ? slashes + 1 : 0;
    out += c;
  }
  return out;
}

// The colon that ends the targets: the first one with a blank or a line's end after it.
size_t FindColon(std::string_view rule) {
  for (size_t i = rule.find(':'); i != rule.npos; i = rule.find(':', i + 1)) {
    if (i + 1 == rule.size() || rule[i + 1] == ' ' || rule[i + 1] == '\n' || rule[i + 1] == '\t') {
      return i;
    }
  }
  return rule.npos;
}

// Where the rule ends: its first newline that no backslash continues.
size_t RuleEnd(std::string_view text) {
  for (size_t i = text.find('\n'); i != text.npos; i = text.find('\n', i + 1)) {
    if (i == 0 || text[i - 1] != '\\') return i;
  }
  return text.size();
}

std::vector<std::string_view> Tokens(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t i = SkipBlanks(text, 0); i < text.size() && text[i] != '\n';) {
    const size_t end = TokenEnd(text, i);
    out.push_back(text.substr(i, end - i));
    i = SkipBlanks(text, end);
  }
  return out;
}

// Writes one rule anew, column by column.
class RuleWriter {
 public:
  explicit RuleWriter(Family family) : family_(family) {}

  void Target(std::string_view name) {
    const size_t size = name.size();
    if (family_ == Family::kGcc) return Gcc(name);
    if (column_ == 0) {
      column_ = size;
    } else if (column_ + size + 2 > kClangColumns) {
      column_ = size + 2;
      out_ += " \\\n  ";
    } else {
      column_ += size + 1;
      out_ += ' ';
    }
    out_ += name;
  }

  // Targets that need no change, however they were quoted.
  void Verbatim(std::string_view targets) {
    out_ += targets;
    const size_t newline = targets.rfind('\n');
    column_ = newline == targets.npos ? targets.size() : targets.size() - newline - 1;
  }

  void Colon() {
    out_ += ':';
    ++column_;
  }

  void Dependency(std::string_view name) {
    if (family_ == Family::kGcc) return Gcc(name);
    const size_t size = Unescape(name).size();
    if (column_ + size + 1 + 2 > kClangColumns) {
      out_ += " \\\n ";
      column_ = 2;
    }
    out_ += ' ';
    out_ += name;
    column_ += size + 1;
  }

  std::string Take() { return std::move(out_); }

 private:
  void Gcc(std::string_view name) {
    if (column_ != 0) {
      if (column_ + name.size() > kGccColumns) {
        out_ += " \\\n";
        column_ = 0;
      }
      out_ += ' ';
      ++column_;
    }
    out_ += name;
    column_ += name.size();
  }

  const Family family_;
  std::string out_;
  size_t column_ = 0;
};

std::string_view WithoutRoot(std::string_view token, std::string_view root) {
  const bool below = token.starts_with(root) && token.substr(root.size()).starts_with('/');
  return below ? token.substr(root.size()) : token;
}

}  // namespace

Result<std::vector<std::string>> ParseDepfile(std::string_view rule) {
  const size_t colon = FindColon(rule);
  if (colon == rule.npos) return Error{Code::kInvalid, "no make rule among the dependencies"};
  std::vector<std::string> out;
  for (const std::string_view token : Tokens(rule.substr(colon + 1))) {
    out.push_back(Unescape(token));
  }
  return out;
}

Result<std::string> MapDepfile(std::string_view bytes, std::string_view root, Family family) {
  const std::string escaped_root = Escape(root);
  if (root.empty() || bytes.find(escaped_root) == bytes.npos) return std::string(bytes);
  const size_t colon = FindColon(bytes);
  if (colon == bytes.npos) return Error{Code::kInvalid, "the depfile is not a make rule"};
  const size_t end = colon + RuleEnd(bytes.substr(colon));

  RuleWriter writer(family);
  const std::string_view targets = bytes.substr(0, colon);
  if (targets.find(escaped_root) == targets.npos) {
    writer.Verbatim(targets);
  } else {
    for (const std::string_view target : Tokens(targets)) {
      writer.Target(WithoutRoot(target, escaped_root));
    }
  }
  writer.Colon();
  for (const std::string_view name : Tokens(bytes.substr(colon + 1, end - colon - 1))) {
    writer.Dependency(WithoutRoot(name, escaped_root));
  }
  std::string out = writer.Take();

  // The phony rules of -MP: one name a line.
  for (size_t i = end; i < bytes.size();) {
    const size_t next = std::min(bytes.find('\n', i + 1), bytes.size());
    out += '\n';
    out += WithoutRoot(bytes.substr(i + 1, next - i - 1), escaped_root);
    i = next;
  }
  return out;
}

}  // namespace llama::compiler
