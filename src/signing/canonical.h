// The canonical form of a request, which both sides of a signature compute: what a proxy may
// rewrite without changing a request's meaning comes out the same. Pure functions.
//
// S3 takes an object's key as it is: its path is encoded once. The other services' paths lose
// their dot segments and double slashes and are encoded once more than on the wire.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signing/sigv4.h"

namespace llama::signing {

// Decoded name and value of each query parameter, in their order. One without '=' has an empty
// value; '+' is a plus. kInvalid: a '%' without two hex digits after it.
using Parameters = std::vector<std::pair<std::string, std::string>>;
Result<Parameters> ParseQuery(std::string_view query);
std::string_view PathOf(std::string_view target);
std::string_view QueryOf(std::string_view target);  // without the '?'

// Header names, lower-case, of one request, and what SigV4 makes of their values: several of the
// same name joined by commas, runs of blanks one space, none at the ends.
std::string LowerCase(std::string_view text);
std::optional<std::string> CanonicalHeader(const Headers& headers, std::string_view lower_name);
// Names of all headers but those that proxies may change or add; sorted, distinct, lower-case.
std::vector<std::string> SignableHeaders(const Headers& headers);

std::string CanonicalPath(std::string_view path, bool is_s3);
std::string CanonicalQuery(const Parameters& parameters);

// `signed_headers` in the order in which they are signed; one that is absent counts as empty.
std::string CanonicalRequest(const std::string& method, std::string_view path, bool is_s3,
                             const Parameters& parameters, const Headers& headers,
                             const std::vector<std::string>& signed_headers,
                             std::string_view payload_sha256);

// "20150830T123600Z" and back.
std::string AmzDate(int64_t time_s);
std::optional<int64_t> ParseAmzDate(std::string_view date);

inline constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// "20150830/us-east-1/s3/aws4_request"
std::string ScopePath(std::string_view amz_date, const Scope& scope);
// Raw.
std::string SigningKey(const std::string& secret, std::string_view amz_date, const Scope& scope);
// Hex, of a canonical request.
std::string SignatureOf(std::string_view signing_key, std::string_view amz_date, const Scope& scope,
                        std::string_view canonical_request);
std::string Join(const std::vector<std::string>& parts, char separator);

}  // namespace llama::signing
