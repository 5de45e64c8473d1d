// Rows by the build that they are of: what is asked of each build in turn goes over its own rows,
// not over all of them once a build, of which a trace may name tens of thousands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::traces {

class RowsByBuild {
 public:
  // `columns` must outlive it.
  RowsByBuild(const Columns& columns, std::vector<Row> rows)
      : builds_(columns.build()), rows_(std::move(rows)) {
    const auto by_build = [&](Row a, Row b) { return builds_[a] < builds_[b]; };
    if (std::is_sorted(rows_.begin(), rows_.end(), by_build)) return;
    std::stable_sort(rows_.begin(), rows_.end(), by_build);
  }

  // In the order in which they were given.
  std::span<const Row> of(uint32_t build) const {
    const auto begin = std::partition_point(rows_.begin(), rows_.end(),
                                            [&](Row row) { return builds_[row] < build; });
    const auto end =
        std::partition_point(begin, rows_.end(), [&](Row row) { return builds_[row] == build; });
    return {begin, end};
  }

  // f(build, its rows) for each build that has any, ascending.
  template <typename F>
  void ForEach(F&& f) const {
    for (size_t at = 0; at < rows_.size();) {
      const uint32_t build = builds_[rows_[at]];
      const std::span<const Row> rows = of(build);
      f(build, rows);
      at += rows.size();
    }
  }

 private:
  std::span<const uint32_t> builds_;
  std::vector<Row> rows_;
};

}  // namespace llama::traces
