// AWS's config and credentials files, and the words of `credential_process`. The first byte says
// which.
#include "aws/service/config_file.h"
#include "aws/service/shell_words.h"
#include "base/fuzz.h"

namespace llama::aws {
namespace {

void SplitWords(std::string_view line) {
  const auto words = SplitShellWords(line);
  if (!words) return;
  std::string quoted;
  for (const std::string& word : *words) {
    quoted += "''";
    for (const char c : word) quoted.append("\\").push_back(c);
    quoted += ' ';
  }
  const auto again = SplitShellWords(quoted);
  CHECK(again.has_value() && *again == *words);
}

void CheckFile(const ConfigFile& file, std::string_view text) {
  size_t size = 0;
  for (const auto& [header, section] : file) {
    for (const auto& [key, value] : section) {
      CHECK(!key.empty() && key.find_first_of("=:\n") == std::string::npos);
      CHECK(value.source.starts_with("file:") && value.source.size() > 5);
      CHECK(value.text.empty() || value.nested.empty());
      size += key.size() + value.text.size();
    }
  }
  CHECK(size <= text.size());
}

}  // namespace

FUZZ_TARGET(text) {
  if (TakeByte(text) % 2 != 0) return SplitWords(text);
  const auto config = ParseConfigFile(text, "file", Nesting::kAllowed);
  const auto credentials = ParseConfigFile(text, "file", Nesting::kNone);
  if (config) CheckFile(*config, text);
  if (!credentials) return;
  CheckFile(*credentials, text);
  const AwsConfig merged = MergeConfig(config ? *config : ConfigFile(), *credentials);
  for (const auto& [name, section] : *credentials) CHECK(merged.profiles.contains(name));
}

}  // namespace llama::aws
