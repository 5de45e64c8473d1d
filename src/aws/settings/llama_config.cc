#include "aws/settings/llama_config.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/file.h"
#include "base/text/closest.h"

namespace llama::aws {
namespace {

constexpr uint64_t kMaxFileBytes = 1 << 20;
constexpr std::array<std::string_view, 14> kKeys = {
    "ca_file",      "endpoint_iam", "endpoint_lambda", "endpoint_logs",   "endpoint_s3",
    "endpoint_sts", "endpoint_url", "function",        "max_concurrency", "object_store",
    "path_style",   "profile",      "region",          "storage_class"};

std::string_view Strip(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct Line {
  std::string_view text;  // without its end
  std::string_view key;   // empty: a comment or blank
  std::string_view value;
};

std::vector<Line> Lines(std::string_view text) {
  std::vector<Line> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    Line line;
    line.text = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view plain = Strip(line.text);
    if (!plain.empty() && plain[0] != '#') {
      const size_t equals = std::min(plain.find('='), plain.size());
      line.key = Strip(plain.substr(0, equals));
      line.value = Strip(plain.substr(std::min(equals + 1, plain.size())));
      // So that it is no comment: what the line says is wrong, and is to be reported.
      if (line.key.empty()) line.key = plain;
    }
    out.push_back(line);
  }
  return out;
}

std::optional<std::string> WhatIsWrong(const Line& line, const LlamaConfig& before) {
  const std::string key(line.key);
  if (std::find(kKeys.begin(), kKeys.end(), line.key) == kKeys.end()) {
    const std::string_view close = Closest(line.key, kKeys);
    return "unknown setting '" + key + "'" +
           (close.empty() ? "" : "; did you mean '" + std::string(close) + "'?");
  }
  if (line.value.empty()) return "'" + key + "' has no value";
  if (before.contains(key)) return "'" + key + "' comes twice";
  return std::nullopt;
}

std::string PathOf(const std::string& llama_dir) { return llama_dir + "/config"; }

Result<std::string> ReadText(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMaxFileBytes);
  if (!text && text.error().code == Code::kNotFound) return std::string();
  return text;
}

}  // namespace

Result<LlamaConfig> ReadLlamaConfig(const std::string& llama_dir) {
  const std::string path = PathOf(llama_dir);
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  LlamaConfig out;
  int number = 0;
  for (const Line& line : Lines(text)) {
    ++number;
    if (line.key.empty()) continue;
    const std::string source = path + ":" + std::to_string(number);
    if (const auto wrong = WhatIsWrong(line, out)) {
      return Error{Code::kInvalid, source + ": " + *wrong};
    }
    out[std::string(line.key)] = {std::string(line.value), source};
  }
  return out;
}

Result<void> ChangeLlamaConfig(const std::string& llama_dir,
                               const std::vector<std::pair<std::string, std::string>>& values) {
  const std::string path = PathOf(llama_dir);
  ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  std::string out;
  std::map<std::string, std::string, std::less<>> left(values.begin(), values.end());
  const auto write = [&](const std::string& key, const std::string& value) {
    if (!value.empty()) out.append(key).append(" = ").append(value).append("\n");
  };
  for (const Line& line : Lines(text)) {
    if (const auto it = left.find(line.key); it != left.end()) {
      write(it->first, it->second);
      left.erase(it);
    } else {
      out.append(line.text).append("\n");
    }
  }
  for (const auto& [key, value] : left) write(key, value);
  TRY(MakeDirs(llama_dir, 0700));
  return WriteFileAtomic(path, out, 0600);
}

}  // namespace llama::aws
