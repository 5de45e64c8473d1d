// S3Store's multipart uploads.
#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "aws/http/xml.h"
#include "aws/s3/store.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

// S3 says that completing an upload may take it minutes.
constexpr int64_t kCompletionMs = 120'000;

std::string PartList(const std::vector<std::string>& etags) {
  std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (size_t i = 0; i < etags.size(); ++i) {
    xml.append("<Part><PartNumber>").append(std::to_string(i + 1)).append("</PartNumber><ETag>");
    xml.append(XmlEscape(etags[i])).append("</ETag></Part>");
  }
  return xml.append("</CompleteMultipartUpload>");
}

// S3 begins its answer before it knows how the completion ends: an error may come with status 200.
void TakeLateError(ServiceAnswer& answer) {
  if (answer.http.status != 200) return;
  const XmlError error = ParseXmlError(answer.http.body);
  if (error.code.empty()) return;
  if (error.code == "PreconditionFailed") {
    answer.http.status = 412;
  } else {
    answer.http.status = error.code == "ConditionalRequestConflict" ? 409 : 500;
  }
}

}  // namespace

Result<S3Store::Outcome> S3Store::WriteParts(const std::string& key, std::string_view bytes,
                                             bool conditional, const store::PutOptions& options) {
  ASSIGN_OR_RETURN(const std::string upload, BeginParts(key));
  const Result<std::vector<std::string>> etags = PutAllParts(key, upload, bytes, options);
  if (!etags) {
    AbortParts(key, upload);
    return etags.error();
  }
  Result<Outcome> outcome = EndParts(key, upload, *etags, conditional);
  if (!outcome || *outcome != Outcome::kWritten) AbortParts(key, upload);
  return outcome;
}

Result<std::string> S3Store::BeginParts(const std::string& key) {
  ServiceCall call = NewCall("POST", key, {{"uploads", ""}});
  if (!options_.storage_class.empty()) {
    call.headers.emplace_back("x-amz-storage-class", options_.storage_class);
  }
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(call));
  if (answer.http.status != 200) return S3Error(answer, "s3:PutObject", Name(key));
  const Result<XmlElement> root = ParseXml(answer.http.body);
  std::string upload(root ? root->Text("UploadId") : std::string_view());
  if (upload.empty()) return Error{Code::kUnavailable, Name(key) + ": S3 gave no upload id"};
  return upload;
}

Result<std::string> S3Store::PutPart(const std::string& key, const std::string& upload,
                                     size_t number, std::string_view bytes,
                                     const store::PutOptions& options) {
  ServiceCall call =
      NewCall("PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", upload}});
  call.body = bytes;
  call.payload_sha256 = signing::Sha256Hex(bytes);
  call.deadlines.total_ms = TransferMs(bytes.size());
  call.cancelled = options.cancelled;
  call.retries = options.retries;
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(call));
  if (answer.http.status != 200) return S3Error(answer, "s3:PutObject", Name(key));
  const std::string* etag = answer.http.Find("etag");
  if (etag == nullptr) return Error{Code::kUnavailable, Name(key) + ": a part without an ETag"};
  return *etag;
}

Result<std::vector<std::string>> S3Store::PutAllParts(const std::string& key,
                                                      const std::string& upload,
                                                      std::string_view bytes,
                                                      const store::PutOptions& options) {
  const size_t count = (bytes.size() + options_.part_bytes - 1) / options_.part_bytes;
  std::vector<std::string> etags(count);
  std::atomic<size_t> next{0};
  std::atomic<uint64_t> sent{0};
  Mutex mutex;
  std::optional<Error> failure;
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) {
      const std::string_view part = bytes.substr(i * options_.part_bytes, options_.part_bytes);
      Result<std::string> etag = PutPart(key, upload, i + 1, part, options);
      if (etag) {
        const uint64_t arrived = sent += part.size();
        if (options.on_progress) options.on_progress(arrived);
        etags[i] = *std::move(etag);
        continue;
      }
      next = count;
      const MutexLock lock(mutex);
      if (!failure) failure = std::move(etag).error();
    }
  };
  std::vector<std::thread> threads;
  const size_t workers = std::min(count, static_cast<size_t>(options_.parallel_parts));
  for (size_t i = 1; i < workers; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) return *std::move(failure);
  return etags;
}

Result<S3Store::Outcome> S3Store::EndParts(const std::string& key, const std::string& upload,
                                           const std::vector<std::string>& etags,
                                           bool conditional) {
  const std::string list = PartList(etags);
  ServiceCall call = NewCall("POST", key, {{"uploadId", upload}});
  call.body = list;
  call.headers.emplace_back("Content-Type", "application/xml");
  call.deadlines.first_byte_ms = kCompletionMs;
  if (conditional) call.headers.emplace_back("If-None-Match", "*");
  ASSIGN_OR_RETURN(ServiceAnswer answer, service_.Call(call));
  TakeLateError(answer);
  // 404: an attempt whose answer was lost may have ended the upload. 409: another writer may have
  // been first. In both cases what counts is whether the object is there now.
  const bool lost = answer.http.status == 404 && answer.attempts > 1;
  const bool conflict = conditional && answer.http.status == 409;
  if (lost || conflict) {
    ASSIGN_OR_RETURN(const bool exists, Exists(key));
    if (exists) return lost ? Outcome::kWritten : Outcome::kExists;
  }
  return Judge(answer, key, conditional);
}

// Best effort: what is left costs storage until the lifecycle rule removes it.
void S3Store::AbortParts(const std::string& key, const std::string& upload) {
  static_cast<void>(service_.Call(NewCall("DELETE", key, {{"uploadId", upload}})));
}

}  // namespace llama::aws
