// How fields become columns of the table `spans`: which of them, and by what name (docs/sql.md,
// "Fields as columns").
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/table.h"
#include "traces/columns/columns.h"

namespace llama::sql {

struct FieldName {
  std::optional<traces::FieldId>
      field;  // nothing: no span has it, but docs/trace_format.md speaks of it
  std::string column;
};

// The fields that get a column beside those of `fixed`, in order of first appearance; if there are
// more than `room`, those that most spans have. Then, as far as there is room, those that a span
// might have had: a query for errors works where there were none, too. SQL compares names without
// regard to case, so `Status` beside `status` becomes `Status_2`; one that is in `fixed` becomes
// `name_field`.
std::vector<FieldName> NameFields(const traces::Columns& columns,
                                  const std::vector<SqlColumn>& fixed, size_t room);

// What SQLite may do to a value that a column of these kinds is compared with.
Affinity AffinityOf(traces::KindSet kinds);

// As SQL writes a name: bare if it may be, else in double quotes.
std::string QuoteName(std::string_view name);

}  // namespace llama::sql
