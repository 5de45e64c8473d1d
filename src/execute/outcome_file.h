// Outcomes as files, for replay (docs/replay.md has the bytes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "execute/outcome.h"

namespace llama::execute {

// What an outcome's file begins with.
struct RecordedCost {
  int64_t took_ns = 0;  // the execution as a whole
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
};

struct RecordedOutcome {
  Outcome outcome;
  RecordedCost cost;
};

// So many bytes hold the cost.
inline constexpr size_t kCostBytes = 64;
// From the whole, or so much of it. Errors as DecodeOutcome.
Result<RecordedCost> DecodeCost(std::string_view bytes);

std::string EncodeOutcome(const RecordedOutcome& recorded);
// kInvalid: no such file, of another version, or damaged.
// Lookups that are those of a foretold report are left out, as an executor may.
Result<RecordedOutcome> DecodeOutcome(std::string_view bytes,
                                      const std::vector<store::Digest>& foretold = {});

}  // namespace llama::execute
