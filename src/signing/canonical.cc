#include "signing/canonical.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/text/hex.h"
#include "signing/hash.h"

namespace llama::signing {
namespace {

// Of what a proxy or an HTTP library may add, change or take away.
constexpr std::string_view kUnsigned[] = {
    "authorization",    "connection", "expect",  "keep-alive", "proxy-authorization",
    "proxy-connection", "te",         "upgrade", "user-agent", "transfer-encoding",
    "x-amzn-trace-id",
};

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::string OneSpaced(std::string_view value) {
  std::string out;
  bool blank = false;
  for (const char c : value) {
    if (IsBlank(c)) {
      blank = true;
      continue;
    }
    if (blank && !out.empty()) out.push_back(' ');
    blank = false;
    out.push_back(c);
  }
  return out;
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Each part as it would be encoded by a client that does it right: "%7e" is "~", "(" is "%28". What
// cannot be decoded stands for itself.
std::string PathEncodedOnce(std::string_view path) {
  std::string out;
  for (const std::string_view part : Split(path, '/')) {
    if (!out.empty() || part.data() != path.data()) out.push_back('/');
    const Result<std::string> decoded = UriDecode(part);
    out += decoded ? UriEncode(*decoded) : UriEncode(part);
  }
  return out;
}

std::string PathNormalised(std::string_view path) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : Split(path, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : kept) out.append("/").append(part);
  if (out.empty() || path.ends_with('/')) out.push_back('/');
  return out;
}

}  // namespace

std::string UriEncode(std::string_view bytes, bool keep_slash) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) {
    if (IsUnreserved(c) || (keep_slash && c == '/')) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kUpperHexDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kUpperHexDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

Result<std::string> UriDecode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexValue(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error{Code::kInvalid, "malformed percent-encoding: " + std::string(text)};
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

Result<Parameters> ParseQuery(std::string_view query) {
  Parameters parameters;
  if (query.empty()) return parameters;
  for (const std::string_view part : Split(query, '&')) {
    if (part.empty()) continue;
    const size_t equals = part.find('=');
    ASSIGN_OR_RETURN(std::string name, UriDecode(part.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      ASSIGN_OR_RETURN(value, UriDecode(part.substr(equals + 1)));
    }
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

std::string_view QueryOf(std::string_view target) {
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::string LowerCase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::optional<std::string> CanonicalHeader(const Headers& headers, std::string_view lower_name) {
  std::optional<std::string> joined;
  for (const auto& [name, value] : headers) {
    if (LowerCase(name) != lower_name) continue;
    joined = joined ? *joined + "," + OneSpaced(value) : OneSpaced(value);
  }
  return joined;
}

std::vector<std::string> SignableHeaders(const Headers& headers) {
  std::vector<std::string> names;
  for (const auto& [name, value] : headers) {
    std::string lower = LowerCase(name);
    if (std::find(std::begin(kUnsigned), std::end(kUnsigned), lower) == std::end(kUnsigned)) {
      names.push_back(std::move(lower));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string CanonicalPath(std::string_view path, bool is_s3) {
  if (path.empty()) return "/";
  return is_s3 ? PathEncodedOnce(path) : UriEncode(PathNormalised(path), true);
}

std::string CanonicalQuery(const Parameters& parameters) {
  Parameters encoded;
  for (const auto& [name, value] : parameters) {
    encoded.emplace_back(UriEncode(name), UriEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out.push_back('&');
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string CanonicalRequest(const std::string& method, std::string_view path, bool is_s3,
                             const Parameters& parameters, const Headers& headers,
                             const std::vector<std::string>& signed_headers,
                             std::string_view payload_sha256) {
  std::string out = method + "\n" + CanonicalPath(path, is_s3) + "\n";
  out += CanonicalQuery(parameters) + "\n";
  for (const std::string& name : signed_headers) {
    out += name + ":" + CanonicalHeader(headers, name).value_or("") + "\n";
  }
  out += "\n" + Join(signed_headers, ';') + "\n";
  return out.append(payload_sha256);
}

std::string AmzDate(int64_t time_s) {
  const time_t time = time_s;
  struct tm utc {};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  const size_t size = strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return {text.data(), size};
}

std::optional<int64_t> ParseAmzDate(std::string_view date) {
  const auto number = [&](size_t at, size_t digits) {
    int value = 0;
    for (const char c : date.substr(at, digits)) {
      if (c < '0' || c > '9') return -1;
      value = value * 10 + (c - '0');
    }
    return value;
  };
  if (date.size() != 16 || date[8] != 'T' || date[15] != 'Z') return std::nullopt;
  struct tm utc {};
  utc.tm_year = number(0, 4) - 1900;
  utc.tm_mon = number(4, 2) - 1;
  utc.tm_mday = number(6, 2);
  utc.tm_hour = number(9, 2);
  utc.tm_min = number(11, 2);
  utc.tm_sec = number(13, 2);
  const int64_t time_s = timegm(&utc);
  // A date that is none ("20150230…", a sign, a letter) comes back as another.
  if (AmzDate(time_s) != date) return std::nullopt;
  return time_s;
}

std::string ScopePath(std::string_view amz_date, const Scope& scope) {
  return std::string(amz_date.substr(0, 8)) + "/" + scope.region + "/" + scope.service +
         "/aws4_request";
}

std::string SigningKey(const std::string& secret, std::string_view amz_date, const Scope& scope) {
  const std::string date_key = HmacSha256("AWS4" + secret, amz_date.substr(0, 8));
  const std::string region_key = HmacSha256(date_key, scope.region);
  return HmacSha256(HmacSha256(region_key, scope.service), "aws4_request");
}

std::string SignatureOf(std::string_view signing_key, std::string_view amz_date, const Scope& scope,
                        std::string_view canonical_request) {
  const std::string text = std::string(kAlgorithm) + "\n" + std::string(amz_date) + "\n" +
                           ScopePath(amz_date, scope) + "\n" + Sha256Hex(canonical_request);
  return Hex(HmacSha256(signing_key, text));
}

std::string Join(const std::vector<std::string>& parts, char separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out.push_back(separator);
    out += part;
  }
  return out;
}

}  // namespace llama::signing
