#include "aws/service/sts.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

#include "aws/http/endpoint.h"
#include "aws/http/xml.h"
#include "aws/service/credential_sources.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

std::string Encode(const Form& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append("=").append(signing::UriEncode(value));
  }
  return out;
}

// The <…Result> of the answer.
Result<XmlElement> Call(Service& sts, const std::string& action, Form form) {
  form.insert(form.begin(), {{"Action", action}, {"Version", "2011-06-15"}});
  const std::string body = Encode(form);
  ServiceCall call;
  call.method = "POST";
  call.target = "/";
  call.body = body;
  call.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  ASSIGN_OR_RETURN(const ServiceAnswer answer, sts.Call(call));
  if (answer.http.status != 200) {
    const XmlError error = ParseXmlError(answer.http.body);
    std::string message = "sts:" + action + ": status " + std::to_string(answer.http.status);
    if (!error.code.empty()) message.append(", ").append(error.code);
    if (!error.message.empty()) message.append(": ").append(error.message.substr(0, 500));
    return Error{Code::kInvalid, std::move(message)};
  }
  ASSIGN_OR_RETURN(const XmlElement root, ParseXml(answer.http.body));
  const XmlElement* result = root.Find(action + "Result");
  if (result == nullptr)
    return Error{Code::kInvalid, "sts:" + action + ": an answer without result"};
  return *result;
}

Result<int64_t> OffsetSeconds(const std::string& zone) {
  if (zone.empty() || zone == "Z" || zone == "z") return int64_t{0};
  char sign = 0;
  int hours = 0;
  int minutes = 0;
  int used = 0;
  if (std::sscanf(zone.c_str(), "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 ||
      static_cast<size_t>(used) != zone.size() || (sign != '+' && sign != '-')) {
    return Error{Code::kInvalid, "'" + zone + "' is no time zone"};
  }
  const int64_t seconds = hours * 3600 + minutes * 60;
  return sign == '-' ? -seconds : seconds;
}

}  // namespace

Result<CallerIdentity> GetCallerIdentity(Service& sts) {
  ASSIGN_OR_RETURN(const XmlElement result, Call(sts, "GetCallerIdentity", {}));
  CallerIdentity out;
  out.account = result.Text("Account");
  out.arn = result.Text("Arn");
  return out;
}

Result<Credentials> AssumeRole(Service& sts, const RoleRequest& request,
                               const std::string& source) {
  Form form = {{"RoleArn", request.role_arn}, {"RoleSessionName", request.session_name}};
  if (!request.external_id.empty()) form.emplace_back("ExternalId", request.external_id);
  if (request.duration_s > 0) {
    form.emplace_back("DurationSeconds", std::to_string(request.duration_s));
  }
  std::string action = "AssumeRole";
  if (!request.web_identity_token.empty()) {
    action = "AssumeRoleWithWebIdentity";
    form.emplace_back("WebIdentityToken", request.web_identity_token);
  }
  Result<XmlElement> result = Call(sts, action, std::move(form));
  if (!result) return std::move(result).error().With(source);
  const XmlElement* element = result->Find("Credentials");
  if (element == nullptr) return Error{Code::kInvalid, source + ": STS gave no credentials"};
  Credentials out;
  out.keys.access_key_id = element->Text("AccessKeyId");
  out.keys.secret_access_key = element->Text("SecretAccessKey");
  out.keys.session_token = element->Text("SessionToken");
  out.source = source;
  TRY(CheckKeys(out.keys, source));
  Result<int64_t> expires = ParseIso8601(element->Text("Expiration"));
  if (!expires) return std::move(expires).error().With(source);
  out.expires_s = *expires;
  return out;
}

Result<int64_t> ParseIso8601(std::string_view text) {
  const std::string copy(text.substr(0, 64));
  std::tm time{};
  int used = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &used) != 6) {
    return Error{Code::kInvalid, "'" + copy + "' is no time"};
  }
  auto at = static_cast<size_t>(used);
  if (at < copy.size() && copy[at] == '.') {
    at = std::min(copy.find_first_not_of("0123456789", at + 1), copy.size());
  }
  ASSIGN_OR_RETURN(const int64_t offset, OffsetSeconds(copy.substr(at)));
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  return int64_t{timegm(&time)} - offset;
}

Result<ServiceOptions> StsOptions(const ChainOptions& options) {
  ServiceOptions out;
  out.name = "sts";
  out.region = options.region.empty() ? "us-east-1" : options.region;
  out.endpoint = options.endpoint_sts;
  if (!out.endpoint.empty()) return out;
  // Without a region, the one endpoint that knows every account.
  out.endpoint = options.region.empty()
                     ? "https://sts.amazonaws.com"
                     : AddressOf("sts", options.region, options.address_kind).url;
  return out;
}

}  // namespace llama::aws
