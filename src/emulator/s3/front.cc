#include "emulator/s3/front.h"

#include <algorithm>

#include "emulator/request/s3_error.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"
#include "emulator/s3/checksum.h"
#include "emulator/s3/chunked.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxMetadataBytes = 8 << 10;

Error AccessError(const Access& access) {
  using signing::Refusal;
  const signing::Verification& v = access.verification;
  switch (v.refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kMissing:
      return S3Failure("AccessDenied", "Access Denied: the request is not signed");
    case Refusal::kMalformed:
    case Refusal::kWrongScope:
      return S3Failure(
          v.claim.presigned ? "AuthorizationQueryParametersError" : "AuthorizationHeaderMalformed",
          v.detail);
    case Refusal::kUnknownKey:
      return S3Failure("InvalidAccessKeyId",
                       "The AWS Access Key Id you provided does not exist in our records.");
    case Refusal::kMismatch:
      return S3Failure("SignatureDoesNotMatch",
                       "The request signature we calculated does not match the signature you "
                       "provided. Check your key and signing method.");
    case Refusal::kExpired:
      return S3Failure("AccessDenied", "Request has expired");
    case Refusal::kSkewed:
      return S3Failure("RequestTimeTooSkewed",
                       "The difference between the request time and the current time is too "
                       "large.");
  }
  if (access.token_expired) {
    return S3Failure("ExpiredToken", "The provided token has expired.");
  }
  return S3Failure("XAmzContentSHA256Mismatch",
                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
}

Error FaultError(Fault fault) {
  if (fault == Fault::kSlowDown503)
    return S3Failure("SlowDown", "Please reduce your request rate.");
  if (fault == Fault::kThrottle429) return S3Failure("RequestThrottled", "Please slow down.");
  return S3Failure("InternalError", "We encountered an internal error. Please try again.");
}

}  // namespace

Response XmlResponse(std::string body) {
  Response response;
  response.headers = {{"Content-Type", "application/xml"}};
  response.body = std::move(body);
  return response;
}

std::string Quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

Result<Pairs> StoredHeaders(const Request& request) {
  constexpr auto kStored = std::to_array<std::string_view>(
      {"content-type", "cache-control", "content-disposition", "content-language", "expires",
       "x-amz-website-redirect-location"});
  Pairs stored;
  size_t metadata_bytes = 0;
  for (const auto& [name, value] : request.headers) {
    const std::string lower = LowerCase(name);
    if (lower == "x-amz-tagging" && !value.empty()) {
      return S3Failure("NotImplemented", "The emulator has no object tags");
    }
    const bool is_metadata = lower.starts_with("x-amz-meta-");
    if (is_metadata) metadata_bytes += lower.size() + value.size();
    const bool is_stored = std::find(kStored.begin(), kStored.end(), lower) != kStored.end();
    const bool is_class = lower == "x-amz-storage-class" && value != "STANDARD";
    if (is_metadata || is_stored || is_class) {
      stored.emplace_back(lower, value);
    } else if (lower == "content-encoding" && value != "aws-chunked") {
      constexpr std::string_view kChunked = "aws-chunked,";
      const bool chunked = value.starts_with(kChunked);
      stored.emplace_back(
          lower, chunked ? TrimSpace(std::string_view(value).substr(kChunked.size())) : value);
    }
  }
  if (metadata_bytes > kMaxMetadataBytes) {
    return S3Failure("MetadataTooLarge", "Your metadata headers exceed the maximum allowed size");
  }
  return stored;
}

Result<uint64_t> QueryNumber(const Request& request, std::string_view name, uint64_t otherwise,
                             uint64_t max) {
  const std::string* text = request.Query(name);
  if (text == nullptr || text->empty()) return otherwise;
  const std::optional<uint64_t> value = ParseUint(*text);
  if (!value) {
    return S3Failure("InvalidArgument", "Provided " + std::string(name) + " not an integer");
  }
  return std::min(*value, max);
}

std::string QueryText(const Request& request, std::string_view name) {
  const std::string* text = request.Query(name);
  return text == nullptr ? std::string() : *text;
}

std::string EncodedKey(const Request& request, std::string_view key) {
  return QueryText(request, "encoding-type") == "url" ? signing::UriEncode(key, true)
                                                      : std::string(key);
}

const std::map<std::string_view, S3Front::Operation>& S3Front::Operations() {
  static const std::map<std::string_view, Operation> operations = {
      {"ListBuckets", &S3Front::ListBuckets},
      {"CreateBucket", &S3Front::CreateBucket},
      {"HeadBucket", &S3Front::HeadBucket},
      {"DeleteBucket", &S3Front::DeleteBucket},
      {"GetBucketLocation", &S3Front::GetBucketLocation},
      {"GetBucketConfig", &S3Front::GetBucketConfig},
      {"PutBucketConfig", &S3Front::PutBucketConfig},
      {"DeleteBucketConfig", &S3Front::DeleteBucketConfig},
      {"GetBucketAcl", &S3Front::GetAcl},
      {"ListObjects", &S3Front::ListObjects},
      {"ListObjectsV2", &S3Front::ListObjectsV2},
      {"PutObject", &S3Front::PutObject},
      {"CopyObject", &S3Front::CopyObject},
      {"GetObject", &S3Front::GetObject},
      {"HeadObject", &S3Front::GetObject},
      {"GetObjectAcl", &S3Front::GetAcl},
      {"GetObjectTagging", &S3Front::GetObjectTagging},
      {"DeleteObject", &S3Front::DeleteObject},
      {"DeleteObjects", &S3Front::DeleteObjects},
      {"CreateMultipartUpload", &S3Front::CreateMultipartUpload},
      {"UploadPart", &S3Front::UploadPart},
      {"UploadPartCopy", &S3Front::UploadPartCopy},
      {"CompleteMultipartUpload", &S3Front::CompleteMultipartUpload},
      {"AbortMultipartUpload", &S3Front::AbortMultipartUpload},
      {"ListParts", &S3Front::ListParts},
      {"ListMultipartUploads", &S3Front::ListMultipartUploads},
  };
  return operations;
}

Response S3Front::Handle(const Request& request, const Exchange&) {
  S3Call call;
  const Result<void> recognised = Recognise(request, call);
  const Plan plan = model_.Draw("s3", ModelKind(call.operation));
  Response response;
  std::string worker;
  if (plan.fault == Fault::kResetBefore) {
    // Nothing was done, and nothing will be answered.
  } else if (ReplacesAnswer(plan.fault)) {
    response = S3ErrorResponse(FaultError(plan.fault), request, authority_.region());
  } else {
    const Access access = authority_.Check(request, "s3");
    worker = access.worker;
    Result<Response> done = recognised ? Perform(request, call, access) : recognised.error();
    response =
        done ? std::move(*done) : S3ErrorResponse(done.error(), request, authority_.region());
  }
  response.headers.emplace_back("x-amz-request-id", request.id);
  response.headers.emplace_back("x-amz-id-2", "llama-emulator");
  response.service = "s3";
  response.operation = call.operation;
  response.resource = call.key.empty() ? call.bucket : call.bucket + "/" + call.key;
  response.worker = std::move(worker);
  response.plan = plan;
  return response;
}

Result<void> S3Front::CheckAccess(const Request& request, const Access& access) const {
  if (request.body_too_large || request.body.size() > max_object_bytes_) {
    return S3Failure("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
  if (!access.ok()) return AccessError(access);
  if (!access.verification.claim.presigned && request.Header("x-amz-content-sha256") == nullptr) {
    return S3Failure("InvalidRequest",
                     "Missing required header for this request: x-amz-content-sha256");
  }
  return {};
}

Result<Response> S3Front::Perform(const Request& request, const S3Call& call,
                                  const Access& access) {
  TRY(CheckAccess(request, access));
  TRY(CheckRole(request, call, access));
  Work work = {request, call, request.body, {}};
  Pairs headers = request.headers;
  ChunkedBody decoded;
  const std::string* sha256 = request.Header("x-amz-content-sha256");
  if (sha256 != nullptr && IsStreaming(*sha256)) {
    ASSIGN_OR_RETURN(decoded, DecodeChunked(*sha256, request.body, access.verification));
    const std::string* length = request.Header("x-amz-decoded-content-length");
    if (length != nullptr && ParseUint(*length) != decoded.bytes.size()) {
      return S3Failure("IncompleteBody", "x-amz-decoded-content-length is not the body's");
    }
    headers.insert(headers.end(), decoded.trailers.begin(), decoded.trailers.end());
    work.body = decoded.bytes;
  }
  // Of a completed upload it is the whole object's, not this body's.
  if (call.operation != "CompleteMultipartUpload") {
    ASSIGN_OR_RETURN(work.checksums, VerifyChecksums(headers, work.body));
  }
  const auto found = Operations().find(call.operation);
  if (found == Operations().end()) {
    return S3Failure("NotImplemented", "The emulator has no " + call.operation);
  }
  Result<Response> done = (this->*found->second)(work);
  if (!done) return WithoutListing(std::move(done).error(), call, access);
  return done;
}

}  // namespace llama::emulator
