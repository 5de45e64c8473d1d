// Comparison: two builds, or two groups of builds, side by side. What is split into parts is split
// without a remainder: the differences of the parts add up to the difference of the whole, to the
// nanosecond. docs/compare.md says what each figure is and when a difference is called one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/compare/build_profile.h"
#include "analysis/compare/rank_sum.h"
#include "base/text/text_writer.h"

namespace llama::analysis {

using Side = std::vector<BuildProfile>;  // at least one

// At most so many builds in one comparison.
inline constexpr size_t kMaxCompared = kMaxRanked;

enum class Verdict : uint8_t {
  kSame,     // not even a nanosecond
  kUnknown,  // one build a side: whether it is more than noise can't be known
  kTooFew,   // so few builds that no outcome of the test could tell
  kNoise,    // the test does not tell the sides apart
  kLess,     // b is below a, at 5 %
  kMore,
};
std::string_view VerdictName(Verdict verdict);

struct FigureDifference {
  std::string_view key;
  std::string_view title;
  FigureUnit unit = FigureUnit::kNs;
  // Medians; absent where a build of the side does not tell.
  std::optional<int64_t> a;
  std::optional<int64_t> b;
  MedianInterval a_interval;  // with several builds
  MedianInterval b_interval;
  Shift shift;  // from a to b
  double p = 1;
  Verdict verdict = Verdict::kUnknown;
};

// A part of a whole, as the mean of each side in whole nanoseconds, rounded so that the parts add
// up to the whole's rounded mean.
struct PartDifference {
  std::string name;
  int64_t a_ns = 0;
  int64_t b_ns = 0;
  int64_t delta_ns() const { return b_ns - a_ns; }
};
struct Decomposition {
  int64_t a_ns = 0;  // Σ of the parts
  int64_t b_ns = 0;
  std::vector<PartDifference> parts;  // the largest difference first
};

enum class UnitChange : uint8_t { kRegressed, kImproved, kUnchanged, kNew, kGone };
inline constexpr size_t kUnitChanges = 5;
std::string_view UnitChangeName(UnitChange change);

struct UnitDifference {
  std::string name;
  uint32_t ordinal = 0;  // of several with this name in one build
  UnitChange change = UnitChange::kUnchanged;
  // Medians over the side's builds that have it.
  std::optional<int64_t> a_ns;
  std::optional<int64_t> b_ns;
  bool a_remote = false;  // in the first of them
  bool b_remote = false;
  std::string mostly;  // what took most of it, on the side where it took longer
  int64_t delta_ns() const { return b_ns.value_or(0) - a_ns.value_or(0); }
};

struct UnitsDifference {
  std::vector<UnitDifference> all;  // the largest difference, either way, first
  uint64_t counts[kUnitChanges] = {};
  int64_t delta_ns[kUnitChanges] = {};  // add up to total_delta_ns
  int64_t total_delta_ns = 0;
  // A unit in both changed if its duration did by at least this factor, and by 10 ms.
  double threshold = 0;
};

// Spans of one name, of all builds of a side together.
struct Distribution {
  std::string name;  // "unit": every compile and command
  struct Of {
    uint64_t count = 0;
    int64_t p50_ns = 0;
    int64_t p95_ns = 0;
    int64_t p99_ns = 0;
    std::vector<uint64_t> histogram;  // by Distribution::bounds_ns
  } a, b;
  std::vector<int64_t> bounds_ns;  // bucket i holds what is below bounds_ns[i], and not below i − 1
};

struct ConfigurationDifference {
  std::string name;
  std::vector<std::string> a;  // distinct values of the side's builds; none: none has it
  std::vector<std::string> b;
};

struct Comparison {
  struct Name {
    std::string id;
    std::string name;
    int64_t wall_ns = 0;
    bool finished = false;
    std::string outcome;  // as BuildProfile has it
  };
  std::vector<Name> a;
  std::vector<Name> b;
  std::vector<FigureDifference> figures;  // wall time first
  Decomposition wall;                     // by what bounded the build
  Decomposition work;                     // the time of all units by path
  UnitsDifference units;
  std::vector<Distribution> distributions;
  std::vector<ConfigurationDifference> configuration;  // only what differs
};

Comparison Compare(const Side& a, const Side& b);

// For people.
std::string FormatComparison(const Comparison& comparison, const TextStyle& style);
// One JSON object, with a newline at its end (docs/compare.md, "As JSON").
std::string FormatComparisonJson(const Comparison& comparison);

}  // namespace llama::analysis
