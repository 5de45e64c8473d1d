#include <simdjson.h>

#include <algorithm>
#include <array>

#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"
#include "emulator/s3/front.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxKeyBytes = 1024;

struct Shape {
  std::string_view method;
  bool key;                    // about an object
  std::string_view parameter;  // that the query must have; empty: none
  std::string_view header;     // that must be there; empty: none
  std::string_view operation;
};

// The first that fits.
constexpr auto kShapes = std::to_array<Shape>({
    {"GET", false, "location", "", "GetBucketLocation"},
    {"GET", false, "uploads", "", "ListMultipartUploads"},
    {"GET", false, "acl", "", "GetBucketAcl"},
    {"GET", false, "list-type", "", "ListObjectsV2"},
    {"GET", false, "", "", "ListObjects"},
    {"HEAD", false, "", "", "HeadBucket"},
    {"PUT", false, "", "", "CreateBucket"},
    {"DELETE", false, "", "", "DeleteBucket"},
    {"POST", false, "delete", "", "DeleteObjects"},
    {"GET", true, "uploadId", "", "ListParts"},
    {"GET", true, "acl", "", "GetObjectAcl"},
    {"GET", true, "", "", "GetObject"},
    {"HEAD", true, "", "", "HeadObject"},
    {"PUT", true, "partNumber", "x-amz-copy-source", "UploadPartCopy"},
    {"PUT", true, "partNumber", "", "UploadPart"},
    {"PUT", true, "", "x-amz-copy-source", "CopyObject"},
    {"PUT", true, "", "", "PutObject"},
    {"DELETE", true, "uploadId", "", "AbortMultipartUpload"},
    {"DELETE", true, "", "", "DeleteObject"},
    {"POST", true, "uploads", "", "CreateMultipartUpload"},
    {"POST", true, "uploadId", "", "CompleteMultipartUpload"},
});

constexpr auto kConfigs = std::to_array<std::string_view>({"encryption",     "publicAccessBlock",
                                                           "lifecycle",      "tagging",
                                                           "versioning",     "policy",
                                                           "cors",           "website",
                                                           "logging",        "notification",
                                                           "requestPayment", "accelerate",
                                                           "object-lock",    "ownershipControls",
                                                           "replication",    "intelligent-tiering",
                                                           "analytics",      "inventory",
                                                           "metrics",        "policyStatus"});
// Of objects, and not emulated.
constexpr auto kUnknown = std::to_array<std::string_view>(
    {"tagging", "retention", "legal-hold", "torrent", "restore", "select", "attributes"});

// The bucket that the name of the host says; empty: it is in the path.
std::string HostBucket(const Request& request) {
  const std::string* header = request.Header("host");
  if (header == nullptr) return {};
  std::string host = LowerCase(header->substr(0, header->rfind(':')));
  for (const std::string_view suffix : {".s3.localhost", ".localhost"}) {
    if (host.size() > suffix.size() && host.ends_with(suffix)) {
      host.resize(host.size() - suffix.size());
      return host == "s3" ? "" : host;
    }
  }
  return {};
}

Result<void> Locate(const Request& request, S3Call& call) {
  std::string_view path = std::string_view(request.path).substr(1);
  call.bucket = HostBucket(request);
  if (call.bucket.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    ASSIGN_OR_RETURN(call.bucket, signing::UriDecode(path.substr(0, slash)));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  Result<std::string> key = signing::UriDecode(path);
  if (!key) return S3Failure("InvalidURI", "Couldn't parse the specified URI.");
  call.key = std::move(*key);
  if (call.key.size() > kMaxKeyBytes) {
    return S3Failure("KeyTooLongError", "Your key is too long");
  }
  if (!simdjson::validate_utf8(call.key) || call.key.find('\0') != std::string::npos) {
    return S3Failure("InvalidURI", "A key must be UTF-8, without a zero.");
  }
  return {};
}

std::string_view ConfigOf(const Request& request) {
  const auto found = std::find_if(kConfigs.begin(), kConfigs.end(), [&](std::string_view name) {
    return request.Query(name) != nullptr;
  });
  return found == kConfigs.end() ? std::string_view() : *found;
}

}  // namespace

Result<void> Recognise(const Request& request, S3Call& call) {
  TRY(Locate(request, call));
  if (call.bucket.empty()) {
    if (request.method != "GET") return S3Failure("MethodNotAllowed", "There is no such operation");
    call.operation = "ListBuckets";
    return {};
  }
  if (call.key.empty()) call.config = ConfigOf(request);
  if (!call.config.empty()) {
    for (const auto& [method, name] : {std::pair{"GET", "GetBucketConfig"},
                                       {"PUT", "PutBucketConfig"},
                                       {"DELETE", "DeleteBucketConfig"}}) {
      if (request.method == method) call.operation = name;
    }
    if (call.operation != "Unknown") return {};
  }
  if (!call.key.empty() && request.method == "GET" && request.Query("tagging") != nullptr) {
    call.operation = "GetObjectTagging";
    return {};
  }
  for (const std::string_view name : kUnknown) {
    if (!call.key.empty() && request.Query(name) != nullptr) {
      return S3Failure("NotImplemented", "The emulator has no ?" + std::string(name));
    }
  }
  for (const Shape& shape : kShapes) {
    if (shape.method != request.method || shape.key == call.key.empty()) continue;
    if (!shape.parameter.empty() && request.Query(shape.parameter) == nullptr) continue;
    if (!shape.header.empty() && request.Header(shape.header) == nullptr) continue;
    call.operation = shape.operation;
    return {};
  }
  return S3Failure("MethodNotAllowed", "There is no such operation");
}

std::string_view ModelKind(std::string_view operation) {
  if (operation == "GetObject") return "get";
  if (operation == "HeadObject" || operation == "HeadBucket") return "head";
  if (operation == "DeleteObject" || operation == "DeleteObjects") return "delete";
  if (operation.starts_with("List")) return "list";
  const bool writes = operation == "PutObject" || operation == "CopyObject" ||
                      operation.starts_with("UploadPart") || operation == "CompleteMultipartUpload";
  return writes ? "put" : "control";
}

}  // namespace llama::emulator
