#include "emulator/admin.h"

#include <openssl/crypto.h>

#include "base/text/json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

Response Text(int status, std::string body, std::string_view type = "text/plain") {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", std::string(type)}};
  response.body = std::move(body);
  return response;
}

}  // namespace

bool Admin::IsAllowed(const Request& request) const {
  const std::string* header = request.Header("authorization");
  if (header == nullptr) return false;
  std::string_view given = *header;
  if (given.starts_with("Bearer ")) given.remove_prefix(7);
  return given.size() == options_.token.size() &&
         CRYPTO_memcmp(given.data(), options_.token.data(), given.size()) == 0;
}

Response Admin::Handle(const Request& request, const Exchange&) {
  const std::string name = request.path.substr(std::string_view("/_emulator/").size());
  Response response;
  if (name == "health" && request.method == "GET") {
    response = Text(200, "ok\n");
  } else if (!IsAllowed(request)) {
    response = Text(403, "the header Authorization must be the emulator's token\n");
  } else if (name == "metrics" && request.method == "GET") {
    response = Text(200, log_.MetricsJson(), "application/json");
  } else if (name == "model" && request.method == "GET") {
    response = Text(200, model_.settings().Format());
  } else if (name == "model" && request.method == "PUT") {
    response = ReplaceModel(request);
  } else if (name == "credentials" && request.method == "GET") {
    response = Credentials();
  } else {
    response = Text(404, "no such thing: " + request.method + " " + request.path + "\n");
  }
  response.service = "emulator";
  response.operation = response.status == 404 ? "unknown" : name;
  return response;
}

Response Admin::ReplaceModel(const Request& request) {
  Result<ModelSettings> settings = ModelSettings::Parse(request.body);
  if (!settings) return Text(400, settings.error().message + "\n");
  model_.Replace(std::move(*settings));
  return Text(200, model_.settings().Format());
}

Response Admin::Credentials() {
  const TemporaryKeys issued = authority_.Issue("", options_.lifetime_s);
  JsonWriter json;
  json.BeginObject().Key("AccessKeyId").String(issued.keys.access_key_id);
  json.Key("SecretAccessKey").String(issued.keys.secret_access_key);
  json.Key("Token").String(issued.keys.session_token);
  std::string expires = IsoDate(issued.expires_s * 1'000'000'000);
  expires.replace(expires.rfind('.'), std::string::npos, "Z");
  json.Key("Expiration").String(expires).EndObject();
  return Text(200, json.Take() + "\n", "application/json");
}

}  // namespace llama::emulator
