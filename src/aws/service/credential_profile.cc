// Credentials that AWS's files name: keys, roles, programs.
#include <charconv>
#include <memory>
#include <set>
#include <utility>

#include "aws/service/credential_sources.h"
#include "aws/service/sts.h"
#include "base/file.h"

namespace llama::aws {
namespace {

constexpr uint64_t kMaxTokenBytes = 1 << 20;

std::string SessionName(const std::string& name, const Clock& clock) {
  return name.empty() ? "llama-" + std::to_string(clock.NowNs() / 1'000'000'000) : name;
}

// Follows a profile to its keys: through source_profile as often as need be.
class ProfileReader {
 public:
  ProfileReader(const CredentialContext& context, const AwsConfig& config)
      : context_(context), config_(config) {}

  Result<Credentials> Read(const std::string& name) {
    const auto it = config_.profiles.find(name);
    if (it == config_.profiles.end()) {
      return Error{Code::kInvalid, "profile " + name + " is in neither of AWS's files"};
    }
    const ConfigSection& profile = it->second;
    // A role whose source is the profile itself means the keys beside it.
    const bool again = !visited_.insert(name).second;
    if (!again && !ConfigText(profile, "role_arn").empty()) return ReadRole(name, profile);
    if (!ConfigText(profile, "aws_access_key_id").empty()) return ReadKeys(name, profile);
    if (again) {
      return Error{Code::kInvalid, "profile " + name + " has itself as its source_profile"};
    }
    if (const std::string_view command = ConfigText(profile, "credential_process");
        !command.empty()) {
      return CredentialsOfProcess(command, context_.options.env,
                                  "profile " + name + ", credential_process");
    }
    if (!ConfigText(profile, "sso_session").empty() ||
        !ConfigText(profile, "sso_start_url").empty()) {
      return CredentialsOfSso(context_, config_, name);
    }
    return Error{Code::kNotFound, "profile " + name + " has no credentials"};
  }

 private:
  Result<Credentials> ReadKeys(const std::string& name, const ConfigSection& profile) {
    Credentials out;
    out.keys.access_key_id = ConfigText(profile, "aws_access_key_id");
    out.keys.secret_access_key = ConfigText(profile, "aws_secret_access_key");
    out.keys.session_token = ConfigText(profile, "aws_session_token");
    out.source = "profile " + name;
    TRY(CheckKeys(out.keys, out.source));
    return out;
  }

  Result<Credentials> ReadRole(const std::string& name, const ConfigSection& profile) {
    const std::string source = "profile " + name;
    RoleRequest request;
    request.role_arn = ConfigText(profile, "role_arn");
    request.session_name =
        SessionName(std::string(ConfigText(profile, "role_session_name")), context_.clock);
    request.external_id = ConfigText(profile, "external_id");
    const std::string_view duration = ConfigText(profile, "duration_seconds");
    if (!duration.empty()) {
      const auto [end, error] =
          std::from_chars(duration.data(), duration.data() + duration.size(), request.duration_s);
      if (error != std::errc() || end != duration.data() + duration.size()) {
        return Error{Code::kInvalid, source + ": duration_seconds is no number"};
      }
    }
    if (!ConfigText(profile, "mfa_serial").empty()) {
      return Error{
          Code::kInvalid,
          source +
              " asks for an MFA code, which nobody is there to type in during a build: get "
              "a session by 'aws sts assume-role' or 'aws configure export-credentials', "
              "and put its keys into the environment"};
    }
    if (const std::string_view file = ConfigText(profile, "web_identity_token_file");
        !file.empty()) {
      return AssumeByToken(context_, request, std::string(file), source);
    }
    ASSIGN_OR_RETURN(const Credentials base, ReadSource(name, profile));
    return Assume(base, request, source);
  }

  Result<Credentials> ReadSource(const std::string& name, const ConfigSection& profile) {
    const std::string_view from = ConfigText(profile, "source_profile");
    if (!from.empty()) return Read(std::string(from));
    const std::string_view place = ConfigText(profile, "credential_source");
    Result<Credentials> out = Error{Code::kInvalid, ""};
    if (place == "Environment") {
      out = CredentialsOfEnvironment(context_);
    } else if (place == "Ec2InstanceMetadata") {
      out = CredentialsOfInstance(context_);
    } else if (place == "EcsContainer") {
      out = CredentialsOfContainer(context_);
    } else {
      return Error{Code::kInvalid, "profile " + name +
                                       " has a role_arn, but neither a source_profile nor a "
                                       "credential_source that AWS knows"};
    }
    if (!out && out.error().code == Code::kNotFound) {
      return Error{Code::kInvalid, "profile " + name + ": " + out.error().message};
    }
    return out;
  }

  Result<Credentials> Assume(const Credentials& base, const RoleRequest& request,
                             const std::string& source) {
    ASSIGN_OR_RETURN(const ServiceOptions options, StsOptions(context_.options));
    const std::unique_ptr<CredentialsProvider> provider = NewStaticCredentials(base);
    const std::unique_ptr<Service> sts =
        NewService(options, context_.sender, *provider, context_.clock);
    return AssumeRole(*sts, request, source);
  }

 public:
  static Result<Credentials> AssumeByToken(const CredentialContext& context, RoleRequest request,
                                           const std::string& file, const std::string& source) {
    Result<std::string> token = ReadFile(file, kMaxTokenBytes);
    if (!token) return Error{Code::kInvalid, source + ": " + token.error().message};
    request.web_identity_token = *std::move(token);
    ASSIGN_OR_RETURN(ServiceOptions options, StsOptions(context.options));
    options.anonymous = true;
    const std::unique_ptr<CredentialsProvider> nobody = NewStaticCredentials({});
    const std::unique_ptr<Service> sts =
        NewService(options, context.sender, *nobody, context.clock);
    return AssumeRole(*sts, request, source);
  }

 private:
  const CredentialContext& context_;
  const AwsConfig& config_;
  std::set<std::string> visited_;
};

}  // namespace

Result<Credentials> CredentialsOfWebIdentity(const CredentialContext& context) {
  const std::vector<std::string>& env = context.options.env;
  RoleRequest request;
  request.role_arn = EnvValue(env, "AWS_ROLE_ARN");
  const std::string file = EnvValue(env, "AWS_WEB_IDENTITY_TOKEN_FILE");
  if (request.role_arn.empty() || file.empty()) {
    return Error{Code::kNotFound, "no AWS_WEB_IDENTITY_TOKEN_FILE"};
  }
  request.session_name = SessionName(EnvValue(env, "AWS_ROLE_SESSION_NAME"), context.clock);
  return ProfileReader::AssumeByToken(context, request, file, "web identity");
}

Result<Credentials> CredentialsOfProfile(const CredentialContext& context) {
  ASSIGN_OR_RETURN(const AwsConfig config, LoadAwsConfig(context.options.env));
  std::string name = context.options.profile;
  if (name.empty()) name = EnvValue(context.options.env, "AWS_PROFILE");
  if (name.empty()) {
    if (!config.profiles.contains("default")) {
      return Error{Code::kNotFound, "no profile in AWS's files"};
    }
    name = "default";
  }
  return ProfileReader(context, config).Read(name);
}

}  // namespace llama::aws
