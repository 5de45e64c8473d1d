#include "aws/control/control_error.h"

#include <string>

#include "aws/service/service_error.h"

namespace llama::aws {
namespace {

bool IsDenial(int status, std::string_view code) {
  return status == 403 || code.starts_with("AccessDenied") || code == "UnauthorizedOperation";
}

}  // namespace

Error ControlError(const HttpAnswer& answer, std::string_view action, std::string_view object) {
  const ServiceError said = ReadServiceError(answer);
  std::string text(object);
  text.append(": ").append(action).append(": status ").append(std::to_string(answer.status));
  if (const std::string why = said.Text(); !why.empty()) text.append(", ").append(why);
  const bool absent = answer.status == 404 || said.code == "ResourceNotFoundException" ||
                      said.code == "NoSuchEntity";
  if (absent) return {Code::kNotFound, std::move(text)};
  if (IsDenial(answer.status, said.code)) {
    text.append("; the credentials lack ").append(action);
    text.append(", 'llama bootstrap --policy' prints all that is needed");
    return {Code::kInvalid, std::move(text)};
  }
  const bool passes = said.code == "OperationAbortedException" ||
                      said.code == "ConcurrentModification" ||
                      said.code == "ConcurrentModificationException" ||
                      (said.code == "ResourceConflictException" &&
                       said.message.find("in progress") != std::string::npos);
  return {passes ? Code::kUnavailable : Code::kInvalid, std::move(text)};
}

}  // namespace llama::aws
