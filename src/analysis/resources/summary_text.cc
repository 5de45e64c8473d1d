// The summary for people.
#include <algorithm>
#include <map>

#include "analysis/resources/summary.h"
#include "traces/columns/numbers.h"

namespace llama::analysis {
namespace {

// Reasons name files; beyond this many the rest is told by kind.
constexpr size_t kMaxReasons = 20;
constexpr size_t kMaxPhases = 60;
constexpr size_t kShownReason = 80;
constexpr size_t kMaxExcerptLines = 4;

std::string WallText(const Summary& s) {
  std::string wall = FormatDuration(s.wall_ns);
  if (!s.finished) {
    wall += ", unfinished: the build's own span is missing";
  } else if (s.interrupted) {
    wall += ", interrupted";
  } else if (s.status.value_or(0) > 128) {
    wall += ", ended by signal " + std::to_string(*s.status - 128);
  } else if (s.status.value_or(0) != 0) {
    wall += ", exit status " + std::to_string(*s.status);
  }
  return wall;
}

std::string CompilesText(const Summary& s) {
  std::string text = FormatCount(s.compiles) + ": " + FormatCount(s.remote) + " remote, " +
                     FormatCount(s.local) + " local";
  if (s.cancelled > 0) text.append(", ").append(FormatCount(s.cancelled)).append(" cancelled");
  if (s.failed > 0) text.append(", ").append(FormatCount(s.failed)).append(" with errors");
  // The reasons that matter most; all of them have a section of their own.
  constexpr size_t kNamed = 3;
  for (size_t i = 0; i < std::min(kNamed, s.reasons.size()); ++i) {
    text.append(i == 0 ? "; local: " : ", ").append(FormatCount(s.reasons[i].count)).append(" ");
    text.append(CutTo(Printable(s.reasons[i].reason), kShownReason));
  }
  if (s.reasons.size() > kNamed) text += ", …";
  return text;
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
  out.Line("price on AWS", FormatUsd(s.cost.total_usd()));
}

void WriteAudit(const Summary& s, TextWriter& out) {
  if (s.audited == 0) return;
  std::string text = Plural(s.audited, "compile", "compiles") + " here as well: ";
  if (s.audit_differed == 0) {
    out.Line("audited", text + "all the same");
    return;
  }
  out.Line("audited", text + FormatCount(s.audit_differed) + " DIFFER");
  for (const std::string& difference : s.audit_differences) {
    out.Line("", Printable(difference));
  }
}

}  // namespace

std::string OutcomeText(const Summary& s) {
  if (s.interrupted) return "interrupted after " + FormatDuration(s.wall_ns);
  if (HadNothingToDo(s)) {
    return "nothing to do: all was up to date (" + FormatDuration(s.wall_ns) + ")";
  }
  return s.failure ? FailureText(*s.failure, s.status) : "";
}

bool HadNothingToDo(const Summary& s) {
  return s.finished && s.up_to_date && s.status.value_or(0) == 0 && s.compiles + s.commands == 0;
}

void WriteHeading(const Summary& s, TextWriter& out) {
  std::string heading = "build";
  if (!s.build_id.empty()) heading.append(" ").append(Printable(s.build_id));
  if (!s.name.empty()) heading.append(" \"").append(Printable(s.name)).append("\"");
  if (!s.command.empty()) heading.append(": ").append(Printable(s.command));
  out.Heading(CutTo(heading, 3 * out.columns()));
  if (s.other_builds > 0) {
    out.Paragraph("one of " + FormatCount(s.other_builds + 1) +
                  " builds in its trace: --build ID shows another");
  }
}

void WriteOutcome(const Summary& s, TextWriter& out) {
  const std::string text = OutcomeText(s);
  const char* const style = HadNothingToDo(s) ? "1" : "1;31";
  for (const std::string& line : Wrap(text, out.columns())) out.Raw(out.Styled(style, line));
}

void WriteExcerpt(const Summary& s, TextWriter& out) {
  if (!s.failure) return;
  // Its first line is in the text.
  std::string_view rest = s.failure->excerpt;
  for (size_t i = 0; i < kMaxExcerptLines && rest.find('\n') != rest.npos; ++i) {
    rest.remove_prefix(rest.find('\n') + 1);
    const std::string_view line = rest.substr(0, rest.find('\n'));
    out.Raw("  " + CutTo(Printable(line), out.columns() - 2));
  }
}

void WriteOverview(const Summary& s, TextWriter& out) {
  out.Line("wall time", WallText(s));
  out.Line("compiles", CompilesText(s));
  if (s.commands > 0) out.Line("commands", FormatCount(s.commands));
  std::string rungs;
  for (const ReasonCount& rung : s.rungs) {
    if (!rungs.empty()) rungs += ", ";
    rungs += FormatCount(rung.count) + " by " + Printable(rung.reason);
  }
  if (s.corrections > 0) {
    rungs.append(rungs.empty() ? "" : "; ");
    rungs.append(Plural(s.corrections, "miss", "misses")).append(" mended by another run");
  }
  if (!rungs.empty()) out.Line("inputs found", rungs);
  WriteAudit(s, out);
  WriteRemote(s, out);
}

void WritePhases(const Summary& s, TextWriter& out) {
  if (s.phases.empty()) return;
  out.Heading("time by phase");
  TextTable table({"", "count", "sum", "share", "p50", "p95", "p99", "max"}, false, {6, 5, 1});
  for (size_t i = 0; i < std::min(kMaxPhases, s.phases.size()); ++i) {
    const PhaseStats& phase = s.phases[i];
    const std::string indent(2 * static_cast<size_t>(phase.depth), ' ');
    table.Add({CutTo(indent + Printable(phase.name), 32), FormatCount(phase.count),
               FormatDuration(phase.sum_ns), FormatShare(phase.share), FormatDuration(phase.p50_ns),
               FormatDuration(phase.p95_ns), FormatDuration(phase.p99_ns),
               FormatDuration(phase.max_ns)});
  }
  table.Write(out);
  if (s.phases.size() > kMaxPhases) {
    out.Raw("  and " + FormatCount(s.phases.size() - kMaxPhases) + " more names");
  }
}

void WriteSlowest(const Summary& s, TextWriter& out) {
  if (s.slowest.empty()) return;
  out.Heading("slowest units");
  TextTable table({"duration", "ran", "mostly", "for", "unit"}, true, {1});
  for (const SlowCompile& slow : s.slowest) {
    table.Add({PadLeft(FormatDuration(slow.duration_ns), 11), slow.remote ? "remote" : "local",
               CutTo(Printable(slow.longest_phase), 20), FormatDuration(slow.longest_phase_ns),
               Printable(slow.source)});
  }
  table.Write(out);
}

void WriteCost(const Summary& s, TextWriter& out) {
  if (s.invocations == 0) return;
  out.Heading("what it would cost on AWS");
  TextTable table({"", "amount", "price", "share"});
  const double total = s.cost.total_usd();
  const auto row = [&](std::string_view what, const std::string& amount, double usd) {
    table.Add(
        {std::string(what), amount, FormatUsd(usd), total > 0 ? FormatShare(usd / total) : ""});
  };
  row("computing", FormatFixed(s.cost.gb_seconds, 1) + " GB-s", s.cost.compute_usd);
  row("invocations", FormatCount(s.invocations), s.cost.invocations_usd);
  row("store requests",
      FormatCount(static_cast<uint64_t>(traces::AddUp(s.store_puts, s.store_gets))),
      s.cost.store_usd);
  row("total", "", total);
  if (s.remote > 0) {
    table.Add({"per remote compile", "", FormatUsd(total / static_cast<double>(s.remote)), ""});
  }
  table.Write(out);
}

void WriteReasons(const Summary& s, TextWriter& out) {
  if (s.reasons.empty()) return;
  out.Heading("local runs");
  TextTable table({"runs", "sum", "reason"}, true);
  const auto add = [&](const std::string& reason, const ReasonCount& count) {
    table.Add({PadLeft(FormatCount(count.count), 6), FormatDuration(count.sum_ns), reason});
  };
  std::map<std::string, ReasonCount> rest;
  for (size_t i = 0; i < s.reasons.size(); ++i) {
    const ReasonCount& reason = s.reasons[i];
    if (i >= kMaxReasons) {
      ReasonCount& kind = rest[reason.reason.substr(0, reason.reason.find(':'))];
      kind.count += reason.count;
      kind.sum_ns = traces::AddUp(kind.sum_ns, reason.sum_ns);
      continue;
    }
    add(Printable(reason.reason), reason);
  }
  for (const auto& [kind, count] : rest) add(CutTo(Printable(kind), 60) + ": other", count);
  table.Write(out);
}

}  // namespace llama::analysis
