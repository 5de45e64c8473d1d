#include "emulator/request/s3_error.h"

#include <algorithm>
#include <array>

#include "emulator/request/s3_xml.h"

namespace llama::emulator {
namespace {

struct Known {
  std::string_view code;
  int status;
};

constexpr auto kKnown = std::to_array<Known>({
    {"AccessDenied", 403},
    {"AuthorizationHeaderMalformed", 400},
    {"AuthorizationQueryParametersError", 400},
    {"BadDigest", 400},
    {"BucketAlreadyOwnedByYou", 409},
    {"BucketNotEmpty", 409},
    {"EntityTooLarge", 400},
    {"EntityTooSmall", 400},
    {"ExpiredToken", 400},
    {"IllegalLocationConstraintException", 400},
    {"IncompleteBody", 400},
    {"InternalError", 500},
    {"InvalidAccessKeyId", 403},
    {"InvalidArgument", 400},
    {"InvalidBucketName", 400},
    {"InvalidDigest", 400},
    {"InvalidPart", 400},
    {"InvalidPartOrder", 400},
    {"InvalidRange", 416},
    {"InvalidRequest", 400},
    {"InvalidURI", 400},
    {"KeyTooLongError", 400},
    {"MalformedXML", 400},
    {"MetadataTooLarge", 400},
    {"MethodNotAllowed", 405},
    {"NoSuchBucket", 404},
    {"NoSuchBucketPolicy", 404},
    {"NoSuchCORSConfiguration", 404},
    {"NoSuchKey", 404},
    {"NoSuchLifecycleConfiguration", 404},
    {"NoSuchPublicAccessBlockConfiguration", 404},
    {"NoSuchTagSet", 404},
    {"NoSuchUpload", 404},
    {"NoSuchWebsiteConfiguration", 404},
    {"NotImplemented", 501},
    {"NotModified", 304},
    {"ObjectLockConfigurationNotFoundError", 404},
    {"OwnershipControlsNotFoundError", 404},
    {"PreconditionFailed", 412},
    {"ReplicationConfigurationNotFoundError", 404},
    {"RequestTimeTooSkewed", 403},
    {"ServerSideEncryptionConfigurationNotFoundError", 404},
    {"SignatureDoesNotMatch", 403},
    {"SlowDown", 503},
    {"RequestThrottled", 429},
    {"XAmzContentSHA256Mismatch", 400},
});

Code CodeOf(int status) {
  if (status == 404) return Code::kNotFound;
  return status >= 500 || status == 429 ? Code::kUnavailable : Code::kInvalid;
}

const Known* Find(std::string_view code) {
  const auto found = std::find_if(kKnown.begin(), kKnown.end(),
                                  [&](const Known& known) { return known.code == code; });
  return found == kKnown.end() ? nullptr : &*found;
}

}  // namespace

Error S3Failure(std::string_view code, std::string_view message) {
  const Known* known = Find(code);
  return {known == nullptr ? Code::kInternal : CodeOf(known->status),
          std::string(code) + ": " + std::string(message)};
}

S3ErrorView ViewOf(const Error& error) {
  const std::string_view text = error.message;
  const size_t colon = text.find(": ");
  const Known* known = Find(text.substr(0, colon));
  if (colon == std::string_view::npos || known == nullptr) {
    return {"InternalError", "We encountered an internal error. Please try again.", 500};
  }
  return {known->code, text.substr(colon + 2), known->status};
}

Response S3ErrorResponse(const Error& error, const Request& request, const std::string& region) {
  const S3ErrorView view = ViewOf(error);
  Response response;
  response.status = view.status;
  response.error = view.code;
  if (view.status == 304 || request.method == "HEAD") return response;
  XmlWriter xml;
  xml.Open("Error").Text("Code", view.code).Text("Message", view.message);
  xml.Text("Resource", request.path).Text("RequestId", request.id);
  if (view.code == "AuthorizationHeaderMalformed") xml.Text("Region", region);
  response.body = xml.Close("Error").Take();
  response.headers = {{"Content-Type", "application/xml"}};
  return response;
}

}  // namespace llama::emulator
