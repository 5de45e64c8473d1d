#include <openssl/crypto.h>

#include <algorithm>
#include <charconv>

#include "signing/canonical.h"
#include "signing/hash.h"
#include "signing/sigv4.h"

namespace llama::signing {
namespace {

constexpr int64_t kMaxSkewS = 15 * 60;
constexpr int64_t kMaxExpiresS = 7 * 24 * 3600;
constexpr size_t kMaxSignedHeaders = 128;

// What goes wrong on the way to a claim.
struct Fault {
  Refusal refusal = Refusal::kNone;
  std::string detail;
  explicit operator bool() const { return refusal != Refusal::kNone; }
};

Fault Malformed(std::string detail) { return {Refusal::kMalformed, std::move(detail)}; }

std::vector<std::string> SplitAll(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool SameText(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// "AKID/20150830/us-east-1/s3/aws4_request"; an access key id may hold slashes.
Fault ReadCredential(const std::string& credential, Claim& claim, std::string& scope_date) {
  const std::vector<std::string> parts = SplitAll(credential, '/');
  const size_t n = parts.size();
  if (n < 5 || parts[n - 1] != "aws4_request") {
    return Malformed("the credential is not KEY/DATE/REGION/SERVICE/aws4_request");
  }
  scope_date = parts[n - 4];
  claim.scope = {parts[n - 3], parts[n - 2]};
  claim.access_key_id = Join({parts.begin(), parts.end() - 4}, '/');
  return {};
}

Fault ReadSignedHeaders(const std::string& names, Claim& claim) {
  claim.signed_headers = SplitAll(names, ';');
  if (claim.signed_headers.size() > kMaxSignedHeaders) return Malformed("too many signed headers");
  if (std::find(claim.signed_headers.begin(), claim.signed_headers.end(), "host") ==
      claim.signed_headers.end()) {
    return Malformed("the header host must be signed");
  }
  return {};
}

Fault ReadAuthorization(const Request& request, const std::string& value, Claim& claim,
                        std::string& scope_date) {
  if (!value.starts_with(std::string(kAlgorithm) + " ")) {
    return Malformed("Authorization is not of the kind " + std::string(kAlgorithm));
  }
  std::string credential, headers;
  for (const std::string& part : SplitAll(value.substr(kAlgorithm.size()), ',')) {
    const size_t first = part.find_first_not_of(" \t");
    const size_t equals = part.find('=');
    if (first == std::string::npos || equals == std::string::npos) {
      return Malformed("Authorization: a part without a value");
    }
    const std::string name = part.substr(first, equals - first);
    const std::string text = part.substr(equals + 1);
    if (name == "Credential") credential = text;
    if (name == "SignedHeaders") headers = text;
    if (name == "Signature") claim.signature = text;
  }
  if (Fault fault = ReadCredential(credential, claim, scope_date)) return fault;
  if (Fault fault = ReadSignedHeaders(headers, claim)) return fault;
  claim.date = CanonicalHeader(request.headers, "x-amz-date").value_or("");
  claim.session_token = CanonicalHeader(request.headers, "x-amz-security-token").value_or("");
  claim.payload_sha256 = CanonicalHeader(request.headers, "x-amz-content-sha256").value_or("");
  return {};
}

// Takes X-Amz-Signature out of `parameters`: all others are signed.
Fault ReadPresigned(const Request& request, Parameters& parameters, Claim& claim,
                    std::string& scope_date) {
  claim.presigned = true;
  std::string algorithm, credential, headers, expires;
  const std::pair<std::string_view, std::string*> wanted[] = {
      {"X-Amz-Algorithm", &algorithm},       {"X-Amz-Credential", &credential},
      {"X-Amz-Date", &claim.date},           {"X-Amz-Expires", &expires},
      {"X-Amz-SignedHeaders", &headers},     {"X-Amz-Security-Token", &claim.session_token},
      {"X-Amz-Signature", &claim.signature}, {"X-Amz-Content-Sha256", &claim.payload_sha256},
  };
  for (const auto& [name, value] : parameters) {
    for (const auto& [key, target] : wanted) {
      if (name == key) *target = value;
    }
  }
  std::erase_if(parameters, [](const auto& p) { return p.first == "X-Amz-Signature"; });
  if (algorithm != kAlgorithm)
    return Malformed("X-Amz-Algorithm is not " + std::string(kAlgorithm));
  const auto [end, error] =
      std::from_chars(expires.data(), expires.data() + expires.size(), claim.expires_s);
  if (error != std::errc() || end != expires.data() + expires.size() || claim.expires_s < 1 ||
      claim.expires_s > kMaxExpiresS) {
    return Malformed("X-Amz-Expires must be from 1 to 604800");
  }
  if (const auto hash = CanonicalHeader(request.headers, "x-amz-content-sha256")) {
    claim.payload_sha256 = *hash;
  }
  if (Fault fault = ReadCredential(credential, claim, scope_date)) return fault;
  return ReadSignedHeaders(headers, claim);
}

Fault CheckTime(const Claim& claim, const std::string& scope_date, int64_t now_s) {
  const std::optional<int64_t> time_s = ParseAmzDate(claim.date);
  if (!time_s) return Malformed("X-Amz-Date is missing or not like 20150830T123600Z");
  if (scope_date != claim.date.substr(0, 8)) {
    return Malformed("the credential's date is not that of X-Amz-Date");
  }
  if (claim.presigned && now_s > *time_s + claim.expires_s) {
    return {Refusal::kExpired, "Request has expired"};
  }
  if (*time_s > now_s + kMaxSkewS || (!claim.presigned && *time_s < now_s - kMaxSkewS)) {
    return {Refusal::kSkewed, "the request's time " + claim.date + " and the server's " +
                                  AmzDate(now_s) + " are too far apart"};
  }
  return {};
}

// What a signature is not to leave out: a header that changes what the request means.
Fault CheckCoverage(const Request& request, const Claim& claim) {
  for (const auto& [name, value] : request.headers) {
    const std::string lower = LowerCase(name);
    if (!lower.starts_with("x-amz-")) continue;
    if (claim.presigned && lower == "x-amz-content-sha256") continue;
    if (std::find(claim.signed_headers.begin(), claim.signed_headers.end(), lower) ==
        claim.signed_headers.end()) {
      return {Refusal::kMismatch, "the header " + lower + " is not signed"};
    }
  }
  return {};
}

// What the signature was made over, when the request does not say.
std::string SignedPayload(const Request& request, const Claim& claim) {
  if (!claim.payload_sha256.empty()) return claim.payload_sha256;
  if (claim.presigned && claim.scope.service == "s3") return std::string(kUnsignedPayload);
  return request.payload_sha256;
}

Fault Check(const Request& request, const Scope& expected, int64_t now_s,
            const std::function<std::optional<Keys>(const std::string&)>& find_keys,
            Verification& result) {
  Claim& claim = result.claim;
  Result<Parameters> parsed = ParseQuery(QueryOf(request.target));
  if (!parsed) return Malformed(parsed.error().message);
  Parameters parameters = *std::move(parsed);
  std::string scope_date;
  const std::optional<std::string> authorization =
      CanonicalHeader(request.headers, "authorization");
  const bool in_query = std::any_of(parameters.begin(), parameters.end(), [](const auto& p) {
    return p.first == "X-Amz-Signature" || p.first == "X-Amz-Algorithm";
  });
  if (!authorization && !in_query) return {Refusal::kMissing, "the request is not signed"};
  if (authorization && in_query) return Malformed("signed in both header and query");
  Fault fault = authorization ? ReadAuthorization(request, *authorization, claim, scope_date)
                              : ReadPresigned(request, parameters, claim, scope_date);
  if (fault) return fault;
  const std::optional<Keys> keys = find_keys(claim.access_key_id);
  if (!keys) return {Refusal::kUnknownKey, "no such access key id: " + claim.access_key_id};
  if (!SameText(keys->session_token, claim.session_token)) {
    return {Refusal::kUnknownKey, "the session token is not the one of this access key id"};
  }
  if (fault = CheckTime(claim, scope_date, now_s); fault) return fault;
  if (claim.scope.region != expected.region || claim.scope.service != expected.service) {
    return {Refusal::kWrongScope, "signed for " + claim.scope.region + "/" + claim.scope.service +
                                      ", expected " + expected.region + "/" + expected.service};
  }
  if (fault = CheckCoverage(request, claim); fault) return fault;
  result.signing_key = SigningKey(keys->secret_access_key, claim.date, claim.scope);
  const std::string canonical = CanonicalRequest(
      request.method, PathOf(request.target), claim.scope.service == "s3", parameters,
      request.headers, claim.signed_headers, SignedPayload(request, claim));
  if (!SameText(SignatureOf(result.signing_key, claim.date, claim.scope, canonical),
                claim.signature)) {
    return {Refusal::kMismatch, "the signature is not the one of this request"};
  }
  return {};
}

std::string NextSignature(const Verification& seed, std::string_view kind,
                          std::string_view previous, std::string_view rest) {
  std::string text(kind);
  text += "\n" + seed.claim.date + "\n" + ScopePath(seed.claim.date, seed.claim.scope) + "\n";
  text.append(previous).append("\n").append(rest);
  return Hex(HmacSha256(seed.signing_key, text));
}

}  // namespace

Verification Verify(const Request& request, const Scope& expected, int64_t now_s,
                    const std::function<std::optional<Keys>(const std::string&)>& find_keys) {
  Verification result;
  Fault fault = Check(request, expected, now_s, find_keys, result);
  if (!fault) return result;
  result.refusal = fault.refusal;
  result.detail = std::move(fault.detail);
  result.signing_key.clear();
  return result;
}

std::string ChunkSignature(const Verification& seed, std::string_view previous,
                           std::string_view chunk) {
  return NextSignature(seed, "AWS4-HMAC-SHA256-PAYLOAD", previous,
                       std::string(kEmptySha256) + "\n" + Sha256Hex(chunk));
}

std::string TrailerSignature(const Verification& seed, std::string_view previous,
                             std::string_view trailer) {
  return NextSignature(seed, "AWS4-HMAC-SHA256-TRAILER", previous, Sha256Hex(trailer));
}

}  // namespace llama::signing
