// Signed requests: an input is a method, a target and headers, a line each. A request that is
// signed here must be found to be so; a foreign one must not.
#include <algorithm>

#include "base/fuzz.h"
#include "signing/canonical.h"

namespace llama::signing {
namespace {

constexpr int64_t kNow = 1'440'938'160;  // 2015-08-30T12:36:00Z
const Keys kKeys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const Scope kScope = {"us-east-1", "s3"};

Request ReadRequest(std::string_view text) {
  Request request;
  const auto line = [&] {
    const std::string_view taken = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), taken.size() + 1));
    return taken;
  };
  request.method = line();
  request.target = line();
  while (!text.empty()) {
    const std::string_view header = line();
    const size_t colon = std::min(header.find(':'), header.size());
    request.headers.emplace_back(header.substr(0, colon),
                                 header.substr(std::min(colon + 1, header.size())));
  }
  return request;
}

Verification Check(const Request& request) {
  return Verify(request, kScope, kNow, [](const std::string& id) {
    return id == kKeys.access_key_id ? std::optional<Keys>(kKeys) : std::nullopt;
  });
}

bool MentionsSigning(const Request& request) {
  std::string all = LowerCase(request.target);
  for (const auto& [name, value] : request.headers) all += "\n" + LowerCase(name);
  return all.find("x-amz") != std::string::npos || all.find("authorization") != std::string::npos ||
         all.find('%') != std::string::npos;
}

// What an HTTP/1.1 client can send: a host, and names of headers that are tokens (RFC 9110, 5.6.2).
bool IsSendable(const Request& request) {
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    const bool is_token = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    });
    if (!is_token) return false;
    has_host |= LowerCase(name) == "host";
  }
  return has_host && request.target.starts_with('/');
}

}  // namespace

FUZZ_TARGET(text) {
  CHECK(*UriDecode(UriEncode(text)) == text && *UriDecode(UriEncode(text, true)) == text);
  if (const auto parameters = ParseQuery(text)) {
    const auto again = ParseQuery(CanonicalQuery(*parameters));
    CHECK(again.has_value() && again->size() == parameters->size());
    CHECK(CanonicalQuery(*again) == CanonicalQuery(*parameters));
  }
  if (const auto time = ParseAmzDate(text)) CHECK(ParseAmzDate(AmzDate(*time)) == time);

  Request request = ReadRequest(text);
  CHECK(Check(request).refusal != Refusal::kNone);
  if (MentionsSigning(request) || !IsSendable(request)) return;
  Sign(request, kKeys, kScope, kNow);
  CHECK(Check(request).refusal == Refusal::kNone);
  request.method += "X";
  CHECK(Check(request).refusal == Refusal::kMismatch);
}

}  // namespace llama::signing
