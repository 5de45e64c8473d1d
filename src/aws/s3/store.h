// S3Store: objects in a bucket of S3, or of a server that speaks its protocol.
//
//  - A PUT is conditional (If-None-Match: *) where that is asked for. A server that does not know
//    the condition (501) is asked by HEAD first from then on, which leaves a gap in which two
//    writers of different processes both win: harmless where a key tells its content.
//  - Objects above multipart_threshold_bytes go up in parts, several at once. The object appears
//    when all are there, or not at all: parts of a failed upload are thrown away, and the
//    bucket's lifecycle rule ends those of a killed process.
//  - Every payload's SHA-256 is part of the signed request, so S3 refuses a damaged one. A body
//    shorter than announced is an error. That an object is the right one is its reader's to know,
//    by its digest.
//
// Retries are the Service's affair, but for the conflict of two conditional writers (409), which is
// no failure. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3/request.h"
#include "aws/service/service.h"
#include "base/mutex.h"
#include "base/result.h"
#include "store/object_store.h"

namespace llama::aws {

struct S3StoreOptions {
  std::string bucket = {};
  std::string prefix = {};  // of every key; "" or ends with '/'
  bool path_style = false;
  std::string storage_class = {};  // empty: the bucket's default
  uint64_t multipart_threshold_bytes = 64ull << 20;
  uint64_t part_bytes = 16ull << 20;  // S3: at least 5 MiB, and at most 10,000 parts
  int parallel_parts = 4;
};

class S3Store final : public store::ObjectStore {
 public:
  // kInvalid: a bucket or prefix that can't be. The service must outlive the store.
  static Result<std::unique_ptr<S3Store>> Open(const S3StoreOptions& options, Service& service);

  // False after a lost answer may mean that it was this very Put that wrote the object.
  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const store::PutOptions& options = {}) override;
  Result<std::string> Get(const std::string& key) override;
  Result<std::string> GetWith(const std::string& key, const store::GetOptions& options) override;
  Result<bool> Exists(const std::string& key) override;
  Result<void> Delete(const std::string& key) override;

  const S3StoreOptions& options() const { return options_; }

 private:
  enum class Outcome : unsigned char { kWritten, kExists, kNoConditions };

  S3Store(const S3StoreOptions& options, Service& service);

  ServiceCall NewCall(std::string_view method, const std::string& key,
                      const S3Query& query = {}) const;
  // `retries` may be null.
  Result<void> Check(const std::string& key) const;
  std::string Name(const std::string& key) const;  // "bucket/prefix/key"

  Result<bool> PutUnlessThere(const std::string& key, std::string_view bytes,
                              const store::PutOptions& options);
  // One PUT, or one multipart upload.
  Result<Outcome> Write(const std::string& key, std::string_view bytes, bool conditional,
                        const store::PutOptions& options);
  Result<Outcome> WriteWhole(const std::string& key, std::string_view bytes, bool conditional,
                             const store::PutOptions& options);
  Result<Outcome> WriteParts(const std::string& key, std::string_view bytes, bool conditional,
                             const store::PutOptions& options);
  Result<std::string> BeginParts(const std::string& key);
  Result<std::string> PutPart(const std::string& key, const std::string& upload, size_t number,
                              std::string_view bytes, const store::PutOptions& options);
  Result<std::vector<std::string>> PutAllParts(const std::string& key, const std::string& upload,
                                               std::string_view bytes,
                                               const store::PutOptions& options);
  Result<Outcome> EndParts(const std::string& key, const std::string& upload,
                           const std::vector<std::string>& etags, bool conditional);
  void AbortParts(const std::string& key, const std::string& upload);
  Result<Outcome> Judge(const ServiceAnswer& answer, const std::string& key,
                        bool conditional) const;

  const S3StoreOptions options_;
  const S3Location location_;
  Service& service_;
  std::atomic<bool> knows_conditions_{true};
  // By hash of the key: one writer at a time between HEAD and PUT where there are no conditions.
  std::array<Mutex, 64> writing_;
};

}  // namespace llama::aws
