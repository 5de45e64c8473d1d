#include "analysis/resources/failure.h"

#include <algorithm>
#include <vector>

#include "analysis/units/unit_names.h"
#include "base/text/text_writer.h"
#include "diagnostics/tool_errors.h"
#include "trace/names.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

std::string_view FirstLine(std::string_view text) { return text.substr(0, text.find('\n')); }

class FailureFinder {
 public:
  explicit FailureFinder(const traces::Columns& trace) : trace_(trace), paths_(trace) {}

  Failure Find(traces::Row build) const {
    Failure out;
    out.excerpt = Text(trace::field::kDiagnostic, build);
    out.target = Text(trace::field::kFailedTarget, build);
    out.steps_left = traces::CountAt(trace_.field(trace::field::kStepsLeft), build);
    const auto unit = FailedUnit(out.excerpt);
    if (unit) {
      if (out.excerpt.empty()) out.excerpt = Text(trace::field::kDiagnostic, *unit);
      if (out.target.empty()) out.target = Text(trace::field::kObject, *unit);
      out.unit = paths_.Relative(*unit, Text(trace::field::kSource, *unit));
    }
    Tell(unit.value_or(build), out);
    return out;
  }

 private:
  std::string Text(std::string_view field, traces::Row row) const {
    return traces::TextAt(trace_, trace_.field(field), row);
  }

  // That which the error is of. If nothing was seen of the build's output, it is the first that
  // failed with no other one begun after it, since probes of a configure script fail, too, and what
  // comes after them; and the first of all where the build went on after each.
  std::optional<traces::Row> FailedUnit(std::string_view excerpt) const {
    const traces::FieldColumn& status = trace_.field(trace::field::kStatus);
    std::vector<traces::Row> failed;
    int64_t last_start_ns = INT64_MIN;
    for (const traces::Row row : trace_.rows_named(trace::span::kLlamacc)) {
      last_start_ns = std::max(last_start_ns, trace_.start_ns()[row]);
      if (traces::CountAt(status, row).value_or(0) != 0) failed.push_back(row);
    }
    std::stable_sort(failed.begin(), failed.end(), [&](traces::Row a, traces::Row b) {
      return trace_.end_ns(a) < trace_.end_ns(b);
    });
    for (const traces::Row row : failed) {
      const bool is_it =
          excerpt.empty() ? trace_.end_ns(row) >= last_start_ns
                          : FirstLine(Text(trace::field::kDiagnostic, row)) == FirstLine(excerpt);
      if (is_it) return row;
    }
    if (failed.empty() || !excerpt.empty()) return std::nullopt;
    return failed.front();
  }

  // `of` is in the folder that names are relative to.
  void Tell(traces::Row of, Failure& out) const {
    const std::string_view line = FirstLine(out.excerpt);
    if (const auto error = diagnostics::ParseToolError(line)) {
      out.place = paths_.Relative(of, error->place);
      out.message = error->message;
    } else {
      out.message = diagnostics::ParseMakeError(line).value_or(std::string(line));
    }
    // CMake says what it is about below.
    if (!line.starts_with("CMake Error at ")) return;
    const std::string_view rest = std::string_view(out.excerpt).substr(line.size());
    const size_t begin = std::min(rest.find_first_not_of(" \n"), rest.size());
    if (begin < rest.size()) out.message = FirstLine(rest.substr(begin));
  }

  const traces::Columns& trace_;
  const ProjectPaths paths_;
};

}  // namespace

std::optional<Failure> FindFailure(const traces::Columns& trace) {
  const auto builds = trace.rows_named(trace::span::kBuild);
  if (builds.empty()) return std::nullopt;
  const traces::Row build = builds.back();
  if (traces::CountAt(trace.field(trace::field::kStatus), build).value_or(0) == 0) {
    return std::nullopt;
  }
  if (trace.field(trace::field::kInterrupted).TrueAt(build)) return std::nullopt;
  return FailureFinder(trace).Find(build);
}

std::string FailureText(const Failure& failure, std::optional<int64_t> status) {
  std::string text = "FAILED";
  if (!failure.place.empty()) text += " " + Printable(failure.place);
  if (!failure.message.empty()) {
    text += " " + Printable(failure.message);
  } else if (status.value_or(0) > 128) {
    text += " by signal " + std::to_string(*status - 128);
  } else if (status) {
    text += " with exit status " + std::to_string(*status);
  }
  if (!failure.target.empty()) text += "; making " + Printable(failure.target);
  if (failure.steps_left.value_or(0) > 0) {
    text += "; " + Plural(static_cast<uint64_t>(*failure.steps_left), "step", "steps") + " not run";
  }
  return text;
}

}  // namespace llama::analysis
