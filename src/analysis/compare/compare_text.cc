// A comparison for people.
#include <algorithm>
#include <cmath>

#include "analysis/compare/compare.h"

namespace llama::analysis {
namespace {

constexpr size_t kUnitsShown = 8;  // of each kind
constexpr size_t kPartsShown = 14;

std::string Change(int64_t ns) {
  if (ns == 0) return "0";
  return (ns < 0 ? "−" : "+") + FormatDuration(std::abs(ns));
}

std::string PercentOf(double from, double to) {
  if (from == to) return "";
  if (from == 0) return "new";
  const double percent = (to / from - 1) * 100;
  if (std::abs(percent) >= 9999) return (percent < 0 ? "−" : "+") + std::string("> 9999 %");
  return (percent < 0 ? "−" : "+") + FormatFixed(std::abs(percent), 1) + " %";
}

std::string ValueText(FigureUnit unit, const std::optional<int64_t>& value) {
  if (!value) return "–";
  switch (unit) {
    case FigureUnit::kNs:
      return FormatDuration(*value);
    case FigureUnit::kBytes:
      return FormatBytes(*value);
    case FigureUnit::kUsd:
      return FormatUsd(static_cast<double>(*value) / 1e6);
    case FigureUnit::kCount:
      break;
  }
  return FormatCount(static_cast<uint64_t>(std::max<int64_t>(0, *value)));
}

std::string ChangeText(const FigureDifference& figure) {
  if (!figure.a || !figure.b) return "";
  const int64_t delta = *figure.b - *figure.a;
  if (delta == 0) return "0";
  return (delta < 0 ? "−" : "+") + ValueText(figure.unit, std::abs(delta));
}

std::string VerdictText(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSame:  // the change is 0
    case Verdict::kUnknown:
      return "";
    case Verdict::kTooFew:
      return "too few builds";
    case Verdict::kNoise:
      return "within the noise";
    case Verdict::kLess:
      return "less";
    case Verdict::kMore:
      return "more";
  }
  return "";
}

void WriteSide(std::string_view label, const std::vector<Comparison::Name>& builds,
               TextWriter& out) {
  for (const Comparison::Name& build : builds) {
    std::string text = Printable(build.id);
    if (!build.name.empty()) text += " \"" + Printable(build.name) + "\"";
    out.Line(label, text + ", " + FormatDuration(build.wall_ns));
    label = "";
  }
}

// Builds that did not come to their end are no measure of others: that goes before all else.
bool WriteOutcomes(const Comparison& c, TextWriter& out) {
  bool all_went_well = true;
  for (const bool is_a : {true, false}) {
    const auto& side = is_a ? c.a : c.b;
    for (const Comparison::Name& build : side) {
      if (build.outcome.empty()) continue;
      all_went_well = false;
      std::string which = is_a ? "A" : "B";
      if (side.size() > 1) which += " (" + Printable(build.id) + ")";
      for (const std::string& line : Wrap(which + " " + Printable(build.outcome), out.columns())) {
        out.Raw(out.Styled("1;31", line));
      }
    }
  }
  return all_went_well;
}

std::string IntervalText(const MedianInterval& interval) {
  return FormatDuration(interval.low) + " to " + FormatDuration(interval.high) + " (" +
         FormatFixed(interval.coverage * 100, 1) + " %)";
}

// "1.8x faster", "5.2 % slower": from a to b.
std::string FactorText(int64_t a_ns, int64_t b_ns) {
  const double a = static_cast<double>(std::max<int64_t>(1, a_ns));
  const double b = static_cast<double>(std::max<int64_t>(1, b_ns));
  const char* const way = b < a ? " faster" : " slower";
  const double factor = std::max(a / b, b / a);
  constexpr double kLeastFactorTold = 1.2;
  if (factor >= kLeastFactorTold) return FormatFixed(factor, factor < 10 ? 1 : 0) + "x" + way;
  return FormatFixed(std::abs(b / a - 1) * 100, 1) + " %" + way;
}

// Where the difference comes from: the largest part that goes its way.
std::string MostlyText(const Comparison& c) {
  const int64_t delta_ns = c.wall.b_ns - c.wall.a_ns;
  for (const PartDifference& part : c.wall.parts) {
    if ((part.delta_ns() < 0) != (delta_ns < 0) || part.delta_ns() == 0) continue;
    return "; most of it in " + part.name + ", " + FormatDuration(part.a_ns) + " to " +
           FormatDuration(part.b_ns);
  }
  return "";
}

// What can be said of the wall time, in a sentence.
std::string VerdictSentence(const Comparison& c) {
  const FigureDifference& wall = c.figures[0];
  const int64_t a_ns = wall.a.value_or(0);
  const int64_t b_ns = wall.b.value_or(0);
  const std::string times = "B is " + FactorText(a_ns, b_ns) + ": " + FormatDuration(a_ns) +
                            " to " + FormatDuration(b_ns);
  switch (wall.verdict) {
    case Verdict::kSame:
      return "The wall times are the same.";
    case Verdict::kUnknown:
      return times + MostlyText(c) +
             ". One build on a side: whether that is more than noise can't be known.";
    case Verdict::kTooFew:
      return times + MostlyText(c) +
             ". Too few builds to tell that from noise at 5 %: take four or more a side.";
    case Verdict::kNoise:
      return "The wall times are within the noise (p = " + FormatFixed(wall.p, 2) +
             "): " + FormatDuration(a_ns) + " and " + FormatDuration(b_ns) + ".";
    case Verdict::kLess:
    case Verdict::kMore:
      break;
  }
  return times + MostlyText(c) + " (p = " + FormatFixed(wall.p, 4) + ").";
}

void WriteConclusion(const Comparison& c, bool all_went_well, TextWriter& out) {
  const std::string verdict = VerdictSentence(c);
  out.Heading(all_went_well ? verdict : "Not all of these are whole builds. " + verdict);
  const FigureDifference& wall = c.figures[0];
  if (c.a.size() > 1) out.Line("median of A", IntervalText(wall.a_interval));
  if (c.b.size() > 1) out.Line("median of B", IntervalText(wall.b_interval));
  if (wall.shift.interval && c.a.size() > 1 && c.b.size() > 1) {
    out.Line("B − A", Change(wall.shift.median) + ", 95 % interval " +
                          Change(wall.shift.interval->low) + " to " +
                          Change(wall.shift.interval->high));
  }
}

void WriteFigures(const Comparison& c, TextWriter& out) {
  const bool groups = c.a.size() > 1 || c.b.size() > 1;
  out.Heading(groups ? "figures (medians)" : "figures");
  TextTable table({"", "A", "B", "B − A", "%", ""}, true, {4});
  for (const FigureDifference& figure : c.figures) {
    if (figure.a.value_or(0) == 0 && figure.b.value_or(0) == 0) continue;
    table.Add({std::string(figure.title), ValueText(figure.unit, figure.a),
               ValueText(figure.unit, figure.b), ChangeText(figure),
               figure.a && figure.b
                   ? PercentOf(static_cast<double>(*figure.a), static_cast<double>(*figure.b))
                   : "",
               VerdictText(figure.verdict)});
  }
  table.Write(out);
}

void WriteParts(std::string_view heading, const Decomposition& whole, TextWriter& out) {
  if (whole.parts.empty()) return;
  out.Heading(heading);
  TextTable table({"", "A", "B", "B − A", "%", ""}, true, {4});
  const auto add = [&](const std::string& name, int64_t a_ns, int64_t b_ns) {
    table.Add({"", FormatDuration(a_ns), FormatDuration(b_ns), Change(b_ns - a_ns),
               PercentOf(static_cast<double>(a_ns), static_cast<double>(b_ns)), Printable(name)});
  };
  int64_t rest_a = 0;
  int64_t rest_b = 0;
  for (size_t i = 0; i < whole.parts.size(); ++i) {
    if (i < kPartsShown) {
      add(whole.parts[i].name, whole.parts[i].a_ns, whole.parts[i].b_ns);
    } else {
      rest_a += whole.parts[i].a_ns;
      rest_b += whole.parts[i].b_ns;
    }
  }
  if (whole.parts.size() > kPartsShown) {
    add(FormatCount(whole.parts.size() - kPartsShown) + " more", rest_a, rest_b);
  }
  add("in all", whole.a_ns, whole.b_ns);
  table.Write(out);
}

void WriteUnits(const UnitsDifference& units, TextWriter& out) {
  if (units.all.empty()) return;
  out.Heading("units, joined by output and input (changed: by a factor of " +
              FormatFixed(units.threshold, 2) + " and 10 ms, or more)");
  TextTable counts({"", "units", "B − A"});
  for (size_t i = 0; i < kUnitChanges; ++i) {
    if (units.counts[i] == 0) continue;
    counts.Add({std::string(UnitChangeName(static_cast<UnitChange>(i))),
                FormatCount(units.counts[i]), Change(units.delta_ns[i])});
  }
  counts.Add({"in all", FormatCount(units.all.size()), Change(units.total_delta_ns)});
  counts.Write(out);
  for (size_t i = 0; i < kUnitChanges; ++i) {
    const auto change = static_cast<UnitChange>(i);
    if (change == UnitChange::kUnchanged || units.counts[i] == 0) continue;
    out.Raw("");
    out.Raw("  " + std::string(UnitChangeName(change)) + ":");
    TextTable table({"", "A", "B", "B − A", "%", "mostly", ""}, true, {4, 5});
    size_t shown = 0;
    for (const UnitDifference& unit : units.all) {
      if (unit.change != change || shown++ == kUnitsShown) continue;
      if (shown > kUnitsShown) break;
      std::string name = Printable(unit.name);
      if (unit.ordinal > 0) name += " (" + std::to_string(unit.ordinal + 1) + ")";
      table.Add({"", ValueText(FigureUnit::kNs, unit.a_ns), ValueText(FigureUnit::kNs, unit.b_ns),
                 Change(unit.delta_ns()),
                 unit.a_ns && unit.b_ns
                     ? PercentOf(static_cast<double>(*unit.a_ns), static_cast<double>(*unit.b_ns))
                     : "",
                 unit.mostly, name});
    }
    table.Write(out);
  }
}

// A histogram in one line: a block a bucket, as high as its share of the fullest.
std::string Bars(const std::vector<uint64_t>& histogram, uint64_t most) {
  constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string out;
  for (const uint64_t count : histogram) {
    const double share = most == 0 ? 0 : static_cast<double>(count) / static_cast<double>(most);
    out += count == 0 ? " " : kBlocks[std::min<size_t>(7, static_cast<size_t>(share * 8))];
  }
  return out;
}

void WriteDistributions(const Comparison& c, TextWriter& out) {
  if (c.distributions.empty()) return;
  out.Heading("distributions (a bar for every step of 1, 2, 5, 10, …)");
  TextTable table({"", "", "count", "p50", "p95", "p99", ""}, true, {5, 2});
  for (const Distribution& d : c.distributions) {
    for (const bool is_a : {true, false}) {
      const Distribution::Of& of = is_a ? d.a : d.b;
      const uint64_t most =
          of.histogram.empty() ? 0 : *std::max_element(of.histogram.begin(), of.histogram.end());
      table.Add({is_a ? CutTo(Printable(d.name), 20) : "", is_a ? "A" : "B", FormatCount(of.count),
                 FormatDuration(of.p50_ns), FormatDuration(of.p95_ns), FormatDuration(of.p99_ns),
                 "|" + Bars(of.histogram, most) + "|"});
    }
  }
  table.Write(out);
}

void WriteConfiguration(const Comparison& c, TextWriter& out) {
  out.Heading("what was different");
  if (c.configuration.empty()) out.Raw("  nothing that is recorded");
  for (const ConfigurationDifference& difference : c.configuration) {
    const std::string name = CutTo(Printable(difference.name), 15);
    for (const bool is_a : {true, false}) {
      const auto& values = is_a ? difference.a : difference.b;
      std::string text;
      for (const std::string& value : values) text += (text.empty() ? "" : "; ") + Printable(value);
      out.Line(is_a ? name : "", std::string(is_a ? "A  " : "B  ") + (values.empty() ? "–" : text));
    }
  }
}

}  // namespace

std::string FormatComparison(const Comparison& c, const TextStyle& style) {
  TextWriter out(style);
  out.Heading("comparison");
  WriteSide("A", c.a, out);
  WriteSide("B", c.b, out);
  const bool all_went_well = WriteOutcomes(c, out);
  out.Raw("");
  WriteConfiguration(c, out);
  out.Raw("");
  WriteConclusion(c, all_went_well, out);
  out.Raw("");
  WriteFigures(c, out);
  out.Raw("");
  const bool groups = c.a.size() > 1 || c.b.size() > 1;
  WriteParts(groups ? "wall clock by what bounded the build (means)"
                    : "wall clock by what bounded the build",
             c.wall, out);
  out.Raw("");
  WriteParts(groups ? "time of all units by phase, without what ran below it (means)"
                    : "time of all units by phase, without what ran below it",
             c.work, out);
  out.Raw("");
  WriteUnits(c.units, out);
  out.Raw("");
  WriteDistributions(c, out);
  return out.Take();
}

}  // namespace llama::analysis
