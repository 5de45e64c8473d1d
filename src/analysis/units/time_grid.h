// TimeGrid: a window in equal cells, and how much of each was spent on something. Adding an
// interval costs the same however many cells it covers, so a million spans are added in
// milliseconds, and nothing has to be sorted.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace llama::analysis {

// Cells of equal width but the last, which ends with the window.
class TimeGrid {
 public:
  // At most `cells` of them, none narrower than `least_ns`; none at all of an empty window.
  TimeGrid(int64_t start_ns, int64_t end_ns, int64_t cells, int64_t least_ns)
      : start_ns_(start_ns), end_ns_(std::max(start_ns, end_ns)) {
    const int64_t wall_ns = end_ns_ - start_ns_;
    width_ns_ = std::max<int64_t>({1, least_ns, wall_ns / cells + (wall_ns % cells != 0 ? 1 : 0)});
    size_ = static_cast<size_t>(wall_ns / width_ns_ + (wall_ns % width_ns_ != 0 ? 1 : 0));
  }

  size_t size() const { return size_; }
  int64_t begin_ns(size_t cell) const { return start_ns_ + static_cast<int64_t>(cell) * width_ns_; }
  int64_t end_ns(size_t cell) const {
    return cell + 1 == size_ ? end_ns_ : begin_ns(cell) + width_ns_;
  }
  int64_t length_ns(size_t cell) const { return end_ns(cell) - begin_ns(cell); }
  // Of a time in [start, end).
  size_t CellOf(int64_t time_ns) const {
    return static_cast<size_t>((time_ns - start_ns_) / width_ns_);
  }
  int64_t start_ns() const { return start_ns_; }
  int64_t end_ns() const { return end_ns_; }

 private:
  int64_t start_ns_;
  int64_t end_ns_;
  int64_t width_ns_ = 1;
  size_t size_ = 0;
};

// Time spent in each cell of a grid by intervals that may overlap.
class TimeSpent {
 public:
  explicit TimeSpent(const TimeGrid& grid)
      : grid_(&grid), partial_(grid.size(), 0), opened_(grid.size() + 1, 0) {}

  // [begin, end) in nanoseconds, cut to the window.
  void Add(int64_t begin_ns, int64_t end_ns) {
    begin_ns = std::max(begin_ns, grid_->start_ns());
    end_ns = std::min(end_ns, grid_->end_ns());
    if (begin_ns >= end_ns) return;
    const size_t first = grid_->CellOf(begin_ns);
    const size_t last = grid_->CellOf(end_ns - 1);
    if (first == last) {
      partial_[first] += static_cast<uint64_t>(end_ns - begin_ns);
      return;
    }
    partial_[first] += static_cast<uint64_t>(grid_->end_ns(first) - begin_ns);
    partial_[last] += static_cast<uint64_t>(end_ns - grid_->begin_ns(last));
    ++opened_[first + 1];
    --opened_[last];
  }

  // The mean number of intervals under way, cell by cell. A hostile trace's sums may pass 64 bits;
  // as doubles they lose digits and nothing else.
  std::vector<double> Mean() const {
    std::vector<double> out(grid_->size(), 0);
    int64_t covering = 0;
    for (size_t cell = 0; cell < out.size(); ++cell) {
      covering += opened_[cell];
      out[cell] = static_cast<double>(covering) +
                  static_cast<double>(partial_[cell]) / static_cast<double>(grid_->length_ns(cell));
    }
    return out;
  }

 private:
  const TimeGrid* grid_;
  std::vector<uint64_t> partial_;  // wraps rather than overflows
  std::vector<int64_t> opened_;    // change of how many cover the whole cell
};

}  // namespace llama::analysis
