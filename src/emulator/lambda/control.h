// Lambda's control API: functions, versions, aliases, concurrency and tags. One method an
// operation; all are given what the request's path and query name. Thread-safe.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/lambda/registry.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/message.h"

namespace llama::emulator {

// An object of the emulator's own S3, for code that is there: bucket and key.
using FetchObject = std::function<Result<std::string>(const std::string&, const std::string&)>;

class LambdaControl {
 public:
  // `role_id` knows the roles of the emulator's own, by ARN, and "" for others. `changed` is called
  // with a function's name after its code, its configuration or itself went.
  LambdaControl(FunctionRegistry& registry, std::string region, FetchObject fetch,
                std::function<void(const std::string&)> changed,
                std::function<std::string(const std::string&)> role_id = {})
      : registry_(registry),
        region_(std::move(region)),
        fetch_(std::move(fetch)),
        changed_(std::move(changed)),
        role_id_(std::move(role_id)) {}

  Result<Response> CreateFunction(const Request& request);
  Result<Response> ListFunctions(const Request& request);
  // Without `tags` the answer has an error in their place.
  Result<Response> GetFunction(const FunctionName& name, bool tags);
  Result<Response> GetFunctionConfiguration(const FunctionName& name);
  Result<Response> UpdateFunctionCode(const FunctionName& name, const Request& request);
  Result<Response> UpdateFunctionConfiguration(const FunctionName& name, const Request& request);
  Result<Response> DeleteFunction(const FunctionName& name);

  Result<Response> PublishVersion(const FunctionName& name, const Request& request);
  Result<Response> ListVersions(const FunctionName& name);
  Result<Response> CreateAlias(const FunctionName& name, const Request& request);
  Result<Response> ListAliases(const FunctionName& name);
  Result<Response> GetAlias(const FunctionName& name, const std::string& alias);
  Result<Response> UpdateAlias(const FunctionName& name, const std::string& alias,
                               const Request& request);
  Result<Response> DeleteAlias(const FunctionName& name, const std::string& alias);

  Result<Response> PutConcurrency(const FunctionName& name, const Request& request);
  Result<Response> GetConcurrency(const FunctionName& name);
  Result<Response> DeleteConcurrency(const FunctionName& name);

  Result<Response> ListTags(const FunctionName& name);
  Result<Response> TagResource(const FunctionName& name, const Request& request);
  Result<Response> UntagResource(const FunctionName& name, const Request& request);

 private:
  Result<std::string> ReadCode(const JsonObject& request, std::string_view prefix);
  void Grant(FunctionConfig& config) const;
  Result<void> StoreCode(const std::string& zip, FunctionConfig& config);
  Response Configuration(int status, const FunctionConfig& config, bool qualified) const;

  FunctionRegistry& registry_;
  const std::string region_;
  const FetchObject fetch_;
  const std::function<void(const std::string&)> changed_;
  const std::function<std::string(const std::string&)> role_id_;
};

}  // namespace llama::emulator
