// Credentials that a service beside the machine gives: a container's agent, EC2's metadata.
#include <algorithm>
#include <utility>

#include "aws/http/endpoint.h"
#include "aws/service/credential_sources.h"
#include "base/file.h"

namespace llama::aws {
namespace {

constexpr int64_t kInstanceMs = 1'000;   // botocore's; off EC2 nobody answers at all
constexpr int64_t kContainerMs = 2'000;  // botocore's
constexpr uint64_t kMaxAnswerBytes = 1 << 20;

HttpRequest NewRequest(const char* method, std::string url, int64_t timeout_ms) {
  HttpRequest request;
  request.method = method;
  request.url = std::move(url);
  request.deadlines = {timeout_ms, timeout_ms, timeout_ms, 2 * timeout_ms};
  request.max_answer_bytes = kMaxAnswerBytes;
  // No proxy can reach what is this machine's own; one that could would see the credentials.
  request.direct = true;
  return request;
}

bool IsHeaderValue(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

// 2xx, or an error that names `source`.
Result<std::string> Fetch(HttpSender& sender, const HttpRequest& request,
                          const std::string& source) {
  Result<HttpAnswer> answer = sender.Send(request);
  if (!answer) return Error{Code::kUnavailable, source + ": " + answer.error().message};
  if (answer->status >= 200 && answer->status < 300) return std::move(answer->body);
  const std::string message = source + ": status " + std::to_string(answer->status);
  if (answer->status == 404) return Error{Code::kNotFound, message};
  return Error{answer->status >= 500 ? Code::kUnavailable : Code::kInvalid, message};
}

// The hosts that AWS's clients send the token of a container to without TLS.
bool IsContainerHost(const std::string& host) {
  return IsLoopbackHost(host) || host == "169.254.170.2" || host == "169.254.170.23" ||
         host == "[fd00:ec2::23]";
}

Result<std::string> ContainerUrl(const std::vector<std::string>& env, const std::string& source) {
  const std::string relative = EnvValue(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) return "http://169.254.170.2" + relative;
  const std::string full = EnvValue(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full.empty()) return Error{Code::kNotFound, "no AWS_CONTAINER_CREDENTIALS_… variable"};
  const size_t scheme = full.find("://");
  const size_t path = scheme == std::string::npos ? scheme : full.find_first_of("/?", scheme + 3);
  Result<Endpoint> endpoint = ParseEndpoint(std::string_view(full).substr(0, path));
  if (!endpoint) return std::move(endpoint).error().With(source);
  if (endpoint->is_https || IsContainerHost(endpoint->host)) return full;
  return Error{Code::kInvalid,
               source +
                   ": AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that is neither https, "
                   "nor loopback, nor that of ECS or EKS"};
}

Result<std::string> ContainerToken(const std::vector<std::string>& env, const std::string& source) {
  const std::string file = EnvValue(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = EnvValue(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!file.empty()) {
    Result<std::string> text = ReadFile(file, kMaxAnswerBytes);
    if (!text) return Error{Code::kInvalid, source + ": " + text.error().message};
    token = *std::move(text);
  }
  if (!IsHeaderValue(token)) return Error{Code::kInvalid, source + ": a token of several lines"};
  return token;
}

std::string InstanceEndpoint(const std::vector<std::string>& env) {
  const std::string endpoint = EnvValue(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!endpoint.empty()) return endpoint;
  const std::string mode = EnvValue(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
  return mode == "IPv6" || mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

bool IsDisabled(std::string_view text) {
  return text == "true" || text == "True" || text == "TRUE";
}

}  // namespace

Result<Credentials> CredentialsOfContainer(const CredentialContext& context) {
  const std::vector<std::string>& env = context.options.env;
  const std::string source = "container metadata";
  ASSIGN_OR_RETURN(const std::string url, ContainerUrl(env, source));
  HttpRequest request = NewRequest("GET", url, kContainerMs);
  ASSIGN_OR_RETURN(const std::string token, ContainerToken(env, source));
  if (!token.empty()) request.headers.emplace_back("Authorization", token);
  Result<std::string> body = Fetch(context.sender, request, source);
  // It is set up, so its silence is no reason to look elsewhere.
  if (!body) return Error{Code::kUnavailable, body.error().message};
  return ParseCredentialsJson(*body, source);
}

Result<Credentials> CredentialsOfInstance(const CredentialContext& context) {
  const std::vector<std::string>& env = context.options.env;
  const std::string source = "instance metadata";
  if (IsDisabled(EnvValue(env, "AWS_EC2_METADATA_DISABLED"))) {
    return Error{Code::kNotFound, source + " is disabled"};
  }
  Result<Endpoint> endpoint = ParseEndpoint(InstanceEndpoint(env));
  if (!endpoint) return std::move(endpoint).error().With("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  HttpRequest request = NewRequest("PUT", endpoint->url + "/latest/api/token", kInstanceMs);
  request.headers.emplace_back("X-aws-ec2-metadata-token-ttl-seconds", "21600");
  const Result<std::string> token = Fetch(context.sender, request, source);
  // That nobody answers is the rule: most machines are not in EC2.
  if (!token) return Error{Code::kNotFound, token.error().message};
  if (token->empty() || !IsHeaderValue(*token)) {
    return Error{Code::kNotFound, source + ": a token that is none"};
  }
  const std::string base = endpoint->url + "/latest/meta-data/iam/security-credentials/";
  request = NewRequest("GET", base, kInstanceMs);
  request.headers.emplace_back("X-aws-ec2-metadata-token", *token);
  ASSIGN_OR_RETURN(std::string role, Fetch(context.sender, request, source));
  role.resize(std::min(role.size(), role.find_first_of("\r\n")));
  if (role.empty()) return Error{Code::kNotFound, source + ": the instance has no role"};
  request.url = base + signing::UriEncode(role);
  Result<std::string> body = Fetch(context.sender, request, source);
  if (!body) return Error{Code::kUnavailable, body.error().message};
  return ParseCredentialsJson(*body, source + " (role " + role.substr(0, 64) + ")");
}

}  // namespace llama::aws
