#include "job/envelope.h"

#include <algorithm>

#include "base/text/json.h"
#include "job/base64.h"
#include "job/flat_json.h"

namespace llama::job {
namespace {

constexpr int64_t kEnvelopeVersion = 1;

Error NotOurs(std::string_view what) {
  return Error{Code::kInvalid, "not an envelope of llama: " + std::string(what)};
}

void AppendMember(std::string& out, std::string_view name, std::string_view value) {
  out.append(",\"").append(name).append("\":");
  AppendJsonString(out, value);
}

Result<FlatJson> ParseOurs(std::string_view text) {
  Result<FlatJson> json = FlatJson::Parse(text);
  if (!json) return NotOurs(json.error().message);
  if (!json->Has("llama")) return NotOurs("no member \"llama\"");
  if (json->Int("llama") != kEnvelopeVersion) return NotOurs("of another version");
  return json;
}

bool IsSha256(std::string_view hex) {
  return hex.size() == 64 && std::all_of(hex.begin(), hex.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// What of the payload's members there is.
Result<void> ReadPayload(const FlatJson& json, Envelope& envelope) {
  if (json.Has("bytes")) {
    // Only base64 that somebody has escaped ("\/") needs a copy.
    const std::optional<std::string_view> plain = json.PlainString("bytes");
    const std::string escaped = plain ? "" : json.String("bytes").value_or("?");
    Result<std::string> bytes = DecodeBase64(plain.value_or(escaped));
    if (!bytes) return NotOurs("\"bytes\" is " + bytes.error().message);
    envelope.bytes = *std::move(bytes);
    return {};
  }
  envelope.key = json.String("key").value_or("");
  envelope.sha256 = json.String("sha256").value_or("");
  if (envelope.key.empty()) return NotOurs("neither \"bytes\" nor \"key\"");
  if (!IsSha256(envelope.sha256)) return NotOurs("\"sha256\" is not 64 hexadecimal digits");
  return {};
}

}  // namespace

bool IsEnvelope(std::string_view payload) {
  const size_t first = payload.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && payload[first] == '{';
}

std::string EncodeEnvelope(const Envelope& envelope) {
  std::string out;
  out.reserve(envelope.bytes.size() / 3 * 4 + envelope.store.size() + 1024);
  out = "{\"llama\":1";
  if (envelope.ping) {
    out += ",\"ping\":true";
  } else if (envelope.key.empty()) {
    out += ",\"bytes\":\"";
    AppendBase64(out, envelope.bytes);
    out.push_back('"');
  } else {
    AppendMember(out, "key", envelope.key);
    AppendMember(out, "sha256", envelope.sha256);
  }
  if (!envelope.store.empty()) AppendMember(out, "store", envelope.store);
  if (envelope.max_answer != 0) out += ",\"max_answer\":" + std::to_string(envelope.max_answer);
  out.push_back('}');
  return out;
}

uint64_t EnvelopeSize(const Envelope& without_bytes, uint64_t payload_bytes) {
  return EncodeEnvelope(without_bytes).size() + (payload_bytes + 2) / 3 * 4;
}

Result<Envelope> DecodeEnvelope(std::string_view text) {
  ASSIGN_OR_RETURN(const FlatJson json, ParseOurs(text));
  Envelope envelope;
  envelope.ping = json.Bool("ping").value_or(false);
  if (!envelope.ping) TRY(ReadPayload(json, envelope));
  envelope.store = json.String("store").value_or("");
  envelope.max_answer =
      static_cast<uint64_t>(std::max<int64_t>(json.Int("max_answer").value_or(0), 0));
  return envelope;
}

std::string EncodePong(const Pong& pong) {
  JsonWriter json;
  json.BeginObject().Key("llama").Int(kEnvelopeVersion);
  json.Key("version").String(pong.version);
  json.Key("build").String(pong.build);
  json.Key("memory_mb").Int(pong.memory_mb);
  json.Key("tmp_bytes").Int(pong.tmp_bytes);
  json.Key("time_ms").Int(pong.time_ms);
  return json.EndObject().Take();
}

Result<Pong> DecodePong(std::string_view text) {
  ASSIGN_OR_RETURN(const FlatJson json, ParseOurs(text));
  if (!json.Has("version") || !json.Has("time_ms")) return NotOurs("not an answer to a ping");
  Pong pong;
  pong.version = json.String("version").value_or("");
  pong.build = json.String("build").value_or("");
  pong.memory_mb = json.Int("memory_mb").value_or(0);
  pong.tmp_bytes = json.Int("tmp_bytes").value_or(0);
  pong.time_ms = json.Int("time_ms").value_or(0);
  return pong;
}

}  // namespace llama::job
