// Counters: what viewers draw as curves above the slices. How many jobs, invocations and local runs
// were under way, counted from the spans, and what the samples of the machine say.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exports/spans/selection.h"

namespace llama::exports {

struct CounterPoint {
  int64_t time_ns = 0;         // since the epoch
  std::vector<double> values;  // one a series, from this time on
};

struct Counter {
  uint32_t build = 0;  // index into Columns::builds()
  std::string name;    // "in flight", "cpu (cores)"
  std::vector<std::string> series;
  std::vector<CounterPoint> points;  // by time
};

// A curve of what is in flight has at most some 10,000 points: where changes come closer together
// than that, the highest value among them stands for them. By build; none that is always 0.
std::vector<Counter> CountersOf(const Selection& selection);

}  // namespace llama::exports
