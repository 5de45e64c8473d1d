// The S3 front: what clients of S3 say over HTTP, on S3Storage. Path style and virtual-host style
// (bucket.s3.localhost, bucket.localhost); signatures, payload hashes and checksums are verified.
// docs/emulator.md lists the operations.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/result.h"
#include "emulator/request/authority.h"
#include "emulator/request/message.h"
#include "emulator/request/model.h"
#include "emulator/request/policy.h"
#include "emulator/request/s3_xml.h"
#include "emulator/s3/storage.h"

namespace llama::emulator {

// What a request is about, before anything is known of who asks.
struct S3Call {
  std::string bucket;                 // empty: the service itself
  std::string key;                    // empty: the bucket itself
  std::string operation = "Unknown";  // "GetObject"
  std::string config;                 // of a bucket's Get…/Put…/Delete…: "encryption"
};
// InvalidURI, KeyTooLongError, MethodNotAllowed.
Result<void> Recognise(const Request& request, S3Call& call);
// "get", "put", "head", "list", "delete", "control": the model's names.
std::string_view ModelKind(std::string_view operation);

class S3Front final : public Handler {
 public:
  S3Front(S3Storage& storage, const Authority& authority, Model& model,
          uint64_t max_object_bytes = uint64_t{512} << 20)
      : storage_(storage),
        authority_(authority),
        model_(model),
        max_object_bytes_(max_object_bytes) {}

  Response Handle(const Request& request, const Exchange& exchange) override;

 private:
  // A call, ready to be carried out.
  struct Work {
    const Request& request;
    const S3Call& call;
    const Access& access;
    std::string_view body;  // decoded
    Pairs checksums;        // of the body, verified
  };
  using Operation = Result<Response> (S3Front::*)(const Work&);
  static const std::map<std::string_view, Operation>& Operations();

  Result<Response> Perform(const Request& request, const S3Call& call, const Access& access);
  Result<void> CheckAccess(const Request& request, const Access& access) const;
  // access.cc
  Result<void> CheckRole(const Request& request, const S3Call& call, const Access& access) const;
  // Of each key of DeleteObjects.
  Result<void> CheckDelete(const Work& work, const std::string& key) const;
  Error WithoutListing(Error error, const S3Call& call, const Access& access) const;

  // buckets.cc
  Result<Response> ListBuckets(const Work& work);
  Result<Response> CreateBucket(const Work& work);
  Result<Response> HeadBucket(const Work& work);
  Result<Response> DeleteBucket(const Work& work);
  Result<Response> GetBucketLocation(const Work& work);
  Result<Response> GetBucketConfig(const Work& work);
  Result<Response> PutBucketConfig(const Work& work);
  Result<Response> DeleteBucketConfig(const Work& work);
  Result<Response> ListObjects(const Work& work);
  Result<Response> ListObjectsV2(const Work& work);
  // s3_objects.cc
  Result<Response> PutObject(const Work& work);
  Result<Response> CopyObject(const Work& work);
  Result<Response> GetObject(const Work& work);
  Result<Response> DeleteObject(const Work& work);
  Result<Response> DeleteObjects(const Work& work);
  Result<Response> GetAcl(const Work& work);
  // None: whoever wants to set some is told so. awscli asks before it copies a large object.
  Result<Response> GetObjectTagging(const Work& work);
  Result<void> CheckObject(const std::string& bucket, const std::string& key) const;
  Result<OpenObject> CopySource(const Work& work) const;
  Result<std::string> SourceBytes(const OpenObject& object, const ByteRange& range) const;
  // multipart.cc
  Result<Response> CreateMultipartUpload(const Work& work);
  Result<Response> UploadPart(const Work& work);
  Result<Response> UploadPartCopy(const Work& work);
  Result<Response> CompleteMultipartUpload(const Work& work);
  Result<Response> AbortMultipartUpload(const Work& work);
  Result<Response> ListParts(const Work& work);
  Result<Response> ListMultipartUploads(const Work& work);
  Result<std::string> JoinedEtag(const Work& work, const std::vector<CompletedPart>& wanted,
                                 uint64_t& size) const;
  Response Completed(const Work& work, const std::string& etag) const;
  void Remember(const std::string& upload, const std::string& etag);

  S3Storage& storage_;
  const Authority& authority_;
  Model& model_;
  const uint64_t max_object_bytes_;

  // The uploads completed last and their etags: a client whose answer was lost asks again.
  Mutex mutex_;
  std::map<std::string, std::string> completed_ GUARDED_BY(mutex_);
  std::deque<std::string> completed_order_ GUARDED_BY(mutex_);
};

// Shared by the operations.
Response XmlResponse(std::string body);
std::string Quoted(std::string_view etag);
// The headers of a request that stay with its object. MetadataTooLarge.
Result<Pairs> StoredHeaders(const Request& request);
// A number of the query; `otherwise` if it is not there. InvalidArgument.
Result<uint64_t> QueryNumber(const Request& request, std::string_view name, uint64_t otherwise,
                             uint64_t max);
std::string QueryText(const Request& request, std::string_view name);
// A key as the request's encoding-type wants it.
std::string EncodedKey(const Request& request, std::string_view key);

}  // namespace llama::emulator
