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
    {"DeleteObjects", "s3:DeleteObject"},
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

std::string ActionOf(std::string_view operation) {
  const auto* const found = std::find_if(kNeeded.begin(), kNeeded.end(), [&](const Needed& needed) {
    return needed.operation == operation;
  });
  return found == kNeeded.end() ? "s3:" + std::string(operation) : std::string(found->action);
}

std::string ArnOf(const std::string& name) { return "arn:aws:s3:::" + name; }

Error Denied() { return S3Failure("AccessDenied", "Access Denied"); }

}  // namespace

bool S3Front::MayDo(const Access& access, std::string_view action,
                    const std::string& resource) const {
  if (access.role.empty() || !policies_of_) return true;
  const std::optional<Policies> policies = policies_of_(access.role);
  return !policies || IsAllowed(*policies, action, resource);
}

Result<void> S3Front::CheckRole(const Request& request, const S3Call& call,
                                const Access& access) const {
  const std::string* owner = request.Header("x-amz-expected-bucket-owner");
  if (owner != nullptr && *owner != kAccountId) return Denied();
  const std::string resource = ArnOf(call.key.empty() ? call.bucket : call.bucket + "/" + call.key);
  if (!MayDo(access, ActionOf(call.operation), resource)) return Denied();
  const std::string* source = request.Header("x-amz-copy-source");
  if (source == nullptr) return {};
  std::string_view from = *source;
  if (from.starts_with('/')) from.remove_prefix(1);
  const Result<std::string> name = signing::UriDecode(from.substr(0, from.find('?')));
  if (name && !MayDo(access, "s3:GetObject", ArnOf(*name))) return Denied();
  return {};
}

// "If you have the s3:ListBucket permission on the bucket, Amazon S3 returns an HTTP status code
// 404 (Not Found) error. If you don't have the s3:ListBucket permission, Amazon S3 returns an HTTP
// status code 403": API reference, GetObject and HeadObject.
Error S3Front::WithoutListing(Error error, const S3Call& call, const Access& access) const {
  if (ViewOf(error).code != "NoSuchKey") return error;
  return MayDo(access, "s3:ListBucket", ArnOf(call.bucket)) ? error : Denied();
}

}  // namespace llama::emulator
