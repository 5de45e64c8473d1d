#include "llama/cloud/cloud_access.h"

#include <unistd.h>

#include <charconv>
#include <cstdio>

#include "base/clock.h"
#include "client/connection.h"
#include "llama/command.h"

namespace llama::app {

Result<std::unique_ptr<CloudAccess>> CloudAccess::Open(const std::string& region) {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  const std::vector<std::string> env = CurrentEnvironment();
  ASSIGN_OR_RETURN(aws::Settings settings, aws::ResolveSettings(env, state_dir));
  if (!region.empty()) settings.region = region;
  ASSIGN_OR_RETURN(auto out, With(settings, env));
  out->state_dir_ = state_dir;
  return out;
}

Result<std::unique_ptr<CloudAccess>> CloudAccess::With(const aws::Settings& settings,
                                                       const std::vector<std::string>& env) {
  std::unique_ptr<CloudAccess> out(new CloudAccess());
  out->settings_ = settings;
  ASSIGN_OR_RETURN(out->engine_, aws::StartHttpEngine({.ca_file = settings.ca_file}));
  out->credentials_ =
      aws::NewCredentialsChain(aws::ChainOptionsOf(settings, env), *out->engine_, SystemClock());
  return out;
}

Result<aws::Service*> CloudAccess::Service(const std::string& name) {
  auto& service = services_[name];
  if (service == nullptr) {
    ASSIGN_OR_RETURN(const aws::ServiceOptions options, aws::ServiceOptionsOf(settings_, name));
    service = aws::NewService(options, *engine_, *credentials_, SystemClock());
  }
  return service.get();
}

Result<int64_t> ParseNumber(std::string_view option, const std::string& text, int64_t least,
                            int64_t most) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return Error{Code::kInvalid, std::string(option) + " is a number from " +
                                     std::to_string(least) + " to " + std::to_string(most) +
                                     ", not '" + text + "'"};
  }
  return number;
}

bool CanAsk() { return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1; }

bool Confirm(const std::string& question) {
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  for (int c = std::getchar(); c != EOF && c != '\n'; c = std::getchar()) {
    answer.push_back(static_cast<char>(c));
  }
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace llama::app
