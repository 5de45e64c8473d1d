#include "emulator/s3/chunked.h"

#include <openssl/crypto.h>

#include <charconv>
#include <optional>

#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxTrailers = 16;
constexpr std::string_view kSignatureMark = ";chunk-signature=";

Error Incomplete(std::string_view what) { return S3Failure("IncompleteBody", what); }

Result<void> CheckSignature(std::string_view given, const std::string& right) {
  if (given.size() != right.size() ||
      CRYPTO_memcmp(given.data(), right.data(), right.size()) != 0) {
    return S3Failure("SignatureDoesNotMatch", "a chunk of the body is not signed with its key");
  }
  return {};
}

class ChunkDecoder {
 public:
  ChunkDecoder(std::string_view rest, bool is_signed, const signing::Verification& seed)
      : rest_(rest), is_signed_(is_signed), seed_(seed), previous_(seed.claim.signature) {}

  Result<void> Chunks(std::string& out) {
    while (true) {
      ASSIGN_OR_RETURN(std::string_view line, Line());
      const size_t mark = line.find(';');
      const std::string_view digits = line.substr(0, mark);
      uint64_t size = 0;
      const auto [end, error] =
          std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
      if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
        return Incomplete("a chunk's size is no number");
      }
      if (size > rest_.size()) return Incomplete("a chunk ends early");
      const std::string_view data = rest_.substr(0, size);
      if (is_signed_) TRY(CheckChunk(line.substr(digits.size()), data));
      if (size == 0) return {};
      rest_.remove_prefix(size);
      out.append(data);
      ASSIGN_OR_RETURN(line, Line());
      if (!line.empty()) return Incomplete("a chunk is longer than it says");
    }
  }

  // Up to the empty line, which some clients leave out.
  Result<Pairs> Trailers() {
    Pairs trailers;
    std::string text;
    std::optional<std::string> signature;
    while (!rest_.empty()) {
      ASSIGN_OR_RETURN(const std::string_view line, Line());
      if (line.empty()) break;
      const size_t colon = line.find(':');
      if (colon == std::string_view::npos || trailers.size() == kMaxTrailers) {
        return Incomplete("the trailer is malformed");
      }
      std::string name = LowerCase(TrimSpace(line.substr(0, colon)));
      const std::string_view value = TrimSpace(line.substr(colon + 1));
      if (name == "x-amz-trailer-signature") {
        signature = value;
        continue;
      }
      text.append(name).append(":").append(value).append("\n");
      trailers.emplace_back(std::move(name), value);
    }
    if (is_signed_ && !trailers.empty()) {
      if (!signature) return S3Failure("SignatureDoesNotMatch", "the trailer is not signed");
      TRY(CheckSignature(*signature, signing::TrailerSignature(seed_, previous_, text)));
    }
    return trailers;
  }

 private:
  Result<std::string_view> Line() {
    const size_t end = rest_.find("\r\n");
    if (end == std::string_view::npos) return Incomplete("the body ends early");
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 2);
    return line;
  }

  Result<void> CheckChunk(std::string_view extension, std::string_view data) {
    if (!extension.starts_with(kSignatureMark)) {
      return S3Failure("SignatureDoesNotMatch", "a chunk of the body is not signed");
    }
    std::string right = signing::ChunkSignature(seed_, previous_, data);
    TRY(CheckSignature(extension.substr(kSignatureMark.size()), right));
    previous_ = std::move(right);
    return {};
  }

  std::string_view rest_;
  const bool is_signed_;
  const signing::Verification& seed_;
  std::string previous_;
};

}  // namespace

bool IsStreaming(std::string_view content_sha256) {
  return content_sha256.starts_with("STREAMING-");
}

Result<ChunkedBody> DecodeChunked(std::string_view scheme, std::string_view body,
                                  const signing::Verification& seed) {
  const bool is_signed = scheme.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
  if (!is_signed && scheme != "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    return S3Failure("InvalidRequest", "x-amz-content-sha256: unknown scheme");
  }
  ChunkDecoder decoder(body, is_signed, seed);
  ChunkedBody decoded;
  decoded.bytes.reserve(body.size());
  TRY(decoder.Chunks(decoded.bytes));
  ASSIGN_OR_RETURN(decoded.trailers, decoder.Trailers());
  return decoded;
}

}  // namespace llama::emulator
