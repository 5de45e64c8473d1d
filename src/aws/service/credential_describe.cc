#include "aws/service/credential_sources.h"

namespace llama::aws {
namespace {

// The last four of an access key id tell keys apart and give nothing away.
std::string Masked(std::string_view access_key_id) {
  if (access_key_id.size() < 12) return "…";
  return "…" + std::string(access_key_id.substr(access_key_id.size() - 4));
}

std::string DescribeProfile(const ConfigSection& profile) {
  const auto of = [&](std::string_view key) { return std::string(ConfigText(profile, key)); };
  if (!of("role_arn").empty()) return "role " + of("role_arn");
  if (!of("aws_access_key_id").empty()) return "keys " + Masked(of("aws_access_key_id"));
  if (!of("credential_process").empty()) return "credential_process";
  if (!of("sso_session").empty() || !of("sso_start_url").empty()) return "SSO";
  return "";
}

}  // namespace

CredentialsPlace DescribeCredentials(const ChainOptions& options) {
  const std::vector<std::string>& env = options.env;
  if (const std::string id = EnvValue(env, "AWS_ACCESS_KEY_ID"); !id.empty()) {
    return {"keys " + Masked(id), "environment: AWS_ACCESS_KEY_ID"};
  }
  if (!EnvValue(env, "AWS_WEB_IDENTITY_TOKEN_FILE").empty() &&
      !EnvValue(env, "AWS_ROLE_ARN").empty()) {
    return {"role " + EnvValue(env, "AWS_ROLE_ARN"), "environment: AWS_WEB_IDENTITY_TOKEN_FILE"};
  }
  const std::string name = options.profile.empty() ? "default" : options.profile;
  const Result<AwsConfig> config = LoadAwsConfig(env);
  if (!config) return {"", config.error().message};
  const auto it = config->profiles.find(name);
  if (it != config->profiles.end()) {
    const std::string what = DescribeProfile(it->second);
    if (!what.empty()) return {what, "profile " + name};
  }
  for (const char* variable :
       {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"}) {
    if (!EnvValue(env, variable).empty()) {
      return {"container metadata", "environment: " + std::string(variable)};
    }
  }
  return {"", "none, unless this is an EC2 instance with a role"};
}

}  // namespace llama::aws
