// Settings: where the cloud is and who we are there, and where each setting comes from: a command
// line's, the environment, $LLAMA_DIR/config, AWS's shared config file, or the default. Immutable
// once resolved.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/http/endpoint.h"
#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

struct Setting {
  std::string name;    // as in $LLAMA_DIR/config: "region", "object_store", "function", …
  std::string value;   // never a secret
  std::string source;  // "environment: AWS_REGION", "/home/u/.llama/config:3", "default"
};

// Where the objects are: a folder, or "s3://bucket[/prefix]".
struct StoreLocation {
  std::string folder;  // not empty: a folder
  std::string bucket;
  std::string prefix;  // "" or ends with '/'
};
// kInvalid names what is wrong.
Result<StoreLocation> ParseStoreLocation(std::string_view text);

struct Settings {
  std::string profile;      // "" = default
  std::string region;       // "" if none is set anywhere
  std::string endpoint_s3;  // "" = AWS's own for the region
  std::string endpoint_lambda;
  std::string endpoint_sts;
  std::string endpoint_iam;
  std::string endpoint_logs;
  AddressKind address_kind;  // of endpoints that are AWS's own
  bool path_style = false;   // of S3; by itself for endpoints that are not AWS's
  std::string ca_file;
  std::string object_store;     // "" = the state folder's own; "/dir" or "s3://…"
  std::string function;         // "" = the local pool; "name", "name:alias" or an ARN
  std::string storage_class;    // "" = the bucket's default
  int64_t max_concurrency = 0;  // of functions; 0 = 1000
  std::vector<Setting> all;     // for `llama config`, every setting once
  // What is wrong with AWS's own files; of no concern to those who don't use AWS, so it is told by
  // ServiceOptionsOf.
  std::optional<Error> aws_config_error;

  bool UsesAws() const { return !function.empty() || object_store.starts_with("s3://"); }
};

// `env` is the environment as "K=V". Reads $LLAMA_DIR/config and AWS's config file; kInvalid names
// file and line, or the variable.
Result<Settings> ResolveSettings(const std::vector<std::string>& env, const std::string& llama_dir);

// Name, endpoint and signing region for "s3", "lambda", "sts", "iam" or "logs" by these settings.
// kInvalid: no region is set and the endpoint needs one; says how to set it.
Result<ServiceOptions> ServiceOptionsOf(const Settings& settings, std::string_view service);

// For NewCredentialsChain.
ChainOptions ChainOptionsOf(const Settings& settings, const std::vector<std::string>& env);

}  // namespace llama::aws
