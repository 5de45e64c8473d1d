#include "aws/service/service_error.h"

#include <simdjson.h>
#include <time.h>

#include <algorithm>
#include <charconv>

#include "aws/http/xml.h"

namespace llama::aws {
namespace {

constexpr size_t kMaxMessage = 500;
constexpr size_t kMaxBody = 64 << 10;
constexpr int64_t kMaxRetryAfterS = 3'600;

// "com.amazonaws.x#ThrottlingException:http://…" is ThrottlingException.
std::string BareCode(std::string_view code) {
  code = code.substr(0, code.find(':'));
  return std::string(code.substr(code.rfind('#') + 1));
}

std::optional<int64_t> ParseSeconds(std::string_view text) {
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::min(seconds, kMaxRetryAfterS);
}

void ReadJson(std::string_view body, ServiceError& error) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) return;
  const auto text = [&](const char* key) -> std::string {
    std::string_view value;
    return root[key].get(value) == simdjson::SUCCESS ? std::string(value) : "";
  };
  for (const char* key : {"__type", "code", "Code"}) {
    if (error.code.empty()) error.code = BareCode(text(key));
  }
  for (const char* key : {"message", "Message", "errorMessage"}) {
    if (error.message.empty()) error.message = text(key);
  }
  error.reason = text("Reason");
  double seconds = 0;
  if (const std::string after = text("retryAfterSeconds"); !after.empty()) {
    if (const auto whole = ParseSeconds(after)) error.retry_after_ms = *whole * 1000;
  } else if (root["retryAfterSeconds"].get(seconds) == simdjson::SUCCESS && seconds >= 0) {
    error.retry_after_ms =
        static_cast<int64_t>(std::min(seconds, static_cast<double>(kMaxRetryAfterS)) * 1000);
  }
}

std::string Printable(std::string text) {
  if (text.size() > kMaxMessage) text.resize(kMaxMessage);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = ' ';
  }
  return text;
}

void ReadRetryAfter(const HttpAnswer& answer, ServiceError& error) {
  const std::string* value = answer.Find("retry-after");
  if (value == nullptr) return;
  if (const auto seconds = ParseSeconds(*value)) {
    error.retry_after_ms = *seconds * 1000;
    return;
  }
  const std::string* now = answer.Find("date");
  const auto until_s = ParseHttpDate(*value);
  const auto now_s = now != nullptr ? ParseHttpDate(*now) : std::nullopt;
  if (!until_s || !now_s) return;
  error.retry_after_ms = std::clamp<int64_t>(*until_s - *now_s, 0, kMaxRetryAfterS) * 1000;
}

}  // namespace

std::string ServiceError::Text() const {
  if (code.empty()) return message;
  return message.empty() ? code : code + ": " + message;
}

ServiceError ReadServiceError(const HttpAnswer& answer) {
  ServiceError error;
  if (const std::string* type = answer.Find("x-amzn-errortype")) error.code = BareCode(*type);
  const std::string_view body = std::string_view(answer.body).substr(0, kMaxBody);
  const size_t first = body.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && body[first] == '{') {
    ReadJson(body, error);
  } else if (first != std::string_view::npos && body[first] == '<') {
    XmlError xml = ParseXmlError(body);
    if (error.code.empty()) error.code = std::move(xml.code);
    error.message = std::move(xml.message);
  }
  ReadRetryAfter(answer, error);
  error.code = Printable(std::move(error.code));
  error.message = Printable(std::move(error.message));
  return error;
}

std::optional<int64_t> ParseHttpDate(std::string_view text) {
  tm time{};
  const std::string zero_ended(text);
  const char* end = strptime(zero_ended.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return timegm(&time);
}

}  // namespace llama::aws
