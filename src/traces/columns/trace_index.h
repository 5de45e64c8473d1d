// TraceIndex: numbers trace ids by appearance. Spans of one trace mostly follow each other.
#pragma once

#include <cstdint>
#include <vector>

#include "base/hash.h"
#include "trace/span.h"

namespace llama::traces {

class TraceIndex {
 public:
  // New ids are added to `ids`, which must live as long and hold none yet.
  explicit TraceIndex(std::vector<trace::TraceId>& ids) : ids_(ids), slots_(1024) {}

  uint32_t Number(const trace::TraceId& id) {
    if (last_ < ids_.size() && ids_[last_] == id) return last_;
    if (ids_.size() * 2 >= slots_.size()) Grow();
    uint32_t& slot = slots_[Probe(id)];
    if (slot == 0) {
      ids_.push_back(id);
      slot = static_cast<uint32_t>(ids_.size());
    }
    last_ = slot - 1;
    return last_;
  }

 private:
  size_t Probe(const trace::TraceId& id) const {
    size_t at = Fold(id.low ^ seed_, id.high ^ 0x9e3779b97f4a7c15) & (slots_.size() - 1);
    while (slots_[at] != 0 && ids_[slots_[at] - 1] != id) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void Grow() {
    slots_.assign(slots_.size() * 4, 0);
    for (size_t i = 0; i < ids_.size(); ++i) slots_[Probe(ids_[i])] = static_cast<uint32_t>(i + 1);
  }

  const uint64_t seed_ = trace::NewSpanId();  // so that nobody can choose ids that collide
  std::vector<trace::TraceId>& ids_;
  std::vector<uint32_t> slots_;  // number + 1; 0: free
  uint32_t last_ = 0;
};

}  // namespace llama::traces
