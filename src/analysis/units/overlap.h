// Overlap: how many of some intervals are under way at a time. Each begin and each end is a number
// in a list, so a hundred thousand intervals are measured in milliseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace llama::analysis {

struct OverlapTimes {
  int64_t one_ns = 0;  // at least one is under way
  int64_t two_ns = 0;  // at least two are
  uint64_t most = 0;   // at any time
  double mean = 0;     // over the window
};

class Overlap {
 public:
  // Intervals are cut to the window [start, end).
  Overlap(int64_t start_ns, int64_t end_ns) : start_ns_(start_ns), end_ns_(end_ns) {}

  void Reserve(size_t intervals);
  // [begin, end): where one ends and another begins, one is under way. An empty one is none.
  void Add(int64_t begin_ns, int64_t end_ns);
  OverlapTimes Measure();

 private:
  const int64_t start_ns_;
  const int64_t end_ns_;
  std::vector<int64_t> begins_;
  std::vector<int64_t> ends_;
};

}  // namespace llama::analysis
