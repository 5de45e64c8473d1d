// Make rules as the compilers write them (gcc's mkdeps.cc, clang's DependencyFile.cpp). Both escape
// a space (and the backslashes before it) with a backslash, '#' with a backslash, and '$' with '$'.

#include <algorithm>

#include "compiler/plan.h"

namespace llama::compiler {
namespace {

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

// The colon that ends the targets: the first one with a blank or a line's end after it.
size_t FindColon(std::string_view rule) {
  for (size_t i = rule.find(':'); i != rule.npos; i = rule.find(':', i + 1)) {
    if (i + 1 == rule.size() || rule[i + 1] == ' ' || rule[i + 1] == '\n' || rule[i + 1] == '\t') {
      return i;
    }
  }
  return rule.npos;
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

}  // namespace llama::compiler
