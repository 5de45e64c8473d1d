#include "llama/build/progress.h"

#include <cstdio>
#include <vector>

#include "base/text/format.h"
#include "base/text/text_writer.h"

namespace llama::app {
namespace {

constexpr int64_t kWindowNs = 5'000'000'000;

std::string Elapsed(int64_t elapsed_ns) {
  const auto seconds = static_cast<long long>(elapsed_ns / 1'000'000'000);
  char text[64];
  if (seconds < 3600) {
    std::snprintf(text, sizeof text, "[%lld:%02lld]", seconds / 60, seconds % 60);
  } else {
    std::snprintf(text, sizeof text, "[%lld:%02lld:%02lld]", seconds / 3600, seconds / 60 % 60,
                  seconds % 60);
  }
  return text;
}

}  // namespace

double Rate::Update(uint64_t done, int64_t now_ns) {
  if (!samples_.empty() && done < samples_.back().done) samples_.clear();
  samples_.push_back({now_ns, done});
  while (samples_.size() > 2 && now_ns - samples_[1].time_ns >= kWindowNs) samples_.pop_front();
  const Sample& first = samples_.front();
  if (now_ns <= first.time_ns) return 0;
  return static_cast<double>(done - first.done) * 1e9 / static_cast<double>(now_ns - first.time_ns);
}

std::string FormatProgress(const session::Counters& counters, double per_second, int64_t elapsed_ns,
                           size_t columns) {
  std::vector<std::string> parts;
  std::string done = Elapsed(elapsed_ns) + " ";
  done.append(FormatCount(counters.remote_done + counters.local_done)).append(" compiled");
  if (counters.local_done > 0) {
    done.append(" (").append(FormatCount(counters.local_done)).append(" local)");
  }
  parts.push_back(done);
  parts.push_back(FormatCount(counters.remote_running) + " remote + " +
                  FormatCount(counters.local_running) + " local running");
  parts.push_back(FormatFixed(per_second, 1) + "/s");
  if (counters.cold_starts > 0)
    parts.push_back(Plural(counters.cold_starts, "cold start", "cold starts"));
  parts.push_back(FormatBytes(static_cast<int64_t>(counters.bytes_up)) + " up, " +
                  FormatBytes(static_cast<int64_t>(counters.bytes_down)) + " down");
  parts.push_back(FormatUsd(counters.cost_usd));
  std::string line;
  for (const std::string& part : parts) {
    const std::string separator = line.empty() ? "" : ", ";
    if (line.size() + separator.size() + part.size() > columns) break;
    line.append(separator).append(part);
  }
  return line;
}

}  // namespace llama::app
