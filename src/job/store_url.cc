#include "job/store_url.h"

#include <algorithm>

#include "base/text/hex.h"

namespace llama::job {
namespace {

constexpr std::string_view kScheme = "s3://";
constexpr size_t kMaxBytes = 4096;

Error Wrong(std::string_view what) {
  return Error{Code::kInvalid, "store location: " + std::string(what)};
}

bool IsPlain(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_';
}

std::string PercentEncode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (IsPlain(c)) {
      out.push_back(c);
      continue;
    }
    out.push_back('%');
    out.push_back(kUpperHexDigits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(kUpperHexDigits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) return Wrong("malformed percent-encoding");
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

// What may stand in a host name or a URL's path without encoding.
Result<void> CheckPlain(std::string_view text, std::string_view name, std::string_view also) {
  if (std::all_of(text.begin(), text.end(),
                  [&](char c) { return IsPlain(c) || also.find(c) != std::string_view::npos; })) {
    return {};
  }
  return Wrong(std::string(name) + " holds a byte that it can't");
}

Result<void> Check(const StoreUrl& url) {
  if (url.bucket.empty()) return Wrong("no bucket");
  TRY(CheckPlain(url.bucket, "the bucket", ""));
  TRY(CheckPlain(url.prefix, "the prefix", "/"));
  TRY(CheckPlain(url.region, "the region", ""));
  const std::string between = "/" + url.prefix;
  if (between.find("//") != std::string::npos || between.find("/../") != std::string::npos ||
      between.find("/./") != std::string::npos) {
    return Wrong("the prefix has an empty part or one of dots");
  }
  return {};
}

Result<void> SetParameter(std::string_view parameter, StoreUrl& url) {
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return {};
  const std::string_view name = parameter.substr(0, equals);
  ASSIGN_OR_RETURN(std::string value, PercentDecode(parameter.substr(equals + 1)));
  if (name == "region") url.region = std::move(value);
  if (name == "endpoint") {
    if (value.ends_with('/')) value.pop_back();
    url.endpoint = std::move(value);
  }
  if (name == "path_style") url.path_style = value == "1" || value == "true";
  return {};
}

}  // namespace

std::string FormatStoreUrl(const StoreUrl& url) {
  std::string out = std::string(kScheme) + url.bucket;
  if (!url.prefix.empty()) out += "/" + url.prefix;
  char separator = '?';
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.push_back(separator);
    out.append(name).append("=").append(PercentEncode(value));
    separator = '&';
  };
  add("region", url.region);
  add("endpoint", url.endpoint);
  add("path_style", url.path_style ? "1" : "");
  return out;
}

Result<StoreUrl> ParseStoreUrl(std::string_view text) {
  if (text.size() > kMaxBytes) return Wrong("too long");
  if (!text.starts_with(kScheme)) return Wrong("does not begin with s3://");
  text.remove_prefix(kScheme.size());
  const size_t mark = text.find('?');
  std::string_view query = mark == std::string_view::npos ? "" : text.substr(mark + 1);
  text = text.substr(0, mark);
  StoreUrl url;
  const size_t slash = text.find('/');
  url.bucket = text.substr(0, slash);
  if (slash != std::string_view::npos) url.prefix = text.substr(slash + 1);
  if (!url.prefix.empty() && !url.prefix.ends_with('/')) url.prefix.push_back('/');
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    TRY(SetParameter(parameter, url));
  }
  TRY(Check(url));
  return url;
}

}  // namespace llama::job
