// StoreUrl: where a worker finds the store, as an envelope says it and as the function's
// environment (LLAMA_STORE) may fix it:
//
//   s3://bucket/prefix?region=eu-west-1&endpoint=https%3A%2F%2Fhost%3A9000&path_style=1
//
// The bucket is required. No endpoint: AWS's own for the region; no region: the worker's own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::job {

struct StoreUrl {
  std::string bucket = {};
  std::string prefix = {};    // "" or ends with '/'
  std::string region = {};    // "": the worker's
  std::string endpoint = {};  // "https://host[:port]"; "": AWS's own
  bool path_style = false;
  bool operator==(const StoreUrl&) const = default;
};

std::string FormatStoreUrl(const StoreUrl& url);
// kInvalid says what is wrong. Unknown parameters are ignored.
Result<StoreUrl> ParseStoreUrl(std::string_view text);

}  // namespace llama::job
