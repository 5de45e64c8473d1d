// What viewers call services: the client (wrapper and daemon), and the workers.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::exports {

using traces::Row;

inline constexpr std::string_view kClientService = "llama";
inline constexpr std::string_view kWorkerService = "llama-runtime";

class Services {
 public:
  explicit Services(const traces::Columns& columns);

  // It ran in a worker: it is a `worker` span (in the original's traces `runtime.Execute`), or
  // below one.
  bool InWorker(Row row) const { return in_worker_[columns_.path()[row]] != 0; }
  // It is that span itself.
  bool IsWorker(Row row) const { return in_worker_[columns_.path()[row]] == kItself; }
  std::string_view Name(Row row) const { return InWorker(row) ? kWorkerService : kClientService; }
  // Of the `worker` span that it is or is below; "" if there is none or it has no id.
  std::string_view WorkerId(Row row) const;

 private:
  static constexpr char kItself = 2;
  const traces::Columns& columns_;
  const traces::FieldColumn& worker_id_;
  std::vector<char> in_worker_;  // a path
};

}  // namespace llama::exports
