#include "signing/sigv4.h"

#include <algorithm>

#include "signing/canonical.h"
#include "signing/hash.h"

namespace llama::signing {
namespace {

void Remove(Headers& headers, std::string_view lower_name) {
  std::erase_if(headers, [&](const auto& header) { return LowerCase(header.first) == lower_name; });
}

void Replace(Headers& headers, const std::string& name, std::string value) {
  Remove(headers, LowerCase(name));
  headers.emplace_back(name, std::move(value));
}

// Of what cannot be decoded, nothing is signed: the server would refuse it whatever we did.
Parameters QueryParameters(const std::string& target) {
  Result<Parameters> parsed = ParseQuery(QueryOf(target));
  return parsed ? *std::move(parsed) : Parameters();
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) { return Hex(Sha256(bytes)); }

void Sign(Request& request, const Keys& keys, const Scope& scope, int64_t time_s) {
  const bool is_s3 = scope.service == "s3";
  const std::string date = AmzDate(time_s);
  Remove(request.headers, "authorization");
  Replace(request.headers, "X-Amz-Date", date);
  Remove(request.headers, "x-amz-security-token");
  if (!keys.session_token.empty()) {
    request.headers.emplace_back("X-Amz-Security-Token", keys.session_token);
  }
  if (is_s3) Replace(request.headers, "X-Amz-Content-Sha256", request.payload_sha256);

  const std::vector<std::string> names = SignableHeaders(request.headers);
  const std::string canonical = CanonicalRequest(request.method, PathOf(request.target), is_s3,
                                                 QueryParameters(request.target), request.headers,
                                                 names, request.payload_sha256);
  const std::string signature =
      SignatureOf(SigningKey(keys.secret_access_key, date, scope), date, scope, canonical);
  request.headers.emplace_back("Authorization",
                               std::string(kAlgorithm) + " Credential=" + keys.access_key_id + "/" +
                                   ScopePath(date, scope) + ", SignedHeaders=" + Join(names, ';') +
                                   ", Signature=" + signature);
}

std::string Presign(const std::string& method, const std::string& host, const std::string& target,
                    const Keys& keys, const Scope& scope, int64_t time_s, int64_t expires_s) {
  const bool is_s3 = scope.service == "s3";
  const std::string date = AmzDate(time_s);
  Parameters added = {
      {"X-Amz-Algorithm", std::string(kAlgorithm)},
      {"X-Amz-Credential", keys.access_key_id + "/" + ScopePath(date, scope)},
      {"X-Amz-Date", date},
      {"X-Amz-Expires", std::to_string(expires_s)},
      {"X-Amz-SignedHeaders", "host"},
  };
  if (!keys.session_token.empty()) added.emplace_back("X-Amz-Security-Token", keys.session_token);

  Parameters all = QueryParameters(target);
  all.insert(all.end(), added.begin(), added.end());
  const std::string canonical =
      CanonicalRequest(method, PathOf(target), is_s3, all, {{"Host", host}}, {"host"},
                       is_s3 ? kUnsignedPayload : kEmptySha256);
  std::string out = target;
  out.push_back(target.find('?') == std::string::npos ? '?' : '&');
  out += CanonicalQuery(added) + "&X-Amz-Signature=";
  return out + SignatureOf(SigningKey(keys.secret_access_key, date, scope), date, scope, canonical);
}

}  // namespace llama::signing
