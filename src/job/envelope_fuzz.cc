// Envelopes: an input is what somebody invoked the function with. What is read must come out the
// same when it is written and read again.
#include "base/fuzz.h"
#include "job/envelope.h"

namespace llama::job {

FUZZ_TARGET(text) {
  if (const Result<Envelope> envelope = DecodeEnvelope(text)) {
    CHECK(IsEnvelope(text));
    CHECK(envelope->bytes.size() + envelope->key.size() <= text.size());
    const std::string written = EncodeEnvelope(*envelope);
    const Result<Envelope> again = DecodeEnvelope(written);
    CHECK(again.has_value());
    CHECK(again->bytes == envelope->bytes && again->sha256 == envelope->sha256);
    CHECK(again->max_answer == envelope->max_answer && again->ping == envelope->ping);
    CHECK(EncodeEnvelope(*again) == EncodeEnvelope(*DecodeEnvelope(EncodeEnvelope(*again))));
    Envelope bare = *envelope;
    bare.bytes.clear();
    if (bare.key.empty() && !bare.ping) {
      CHECK(EnvelopeSize(bare, envelope->bytes.size()) == written.size());
    }
  }
  if (const Result<Pong> pong = DecodePong(text)) {
    const Result<Pong> again = DecodePong(EncodePong(*pong));
    CHECK(again.has_value());
    CHECK(again->memory_mb == pong->memory_mb && again->tmp_bytes == pong->tmp_bytes);
    CHECK(again->time_ms == pong->time_ms);
  }
}

}  // namespace llama::job
