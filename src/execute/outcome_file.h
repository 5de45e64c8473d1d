// Outcomes as files, for replay (docs/replay.md has the bytes).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "execute/outcome.h"

namespace llama::execute {

struct RecordedOutcome {
  Outcome outcome;
  int64_t took_ns = 0;  // the execution as a whole
  uint64_t bytes_up = 0;
  uint64_t bytes_down = 0;
};

std::string EncodeOutcome(const RecordedOutcome& recorded);
// kInvalid: no such file, of another version, or damaged.
// Lookups that are those of a foretold report are left out, as an executor may.
Result<RecordedOutcome> DecodeOutcome(std::string_view bytes,
                                      const std::vector<store::Digest>& foretold = {});

}  // namespace llama::execute
