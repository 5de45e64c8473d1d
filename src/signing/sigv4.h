// AWS Signature Version 4: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html.
// Signs requests (clients) and checks them (the emulator). By hand on OpenSSL's HMAC, since
// libcurl's own mis-signs unsorted and valueless queries (docs/decisions/dependencies.md).
// Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::signing {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Keys {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // empty: none
};

// What a signature is made for.
struct Scope {
  std::string region;   // "us-east-1"
  std::string service;  // "s3", "lambda", "iam", "sts"
};

// SHA-256 of nothing, as S3 and the others want it in hex.
inline constexpr std::string_view kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

std::string Sha256Hex(std::string_view bytes);

// Percent-encodes all but A–Z a–z 0–9 - . _ ~ (and '/' if `keep_slash`), upper-case hex.
std::string UriEncode(std::string_view bytes, bool keep_slash = false);
// The reverse; kInvalid for a '%' without two hex digits after it.
Result<std::string> UriDecode(std::string_view text);

// A request as it goes over the wire.
struct Request {
  std::string method;
  std::string target;  // path and query, percent-encoded, as in the request line: "/b/k?uploads"
  Headers headers;     // Host among them
  // Of the body, lower-case hex, or kUnsignedPayload, or a STREAMING-… word.
  std::string payload_sha256 = std::string(kEmptySha256);
};

// Adds X-Amz-Date, X-Amz-Security-Token if there is one, X-Amz-Content-Sha256 for S3, and
// Authorization. Every header that is there already is signed but for those that proxies change
// (User-Agent, Expect, Connection, …). `time_s` is seconds of the Unix epoch.
void Sign(Request& request, const Keys& keys, const Scope& scope, int64_t time_s);

// The target with X-Amz-… query parameters and the signature: a presigned request. Only Host is
// signed, and the payload is not.
std::string Presign(const std::string& method, const std::string& host, const std::string& target,
                    const Keys& keys, const Scope& scope, int64_t time_s, int64_t expires_s);

// What a request's signature says, taken from its headers or its query.
struct Claim {
  std::string access_key_id;
  Scope scope;
  std::string date;  // "20150830T123600Z"
  std::vector<std::string> signed_headers;
  std::string signature;  // hex
  bool presigned = false;
  int64_t expires_s = 0;       // presigned
  std::string payload_sha256;  // as claimed by X-Amz-Content-Sha256; empty if absent
  std::string session_token;   // empty: none
};

// The error codes of S3, of which the emulator makes its answers.
enum class Refusal : unsigned char {
  kNone,
  kMissing,     // no signature at all: AccessDenied
  kMalformed,   // AuthorizationHeaderMalformed, AuthorizationQueryParametersError
  kUnknownKey,  // InvalidAccessKeyId
  kMismatch,    // SignatureDoesNotMatch
  kExpired,     // a presigned request past its time: AccessDenied; a token: ExpiredToken
  kSkewed,      // RequestTimeTooSkewed: more than 15 minutes off
  kWrongScope,  // another region or service
};

struct Verification {
  Refusal refusal = Refusal::kNone;
  std::string detail;  // for a message
  Claim claim;
  std::string signing_key;  // raw; for the signatures of chunks that follow
};

// Checks a request against the secret that `find_keys` gives for an access key id (nothing:
// unknown). The body's hash is the caller's to compare with claim.payload_sha256.
Verification Verify(const Request& request, const Scope& expected, int64_t now_s,
                    const std::function<std::optional<Keys>(const std::string&)>& find_keys);

// The signature of one chunk of an aws-chunked body (STREAMING-AWS4-HMAC-SHA256-PAYLOAD), hex, and
// of its trailer; `previous` is the signature before it.
std::string ChunkSignature(const Verification& seed, std::string_view previous,
                           std::string_view chunk);
std::string TrailerSignature(const Verification& seed, std::string_view previous,
                             std::string_view trailer);

}  // namespace llama::signing
