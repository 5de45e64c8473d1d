#include "emulator/request/lambda_json.h"

#include <simdjson.h>

#include "emulator/request/lambda_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

using simdjson::dom::element;

std::string Pointer(std::string_view path) { return "/" + std::string(path); }

Error WrongType(std::string_view path, std::string_view wanted) {
  return LambdaError("InvalidRequestContentException",
                     std::string(path) + " is not " + std::string(wanted));
}

}  // namespace

struct JsonObject::Document {
  simdjson::dom::parser parser;
  element root;

  // Nothing where there is none, or null.
  std::optional<element> At(std::string_view path) const {
    element found;
    if (root.at_pointer(Pointer(path)).get(found) != simdjson::SUCCESS) return std::nullopt;
    if (found.is_null()) return std::nullopt;
    return found;
  }
};

JsonObject::JsonObject(std::unique_ptr<Document> document) : document_(std::move(document)) {}
JsonObject::JsonObject(JsonObject&&) noexcept = default;
JsonObject& JsonObject::operator=(JsonObject&&) noexcept = default;
JsonObject::~JsonObject() = default;

Result<JsonObject> JsonObject::Parse(std::string_view text) {
  auto document = std::make_unique<Document>();
  const simdjson::padded_string padded(text.empty() ? std::string_view("{}") : text);
  if (const auto error = document->parser.parse(padded).get(document->root)) {
    return LambdaError(
        "InvalidRequestContentException",
        std::string("Could not parse request body into json: ") + simdjson::error_message(error));
  }
  if (!document->root.is_object()) {
    return LambdaError("InvalidRequestContentException", "the request body is no JSON object");
  }
  return JsonObject(std::move(document));
}

bool JsonObject::Has(std::string_view path) const { return document_->At(path).has_value(); }

Result<std::optional<std::string>> JsonObject::String(std::string_view path) const {
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<std::string>();
  std::string_view value;
  if (found->get(value) != simdjson::SUCCESS) return WrongType(path, "a string");
  return std::optional<std::string>(value);
}

Result<std::optional<int64_t>> JsonObject::Int(std::string_view path) const {
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<int64_t>();
  int64_t value = 0;
  if (found->get(value) != simdjson::SUCCESS) return WrongType(path, "an integer");
  return std::optional<int64_t>(value);
}

Result<std::optional<bool>> JsonObject::Bool(std::string_view path) const {
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<bool>();
  bool value = false;
  if (found->get(value) != simdjson::SUCCESS) return WrongType(path, "true or false");
  return std::optional<bool>(value);
}

Result<std::optional<std::map<std::string, std::string>>> JsonObject::Strings(
    std::string_view path) const {
  using Map = std::map<std::string, std::string>;
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<Map>();
  simdjson::dom::object object;
  if (found->get(object) != simdjson::SUCCESS) return WrongType(path, "an object");
  Map map;
  for (const auto& [name, value] : object) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      return WrongType(std::string(path) + "/" + std::string(name), "a string");
    }
    map.emplace(name, text);
  }
  return std::optional<Map>(std::move(map));
}

Result<std::optional<std::vector<std::string>>> JsonObject::StringList(
    std::string_view path) const {
  using List = std::vector<std::string>;
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<List>();
  simdjson::dom::array array;
  if (found->get(array) != simdjson::SUCCESS) return WrongType(path, "a list");
  List list;
  for (const element value : array) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return WrongType(path, "a list of strings");
    list.emplace_back(text);
  }
  return std::optional<List>(std::move(list));
}

Result<std::vector<std::string>> JsonObject::Objects(std::string_view path) const {
  std::vector<std::string> objects;
  const std::optional<element> found = document_->At(path);
  if (!found) return objects;
  simdjson::dom::array array;
  simdjson::dom::object object;
  if (found->get(array) == simdjson::SUCCESS) {
    for (const element value : array) objects.push_back(simdjson::minify(value));
  } else if (found->get(object) == simdjson::SUCCESS) {
    for (const auto& [name, value] : object) objects.push_back(simdjson::minify(value));
  } else {
    return WrongType(path, "a list");
  }
  return objects;
}

Result<std::optional<std::string>> JsonObject::Object(std::string_view path) const {
  const std::optional<element> found = document_->At(path);
  if (!found) return std::optional<std::string>();
  if (!found->is_object()) return WrongType(path, "an object");
  return std::optional<std::string>(simdjson::minify(*found));
}

bool IsJson(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(simdjson::padded_string(text)).error() == simdjson::SUCCESS;
}

Result<std::string> ReadBase64(std::string_view text) {
  std::optional<std::string> bytes = DecodeBase64(text);
  if (!bytes) return LambdaError("InvalidRequestContentException", "malformed base64");
  return *std::move(bytes);
}

std::string HexToBase64(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return EncodeBase64(bytes);
}

}  // namespace llama::emulator
