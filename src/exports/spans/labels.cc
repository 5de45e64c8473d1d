#include "exports/spans/labels.h"

#include "trace/names.h"

namespace llama::exports {

using traces::kNoRow;

Labels::Labels(const traces::Columns& columns)
    : columns_(columns),
      source_(columns.field(trace::field::kSource)),
      object_(columns.field(trace::field::kObject)),
      command_(columns.field(trace::field::kCommand)),
      reason_(columns.field(trace::field::kReason)),
      build_names_(columns.builds().size()) {
  const traces::FieldColumn& name = columns.field(trace::field::kName);
  for (const Row row : columns.rows_named(trace::span::kBuild)) {
    const auto text = name.StringAt(row);
    if (text && columns.parent()[row] == kNoRow) {
      build_names_[columns.build()[row]] = columns.text(*text);
    }
  }
}

std::string_view Labels::Subject(Row row) const {
  if (columns_.parent()[row] != kNoRow) return {};
  for (const traces::FieldColumn* column : {&source_, &object_, &command_, &reason_}) {
    if (const auto text = column->StringAt(row)) return columns_.text(*text);
  }
  return {};
}

std::string Labels::Build(uint32_t build) const {
  const std::string id(columns_.text(columns_.builds()[build].id));
  const std::string& name = build_names_[build];
  return name.empty() || name == id ? id : name + " (" + id + ")";
}

std::string TrackName(const Track& track) {
  const bool first = track.number == 0;
  switch (track.group) {
    case TrackGroup::kBuild:
      return first ? "build" : "build " + std::to_string(track.number + 1);
    case TrackGroup::kJobs:
      return "job " + std::to_string(track.number + 1);
    case TrackGroup::kOverlapping:
      return "overlapping " + std::to_string(track.number + 1);
  }
  return {};
}

}  // namespace llama::exports
