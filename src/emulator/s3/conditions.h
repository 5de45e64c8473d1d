// Conditions and ranges of requests for objects: RFC 9110 as S3 has it. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

// Of GET and HEAD, against the object's etag (unquoted) and time: PreconditionFailed, NotModified.
Result<void> CheckReadConditions(const Request& request, const std::string& etag,
                                 int64_t modified_s);

// Of PUT and CompleteMultipartUpload.
struct WriteConditions {
  bool must_be_new = false;               // If-None-Match: *
  std::optional<std::string> must_match;  // If-Match: an etag
};
// NotImplemented for another If-None-Match, as S3 answers.
Result<WriteConditions> ReadWriteConditions(const Request& request);
// `etag` of what is there; nothing: there is none. PreconditionFailed, NoSuchKey.
Result<void> CheckWriteConditions(const WriteConditions& conditions,
                                  const std::optional<std::string>& etag);

struct ByteRange {
  uint64_t offset = 0;
  uint64_t size = 0;
};
// Nothing: the whole object (no range, several, or none that can be read). InvalidRange: beyond it.
Result<std::optional<ByteRange>> ParseRange(const std::string* header, uint64_t object_size);

}  // namespace llama::emulator
