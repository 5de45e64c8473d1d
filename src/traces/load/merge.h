// Merger: several builds as one table. Each was read by itself: a span has its parent in its own
// build.
#pragma once

#include <cstddef>
#include <memory>

#include "traces/columns/table.h"

namespace llama::traces {

class Merger {
 public:
  // `parts` is how many there will be: what room to make.
  explicit Merger(size_t parts);
  ~Merger();
  // Its rows come after those of the parts before. Values of its fields stay where they are until
  // asked for. It need not be complete as to what CompleteTree computes.
  void Add(std::unique_ptr<Table> part);
  std::unique_ptr<Table> Finish();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::traces
