#include <algorithm>

#include "emulator/request/s3_error.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"
#include "emulator/s3/checksum.h"
#include "emulator/s3/front.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

// In memory; larger ones are copied in parts.
constexpr uint64_t kMaxCopyBytes = uint64_t{512} << 20;

Pairs ObjectHeaders(const Request& request, const ObjectMeta& meta, bool whole) {
  const std::string* mode = request.Header("x-amz-checksum-mode");
  const bool wants_checksums = whole && mode != nullptr && SameIgnoringCase(*mode, "ENABLED");
  Pairs headers = {{"ETag", Quoted(meta.etag)},
                   {"Last-Modified", HttpDate(meta.modified_ns / 1'000'000'000)},
                   {"Accept-Ranges", "bytes"}};
  bool typed = false;
  for (const auto& [name, value] : meta.headers) {
    if (IsChecksumHeader(name) && !wants_checksums) continue;
    // "response-content-type=…" in the query stands for the object's own.
    const std::string* instead = request.Query("response-" + name);
    headers.emplace_back(name, instead != nullptr ? *instead : value);
    typed = typed || name == "content-type";
  }
  for (const auto& [name, value] : request.query) {
    constexpr std::string_view kPrefix = "response-";
    if (!name.starts_with(kPrefix) || meta.Header(name.substr(kPrefix.size())) != nullptr) continue;
    headers.emplace_back(name.substr(kPrefix.size()), value);
    typed = typed || name == "response-content-type";
  }
  if (!typed) headers.emplace_back("content-type", "binary/octet-stream");
  return headers;
}

void Append(Pairs& to, const Pairs& from) { to.insert(to.end(), from.begin(), from.end()); }

}  // namespace

Result<Response> S3Front::PutObject(const Work& work) {
  ObjectMeta meta;
  meta.key = work.call.key;
  ASSIGN_OR_RETURN(meta.headers, StoredHeaders(work.request));
  Append(meta.headers, work.checksums);
  ASSIGN_OR_RETURN(const WriteConditions conditions, ReadWriteConditions(work.request));
  ASSIGN_OR_RETURN(const ObjectMeta stored,
                   storage_.Put(work.call.bucket, std::move(meta), work.body, conditions));
  Response response;
  response.headers = {{"ETag", Quoted(stored.etag)}, {"x-amz-server-side-encryption", "AES256"}};
  Append(response.headers, work.checksums);
  return response;
}

Result<Response> S3Front::GetObject(const Work& work) {
  ASSIGN_OR_RETURN(const OpenObject object, storage_.Get(work.call.bucket, work.call.key));
  const ObjectMeta& meta = object.meta;
  TRY(CheckReadConditions(work.request, meta.etag, meta.modified_ns / 1'000'000'000));
  ASSIGN_OR_RETURN(const std::optional<ByteRange> range,
                   ParseRange(work.request.Header("range"), meta.size));
  const ByteRange sent = range.value_or(ByteRange{0, meta.size});
  Response response;
  response.headers = ObjectHeaders(work.request, meta, !range);
  if (range) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(sent.offset) + "-" +
                                                       std::to_string(sent.offset + sent.size - 1) +
                                                       "/" + std::to_string(meta.size));
  }
  response.file = object.file;
  response.file_offset = sent.offset;
  response.file_bytes = sent.size;
  return response;
}

Result<Response> S3Front::DeleteObject(const Work& work) {
  TRY(storage_.Delete(work.call.bucket, work.call.key));
  Response response;
  response.status = 204;
  return response;
}

Result<Response> S3Front::DeleteObjects(const Work& work) {
  TRY(storage_.CheckBucket(work.call.bucket));
  ASSIGN_OR_RETURN(const DeleteRequest request, ReadDelete(work.body));
  XmlWriter xml;
  xml.Open("DeleteResult", true);
  for (const std::string& key : request.keys) {
    Result<void> deleted = CheckDelete(work, key);
    if (deleted) deleted = storage_.Delete(work.call.bucket, key);
    if (!deleted) {
      const S3ErrorView view = ViewOf(deleted.error());
      xml.Open("Error").Text("Key", key).Text("Code", view.code).Text("Message", view.message);
      xml.Close("Error");
    } else if (!request.quiet) {
      xml.Open("Deleted").Text("Key", key).Close("Deleted");
    }
  }
  return XmlResponse(xml.Close("DeleteResult").Take());
}

Result<Response> S3Front::GetAcl(const Work& work) {
  TRY(work.call.key.empty() ? storage_.CheckBucket(work.call.bucket)
                            : CheckObject(work.call.bucket, work.call.key));
  return XmlResponse(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AccessControlPolicy xmlns=\"" +
      std::string(kS3Namespace) +
      "\"><Owner><ID>llama</ID></Owner><AccessControlList><Grant>"
      "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"><ID>llama</ID></Grantee>"
      "<Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>");
}

Result<Response> S3Front::GetObjectTagging(const Work& work) {
  TRY(CheckObject(work.call.bucket, work.call.key));
  XmlWriter xml;
  return XmlResponse(
      xml.Open("Tagging", true).Open("TagSet").Close("TagSet").Close("Tagging").Take());
}

Result<void> S3Front::CheckObject(const std::string& bucket, const std::string& key) const {
  ASSIGN_OR_RETURN(const OpenObject object, storage_.Get(bucket, key));
  return {};
}

Result<OpenObject> S3Front::CopySource(const Work& work) const {
  std::string_view header = *work.request.Header("x-amz-copy-source");
  header = header.substr(0, header.find('?'));
  if (header.starts_with('/')) header.remove_prefix(1);
  const Result<std::string> source = signing::UriDecode(header);
  const size_t slash = source ? source->find('/') : std::string::npos;
  if (slash == std::string::npos) {
    return S3Failure("InvalidArgument", "x-amz-copy-source is no bucket/key");
  }
  return storage_.Get(source->substr(0, slash), source->substr(slash + 1));
}

Result<std::string> S3Front::SourceBytes(const OpenObject& object, const ByteRange& range) const {
  if (range.size > kMaxCopyBytes) {
    return S3Failure("InvalidRequest", "The specified copy source is larger than what is taken");
  }
  return object.Read(range);
}

Result<Response> S3Front::CopyObject(const Work& work) {
  ASSIGN_OR_RETURN(const OpenObject source, CopySource(work));
  const std::string* directive = work.request.Header("x-amz-metadata-directive");
  ObjectMeta meta = source.meta;
  meta.key = work.call.key;
  if (directive != nullptr && SameIgnoringCase(*directive, "REPLACE")) {
    ASSIGN_OR_RETURN(meta.headers, StoredHeaders(work.request));
  }
  ASSIGN_OR_RETURN(const std::string bytes, SourceBytes(source, {0, source.meta.size}));
  meta.etag.clear();
  ASSIGN_OR_RETURN(const WriteConditions conditions, ReadWriteConditions(work.request));
  ASSIGN_OR_RETURN(const ObjectMeta stored,
                   storage_.Put(work.call.bucket, std::move(meta), bytes, conditions));
  XmlWriter xml;
  xml.Open("CopyObjectResult", true).Text("LastModified", IsoDate(stored.modified_ns));
  return XmlResponse(xml.Text("ETag", Quoted(stored.etag)).Close("CopyObjectResult").Take());
}

}  // namespace llama::emulator
