#include "traces/foreign/json_parts.h"

#include <algorithm>

namespace llama::traces {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// Behind the closing quote of a string that begins at `text`; its whole length if it has none.
size_t StringBytes(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

// Likewise, of what is between brackets, whichever they are.
size_t NestedBytes(std::string_view text) {
  size_t depth = 0;
  for (size_t i = 0; i < text.size();) {
    switch (text[i]) {
      case '"':
        i += StringBytes(text.substr(i));
        continue;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth == 0) return i + 1;
        break;
      default:
        break;
    }
    ++i;
  }
  return text.size();
}

size_t ValueBytes(std::string_view text) {
  if (text[0] == '"') return StringBytes(text);
  if (text[0] == '{' || text[0] == '[') return NestedBytes(text);
  return std::min(text.find_first_of(",]} \t\r\n"), text.size());
}

std::string_view Take(std::string_view& text, size_t bytes) {
  const std::string_view taken = text.substr(0, bytes);
  text.remove_prefix(bytes);
  return taken;
}

}  // namespace

std::string_view WithoutLeadingBlanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

JsonParts::JsonParts(std::string_view text) : rest_(WithoutLeadingBlanks(text)) {
  if (rest_.empty() || (rest_[0] != '[' && rest_[0] != '{')) return;
  close_ = rest_[0] == '[' ? ']' : '}';
  rest_.remove_prefix(1);
}

bool JsonParts::End(bool cut_off) {
  close_ = 0;
  cut_off_ = cut_off;
  return false;
}

bool JsonParts::Next() {
  if (close_ == 0) return false;
  // Commas only part: one more or less is the business of whoever parses.
  rest_.remove_prefix(std::min(rest_.find_first_not_of(", \t\r\n"), rest_.size()));
  if (rest_.empty()) return End(true);
  if (rest_[0] == ']' || rest_[0] == '}') {
    const bool fits = rest_[0] == close_;
    rest_.remove_prefix(1);
    return End(!fits);
  }
  key_ = {};
  if (close_ == '}') {
    if (rest_[0] != '"') return End(true);
    key_ = Take(rest_, StringBytes(rest_));
    key_.remove_prefix(1);
    if (key_.ends_with('"')) key_.remove_suffix(1);
    rest_ = WithoutLeadingBlanks(rest_);
    if (rest_.empty() || rest_[0] != ':') return End(true);
    rest_ = WithoutLeadingBlanks(rest_.substr(1));
    if (rest_.empty()) return End(true);
  }
  value_ = Take(rest_, ValueBytes(rest_));
  if (value_.empty()) return End(true);
  return true;
}

std::string_view JsonMember(std::string_view object, std::string_view key) {
  for (JsonParts members(object); members.Next();) {
    if (members.key() == key) return members.value();
  }
  return {};
}

std::string_view JsonPlainString(std::string_view value) {
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return {};
  value = value.substr(1, value.size() - 2);
  return value.find('\\') == std::string_view::npos ? value : std::string_view();
}

}  // namespace llama::traces
