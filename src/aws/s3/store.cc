#include "aws/s3/store.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "signing/sigv4.h"

namespace llama::aws {
namespace {

// What a GET may bring at most. No object of ours is near it.
constexpr uint64_t kMaxObjectBytes = 4ull << 30;
// Of a GET whose size is not known beforehand; stall_ms ends what stands still.
constexpr int64_t kGetMs = 900'000;
// Nobody needs a deletion as much as to wait for it: the bucket's lifecycle does the same, later.
constexpr int64_t kDeleteMs = 5'000;
// S3 begins to answer for an object within a fraction of a second, and a line on which next to
// nothing moves for so long has lost the connection. Either ends an attempt, not the call.
constexpr int64_t kFirstByteMs = 5'000;
constexpr int64_t kStallMs = 5'000;
// Of all but a GET: an error, a list of parts.
constexpr uint64_t kMaxAnswerBytes = 1 << 20;
// Two conditional writers of one key: whoever gets a 409 asks again, and soon meets a 412.
constexpr int kMaxConflicts = 16;
constexpr size_t kMaxKeyBytes = 1024;
constexpr uint64_t kMinPartBytes = 5ull << 20;
constexpr uint64_t kMaxParts = 10'000;

bool IsSuccess(const ServiceAnswer& answer) {
  return answer.http.status >= 200 && answer.http.status < 300;
}

Result<uint64_t> ToNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Error{Code::kInvalid, "'" + std::string(text) + "' is no number"};
  }
  return value;
}

// A server or proxy that ends a body early.
Result<void> CheckLength(const HttpAnswer& answer, const std::string& name) {
  const std::string* announced = answer.Find("content-length");
  if (announced == nullptr) return {};
  const Result<uint64_t> length = ToNumber(*announced);
  if (length && *length == answer.body.size()) return {};
  return Error{Code::kUnavailable, name + ": " + std::to_string(answer.body.size()) + " bytes of " +
                                       announced->substr(0, 32) + " came"};
}

// "bytes 5-9/100" must be what was asked for, or end with the object.
}  // namespace

S3Store::S3Store(const S3StoreOptions& options, Service& service)
    : options_(options), location_{options.bucket, options.path_style}, service_(service) {}

Result<std::unique_ptr<S3Store>> S3Store::Open(const S3StoreOptions& options, Service& service) {
  TRY(CheckBucketName(options.bucket));
  if (!options.prefix.empty()) {
    const std::string_view prefix = options.prefix;
    if (!prefix.ends_with('/') || !store::IsValidKey(prefix.substr(0, prefix.size() - 1))) {
      return Error{Code::kInvalid, "object prefix '" + options.prefix + "'"};
    }
  }
  if (options.part_bytes < kMinPartBytes || options.parallel_parts < 1) {
    return Error{Code::kInvalid, "parts of " + std::to_string(options.part_bytes) + " bytes"};
  }
  return std::unique_ptr<S3Store>(new S3Store(options, service));
}

ServiceCall S3Store::NewCall(std::string_view method, const std::string& key,
                             const S3Query& query) const {
  ServiceCall call = NewS3Call(location_, method, options_.prefix + key, query);
  call.deadlines.first_byte_ms = kFirstByteMs;
  call.deadlines.stall_ms = kStallMs;
  call.max_answer_bytes = kMaxAnswerBytes;
  return call;
}

std::string S3Store::Name(const std::string& key) const {
  return options_.bucket + "/" + options_.prefix + key;
}

Result<void> S3Store::Check(const std::string& key) const {
  TRY(store::CheckKey(key));
  if (options_.prefix.size() + key.size() <= kMaxKeyBytes) return {};
  return Error{Code::kInvalid, "object key '" + options_.prefix + key + "' is too long"};
}

Result<bool> S3Store::Put(const std::string& key, std::string_view bytes,
                          const store::PutOptions& options) {
  TRY(Check(key));
  if (bytes.size() > options_.part_bytes * kMaxParts) {
    return Error{Code::kInvalid,
                 Name(key) + ": too large for " + std::to_string(kMaxParts) + " parts"};
  }
  if (options.if_absent) return PutUnlessThere(key, bytes, options);
  TRY(Write(key, bytes, false, options));
  return true;
}

Result<bool> S3Store::PutUnlessThere(const std::string& key, std::string_view bytes,
                                     const store::PutOptions& options) {
  if (knows_conditions_) {
    // A large object's upload is worth a question first.
    if (bytes.size() > options_.multipart_threshold_bytes) {
      ASSIGN_OR_RETURN(const bool exists, Exists(key));
      if (exists) return false;
    }
    ASSIGN_OR_RETURN(const Outcome outcome, Write(key, bytes, true, options));
    if (outcome != Outcome::kNoConditions) return outcome == Outcome::kWritten;
    knows_conditions_ = false;
  }
  const MutexLock lock(writing_[std::hash<std::string>()(key) % writing_.size()]);
  ASSIGN_OR_RETURN(const bool exists, Exists(key));
  if (exists) return false;
  TRY(Write(key, bytes, false, options));
  return true;
}

Result<S3Store::Outcome> S3Store::Write(const std::string& key, std::string_view bytes,
                                        bool conditional, const store::PutOptions& options) {
  return bytes.size() > options_.multipart_threshold_bytes
             ? WriteParts(key, bytes, conditional, options)
             : WriteWhole(key, bytes, conditional, options);
}

Result<S3Store::Outcome> S3Store::WriteWhole(const std::string& key, std::string_view bytes,
                                             bool conditional, const store::PutOptions& options) {
  ServiceCall call = NewCall("PUT", key);
  call.body = bytes;
  call.payload_sha256 = signing::Sha256Hex(bytes);
  call.deadlines.total_ms = TransferMs(bytes.size());
  call.cancelled = options.cancelled;
  call.on_progress = options.on_progress;
  call.retries = options.retries;
  if (!options_.storage_class.empty()) {
    call.headers.emplace_back("x-amz-storage-class", options_.storage_class);
  }
  if (conditional) call.headers.emplace_back("If-None-Match", "*");
  for (int conflicts = 0;; ++conflicts) {
    ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(call));
    if (conditional && answer.http.status == 409 && conflicts < kMaxConflicts) continue;
    return Judge(answer, key, conditional);
  }
}

Result<S3Store::Outcome> S3Store::Judge(const ServiceAnswer& answer, const std::string& key,
                                        bool conditional) const {
  if (IsSuccess(answer)) return Outcome::kWritten;
  if (conditional && answer.http.status == 412) return Outcome::kExists;
  if (conditional && answer.http.status == 501) return Outcome::kNoConditions;
  return S3Error(answer, "s3:PutObject", Name(key));
}

Result<std::string> S3Store::Get(const std::string& key) { return GetWith(key, {}); }

Result<std::string> S3Store::GetWith(const std::string& key, const store::GetOptions& options) {
  TRY(Check(key));
  ServiceCall call = NewCall("GET", key);
  call.max_answer_bytes = kMaxObjectBytes;
  call.deadlines.total_ms = kGetMs;
  call.cancelled = options.cancelled;
  call.retries = options.retries;
  ASSIGN_OR_RETURN(ServiceAnswer answer, service_.Call(call));
  if (answer.http.status != 200) return S3Error(answer, "s3:GetObject", Name(key));
  TRY(CheckLength(answer.http, Name(key)));
  return std::move(answer.http.body);
}

Result<bool> S3Store::Exists(const std::string& key) {
  TRY(Check(key));
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(NewCall("HEAD", key)));
  if (answer.http.status == 200) return true;
  Error error = S3Error(answer, "s3:GetObject", Name(key));
  if (error.code == Code::kNotFound) return false;
  return error;
}

Result<void> S3Store::Delete(const std::string& key) {
  TRY(Check(key));
  ServiceCall call = NewCall("DELETE", key);
  call.deadlines.total_ms = kDeleteMs;
  ASSIGN_OR_RETURN(const ServiceAnswer answer, service_.Call(call));
  if (IsSuccess(answer)) return {};
  Error error = S3Error(answer, "s3:DeleteObject", Name(key));
  if (error.code == Code::kNotFound) return {};
  return error;
}

}  // namespace llama::aws
