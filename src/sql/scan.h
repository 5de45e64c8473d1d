// Scan: one run over a SqlTable by a plan: starts at the smallest set of rows that a constraint
// gives, leaves out what the others exclude, and sorts if it is to.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sql/plan.h"
#include "sql/table.h"

namespace llama::sql {

// The rows of a table by the value of a column, made when a column is asked for a value for the
// second time: joins ask for thousands.
class ValueIndexes {
 public:
  // Rows among which are all that have the value, most often no others. Nothing if an index does
  // not pay yet.
  std::optional<RowSet> Find(const SqlTable& table, int column, const Cell& value);

 private:
  // Rows in buckets by their value's hash: those of bucket i are rows[starts[i]] and on, before
  // rows[starts[i + 1]]. Nulls are in none.
  struct Index {
    int asked = 0;
    int shift = 0;  // of the hash, which leaves the bucket's number
    std::vector<uint32_t> starts;
    std::vector<traces::Row> rows;

    void Fill(const SqlTable& table, int column);
  };
  std::map<int, Index> by_column_;
};

struct ScanFilter {
  int column = 0;
  SqlOp op = SqlOp::kPresent;
  OwnedCell value;              // what is compared with
  std::vector<OwnedCell> list;  // of kIn, ascending
  bool applied = false;         // by the rows that the scan started from

  bool Accepts(const Cell& cell) const;
};

class Scan {
 public:
  Scan(const SqlTable& table, ValueIndexes& indexes) : table_(table), indexes_(indexes) {}

  // To be filled before Begin(); kept between runs, since a join runs thousands of scans.
  std::vector<ScanFilter>& filters() { return filters_; }
  void Begin(std::span<const OrderTerm> order);

  bool at_end() const { return position_ >= rows_.size(); }
  traces::Row row() const { return rows_[position_]; }
  void Next() {
    ++position_;
    if (filtering_) SkipExcluded();
  }

 private:
  std::optional<RowSet> Find(const ScanFilter& filter) const;
  RowSet Start();
  bool Accepts(traces::Row row);
  void SkipExcluded() {
    while (position_ < rows_.size() && !Accepts(rows_[position_])) ++position_;
  }

  const SqlTable& table_;
  ValueIndexes& indexes_;
  std::vector<ScanFilter> filters_;
  RowSet rows_;
  size_t position_ = 0;
  bool filtering_ = false;
  std::string scratch_;
};

}  // namespace llama::sql
