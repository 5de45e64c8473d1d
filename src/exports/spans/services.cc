#include "exports/spans/services.h"

#include "trace/names.h"

namespace llama::exports {

using traces::kNoRow;
using traces::NamePath;

Services::Services(const traces::Columns& columns)
    : columns_(columns), worker_id_(columns.field(trace::field::kWorkerId)) {
  for (const NamePath& path : columns.paths()) {
    const std::string_view name = columns.text(path.name);
    const bool below = path.parent != NamePath::kNoPath && in_worker_[path.parent] != 0;
    const bool itself = !below && (name == trace::span::kWorker || name == "runtime.Execute");
    in_worker_.push_back(itself ? kItself : static_cast<char>(below));
  }
}

std::string_view Services::WorkerId(Row row) const {
  for (int up = 0; up < traces::kMaxClimb && row != kNoRow; ++up) {
    if (!InWorker(row) || IsWorker(row)) break;
    row = columns_.parent()[row];
  }
  if (row == kNoRow || !IsWorker(row)) return {};
  const auto id = worker_id_.StringAt(row);
  return id ? columns_.text(*id) : std::string_view();
}

}  // namespace llama::exports
