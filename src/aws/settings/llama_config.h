// $LLAMA_DIR/config: llama's own settings that outlive a shell, one `key = value` a line. A line
// that begins with '#' is a comment.
//
//   # written by llama bootstrap
//   object_store = s3://llama-123456789012-eu-west-1
//   function = llama
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::aws {

struct LlamaConfigValue {
  std::string value;
  std::string source;  // "file:line"
};
using LlamaConfig = std::map<std::string, LlamaConfigValue>;

// kInvalid names file and line: a key that is unknown (with the one that was probably meant), that
// comes twice or has no value, a line that is none. No file: no settings.
Result<LlamaConfig> ReadLlamaConfig(const std::string& llama_dir);

// Sets these keys and leaves every other line, comments too, as it is; an empty value removes its
// key. The file is made if absent and replaced as a whole.
Result<void> ChangeLlamaConfig(const std::string& llama_dir,
                               const std::vector<std::pair<std::string, std::string>>& values);

}  // namespace llama::aws
