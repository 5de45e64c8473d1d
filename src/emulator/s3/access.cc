// What a role may do with buckets and objects, and what is not told to one that may not list.
#include <algorithm>
#include <array>

#include "emulator/request/account.h"
#include "emulator/request/s3_error.h"
#include "emulator/s3/front.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

struct Needed {
  std::string_view operation;
  std::string_view action;
};

// Where the action's name is not the operation's: "Actions, resources, and condition keys for
// Amazon S3" of AWS's service authorization reference.
constexpr auto kNeeded = std::to_array<Needed>({
    {"AbortMultipartUpload", "s3:AbortMultipartUpload"},
    {"CompleteMultipartUpload", "s3:PutObject"},
    {"CopyObject", "s3:PutObject"},
    {"CreateMultipartUpload", "s3:PutObject"},
    {"HeadBucket", "s3:ListBucket"},
    {"HeadObject", "s3:GetObject"},
    {"ListBuckets", "s3:ListAllMyBuckets"},
    {"ListMultipartUploads", "s3:ListBucketMultipartUploads"},
    {"ListObjects", "s3:ListBucket"},
    {"ListObjectsV2", "s3:ListBucket"},
    {"ListParts", "s3:ListMultipartUploadParts"},
    {"UploadPart", "s3:PutObject"},
    {"UploadPartCopy", "s3:PutObject"},
});

// "s3:PutLifecycleConfiguration" of PutBucketConfig of "lifecycle". To take a configuration away
// needs what it needs to set one.
std::string ConfigAction(const S3Call& call) {
  struct Named {
    std::string_view config;
    std::string_view noun;
  };
  constexpr auto kNouns = std::to_array<Named>({{"encryption", "EncryptionConfiguration"},
                                                {"publicAccessBlock", "BucketPublicAccessBlock"},
                                                {"lifecycle", "LifecycleConfiguration"},
                                                {"tagging", "BucketTagging"},
                                                {"policy", "BucketPolicy"},
                                                {"versioning", "BucketVersioning"},
                                                {"cors", "BucketCORS"}});
  const auto* const found = std::find_if(kNouns.begin(), kNouns.end(), [&](const Named& named) {
    return named.config == call.config;
  });
  const bool reads = call.operation == "GetBucketConfig";
  const std::string_view noun = found == kNouns.end() ? call.config : found->noun;
  return std::string(reads ? "s3:Get" : "s3:Put").append(noun);
}

std::string ActionOf(const S3Call& call) {
  if (call.operation.ends_with("BucketConfig")) return ConfigAction(call);
  const auto* const found = std::find_if(kNeeded.begin(), kNeeded.end(), [&](const Needed& needed) {
    return needed.operation == call.operation;
  });
  return found == kNeeded.end() ? "s3:" + call.operation : std::string(found->action);
}

std::string ArnOf(const std::string& name) { return "arn:aws:s3:::" + name; }

Error Denied() { return S3Failure("AccessDenied", "Access Denied"); }

}  // namespace

Result<void> S3Front::CheckRole(const Request& request, const S3Call& call,
                                const Access& access) const {
  const std::string* owner = request.Header("x-amz-expected-bucket-owner");
  if (owner != nullptr && *owner != kAccountId) return Denied();
  if (call.operation == "DeleteObjects") return {};  // key by key
  const std::string resource = ArnOf(call.key.empty() ? call.bucket : call.bucket + "/" + call.key);
  if (!authority_.MayDo(access, ActionOf(call), resource)) return Denied();
  const std::string* source = request.Header("x-amz-copy-source");
  if (source == nullptr) return {};
  std::string_view from = *source;
  if (from.starts_with('/')) from.remove_prefix(1);
  const Result<std::string> name = signing::UriDecode(from.substr(0, from.find('?')));
  if (name && !authority_.MayDo(access, "s3:GetObject", ArnOf(*name))) return Denied();
  return {};
}

Result<void> S3Front::CheckDelete(const Work& work, const std::string& key) const {
  const std::string resource = ArnOf(work.call.bucket + "/" + key);
  if (!authority_.MayDo(work.access, "s3:DeleteObject", resource)) return Denied();
  return {};
}

// "If you have the s3:ListBucket permission on the bucket, Amazon S3 returns an HTTP status code
// 404 (Not Found) error. If you don't have the s3:ListBucket permission, Amazon S3 returns an HTTP
// status code 403": API reference, GetObject and HeadObject.
Error S3Front::WithoutListing(Error error, const S3Call& call, const Access& access) const {
  if (ViewOf(error).code != "NoSuchKey") return error;
  return authority_.MayDo(access, "s3:ListBucket", ArnOf(call.bucket)) ? error : Denied();
}

}  // namespace llama::emulator
