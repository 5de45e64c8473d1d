// Shows what llama makes of config files and shell lines, for config_against_botocore.py:
//
//   config_dump config FILE…   one line of JSON a file: {section: {key: text or {key: text}}}, or
//   null config_dump words FILE…    one line of JSON a file: [word…], or null
#include <cstdio>
#include <string>

#include "aws/service/config_file.h"
#include "aws/service/shell_words.h"
#include "base/file.h"
#include "base/text/json.h"

namespace llama::aws {
namespace {

void WriteValue(JsonWriter& json, const ConfigValue& value) {
  if (value.nested.empty()) {
    json.String(value.text);
    return;
  }
  json.BeginObject();
  for (const auto& [key, text] : value.nested) json.Key(key).String(text);
  json.EndObject();
}

void WriteConfig(JsonWriter& json, const std::string& text) {
  const Result<ConfigFile> parsed = ParseConfigFile(text, "file", Nesting::kAllowed);
  if (!parsed) {
    json.Null();
    return;
  }
  json.BeginObject();
  for (const auto& [header, section] : *parsed) {
    json.Key(header).BeginObject();
    for (const auto& [key, value] : section) {
      json.Key(key);
      WriteValue(json, value);
    }
    json.EndObject();
  }
  json.EndObject();
}

void WriteWords(JsonWriter& json, const std::string& text) {
  const Result<std::vector<std::string>> words = SplitShellWords(text);
  if (!words) {
    json.Null();
    return;
  }
  json.BeginArray();
  for (const std::string& word : *words) json.String(word);
  json.EndArray();
}

}  // namespace
}  // namespace llama::aws

int main(int argc, char** argv) {
  const bool words = argc > 1 && std::string(argv[1]) == "words";
  for (int i = 2; i < argc; ++i) {
    const llama::Result<std::string> text = llama::ReadFile(argv[i]);
    if (!text) {
      std::fprintf(stderr, "%s\n", text.error().message.c_str());
      return 1;
    }
    llama::JsonWriter json;
    words ? llama::aws::WriteWords(json, *text) : llama::aws::WriteConfig(json, *text);
    std::printf("%s\n", json.str().c_str());
  }
  return 0;
}
