// Clock skew: a worker's spans carry its own clock, which may be milliseconds off. What is known of
// the difference: a worker cannot have begun before it was asked, nor have ended after it answered.
// So each call bounds it, and the bounds of all calls of one worker meet in a narrow interval
// (docs/trace_format.md, "Clocks"). Durations are never changed, and nothing is clamped.
#pragma once

#include "traces/columns/table.h"

namespace llama::traces {

// Shifts the start times of workers' spans to the client's clock; `order` is every row, parents
// first. Fills shifted, shift_ns and clocks.
void CorrectClocks(Table& table, std::span<const Row> order);

}  // namespace llama::traces
