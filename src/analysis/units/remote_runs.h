// RemoteRuns: which compiles and commands a function did. Ours say so themselves (`remote`); the
// original's don't, but have the function's invocation below them.
#pragma once

#include <optional>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::analysis {

class RemoteRuns {
 public:
  // Refers to it.
  explicit RemoteRuns(const traces::Columns& trace);

  // Of a `llamacc` or a `command`.
  bool At(traces::Row root) const { return Known(root).value_or(false); }
  // Nothing, if its trace does not tell.
  std::optional<bool> Known(traces::Row root) const;

 private:
  const traces::FieldColumn& remote_;
  std::vector<bool> invoked_;  // by row; empty if no span is the original's
};

}  // namespace llama::analysis
