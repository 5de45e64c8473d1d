// The XML of S3: written by a string builder that knows escaping, read into what requests hold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

class XmlWriter {
 public:
  XmlWriter();
  // With S3's namespace if `root` is set.
  XmlWriter& Open(std::string_view name, bool root = false);
  XmlWriter& Close(std::string_view name);
  XmlWriter& Text(std::string_view name, std::string_view text);
  XmlWriter& Number(std::string_view name, uint64_t value);
  XmlWriter& Bool(std::string_view name, bool value);
  std::string Take() { return std::move(out_); }

 private:
  std::string out_;
};

struct DeleteRequest {
  std::vector<std::string> keys;
  bool quiet = false;
};
// <Delete>. MalformedXML; more than 1,000 keys are refused.
Result<DeleteRequest> ReadDelete(std::string_view xml);

struct CompletedPart {
  uint64_t number = 0;
  std::string etag;  // without quotes
  Pairs checksums;   // "x-amz-checksum-crc32" → base64
};
// <CompleteMultipartUpload>, as given. At most 10,000.
Result<std::vector<CompletedPart>> ReadComplete(std::string_view xml);

// <CreateBucketConfiguration>'s region; empty if the body is.
Result<std::string> ReadLocation(std::string_view xml);
// Whether it is XML at all.
Result<void> CheckXml(std::string_view xml);

// Without the quotes around it.
std::string_view Unquoted(std::string_view etag);

}  // namespace llama::emulator
