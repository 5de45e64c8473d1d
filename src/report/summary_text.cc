// The summary for people.
#include <algorithm>
#include <map>

#include "report/format.h"
#include "report/summary.h"

namespace llama::report {
namespace {

constexpr size_t kLabelWidth = 16;
// Reasons name files; beyond this many the rest is told by kind.
constexpr size_t kMaxReasons = 20;

class TextWriter {
 public:
  explicit TextWriter(const TextStyle& style) : style_(style) {}

  void Line(std::string_view label, std::string_view text) {
    std::string padded = PadRight(label, kLabelWidth);
    out_.append("  ").append(Styled("2", padded)).append(text).append("\n");
  }
  void Heading(std::string_view text) { out_.append(Styled("1", text)).append("\n"); }
  void Raw(std::string_view text) { out_.append(text).append("\n"); }
  std::string Styled(const char* code, std::string_view text) const {
    if (!style_.color) return std::string(text);
    return std::string("\x1b[").append(code).append("m").append(text).append("\x1b[0m");
  }
  std::string Take() { return std::move(out_); }

 private:
  const TextStyle style_;
  std::string out_;
};

std::string Plural(uint64_t count, std::string_view one, std::string_view many) {
  return FormatCount(count) + " " + std::string(count == 1 ? one : many);
}

void WriteBuild(const Summary& s, TextWriter& out) {
  std::string heading = "build";
  if (!s.build_id.empty()) heading.append(" ").append(Printable(s.build_id));
  if (!s.name.empty()) heading.append(" \"").append(Printable(s.name)).append("\"");
  if (!s.command.empty()) heading.append(": ").append(Printable(s.command));
  out.Heading(heading);
  std::string wall = FormatDuration(s.wall_ns);
  if (!s.finished) {
    wall += ", unfinished: the build's own span is missing";
  } else if (s.status.value_or(0) > 128) {
    wall += ", ended by signal " + std::to_string(*s.status - 128);
  } else if (s.status.value_or(0) != 0) {
    wall += ", exit status " + std::to_string(*s.status);
  }
  out.Line("wall time", wall);
}

void WriteReasons(const Summary& s, TextWriter& out) {
  std::string label = "local because";
  std::map<std::string, uint64_t> rest;
  for (size_t i = 0; i < s.reasons.size(); ++i) {
    const ReasonCount& reason = s.reasons[i];
    if (i >= kMaxReasons) {
      rest[reason.reason.substr(0, reason.reason.find(':'))] += reason.count;
      continue;
    }
    out.Line(label, PadLeft(FormatCount(reason.count), 6) + "  " + Printable(reason.reason));
    label.clear();
  }
  for (const auto& [kind, count] : rest) {
    out.Line("", PadLeft(FormatCount(count), 6) + "  " + Printable(kind) + ": other");
  }
}

void WriteCompiles(const Summary& s, TextWriter& out) {
  std::string compiles = FormatCount(s.compiles) + ": " + FormatCount(s.remote) + " remote, " +
                         FormatCount(s.local) + " local";
  if (s.failed > 0) compiles.append("; ").append(FormatCount(s.failed)).append(" with errors");
  out.Line("compiles", compiles);
  WriteReasons(s, out);
  std::string rungs;
  for (const ReasonCount& rung : s.rungs) {
    if (!rungs.empty()) rungs += ", ";
    rungs += FormatCount(rung.count) + " by " + Printable(rung.reason);
  }
  if (!rungs.empty()) out.Line("inputs found", rungs);
}

void WriteRemote(const Summary& s, TextWriter& out) {
  if (s.invocations == 0) return;
  out.Line("in flight", FormatCount(s.max_in_flight) + " at most, " +
                            FormatFixed(s.mean_in_flight, 1) + " on average");
  std::string starts =
      FormatCount(s.cold_starts) + " in " + Plural(s.invocations, "invocation", "invocations");
  if (s.retries > 0) starts.append("; ").append(Plural(s.retries, "retry", "retries"));
  if (s.failed_invocations > 0) {
    starts.append("; ").append(FormatCount(s.failed_invocations)).append(" failed");
  }
  out.Line("cold starts", starts);
  out.Line("transferred", FormatBytes(s.bytes_up) + " up, " + FormatBytes(s.bytes_down) + " down");
  std::string store = Plural(static_cast<uint64_t>(s.store_puts), "upload", "uploads") + ", " +
                      Plural(static_cast<uint64_t>(s.store_gets), "download", "downloads");
  if (s.remote > 0) {
    const double requests = static_cast<double>(s.store_puts) + static_cast<double>(s.store_gets);
    store.append(": ").append(FormatFixed(requests / static_cast<double>(s.remote), 2));
    store.append(" per remote compile");
  }
  out.Line("store", store);
  out.Line("price on AWS", FormatUsd(s.cost.total_usd()) + ": " + FormatUsd(s.cost.compute_usd) +
                               " for " + FormatFixed(s.cost.gb_seconds, 1) + " GB-s, " +
                               FormatUsd(s.cost.invocations_usd) + " for invocations, " +
                               FormatUsd(s.cost.store_usd) + " for the store");
}

void WritePhases(const Summary& s, TextWriter& out) {
  if (s.phases.empty()) return;
  size_t width = kLabelWidth + 2;
  for (const PhaseStats& phase : s.phases) {
    width = std::max(
        width, DisplayWidth(Printable(phase.name)) + 4 + 2 * static_cast<size_t>(phase.depth));
  }
  const auto row = [&](std::string_view name, std::string_view count, std::string_view sum,
                       std::string_view p50, std::string_view p95, std::string_view max) {
    return PadRight(name, width) + PadLeft(count, 9) + PadLeft(sum, 14) + PadLeft(p50, 12) +
           PadLeft(p95, 12) + PadLeft(max, 12);
  };
  out.Raw("");
  out.Heading(row("time by phase", "count", "sum", "p50", "p95", "max"));
  for (const PhaseStats& phase : s.phases) {
    const std::string indent(2 + 2 * static_cast<size_t>(phase.depth), ' ');
    out.Raw(row(indent + Printable(phase.name), FormatCount(phase.count),
                FormatDuration(phase.sum_ns), FormatDuration(phase.p50_ns),
                FormatDuration(phase.p95_ns), FormatDuration(phase.max_ns)));
  }
}

void WriteSlowest(const Summary& s, TextWriter& out) {
  if (s.slowest.empty()) return;
  out.Raw("");
  out.Heading("slowest compiles");
  for (const SlowCompile& slow : s.slowest) {
    std::string line = PadLeft(FormatDuration(slow.duration_ns), 12) +
                       (slow.remote ? "  remote  " : "  local   ") + Printable(slow.source);
    if (!slow.longest_phase.empty()) {
      line.append("  (").append(Printable(slow.longest_phase)).append(" ");
      line.append(FormatDuration(slow.longest_phase_ns)).append(")");
    }
    out.Raw(line);
  }
}

void WriteTraceHealth(const Summary& s, TextWriter& out) {
  if (s.malformed_lines == 0 && !s.truncated) return;
  std::string text;
  if (s.malformed_lines > 0) {
    text = Plural(s.malformed_lines, "line", "lines") + " of it could not be read";
  }
  if (s.truncated) {
    text += text.empty() ? "" : "; ";
    text += "it was cut off while being written, so the figures may lack some compiles";
  }
  out.Line("trace", text);
}

}  // namespace

std::string FormatText(const Summary& summary, const TextStyle& style) {
  TextWriter out(style);
  WriteBuild(summary, out);
  WriteCompiles(summary, out);
  WriteRemote(summary, out);
  WriteTraceHealth(summary, out);
  WritePhases(summary, out);
  WriteSlowest(summary, out);
  return out.Take();
}

}  // namespace llama::report
