// Credentials of IAM Identity Center (SSO): the AWS CLI signs a person in and leaves a token in its
// cache, the portal gives a role's keys for it. As docs.aws.amazon.com/singlesignon
// (GetRoleCredentials) and the AWS CLI's own cache have it.
#include <openssl/sha.h>
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <utility>

#include "aws/http/endpoint.h"
#include "aws/service/credential_sources.h"
#include "aws/service/sts.h"
#include "base/file.h"
#include "signing/hash.h"

namespace llama::aws {
namespace {

constexpr uint64_t kMaxTokenFileBytes = 1 << 20;
constexpr int64_t kPortalMs = 10'000;

// What a profile of either form says.
struct Portal {
  std::string cached_as;  // what the cached file's name is the hash of
  std::string login;      // the command that signs in
  std::string region;
  std::string account;
  std::string role;
};

Result<Portal> PortalOf(const AwsConfig& config, const std::string& name, const std::string& source,
                        const ConfigSection& profile) {
  const std::string session = std::string(ConfigText(profile, "sso_session"));
  const ConfigSection* section = &profile;
  Portal out;
  out.login = "aws sso login --profile " + name;
  if (!session.empty()) {
    const auto it = config.sso_sessions.find(session);
    if (it == config.sso_sessions.end()) {
      return Error{Code::kInvalid, source + ": there is no [sso-session " + session + "]"};
    }
    section = &it->second;
  }
  const std::string url(ConfigText(*section, "sso_start_url"));
  out.cached_as = session.empty() ? url : session;
  out.region = ConfigText(*section, "sso_region");
  out.account = ConfigText(profile, "sso_account_id");
  out.role = ConfigText(profile, "sso_role_name");
  for (const auto& [key, value] : {std::pair{"sso_start_url", url},
                                   {"sso_region", out.region},
                                   {"sso_account_id", out.account},
                                   {"sso_role_name", out.role}}) {
    if (value.empty()) return Error{Code::kInvalid, source + ": no " + key};
  }
  return out;
}

std::string CachePath(const std::vector<std::string>& env, const std::string& cached_as) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> hash;
  SHA1(reinterpret_cast<const unsigned char*>(cached_as.data()), cached_as.size(), hash.data());
  const std::string_view bytes(reinterpret_cast<const char*>(hash.data()), hash.size());
  return EnvValue(env, "HOME") + "/.aws/sso/cache/" + signing::Hex(bytes) + ".json";
}

std::string TextOf(const simdjson::dom::element& object, const char* key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : "";
}

bool Parses(simdjson::dom::parser& parser, std::string_view json, simdjson::dom::element& root) {
  return !json.empty() && parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS &&
         root.is_object();
}

Result<std::string> ReadToken(const CredentialContext& context, const Portal& portal,
                              const std::string& source) {
  const std::string path = CachePath(context.options.env, portal.cached_as);
  const auto login = [&](const std::string& why) {
    return Error{Code::kInvalid, source + ": " + why + "; sign in by '" + portal.login + "'"};
  };
  const Result<std::string> text = ReadFile(path, kMaxTokenFileBytes);
  if (!text && text.error().code == Code::kNotFound) return login("nobody is signed in");
  if (!text) return Error{Code::kInvalid, source + ": " + text.error().message};
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (!Parses(parser, *text, root)) return login(path + " is not JSON");
  std::string token = TextOf(root, "accessToken");
  const Result<int64_t> expires = ParseIso8601(TextOf(root, "expiresAt"));
  if (token.empty() || !expires) return login(path + " has no token");
  for (const char c : token) {
    if (c <= 0x20 || c >= 0x7f) return login(path + " has no token");
  }
  if (*expires <= context.clock.NowNs() / 1'000'000'000) return login("the sign-in has expired");
  return token;
}

Result<Credentials> ParseRole(std::string_view json, const std::string& source) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::element role;
  if (!Parses(parser, json, root) || root["roleCredentials"].get(role) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, source + ": the portal's answer has no credentials"};
  }
  Credentials out;
  out.source = source;
  out.keys.access_key_id = TextOf(role, "accessKeyId");
  out.keys.secret_access_key = TextOf(role, "secretAccessKey");
  out.keys.session_token = TextOf(role, "sessionToken");
  TRY(CheckKeys(out.keys, source));
  int64_t expires_ms = 0;
  if (role["expiration"].get(expires_ms) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, source + ": the portal's credentials have no expiration"};
  }
  out.expires_s = expires_ms / 1'000;
  return out;
}

Result<std::string> PortalUrl(const CredentialContext& context, const Portal& portal) {
  std::string url = EnvValue(context.options.env, "AWS_ENDPOINT_URL_SSO");
  if (url.empty()) url = AddressOf("portal.sso", portal.region, context.options.address_kind).url;
  ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(url));
  return endpoint.url + "/federation/credentials?account_id=" + signing::UriEncode(portal.account) +
         "&role_name=" + signing::UriEncode(portal.role);
}

}  // namespace

Result<Credentials> CredentialsOfSso(const CredentialContext& context, const AwsConfig& config,
                                     const std::string& name) {
  const std::string source = "profile " + name + ", SSO";
  ASSIGN_OR_RETURN(const Portal portal, PortalOf(config, name, source, config.profiles.at(name)));
  ASSIGN_OR_RETURN(const std::string token, ReadToken(context, portal, source));
  Result<std::string> url = PortalUrl(context, portal);
  if (!url) return std::move(url).error().With(source);
  HttpRequest request;
  request.method = "GET";
  request.url = *std::move(url);
  request.headers.emplace_back("x-amz-sso_bearer_token", token);
  request.deadlines = {kPortalMs, kPortalMs, kPortalMs, 2 * kPortalMs};
  request.max_answer_bytes = kMaxTokenFileBytes;
  const Result<HttpAnswer> answer = context.sender.Send(request);
  if (!answer) return Error{Code::kUnavailable, source + ": " + answer.error().message};
  const std::string status =
      source + ": the portal answers with status " + std::to_string(answer->status);
  if (answer->status == 401) {
    return Error{Code::kInvalid, status + "; sign in by '" + portal.login + "'"};
  }
  if (answer->status == 403 || answer->status == 404) {
    return Error{Code::kInvalid,
                 status + ": is role " + portal.role + " in account " + portal.account + " yours?"};
  }
  if (answer->status != 200) {
    return Error{
        answer->status >= 500 || answer->status == 429 ? Code::kUnavailable : Code::kInvalid,
        status};
  }
  return ParseRole(answer->body, source);
}

}  // namespace llama::aws
