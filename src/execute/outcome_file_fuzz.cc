// A recorded outcome, as `llama build --replay` reads it from a folder that anyone may have made.
#include "base/fuzz.h"
#include "execute/outcome_file.h"

namespace llama::execute {

FUZZ_TARGET(bytes) {
  const auto cost = DecodeCost(bytes.substr(0, kCostBytes));
  const auto recorded = DecodeOutcome(bytes);
  if (!recorded) return;
  CHECK(cost.has_value() && cost->took_ns == recorded->cost.took_ns && cost->took_ns >= 0);
  const std::string once = EncodeOutcome(*recorded);
  const auto again = DecodeOutcome(once);
  CHECK(again.has_value() && EncodeOutcome(*again) == once);
}

}  // namespace llama::execute
