#include <algorithm>

#include "emulator/request/s3_error.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"
#include "emulator/s3/checksum.h"
#include "emulator/s3/front.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxPartNumber = 10'000;
constexpr uint64_t kMaxListed = 1000;
constexpr uint64_t kSmallestPart = 5 << 20;
constexpr size_t kRemembered = 1000;

Result<uint64_t> PartNumber(const Request& request) {
  ASSIGN_OR_RETURN(const uint64_t number,
                   QueryNumber(request, "partNumber", 0, kMaxPartNumber + 1));
  if (number == 0 || number > kMaxPartNumber) {
    return S3Failure("InvalidArgument", "Part number must be an integer between 1 and 10000");
  }
  return number;
}

std::string FromHex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return out;
}

Error WrongPart() {
  return S3Failure("InvalidPart", "One or more of the specified parts could not be found.");
}

Result<void> CheckPart(const CompletedPart& wanted, const ObjectMeta& part) {
  if (wanted.etag != part.etag) return WrongPart();
  for (const auto& [name, value] : wanted.checksums) {
    const std::string* stored = part.Header(name);
    if (stored != nullptr && *stored != value) return WrongPart();
  }
  return {};
}

}  // namespace

Result<Response> S3Front::CreateMultipartUpload(const Work& work) {
  ObjectMeta meta;
  meta.key = work.call.key;
  ASSIGN_OR_RETURN(meta.headers, StoredHeaders(work.request));
  ASSIGN_OR_RETURN(const std::string id, storage_.CreateUpload(work.call.bucket, std::move(meta)));
  XmlWriter xml;
  xml.Open("InitiateMultipartUploadResult", true).Text("Bucket", work.call.bucket);
  xml.Text("Key", work.call.key).Text("UploadId", id).Close("InitiateMultipartUploadResult");
  return XmlResponse(xml.Take());
}

Result<Response> S3Front::UploadPart(const Work& work) {
  ASSIGN_OR_RETURN(const uint64_t number, PartNumber(work.request));
  ObjectMeta meta;
  meta.headers = work.checksums;
  ASSIGN_OR_RETURN(const ObjectMeta part, storage_.PutPart(work.call.bucket, work.call.key,
                                                           QueryText(work.request, "uploadId"),
                                                           number, std::move(meta), work.body));
  Response response;
  response.headers = {{"ETag", Quoted(part.etag)}};
  response.headers.insert(response.headers.end(), work.checksums.begin(), work.checksums.end());
  return response;
}

Result<Response> S3Front::UploadPartCopy(const Work& work) {
  ASSIGN_OR_RETURN(const uint64_t number, PartNumber(work.request));
  ASSIGN_OR_RETURN(const OpenObject source, CopySource(work));
  ASSIGN_OR_RETURN(const std::optional<ByteRange> range,
                   ParseRange(work.request.Header("x-amz-copy-source-range"), source.meta.size));
  ASSIGN_OR_RETURN(const std::string bytes,
                   SourceBytes(source, range.value_or(ByteRange{0, source.meta.size})));
  ASSIGN_OR_RETURN(const ObjectMeta part,
                   storage_.PutPart(work.call.bucket, work.call.key,
                                    QueryText(work.request, "uploadId"), number, {}, bytes));
  XmlWriter xml;
  xml.Open("CopyPartResult", true).Text("LastModified", IsoDate(part.modified_ns));
  return XmlResponse(xml.Text("ETag", Quoted(part.etag)).Close("CopyPartResult").Take());
}

// The etag of the object that the wanted parts make: MD5 of their MD5s, and how many they are.
Result<std::string> S3Front::JoinedEtag(const Work& work, const std::vector<CompletedPart>& wanted,
                                        uint64_t& size) const {
  ASSIGN_OR_RETURN(
      const std::vector<Part> parts,
      storage_.Parts(work.call.bucket, work.call.key, QueryText(work.request, "uploadId")));
  const auto out_of_order = std::adjacent_find(
      wanted.begin(), wanted.end(),
      [](const CompletedPart& a, const CompletedPart& b) { return a.number >= b.number; });
  if (out_of_order != wanted.end()) {
    return S3Failure("InvalidPartOrder", "The list of parts was not in ascending order.");
  }
  std::string digests;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto found = std::find_if(parts.begin(), parts.end(), [&](const Part& part) {
      return part.number == wanted[i].number;
    });
    if (found == parts.end()) return WrongPart();
    TRY(CheckPart(wanted[i], found->meta));
    if (i + 1 < wanted.size() && found->meta.size < kSmallestPart) {
      return S3Failure("EntityTooSmall",
                       "Your proposed upload is smaller than the minimum allowed size");
    }
    digests += FromHex(found->meta.etag);
    size += found->meta.size;
  }
  return HexMd5(digests) + "-" + std::to_string(wanted.size());
}

Response S3Front::Completed(const Work& work, const std::string& etag) const {
  XmlWriter xml;
  xml.Open("CompleteMultipartUploadResult", true);
  xml.Text("Location", "/" + work.call.bucket + "/" + work.call.key);
  xml.Text("Bucket", work.call.bucket).Text("Key", work.call.key).Text("ETag", Quoted(etag));
  return XmlResponse(xml.Close("CompleteMultipartUploadResult").Take());
}

void S3Front::Remember(const std::string& upload, const std::string& etag) {
  const MutexLock lock(mutex_);
  if (completed_order_.size() == kRemembered) {
    completed_.erase(completed_order_.front());
    completed_order_.pop_front();
  }
  completed_[upload] = etag;
  completed_order_.push_back(upload);
}

Result<Response> S3Front::CompleteMultipartUpload(const Work& work) {
  const std::string id = QueryText(work.request, "uploadId");
  const std::string upload = work.call.bucket + "/" + work.call.key + "?" + id;
  {
    const MutexLock lock(mutex_);
    const auto found = completed_.find(upload);
    if (found != completed_.end()) return Completed(work, found->second);
  }
  ASSIGN_OR_RETURN(const std::vector<CompletedPart> wanted, ReadComplete(work.body));
  uint64_t size = 0;
  ASSIGN_OR_RETURN(const std::string etag, JoinedEtag(work, wanted, size));
  if (const std::string* claimed = work.request.Header("x-amz-mp-object-size");
      claimed != nullptr && ParseUint(*claimed) != size) {
    return S3Failure("InvalidRequest", "x-amz-mp-object-size is not the sum of the parts");
  }
  ASSIGN_OR_RETURN(const WriteConditions conditions, ReadWriteConditions(work.request));
  std::vector<uint64_t> numbers;
  for (const CompletedPart& part : wanted) numbers.push_back(part.number);
  ASSIGN_OR_RETURN(const ObjectMeta stored, storage_.CompleteUpload(work.call.bucket, work.call.key,
                                                                    id, numbers, etag, conditions));
  Remember(upload, stored.etag);
  return Completed(work, stored.etag);
}

Result<Response> S3Front::AbortMultipartUpload(const Work& work) {
  TRY(storage_.AbortUpload(work.call.bucket, work.call.key, QueryText(work.request, "uploadId")));
  Response response;
  response.status = 204;
  return response;
}

Result<Response> S3Front::ListParts(const Work& work) {
  const Request& request = work.request;
  const std::string id = QueryText(request, "uploadId");
  ASSIGN_OR_RETURN(const std::vector<Part> parts,
                   storage_.Parts(work.call.bucket, work.call.key, id));
  ASSIGN_OR_RETURN(const uint64_t after,
                   QueryNumber(request, "part-number-marker", 0, kMaxPartNumber));
  ASSIGN_OR_RETURN(const uint64_t max, QueryNumber(request, "max-parts", kMaxListed, kMaxListed));
  auto at = std::find_if(parts.begin(), parts.end(),
                         [&](const Part& part) { return part.number > after; });
  const auto left = static_cast<uint64_t>(parts.end() - at);
  const auto end = at + static_cast<std::ptrdiff_t>(std::min(left, max));
  XmlWriter xml;
  xml.Open("ListPartsResult", true).Text("Bucket", work.call.bucket);
  xml.Text("Key", EncodedKey(request, work.call.key)).Text("UploadId", id);
  xml.Number("PartNumberMarker", after).Number("MaxParts", max);
  xml.Bool("IsTruncated", end != parts.end() && max > 0);
  if (end != at) xml.Number("NextPartNumberMarker", (end - 1)->number);
  for (; at != end; ++at) {
    xml.Open("Part").Number("PartNumber", at->number).Text("ETag", Quoted(at->meta.etag));
    xml.Text("LastModified", IsoDate(at->meta.modified_ns)).Number("Size", at->meta.size);
    xml.Close("Part");
  }
  return XmlResponse(xml.Close("ListPartsResult").Take());
}

Result<Response> S3Front::ListMultipartUploads(const Work& work) {
  const Request& request = work.request;
  ASSIGN_OR_RETURN(const std::vector<Upload> uploads, storage_.Uploads(work.call.bucket));
  ASSIGN_OR_RETURN(const uint64_t max, QueryNumber(request, "max-uploads", kMaxListed, kMaxListed));
  const std::string prefix = QueryText(request, "prefix");
  const std::string key_marker = QueryText(request, "key-marker");
  const std::string id_marker = QueryText(request, "upload-id-marker");
  std::vector<const Upload*> page;
  bool truncated = false;
  for (const Upload& upload : uploads) {
    const bool passed =
        id_marker.empty() ? upload.meta.key > key_marker
                          : std::tie(upload.meta.key, upload.id) > std::tie(key_marker, id_marker);
    if (!upload.meta.key.starts_with(prefix) || (!key_marker.empty() && !passed)) continue;
    truncated = page.size() == max;
    if (truncated) break;
    page.push_back(&upload);
  }
  XmlWriter xml;
  xml.Open("ListMultipartUploadsResult", true).Text("Bucket", work.call.bucket);
  xml.Text("Prefix", EncodedKey(request, prefix)).Number("MaxUploads", max);
  xml.Bool("IsTruncated", truncated);
  if (truncated && !page.empty()) {
    xml.Text("NextKeyMarker", EncodedKey(request, page.back()->meta.key));
    xml.Text("NextUploadIdMarker", page.back()->id);
  }
  for (const Upload* upload : page) {
    xml.Open("Upload").Text("Key", EncodedKey(request, upload->meta.key));
    xml.Text("UploadId", upload->id).Text("StorageClass", "STANDARD");
    xml.Text("Initiated", IsoDate(upload->meta.modified_ns)).Close("Upload");
  }
  return XmlResponse(xml.Close("ListMultipartUploadsResult").Take());
}

}  // namespace llama::emulator
