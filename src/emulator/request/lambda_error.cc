#include "emulator/request/lambda_error.h"

#include <algorithm>
#include <array>

#include "base/text/json.h"

namespace llama::emulator {
namespace {

struct Type {
  std::string_view name;
  int status;
};

constexpr std::array<Type, 18> kTypes = {{
    {"AccessDeniedException", 403},
    {"KMSAccessDeniedException", 502},
    {"ResourceNotFoundException", 404},
    {"ResourceConflictException", 409},
    {"InvalidParameterValueException", 400},
    {"InvalidRequestContentException", 400},
    {"InvalidZipFileException", 502},
    {"ValidationException", 400},
    {"PreconditionFailedException", 412},
    {"CodeStorageExceededException", 400},
    {"RequestTooLargeException", 413},
    {"RequestEntityTooLargeException", 413},
    {"TooManyRequestsException", 429},
    {"ServiceException", 500},
    {"ServiceUnavailableException", 503},
    {"UnknownOperationException", 404},
    {"InvalidRuntimeException", 502},
    {"UnsupportedMediaTypeException", 415},
}};

const Type* FindType(std::string_view message) {
  const std::string_view name = message.substr(0, message.find(": "));
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const Type& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : found;
}

}  // namespace

Error LambdaError(std::string_view type, std::string_view text) {
  Error error{Code::kInvalid, std::string(type)};
  if (type == "ResourceNotFoundException") error.code = Code::kNotFound;
  error.message.append(": ").append(text);
  return error;
}

Error InvalidParameter(std::string_view text) {
  return LambdaError("InvalidParameterValueException", text);
}

Response LambdaErrorResponse(const Error& error) {
  const Type* type = FindType(error.message);
  const std::string_view name = type == nullptr ? "ServiceException" : type->name;
  const std::string_view text = type == nullptr
                                    ? std::string_view(error.message)
                                    : std::string_view(error.message).substr(name.size() + 2);
  const int status = type == nullptr ? 500 : type->status;
  JsonWriter json;
  json.BeginObject();
  json.Key("Type").String(status < 500 ? "User" : "Service");
  json.Key("message").String(text);
  json.Key("Message").String(text);
  json.EndObject();
  Response response = LambdaJson(status, json.Take());
  response.headers.emplace_back("x-amzn-ErrorType", name);
  response.error = name;
  return response;
}

Response LambdaJson(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(body);
  return response;
}

}  // namespace llama::emulator
