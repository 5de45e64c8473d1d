#include "llama/cloud/load_account.h"

#include "base/text/format.h"
#include "llama/command.h"

namespace llama::app {
namespace {

std::string Count(uint64_t count, const char* one, const char* many) {
  return FormatCount(count) + " " + (count == 1 ? one : many);
}

std::string NamesOf(const std::vector<std::string>& names) {
  if (names.empty()) return "the trace";
  const std::string first = names[0] == "-" ? "standard input" : Printable(names[0]);
  if (names.size() == 1) return first;
  return first + " and " + Count(names.size() - 1, "other", "others");
}

void TellOfLines(const traces::LoadReport& report) {
  if (report.malformed == 0) return;
  std::string text = FormatCount(report.malformed) + " of " +
                     Count(report.lines, "line is no span", "lines are no spans") +
                     ", and left out";
  for (const std::string& example : report.examples) {
    text.append("\n  ").append(Printable(example));
  }
  if (report.malformed > report.examples.size()) text += "\n  …";
  PrintError(text);
}

}  // namespace

void TellOfBuilds(const traces::Columns& trace, const std::string& name) {
  const uint64_t others = trace.report().other_builds;
  if (others == 0) return;
  const std::string shown = Printable(trace.text(trace.builds()[0].id));
  PrintError(NamesOf({name}) + ": this trace has " + FormatCount(others + 1) +
             " builds; shown is " + shown + " ('llama report --build ID' shows another)");
}

Result<void> AccountForTrace(const traces::Columns& trace, const std::vector<std::string>& names) {
  const traces::LoadReport& report = trace.report();
  TellOfLines(report);
  if (report.truncated > 0) {
    PrintError("the trace is broken off or damaged in " +
               Count(report.truncated, "place", "places") + "; what could be read is there");
  }
  if (report.duplicates > 0) {
    PrintError(Count(report.duplicates, "span came", "spans came") +
               " more than once; the first is kept");
  }
  if (report.cyclic > 0) {
    PrintError(Count(report.cyclic, "span is below itself, and counts",
                     "spans are below themselves, and count") +
               " as the beginning of a trace");
  }
  if (report.orphans > 0) {
    PrintError(Count(report.orphans, "span has a parent that is not there, and counts",
                     "spans have parents that are not there, and count") +
               " as the beginning of a trace");
  }
  if (report.dropped_fields > 0) {
    PrintError(Count(report.dropped_fields, "value", "values") +
               " of fields are left out: there are too many names");
  }
  if (!trace.empty()) return {};
  const std::string what = NamesOf(names);
  if (report.lines > 0) {
    return Error{Code::kInvalid, what + ": no span in it; docs/trace_format.md says what one is"};
  }
  return Error{Code::kInvalid,
               what + (report.truncated > 0 ? ": nothing in it can be read" : ": empty, no spans")};
}

}  // namespace llama::app
