// aws-chunked bodies: the payload in chunks of its own, within or without HTTP's, each signed with
// the signature of the one before, and checksums in a trailer.
//
//   STREAMING-AWS4-HMAC-SHA256-PAYLOAD            400;chunk-signature=<hex> CRLF data CRLF … 0;…
//   CRLF CRLF STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER    the same, then
//   x-amz-checksum-…:<base64> CRLF
//                                                 x-amz-trailer-signature:<hex> CRLF CRLF
//   STREAMING-UNSIGNED-PAYLOAD-TRAILER            400 CRLF data CRLF 0 CRLF x-amz-checksum-…:… CRLF
//   CRLF
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "emulator/request/message.h"
#include "signing/sigv4.h"

namespace llama::emulator {

struct ChunkedBody {
  std::string bytes;
  Pairs trailers;  // lower-case names, without the signature
};

bool IsStreaming(std::string_view content_sha256);

// `seed` is the verified request's. SignatureDoesNotMatch for a chunk that is not signed with it,
// IncompleteBody for a body that is not what it says, InvalidRequest for an unknown scheme.
Result<ChunkedBody> DecodeChunked(std::string_view scheme, std::string_view body,
                                  const signing::Verification& seed);

}  // namespace llama::emulator
