#include "llama/cloud/function_options.h"

#include <utility>

#include "aws/control/zip.h"
#include "base/file.h"
#include "job/store_url.h"
#include "llama/cloud/cloud_access.h"

namespace llama::app {
namespace {

// What Lambda takes in a request; larger ones would have to go through S3.
constexpr uint64_t kMaxZipBytes = 50ull << 20;

Result<void> TakeNumber(const ParsedArguments& parsed, std::string_view option, int64_t least,
                        int64_t most, std::optional<int64_t>& out) {
  if (!parsed.Has(option)) return {};
  ASSIGN_OR_RETURN(out, ParseNumber(option, parsed.Value(option), least, most));
  return {};
}

}  // namespace

Result<aws::LambdaConfiguration> ParseLimits(const ParsedArguments& parsed) {
  aws::LambdaConfiguration out;
  TRY(TakeNumber(parsed, "--memory", 128, 10'240, out.memory_mb));
  TRY(TakeNumber(parsed, "--timeout", 1, 900, out.timeout_s));
  TRY(TakeNumber(parsed, "--tmp", 512, 10'240, out.tmp_mb));
  return out;
}

Result<std::map<std::string, std::string>> ParseVariables(const ParsedArguments& parsed) {
  std::map<std::string, std::string> out;
  for (const auto& [option, value] : parsed.options) {
    if (option != "--env") continue;
    const size_t equals = value.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{Code::kInvalid, "--env is KEY=VALUE, not '" + value + "'"};
    }
    out[value.substr(0, equals)] = value.substr(equals + 1);
  }
  return out;
}

Result<aws::LambdaCode> MakeWorkerCode(const std::string& program, const std::string& ca_file) {
  std::string path = program;
  if (path.empty()) {
    ASSIGN_OR_RETURN(const std::string dir, ExecutableDir());
    path = JoinPath(dir, "llama-runtime");
  }
  ASSIGN_OR_RETURN(const std::string worker, ReadFile(path, 250ull << 20));
  aws::LambdaCode code;
  Result<std::string> architecture = aws::ArchitectureOf(worker);
  if (!architecture) {
    return Error{Code::kInvalid,
                 path + ": " + architecture.error().message + "; llama-runtime is expected"};
  }
  code.architecture = *std::move(architecture);
  std::vector<aws::ZipEntry> entries = {{"bootstrap", worker, 0755}};
  std::string ca;
  if (!ca_file.empty()) {
    ASSIGN_OR_RETURN(ca, ReadFile(ca_file, 4ull << 20));
    entries.push_back({"ca.pem", ca, 0644});
  }
  ASSIGN_OR_RETURN(code.zip, aws::MakeZip(entries));
  if (code.zip.size() > kMaxZipBytes) {
    return Error{Code::kInvalid, path + ": " + std::to_string(code.zip.size() >> 20) +
                                     " MB as a zip, and Lambda takes 50; a build of type Release "
                                     "is small enough"};
  }
  return code;
}

Result<std::string> StoreUrlOf(const aws::Settings& settings, const std::string& location) {
  ASSIGN_OR_RETURN(const aws::StoreLocation store, aws::ParseStoreLocation(location));
  if (store.bucket.empty()) {
    return Error{Code::kInvalid, "object store " + location + " is no bucket"};
  }
  job::StoreUrl url;
  url.bucket = store.bucket;
  url.prefix = store.prefix;
  url.region = settings.region;
  url.endpoint = settings.endpoint_s3;
  url.path_style = settings.path_style;
  return job::FormatStoreUrl(url);
}

}  // namespace llama::app
