// The trees that spans form: who is whose parent, and what follows from it.
//
// Called in this order on a Table whose rows are complete.
#pragma once

#include "traces/columns/table.h"

namespace llama::traces {

// Leaves out duplicates and fills parent, trace_rows; counts orphans and late spans.
void ResolveParents(Table& table);
// Cuts cycles and gives every row, parents before their children. Fills children (in row order) and
// roots. `parent` may be anything below size() or kNoRow.
BigVector<Row> OrderRows(Table& table);
// Fills build and builds: rows' builds are indices into `labels` before.
void AssignBuilds(Table& table, std::span<const StringId> labels);
// The rest; start times must be final.
void MeasureTree(Table& table, std::span<const Row> order);

// All of the tree of a Table that knows its parents, such as one from a columnar file.
void CompleteTree(Table& table);

// Paths deeper than this end here: texts would take memory by the square.
inline constexpr int kMaxPathDepth = 256;

}  // namespace llama::traces
