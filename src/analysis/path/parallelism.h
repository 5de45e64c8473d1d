// Parallelism: how many units a build had under way over its time, and what they were doing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/units/units.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

// Means over one stretch of time; all stretches but the last are of one length.
struct ParallelismCell {
  int64_t begin_ns = 0;
  int64_t end_ns = 0;
  double units = 0;    // under way, whatever they did
  double remote = 0;   // of their invocations, with a worker
  double local = 0;    // compilers running on the build host
  double waiting = 0;  // for a local slot, or for a worker
};

struct Parallelism {
  std::vector<ParallelismCell> cells;
  uint32_t peak = 0;    // the most units at one time, exactly
  double mean = 0;      // over the wall clock
  int64_t busy_ns = 0;  // something ran; with idle_ns the wall clock
  int64_t idle_ns = 0;
  // busy_ns by how many units ran, as shares of the peak: up to a quarter of it, a half, three
  // quarters, and more.
  int64_t quarter_ns[4] = {0, 0, 0, 0};
};

Parallelism MeasureParallelism(const traces::Columns& trace, const Units& units, int64_t cells);

// A chart with its legend, a mark a cell, or of several cells where there are more than columns;
// empty where nothing ran.
std::string FormatParallelism(const Parallelism& parallelism, size_t columns = kTextColumns);

}  // namespace llama::analysis
