// Summary: what a build did, in numbers. Everything that shows figures of a build takes them from
// here, so that text, JSON and page agree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/resources/failure.h"
#include "analysis/units/phase_table.h"
#include "analysis/units/unit_names.h"
#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama {
class JsonWriter;
}

namespace llama::analysis {

struct ReasonCount {
  std::string reason;  // or rung
  uint64_t count = 0;
  int64_t sum_ns = 0;  // how long they took in all
};

// A compile, or a command that was run remotely.
struct SlowCompile {
  std::string trace_id;  // hex, to find it in the trace
  std::string source;    // as UnitNames has it
  bool remote = false;
  int64_t duration_ns = 0;
  std::string longest_phase;  // of its spans without children
  int64_t longest_phase_ns = 0;
};

// At the prices of trace/pricing.h.
struct Cost {
  double gb_seconds = 0;
  double compute_usd = 0;
  double invocations_usd = 0;
  double store_usd = 0;
  double total_usd() const { return compute_usd + invocations_usd + store_usd; }
};

struct Summary {
  std::string build_id;
  std::string name;
  std::string command;
  std::optional<int64_t> status;  // exit status of the build's command, as a shell has it
  bool finished = false;          // the build's root span is there
  bool interrupted = false;       // and says that it was ended before its time
  bool up_to_date = false;        // its make or ninja said that nothing was to be done
  std::string unseen_compiler;    // that ran without llama, if no compile did with it
  std::optional<Failure> failure;
  int64_t start_ns = 0;
  // Of the build, or from the first compile's start to the last one's end where the root span is
  // missing.
  int64_t wall_ns = 0;

  uint64_t commands = 0;  // of llama invoke and llama xargs
  uint64_t compiles = 0;
  uint64_t remote = 0;
  uint64_t local = 0;
  uint64_t cancelled = 0;            // ran nowhere: their wrappers went away
  uint64_t failed = 0;               // the compiler's status, where known, was not 0
  std::vector<ReasonCount> reasons;  // of local runs, most frequent first, then by name
  std::vector<ReasonCount> rungs;    // how inputs were found, likewise
  uint64_t corrections = 0;          // remote runs that had lacked a file, and ran again with it
  uint64_t audited = 0;              // compared with a local run of the same
  std::vector<std::string> audit_differences;  // of these: source, and what differs; at most ten
  uint64_t audit_differed = 0;

  std::vector<PhaseStats> phases;    // in the order in which a compile goes through them
  std::vector<SlowCompile> slowest;  // at most ten

  // Invocations in flight: from being handed to a worker to the answer.
  uint64_t max_in_flight = 0;
  double mean_in_flight = 0;  // over wall_ns

  uint64_t invocations = 0;
  uint64_t cold_starts = 0;
  uint64_t failed_invocations = 0;
  uint64_t retries = 0;    // invocations that were not the first attempt
  int64_t bytes_up = 0;    // payloads and uploaded objects
  int64_t bytes_down = 0;  // answers and objects fetched by workers
  int64_t store_puts = 0;  // requests that uploaded
  int64_t store_gets = 0;  // requests of workers
  int64_t init_ns = 0;     // that cold starts took in all
  Cost cost;

  uint64_t other_builds = 0;  // in the same trace, of which nothing is said
  uint64_t spans = 0;
  uint64_t malformed_lines = 0;
  bool truncated = false;
};

Summary Summarise(const traces::Columns& trace, const UnitNames& names);
Summary Summarise(const traces::Columns& trace);
// All but `phases` and `slowest`, which cost most.
Summary SummariseFigures(const traces::Columns& trace);

// "FAILED …", "interrupted after …", "nothing to do …"; nothing of a build that did something and
// went well, or has not ended.
std::string OutcomeText(const Summary& summary);
// Whether there is nothing more to tell of it than that.
bool HadNothingToDo(const Summary& summary);

// For people, a part at a time. Control characters in names are shown as '?'.
void WriteHeading(const Summary& summary, TextWriter& out);
void WriteOutcome(const Summary& summary, TextWriter& out);
void WriteExcerpt(const Summary& summary, TextWriter& out);   // what follows the first error
void WriteOverview(const Summary& summary, TextWriter& out);  // wall time, counts, bytes, price
void WritePhases(const Summary& summary, TextWriter& out);
void WriteSlowest(const Summary& summary, TextWriter& out);
void WriteCost(const Summary& summary, TextWriter& out);
void WriteReasons(const Summary& summary, TextWriter& out);
// The members of an object (docs/trace_format.md, "Summary").
void AddJson(const Summary& summary, JsonWriter& json);

}  // namespace llama::analysis
