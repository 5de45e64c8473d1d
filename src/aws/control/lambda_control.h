// LambdaControl: Lambda's control plane, as `llama bootstrap`, `llama function` and `llama doctor`
// need it. https://docs.aws.amazon.com/lambda/latest/api/. Errors as ControlError has them.
// Thread-safe if the service is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/service/service.h"
#include "base/clock.h"
#include "base/result.h"

namespace llama::aws {

struct LambdaFunction {
  std::string name;
  std::string arn;
  std::string role;          // ARN
  std::string runtime;       // "provided.al2023"; empty: an image
  std::string package_type;  // "Zip", "Image"
  std::string state;         // "Active", "Pending", "Inactive", "Failed"
  std::string state_reason;
  std::string update_status;  // "Successful", "InProgress", "Failed"
  std::string update_reason;
  std::string code_sha256;  // base64, of the zip
  std::string last_modified;
  int64_t code_bytes = 0;
  int64_t memory_mb = 0;
  int64_t timeout_s = 0;
  int64_t tmp_mb = 0;
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> tags;  // of Get alone
  bool tags_hidden = false;                 // likewise: these credentials may not see them
};

// Either is empty.
// Of an ELF program's bytes: "x86_64" or "arm64". kInvalid: Lambda has no such processor.
Result<std::string> ArchitectureOf(std::string_view program);

struct LambdaCode {
  std::string zip;
  std::string image_uri;
  std::string architecture = "x86_64";  // of what is in the zip; or "arm64"
};

// What CreateFunction and UpdateFunctionConfiguration set; nothing: AWS's default, or as it is.
struct LambdaConfiguration {
  std::optional<int64_t> memory_mb;
  std::optional<int64_t> timeout_s;
  std::optional<int64_t> tmp_mb;
  std::optional<std::map<std::string, std::string>> environment;  // replaces all of it
  bool Empty() const { return !memory_mb && !timeout_s && !tmp_mb && !environment; }
};

class LambdaControl {
 public:
  // Both must outlive this. The service's `pause` is what waiting is done with.
  LambdaControl(Service& lambda, const Clock& clock) : lambda_(lambda), clock_(clock) {}

  Result<LambdaFunction> Get(const std::string& name);
  Result<std::vector<LambdaFunction>> List();
  // How many functions may run at once in the account and region.
  Result<int64_t> AccountConcurrency();
  // x86_64; a zip runs as provided.al2023. A role that was made just now may not be known
  // everywhere yet, so that refusal is waited out for up to `role_wait_ms`.
  Result<LambdaFunction> Create(const std::string& name, const std::string& role_arn,
                                const LambdaCode& code, const LambdaConfiguration& configuration,
                                const std::map<std::string, std::string>& tags,
                                int64_t role_wait_ms = 60'000);
  Result<LambdaFunction> UpdateCode(const std::string& name, const LambdaCode& code);
  Result<LambdaFunction> UpdateConfiguration(const std::string& name,
                                             const LambdaConfiguration& configuration);
  Result<void> Delete(const std::string& name);
  // Until it can be invoked and changed. kDeadline; kInvalid: it failed, with Lambda's reason.
  Result<LambdaFunction> AwaitReady(const std::string& name, int64_t timeout_ms = 120'000);

 private:
  Result<HttpAnswer> Call(const std::string& method, const std::string& target,
                          const std::string& body, const std::string& action,
                          const std::string& object);
  Result<LambdaFunction> CallForFunction(const std::string& method, const std::string& target,
                                         const std::string& body, const std::string& action,
                                         const std::string& name);
  void Pause(int64_t ms) const;

  Service& lambda_;
  const Clock& clock_;
};

}  // namespace llama::aws
