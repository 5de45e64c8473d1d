// What spans, tracks and builds are called in viewers.
#pragma once

#include <string>
#include <string_view>

#include "exports/spans/lanes.h"
#include "traces/columns/columns.h"

namespace llama::exports {

// "llamacc src/a.c": the name; of a trace's root with what it was about (its source, object or
// command), where that is known.
class Labels {
 public:
  explicit Labels(const traces::Columns& columns);
  // "" for spans that are not about one thing.
  std::string_view Subject(Row row) const;
  // "before (20261122-082050-3f9a)", or the id alone.
  std::string Build(uint32_t build) const;

 private:
  const traces::Columns& columns_;
  const traces::FieldColumn& source_;
  const traces::FieldColumn& object_;
  const traces::FieldColumn& command_;
  const traces::FieldColumn& reason_;
  std::vector<std::string> build_names_;
};

// "job 12", "overlapping 3", "build".
std::string TrackName(const Track& track);

}  // namespace llama::exports
