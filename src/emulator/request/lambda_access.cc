#include "emulator/request/lambda_access.h"

#include <string>

#include "base/text/json.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/s3_xml.h"

namespace llama::emulator {
namespace {

struct Words {
  std::string_view json;   // exception
  std::string_view query;  // code
  std::string_view text;
};

std::optional<Words> WordsFor(const Access& access) {
  using signing::Refusal;
  constexpr std::string_view kMismatch =
      "The request signature we calculated does not match the signature you provided. Check your "
      "AWS Secret Access Key and signing method.";
  if (access.token_expired) {
    return Words{"ExpiredTokenException", "ExpiredToken",
                 "The security token included in the request is expired"};
  }
  switch (access.verification.refusal) {
    case Refusal::kNone:
      if (!access.wrong_payload) return std::nullopt;
      return Words{"InvalidSignatureException", "SignatureDoesNotMatch", kMismatch};
    case Refusal::kMissing:
      return Words{"MissingAuthenticationTokenException", "MissingAuthenticationToken",
                   "Missing Authentication Token"};
    case Refusal::kMalformed:
      return Words{"IncompleteSignatureException", "IncompleteSignature",
                   "The authorization header is malformed"};
    case Refusal::kUnknownKey:
      return Words{"UnrecognizedClientException", "InvalidClientTokenId",
                   "The security token included in the request is invalid."};
    case Refusal::kMismatch:
    case Refusal::kWrongScope:
      return Words{"InvalidSignatureException", "SignatureDoesNotMatch", kMismatch};
    case Refusal::kExpired:
    case Refusal::kSkewed:
      return Words{"InvalidSignatureException", "RequestExpired",
                   "Signature expired: the request's date is too far from now"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Response> RefuseAsJson(const Access& access) {
  const std::optional<Words> words = WordsFor(access);
  if (!words) return std::nullopt;
  JsonWriter json;
  json.BeginObject();
  json.Key("__type").String(words->json);
  json.Key("message").String(words->text);
  json.EndObject();
  Response response = LambdaJson(403, json.Take());
  response.headers.emplace_back("x-amzn-ErrorType", words->json);
  response.error = words->json;
  return response;
}

std::optional<Response> RefuseAsXml(const Access& access) {
  const std::optional<Words> words = WordsFor(access);
  if (!words) return std::nullopt;
  return QueryError(403, words->query, words->text);
}

Response QueryError(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "text/xml");
  XmlWriter xml;
  xml.Open("ErrorResponse").Open("Error");
  xml.Text("Type", status < 500 ? "Sender" : "Receiver");
  xml.Text("Code", code).Text("Message", message);
  xml.Close("Error").Close("ErrorResponse");
  response.body = xml.Take();
  response.error = code;
  return response;
}

}  // namespace llama::emulator
