// Builds for the tests of the findings, and what is found in them in a line.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "analysis/findings/findings.h"
#include "analysis/units/testing.h"

namespace llama::analysis {

inline constexpr int64_t kMs = traces::kTestMs;
inline constexpr char kJobs8[] = R"("jobs":8,"cpus":16)";

inline std::vector<Finding> FindIn(const std::string& text) {
  return Analyse(traces::LoadText(text, {.correct_clocks = false})).findings;
}

// "slow-unit:900 idle:200": kinds and what they cost, in milliseconds. In all it is no more than
// the wall clock.
inline std::string Describe(const std::vector<Finding>& findings) {
  std::string out;
  double shares = 0;
  for (const Finding& finding : findings) {
    shares += finding.share;
    if (!out.empty()) out += " ";
    out += finding.kind + ":" + std::to_string(finding.cost_ns / kMs);
    EXPECT_FALSE(finding.text.empty());
    EXPECT_FALSE(finding.advice.empty());
    EXPECT_FALSE(finding.evidence.empty());
  }
  EXPECT_LE(shares, 1 + 1e-9) << out;
  return out;
}

// `count` units of 500 ms, eight at a time, from 0 on: the slots are full, and there are more units
// than slots.
inline std::string Rounds(int rounds) {
  std::string text;
  for (int i = 0; i < rounds * 8; ++i) {
    text += RemoteText(i + 1, i / 8 * 500, i / 8 * 500 + 500, "u" + std::to_string(i));
  }
  return text;
}

// Eight units from 2,000 to 3,000 ms after two seconds of nothing but work.
inline std::string EightUnits(const std::function<std::string(int)>& phases) {
  std::string text = BuildText(3000, kJobs8) + Rounds(4);
  for (int u = 101; u <= 108; ++u) {
    text += traces::SpanText(u, 1, 0, "llamacc", 2000, 1000, R"("remote":true)") + phases(u);
  }
  return text;
}

// The worker works from `begin_ms` to `end_ms`, and the rest of the call is something else.
inline std::function<std::string(int)> Calls(std::string fields, int64_t begin_ms, int64_t end_ms) {
  return [=](int u) {
    return traces::SpanText(u, 2, 1, "invoke", 2000, 1000, fields) +
           traces::SpanText(u, 3, 2, "worker", begin_ms, end_ms - begin_ms) +
           traces::SpanText(u, 4, 3, "exec", begin_ms, end_ms - begin_ms);
  };
}

}  // namespace llama::analysis
