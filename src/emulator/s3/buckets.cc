#include <algorithm>
#include <array>

#include "emulator/request/s3_error.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"
#include "emulator/s3/checksum.h"
#include "emulator/s3/front.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxListKeys = 1000;

struct MissingConfig {
  std::string_view kind;
  std::string_view code;  // of the error; or
  std::string_view xml;   // what a new bucket has
};

constexpr auto kMissing = std::to_array<MissingConfig>({
    {"encryption", "",
     "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
     "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>"
     "<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>"},
    {"publicAccessBlock", "NoSuchPublicAccessBlockConfiguration", ""},
    {"lifecycle", "NoSuchLifecycleConfiguration", ""},
    {"tagging", "NoSuchTagSet", ""},
    {"versioning", "", "<VersioningConfiguration/>"},
    {"policy", "NoSuchBucketPolicy", ""},
    {"cors", "NoSuchCORSConfiguration", ""},
    {"website", "NoSuchWebsiteConfiguration", ""},
    {"logging", "", "<BucketLoggingStatus/>"},
    {"notification", "", "<NotificationConfiguration/>"},
    {"requestPayment", "",
     "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>"},
    {"accelerate", "", "<AccelerateConfiguration/>"},
    {"object-lock", "ObjectLockConfigurationNotFoundError", ""},
    {"ownershipControls", "OwnershipControlsNotFoundError", ""},
    {"replication", "ReplicationConfigurationNotFoundError", ""},
});

bool IsBucketName(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() >= 3 && name.size() <= 63 && is_alnum(name.front()) && is_alnum(name.back()) &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

void AppendObject(XmlWriter& xml, const Request& request, const ObjectMeta& object) {
  const std::string* storage_class = object.Header("x-amz-storage-class");
  xml.Open("Contents").Text("Key", EncodedKey(request, object.key));
  xml.Text("LastModified", IsoDate(object.modified_ns)).Text("ETag", Quoted(object.etag));
  xml.Number("Size", object.size);
  xml.Text("StorageClass", storage_class == nullptr ? "STANDARD" : *storage_class);
  xml.Close("Contents");
}

void AppendPage(XmlWriter& xml, const Request& request, const ListPage& page) {
  for (const ObjectMeta& object : page.objects) AppendObject(xml, request, object);
  for (const std::string& prefix : page.prefixes) {
    xml.Open("CommonPrefixes").Text("Prefix", EncodedKey(request, prefix));
    xml.Close("CommonPrefixes");
  }
}

Result<ListQuery> CommonQuery(const Request& request) {
  ListQuery query;
  query.prefix = QueryText(request, "prefix");
  query.delimiter = QueryText(request, "delimiter");
  ASSIGN_OR_RETURN(query.max_keys, QueryNumber(request, "max-keys", kMaxListKeys, kMaxListKeys));
  return query;
}

void AppendQuery(XmlWriter& xml, const S3Call& call, const Request& request, const ListQuery& query,
                 const ListPage& page) {
  xml.Text("Name", call.bucket).Text("Prefix", EncodedKey(request, query.prefix));
  if (!query.delimiter.empty()) xml.Text("Delimiter", EncodedKey(request, query.delimiter));
  if (const std::string* encoding = request.Query("encoding-type")) {
    xml.Text("EncodingType", *encoding);
  }
  xml.Number("MaxKeys", query.max_keys).Bool("IsTruncated", page.truncated);
}

}  // namespace

Result<Response> S3Front::ListBuckets(const Work&) {
  XmlWriter xml;
  xml.Open("ListAllMyBucketsResult", true).Open("Owner").Text("ID", "llama").Close("Owner");
  xml.Open("Buckets");
  for (const S3Storage::BucketEntry& bucket : storage_.Buckets()) {
    xml.Open("Bucket").Text("Name", bucket.name);
    xml.Text("CreationDate", IsoDate(bucket.created_ns)).Close("Bucket");
  }
  return XmlResponse(xml.Close("Buckets").Close("ListAllMyBucketsResult").Take());
}

Result<Response> S3Front::CreateBucket(const Work& work) {
  if (!IsBucketName(work.call.bucket)) {
    return S3Failure("InvalidBucketName", "The specified bucket is not valid.");
  }
  ASSIGN_OR_RETURN(const std::string location, ReadLocation(work.body));
  const bool is_default_region = authority_.region() == "us-east-1";
  if (location != authority_.region() && !(location.empty() && is_default_region)) {
    return S3Failure(
        "IllegalLocationConstraintException",
        "This location constraint is not the emulator's region, " + authority_.region());
  }
  ASSIGN_OR_RETURN(const bool created, storage_.CreateBucket(work.call.bucket));
  // us-east-1 has answered so since the beginning.
  if (!created && !is_default_region) {
    return S3Failure("BucketAlreadyOwnedByYou", "You already own this bucket");
  }
  Response response;
  response.headers = {{"Location", "/" + work.call.bucket}};
  return response;
}

Result<Response> S3Front::HeadBucket(const Work& work) {
  TRY(storage_.CheckBucket(work.call.bucket));
  Response response;
  response.headers = {{"x-amz-bucket-region", authority_.region()},
                      {"Content-Type", "application/xml"}};
  return response;
}

Result<Response> S3Front::DeleteBucket(const Work& work) {
  TRY(storage_.DeleteBucket(work.call.bucket));
  Response response;
  response.status = 204;
  return response;
}

Result<Response> S3Front::GetBucketLocation(const Work& work) {
  TRY(storage_.CheckBucket(work.call.bucket));
  const bool is_default = authority_.region() == "us-east-1";
  std::string body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"";
  body.append(kS3Namespace).append("\">").append(is_default ? "" : authority_.region());
  return XmlResponse(body + "</LocationConstraint>");
}

Result<Response> S3Front::GetBucketConfig(const Work& work) {
  ASSIGN_OR_RETURN(const std::optional<std::string> text,
                   storage_.GetConfig(work.call.bucket, work.call.config));
  if (text) {
    Response response = XmlResponse(*text);
    if (work.call.config == "policy") response.headers[0].second = "application/json";
    return response;
  }
  for (const MissingConfig& missing : kMissing) {
    if (missing.kind != work.call.config) continue;
    if (!missing.code.empty()) {
      return S3Failure(missing.code, "There is no such configuration of this bucket");
    }
    return XmlResponse(std::string(missing.xml));
  }
  return S3Failure("NotImplemented", "The emulator has no ?" + work.call.config);
}

Result<Response> S3Front::PutBucketConfig(const Work& work) {
  if (work.call.config != "policy") TRY(CheckXml(work.body));
  TRY(storage_.PutConfig(work.call.bucket, work.call.config, work.body));
  return Response();
}

Result<Response> S3Front::DeleteBucketConfig(const Work& work) {
  TRY(storage_.DeleteConfig(work.call.bucket, work.call.config));
  Response response;
  response.status = 204;
  return response;
}

Result<Response> S3Front::ListObjects(const Work& work) {
  ASSIGN_OR_RETURN(ListQuery query, CommonQuery(work.request));
  query.after = QueryText(work.request, "marker");
  query.after_page = true;
  ASSIGN_OR_RETURN(const ListPage page, storage_.List(work.call.bucket, query));
  XmlWriter xml;
  xml.Open("ListBucketResult", true);
  AppendQuery(xml, work.call, work.request, query, page);
  xml.Text("Marker", EncodedKey(work.request, query.after));
  if (page.truncated) xml.Text("NextMarker", EncodedKey(work.request, page.last));
  AppendPage(xml, work.request, page);
  return XmlResponse(xml.Close("ListBucketResult").Take());
}

Result<Response> S3Front::ListObjectsV2(const Work& work) {
  const Request& request = work.request;
  ASSIGN_OR_RETURN(ListQuery query, CommonQuery(request));
  const std::string* token = request.Query("continuation-token");
  query.after = QueryText(request, "start-after");
  if (token != nullptr) {
    query.after = DecodeBase64(*token).value_or("");
    query.after_page = true;
    if (query.after.empty()) {
      return S3Failure("InvalidArgument", "The continuation token provided is incorrect");
    }
  }
  ASSIGN_OR_RETURN(const ListPage page, storage_.List(work.call.bucket, query));
  XmlWriter xml;
  xml.Open("ListBucketResult", true);
  AppendQuery(xml, work.call, request, query, page);
  xml.Number("KeyCount", page.objects.size() + page.prefixes.size());
  if (token != nullptr) xml.Text("ContinuationToken", *token);
  if (const std::string* start = request.Query("start-after")) {
    xml.Text("StartAfter", EncodedKey(request, *start));
  }
  if (page.truncated) xml.Text("NextContinuationToken", EncodeBase64(page.last));
  AppendPage(xml, request, page);
  return XmlResponse(xml.Close("ListBucketResult").Take());
}

}  // namespace llama::emulator
