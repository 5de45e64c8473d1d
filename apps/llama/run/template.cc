#include "llama/run/template.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/file.h"

namespace llama::app {
namespace {

// Whether `word` is the script of a shell: "sh -c SCRIPT", "bash -ec SCRIPT".
bool IsScript(const std::vector<std::string>& command, size_t word) {
  constexpr auto kShells = std::to_array<std::string_view>(
      {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "busybox"});
  size_t first = 0;
  if (BaseName(command[0]) == "env") {
    for (first = 1; first < command.size() && command[first].find('=') != std::string::npos;) {
      ++first;
    }
  }
  if (first >= command.size() ||
      std::find(kShells.begin(), kShells.end(), BaseName(command[first])) == kShells.end()) {
    return false;
  }
  bool is_script = false;
  for (size_t i = first + 1; i < command.size(); ++i) {
    const std::string& given = command[i];
    const bool is_option = given.size() > 1 && given[0] == '-';
    if (!is_option && given != "sh") return is_script && i == word;
    if (is_option && given[1] != '-' && given.find('c') != std::string::npos) is_script = true;
  }
  return false;
}

std::string WithoutExtension(std::string_view path) {
  const size_t slash = path.rfind('/');
  const size_t dot = path.rfind('.');
  const bool has = dot != path.npos && dot + 1 < path.size() && (slash == path.npos || dot > slash);
  return std::string(has ? path.substr(0, dot) : path);
}

// A name that begins with '-' would be taken for an option.
std::string AsFileName(const std::string& path) {
  return path.starts_with('-') ? "./" + path : path;
}

}  // namespace

class TemplateParser {
 public:
  using Kind = Template::Kind;
  using Part = Template::Part;

  explicit TemplateParser(std::string_view word) : word_(word) {}

  Result<std::vector<Part>> ParseWord() { return ParseUntil(word_.size()); }

 private:
  struct Plain {
    std::string_view text;
    Kind kind;
  };

  Error Bad(const std::string& what) const {
    return Error{Code::kInvalid, "'" + std::string(word_) + "': " + what};
  }

  // Parts from here to `end`.
  Result<std::vector<Part>> ParseUntil(size_t end) {
    std::vector<Part> parts;
    while (at_ < end) {
      ASSIGN_OR_RETURN(std::optional<Part> mark, ParseMark());
      if (mark) {
        parts.push_back(std::move(*mark));
        continue;
      }
      if (parts.empty() || parts.back().kind != Kind::kText) parts.push_back({});
      parts.back().text.push_back(word_[at_++]);
    }
    return parts;
  }

  // The mark that begins here, if one does.
  Result<std::optional<Part>> ParseMark() {
    constexpr auto kPlain = std::to_array<Plain>({{"{}", Kind::kItem},
                                                  {"{/}", Kind::kBase},
                                                  {"{//}", Kind::kFolder},
                                                  {"{.}", Kind::kStem},
                                                  {"{/.}", Kind::kBaseStem},
                                                  {"{#}", Kind::kNumber}});
    const std::string_view rest = word_.substr(at_);
    for (const Plain& plain : kPlain) {
      if (!rest.starts_with(plain.text)) continue;
      at_ += plain.text.size();
      return std::optional<Part>(Part{plain.kind, {}, {}});
    }
    if (rest.starts_with("{{")) return ParseAction();
    if (rest.starts_with("{i:") || rest.starts_with("{o:")) return ParseFile();
    return std::optional<Part>();
  }

  Result<std::optional<Part>> ParseFile() {
    Part part{word_[at_ + 1] == 'i' ? Kind::kInput : Kind::kOutput, {}, {}};
    at_ += 3;
    const size_t begin = at_;
    while (at_ < word_.size() && word_[at_] != '}') {
      const size_t before = at_;
      ASSIGN_OR_RETURN(const std::optional<Part> mark, ParseMark());
      if (mark && (mark->kind == Kind::kInput || mark->kind == Kind::kOutput)) {
        return Bad("a file within a file");
      }
      if (!mark) at_ = before + 1;
    }
    if (at_ >= word_.size()) return Bad("a mark without its '}'");
    const size_t end = at_;
    at_ = begin;
    const std::string_view body = word_.substr(begin, end - begin);
    if (body.empty()) return Bad("a file without a name");
    if (body == "f" || body.starts_with("f.") || body.starts_with("f/")) {
      part.inner.push_back({Kind::kItem, {}, {}});
      ++at_;
    }
    ASSIGN_OR_RETURN(const std::vector<Part> inner, ParseUntil(end));
    part.inner.insert(part.inner.end(), inner.begin(), inner.end());
    at_ = end + 1;
    return std::optional<Part>(std::move(part));
  }

  // {{.Line}} and its like.
  Result<std::optional<Part>> ParseAction() {
    const size_t begin = at_;
    at_ += 2;
    SkipSpace();
    const bool is_input = Take(".I ");
    const bool is_output = !is_input && Take(".O ");
    SkipSpace();
    auto inner = ParseValue();
    if (!inner) return std::move(inner).error();
    SkipSpace();
    if (!*inner || !Take("}}")) {
      // Not ours: text, such as a Go template of somebody else's.
      if (!is_input && !is_output) {
        at_ = begin;
        return std::optional<Part>();
      }
      return Bad("'" + std::string(word_.substr(begin)) + "' is no mark");
    }
    std::vector<Part> parts = std::move(**inner);
    if (is_input || is_output) {
      return std::optional<Part>(
          Part{is_input ? Kind::kInput : Kind::kOutput, {}, std::move(parts)});
    }
    if (parts.size() == 1) return std::optional<Part>(std::move(parts[0]));
    at_ = begin;
    return std::optional<Part>();
  }

  // .Line, .Idx, "text", (printf "format" value…): its parts; nothing if it is none.
  Result<std::optional<std::vector<Part>>> ParseValue() {
    using Parts = std::optional<std::vector<Part>>;
    if (Take(".Line")) return Parts({{Kind::kItem, {}, {}}});
    if (Take(".Idx")) return Parts({{Kind::kIndex, {}, {}}});
    if (at_ < word_.size() && word_[at_] == '"') {
      ASSIGN_OR_RETURN(std::string text, ParseString());
      return Parts({{Kind::kText, std::move(text), {}}});
    }
    if (!Take("(")) return Parts();
    SkipSpace();
    if (!Take("printf")) return Bad("only printf is known in parentheses");
    SkipSpace();
    ASSIGN_OR_RETURN(const std::string format, ParseString());
    std::vector<std::vector<Part>> values;
    for (SkipSpace(); !Take(")"); SkipSpace()) {
      ASSIGN_OR_RETURN(Parts value, ParseValue());
      if (!value) return Bad("printf: no such value");
      values.push_back(std::move(*value));
    }
    return Formatted(format, values);
  }

  Result<std::optional<std::vector<Part>>> Formatted(
      std::string_view format, const std::vector<std::vector<Part>>& values) const {
    std::vector<Part> parts;
    size_t used = 0;
    std::string text;
    const auto flush = [&] {
      if (!text.empty()) parts.push_back({Kind::kText, std::exchange(text, {}), {}});
    };
    for (size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%') {
        text.push_back(format[i]);
        continue;
      }
      const char verb = ++i < format.size() ? format[i] : '\0';
      if (verb == '%') {
        text.push_back('%');
        continue;
      }
      if ((verb != 's' && verb != 'd' && verb != 'v') || used >= values.size()) {
        return Bad("printf: only %s, %d, %v and %%, and a value for each");
      }
      flush();
      parts.insert(parts.end(), values[used].begin(), values[used].end());
      ++used;
    }
    flush();
    if (used != values.size()) return Bad("printf: more values than the format takes");
    return std::optional<std::vector<Part>>(std::move(parts));
  }

  Result<std::string> ParseString() {
    if (!Take("\"")) return Bad("a string is expected");
    std::string text;
    while (at_ < word_.size() && word_[at_] != '"') {
      if (word_[at_] == '\\' && at_ + 1 < word_.size()) ++at_;
      text.push_back(word_[at_++]);
    }
    if (!Take("\"")) return Bad("a string without its end");
    return text;
  }

  bool Take(std::string_view token) {
    if (!word_.substr(std::min(at_, word_.size())).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  void SkipSpace() {
    while (at_ < word_.size() && word_[at_] == ' ') ++at_;
  }

  const std::string_view word_;
  size_t at_ = 0;
};

std::string ShellQuoted(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_-+=:,./@%").find(c) != std::string_view::npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out.push_back(c);
    }
  }
  return out + "'";
}

Result<Template> Template::Parse(const std::vector<std::string>& command) {
  if (command.empty() || command[0].empty()) return Error{Code::kInvalid, "no command to run"};
  Template out;
  bool has_mark = false;
  for (size_t i = 0; i < command.size(); ++i) {
    Word word;
    ASSIGN_OR_RETURN(word.parts, TemplateParser(command[i]).ParseWord());
    word.is_script = IsScript(command, i);
    has_mark |= std::any_of(word.parts.begin(), word.parts.end(),
                            [](const Part& part) { return part.kind != Kind::kText; });
    out.words_.push_back(std::move(word));
  }
  if (!has_mark) out.words_.push_back({{{Kind::kItem, {}, {}}}, false});
  return out;
}

std::string Template::Fill(const Part& part, std::string_view item, size_t number) {
  switch (part.kind) {
    case Kind::kText:
      return part.text;
    case Kind::kItem:
      return std::string(item);
    case Kind::kBase:
      return std::string(BaseName(item));
    case Kind::kFolder:
      return std::string(DirName(item));
    case Kind::kStem:
      return WithoutExtension(item);
    case Kind::kBaseStem:
      return WithoutExtension(BaseName(item));
    case Kind::kNumber:
      return std::to_string(number);
    case Kind::kIndex:
      return std::to_string(number - 1);
    case Kind::kInput:
    case Kind::kOutput:
      break;
  }
  std::string name;
  for (const Part& inner : part.inner) name += Fill(inner, item, number);
  return AsFileName(name);
}

// The text that stands for the part; a file is noted.
Result<std::string> Template::Place(const Part& part, std::string_view item, size_t number,
                                    Expansion& out) {
  std::string text = Fill(part, item, number);
  if (part.kind != Kind::kInput && part.kind != Kind::kOutput) return text;
  if (text.empty()) {
    return Error{Code::kInvalid, "job " + std::to_string(number) + ": an empty name of a file"};
  }
  (part.kind == Kind::kInput ? out.inputs : out.outputs).push_back(text);
  return text;
}

Result<Expansion> Template::Expand(std::string_view item, size_t number) const {
  Expansion out;
  if (item.find('\0') != std::string_view::npos) {
    return Error{Code::kInvalid, "job " + std::to_string(number) + ": a NUL byte in the item"};
  }
  for (const Word& word : words_) {
    if (word.is_script) {
      TRY(ExpandScript(word, item, number, out));
      continue;
    }
    std::string text;
    for (const Part& part : word.parts) {
      ASSIGN_OR_RETURN(const std::string filled, Place(part, item, number, out));
      text += filled;
    }
    out.argv.push_back(text);
    out.shown.push_back(std::move(text));
  }
  return out;
}

// Between quotes of the script's own, the variable stands in their place: in single quotes nothing
// is expanded, so they end before it and begin again behind it.
Result<void> Template::ExpandScript(const Word& word, std::string_view item, size_t number,
                                    Expansion& out) {
  std::string script;
  std::string shown;
  char quote = '\0';
  for (const Part& part : word.parts) {
    if (part.kind == Kind::kText) {
      for (size_t i = 0; i < part.text.size(); ++i) {
        const char c = part.text[i];
        if (c == '\\' && quote != '\'') {
          ++i;
        } else if (quote == '\0' && (c == '\'' || c == '"')) {
          quote = c;
        } else if (c == quote) {
          quote = '\0';
        }
      }
      script += part.text;
      shown += part.text;
      continue;
    }
    ASSIGN_OR_RETURN(const std::string text, Place(part, item, number, out));
    const std::string name = "LLAMA_" + std::to_string(out.env.size() + 1);
    out.env.push_back(name + "=" + text);
    const std::string expansion = "${" + name + "}";
    if (quote == '\'') {
      script += "'\"" + expansion + "\"'";
      shown += "'" + ShellQuoted(text) + "'";
    } else if (quote == '"') {
      script += expansion;
      shown += "\"" + ShellQuoted(text) + "\"";
    } else {
      script += "\"" + expansion + "\"";
      shown += ShellQuoted(text);
    }
  }
  out.argv.push_back(std::move(script));
  out.shown.push_back(std::move(shown));
  return {};
}

}  // namespace llama::app
