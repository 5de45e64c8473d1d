// CloudAccess: what a command needs to talk to AWS by itself, without the daemon: settings, an HTTP
// engine, credentials, and a Service for each service that it asks for.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aws/http/engine.h"
#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "aws/settings/settings.h"
#include "base/result.h"

namespace llama::app {

class CloudAccess {
 public:
  // By environment and files, `region` (if not empty) before all of them. Makes no request.
  static Result<std::unique_ptr<CloudAccess>> Open(const std::string& region = "");
  // By settings that are known already, and the environment that they are from.
  static Result<std::unique_ptr<CloudAccess>> With(const aws::Settings& settings,
                                                   const std::vector<std::string>& env);

  // "s3", "lambda", "iam", "sts", "logs". kInvalid: no region is set.
  Result<aws::Service*> Service(const std::string& name);
  const aws::Settings& settings() const { return settings_; }
  aws::CredentialsProvider& credentials() { return *credentials_; }
  const std::string& state_dir() const { return state_dir_; }

 private:
  CloudAccess() = default;

  std::string state_dir_;
  aws::Settings settings_;
  std::unique_ptr<aws::HttpSender> engine_;
  std::unique_ptr<aws::CredentialsProvider> credentials_;
  std::map<std::string, std::unique_ptr<aws::Service>> services_;
};

// "1769": kInvalid names `option` and the bounds.
Result<int64_t> ParseNumber(std::string_view option, const std::string& text, int64_t least,
                            int64_t most);
// Asks on the terminal; only "y" and "yes" are a yes.
bool Confirm(const std::string& question);
// Whether there is somebody to ask.
bool CanAsk();

}  // namespace llama::app
