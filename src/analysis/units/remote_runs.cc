#include "analysis/units/remote_runs.h"

#include <array>
#include <string_view>

#include "trace/names.h"

namespace llama::analysis {
namespace {

// The original's: in the daemon, and in the function. Its wrapper records nothing of local runs.
constexpr std::array<std::string_view, 3> kRemoteSpans = {"InvokeWithFiles", "Invoke",
                                                          "runtime.Execute"};

}  // namespace

RemoteRuns::RemoteRuns(const traces::Columns& trace) : remote_(trace.field(trace::field::kRemote)) {
  for (const std::string_view name : kRemoteSpans) {
    for (traces::Row row : trace.rows_named(name)) {
      if (invoked_.empty()) invoked_.resize(trace.size());
      while (row != traces::kNoRow && !invoked_[row]) {
        invoked_[row] = true;
        row = trace.parent()[row];
      }
    }
  }
}

std::optional<bool> RemoteRuns::Known(traces::Row root) const {
  const auto value = remote_.At(root);
  if (value) return remote_.TrueAt(root);
  if (!invoked_.empty() && invoked_[root]) return true;
  return std::nullopt;
}

}  // namespace llama::analysis
