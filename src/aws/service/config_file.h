// AWS's config and credentials files (~/.aws/config, ~/.aws/credentials), read as botocore reads
// them, so that what works for the AWS CLI works here and what it refuses is refused:
//
//   [profile dev]              "profile" before each name but "default"'s, in the config file;
//   region = eu-west-1         the name alone in the credentials file
//   s3 =
//     addressing_style = path  nested values, by indentation
//   # or ;                     begins a comment at a line's begin only
//   key: value                 is a setting, too; keys are of any case
//
// A line that is more indented than its key goes on with the key's value. A section or key that
// comes twice is an error, as is a line that is none of these.
//
// Pure functions but for LoadAwsConfig; thread-safe.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::aws {

struct ConfigValue {
  std::string text;                           // empty if it is nested
  std::map<std::string, std::string> nested;  // "addressing_style" → "path"
  std::string source;                         // "file:line"
};

using ConfigSection = std::map<std::string, ConfigValue>;  // by lower-case key
using ConfigFile = std::map<std::string, ConfigSection>;   // by what stands between [ and ]

enum class Nesting : unsigned char { kAllowed, kNone };

// kInvalid names file and line. `name` is the file's.
Result<ConfigFile> ParseConfigFile(std::string_view text, const std::string& name, Nesting nesting);

struct AwsConfig {
  std::map<std::string, ConfigSection>
      profiles;  // of both files; the credentials file's values win
  std::map<std::string, ConfigSection> services;      // [services NAME]
  std::map<std::string, ConfigSection> sso_sessions;  // [sso-session NAME]
};
AwsConfig MergeConfig(const ConfigFile& config, const ConfigFile& credentials);

// From the paths in AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, or below HOME's .aws; a file
// that isn't there is an empty one. `env` is the environment as "K=V".
Result<AwsConfig> LoadAwsConfig(const std::vector<std::string>& env);

// The value of a variable in an environment of "K=V"; empty if it is not there.
std::string EnvValue(const std::vector<std::string>& env, std::string_view name);

// A setting's text; empty if it is not there, or nested.
std::string_view ConfigText(const ConfigSection& section, std::string_view key);

}  // namespace llama::aws
