// What a collector answers, as JSON and as protobuf.
#include "base/fuzz.h"
#include "exports/formats/otlp_span.h"

namespace llama::exports {

FUZZ_TARGET(body) {
  constexpr uint64_t kSpans = 100;
  for (const Refusal& refusal : {ReadOtlpJsonAnswer(body, kSpans), ReadOtlpAnswer(body, kSpans)}) {
    CHECK(refusal.spans <= kSpans && refusal.reason.size() <= body.size());
  }
}

}  // namespace llama::exports
