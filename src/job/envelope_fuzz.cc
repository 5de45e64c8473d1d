// Fuzz target for envelopes: an input is what somebody invoked the function with. What is read
// must come out the same when it is written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/log.h"
#include "job/envelope.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llama::job;  // NOLINT: a C function stands outside the namespace
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto envelope = DecodeEnvelope(text);
  if (envelope) {
    const auto again = DecodeEnvelope(EncodeEnvelope(*envelope));
    CHECK(again.has_value());
    CHECK(again->bytes == envelope->bytes && again->sha256 == envelope->sha256);
    CHECK(again->max_answer == envelope->max_answer && again->ping == envelope->ping);
  }
  (void)DecodePong(text).has_value();
  return 0;
}
