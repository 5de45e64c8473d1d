// Depfiles: what the compilers of a build said that they had read, as far as that still stands in
// the build's folders. A trace names no headers (there are too many); the depfile that a compile
// left behind does, and so a generated one is known to have been waited for.
//
// A depfile counts if it was written while the unit's build ran and nobody has touched it since.
// The names come from a trace, which may be anyone's: only regular files are read, at most
// kMaxDepfileBytes of each, and no more than kMaxDepfiles in all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/units/units.h"
#include "traces/columns/columns.h"

namespace llama::analysis {

inline constexpr uint64_t kMaxDepfileBytes = 1 << 20;
inline constexpr size_t kMaxDepfiles = 100'000;

// The prerequisites of make rules, unescaped, in order; targets are left out.
std::vector<std::string> DepfileNames(std::string_view rules);

class Depfiles {
 public:
  // Refers to both.
  Depfiles(const traces::Columns& trace, const Units& units);

  // As the unit's depfile names them, relative to its `cwd`; none if there is no such file.
  std::vector<std::string> NamesOf(uint32_t unit);

 private:
  std::string_view Text(const traces::FieldColumn& column, traces::Row row) const;
  std::vector<std::string> PathsOf(traces::Row row) const;

  const traces::Columns& trace_;
  const Units& units_;
  const traces::FieldColumn& cwd_;
  const traces::FieldColumn& object_;
  const traces::FieldColumn& depfile_;
  size_t opened_ = 0;
};

}  // namespace llama::analysis
