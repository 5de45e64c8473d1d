// A Lambda function as the control API knows it: its configuration, versions and aliases. Plain
// values, and their JSON: the API's and the one that they are kept in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "emulator/request/account.h"

namespace llama::emulator {

inline constexpr std::string_view kLatest = "$LATEST";

struct FunctionConfig {
  std::string name;
  std::string version = std::string(kLatest);
  std::string description;
  std::string role;
  std::string granted_role;  // its id when the function got it; empty: none of the emulator's own
  std::string runtime;
  std::string handler;
  std::string architecture = "x86_64";
  int64_t memory_mb = 128;
  int64_t timeout_s = 3;
  int64_t tmp_mb = 512;
  std::map<std::string, std::string> environment;
  std::string code_sha256;  // hex, of the zip: names the code in the registry
  int64_t code_bytes = 0;
  std::string last_modified;  // "2026-01-31T12:00:00.000+0000"
  std::string revision;       // changes with every change; an environment serves one of them
};

struct Alias {
  std::string name;
  std::string version;
  std::string description;
  std::string revision;
};

struct Function {
  FunctionConfig latest;
  std::map<int64_t, FunctionConfig> versions;
  int64_t next_version = 1;
  std::map<std::string, Alias> aliases;
  std::map<std::string, std::string> tags;
  std::optional<int64_t> reserved_concurrency;
};

// "arn:aws:lambda:us-east-1:000000000000:function:name", and with ":qualifier".
std::string FunctionArn(std::string_view region, std::string_view name,
                        std::string_view qualifier = "");

// What a path or a qualifier names: "name", "name:qualifier", "account:function:name", an ARN.
struct FunctionName {
  std::string name;
  std::string qualifier;  // empty: none said
};
Result<FunctionName> ParseFunctionName(std::string_view text);
// Of a published version: "17".
Result<int64_t> ParseVersion(std::string_view text);

// The API's FunctionConfiguration, with the version in its ARN if `qualified`.
std::string ConfigurationJson(const FunctionConfig& config, std::string_view region,
                              bool qualified);
std::string AliasJson(const Alias& alias, std::string_view region, std::string_view function);

// As it is kept on disk, and back. Restore checks what it reads, since a file may be damaged.
std::string Preserve(const Function& function);
Result<Function> Restore(std::string_view text);

}  // namespace llama::emulator
