#include <simdjson.h>

#include <algorithm>

#include "aws/service/credential_sources.h"
#include "aws/service/sts.h"

namespace llama::aws {
namespace {

std::string Text(const simdjson::dom::element& object, const char* key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : "";
}

bool IsPrintable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

Result<void> CheckKeys(const signing::Keys& keys, const std::string& source) {
  const char* what = nullptr;
  if (keys.access_key_id.empty()) {
    what = "no access key id";
  } else if (keys.secret_access_key.empty()) {
    what = "no secret access key";
  } else if (!IsPrintable(keys.access_key_id) || !IsPrintable(keys.secret_access_key) ||
             !IsPrintable(keys.session_token)) {
    what = "a key with blanks or unprintable characters in it";
  }
  if (what == nullptr) return {};
  return Error{Code::kInvalid, source + ": " + what};
}

Result<Credentials> ParseCredentialsJson(std::string_view json, const std::string& source) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  // Nothing may have no address, which the parser copies from.
  if (json.empty() || parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      !root.is_object()) {
    return Error{Code::kInvalid, source + ": its answer is not JSON"};
  }
  // Instance metadata says so in an answer with status 200.
  const std::string code = Text(root, "Code");
  if (!code.empty() && code != "Success") {
    return Error{Code::kUnavailable, source + ": " + code.substr(0, 100)};
  }
  Credentials out;
  out.source = source;
  out.keys.access_key_id = Text(root, "AccessKeyId");
  out.keys.secret_access_key = Text(root, "SecretAccessKey");
  out.keys.session_token = Text(root, "SessionToken");
  if (out.keys.session_token.empty()) out.keys.session_token = Text(root, "Token");
  TRY(CheckKeys(out.keys, source));
  const std::string expiration = Text(root, "Expiration");
  if (!expiration.empty()) {
    const Result<int64_t> expires = ParseIso8601(expiration);
    if (!expires) return Error{Code::kInvalid, source + ": an Expiration that is no time"};
    out.expires_s = *expires;
  }
  return out;
}

}  // namespace llama::aws
