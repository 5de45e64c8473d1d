// aws-chunked bodies, ranges and objects' tails. The first byte says which.
#include "base/fuzz.h"
#include "emulator/s3/chunked.h"
#include "emulator/s3/conditions.h"
#include "emulator/s3/object.h"

namespace llama::emulator {
namespace {

void ReadBody(std::string_view scheme, std::string_view body) {
  signing::Verification seed;
  seed.claim.scope = {"us-east-1", "s3"};
  seed.claim.date = "20130524T000000Z";
  seed.claim.signature = std::string(64, 'a');
  seed.signing_key = std::string(32, 'k');
  const auto decoded = DecodeChunked(scheme, body, seed);
  if (!decoded) return;
  CHECK(decoded->bytes.size() < body.size() && decoded->trailers.size() <= 16);
  for (const auto& [name, value] : decoded->trailers) {
    CHECK(name.find("\r\n") == name.npos && value.find("\r\n") == value.npos);
  }
  // Without the key nobody has made a chunk with something in it.
  if (scheme != "STREAMING-UNSIGNED-PAYLOAD-TRAILER") CHECK(decoded->bytes.empty());
}

void ReadRange(std::string_view text) {
  const std::string header(text);
  for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{10}, UINT64_MAX >> 1}) {
    const auto range = ParseRange(&header, size);
    if (!range || !*range) continue;
    CHECK((*range)->size > 0 && (*range)->size <= size);
    CHECK((*range)->offset <= size - (*range)->size);
  }
}

void ReadObject(std::string_view bytes) {
  static FuzzFile file;
  (void)file.Put(bytes);
  const auto meta = ReadTail(file.fd(), "object");
  if (!meta) return;
  CHECK(meta->size <= bytes.size());
  const std::string tail = EncodeTail(*meta);
  (void)file.Put(std::string(bytes.substr(0, meta->size)) + tail);
  const auto again = ReadTail(file.fd(), "object");
  CHECK(again.has_value() && EncodeTail(*again) == tail);
}

}  // namespace

FUZZ_TARGET(bytes) {
  switch (TakeByte(bytes) % 5) {
    case 0:
      return ReadBody("STREAMING-UNSIGNED-PAYLOAD-TRAILER", bytes);
    case 1:
      return ReadBody("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", bytes);
    case 2:
      return ReadBody("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", bytes);
    case 3:
      return ReadRange(bytes);
    default:
      ReadObject(bytes);
  }
}

}  // namespace llama::emulator
