#include "compiler/unrecorded_toolchains.h"

#include <algorithm>

namespace llama::compiler {
namespace {

constexpr int64_t kFirstPauseNs = 60'000'000'000;
constexpr int64_t kLongestPauseNs = 3600'000'000'000;

}  // namespace

void UnrecordedToolchains::Learn(const std::shared_ptr<const Toolchain>& toolchain, bool recorded) {
  const MutexLock lock(mutex_);
  std::erase_if(records_, [](const auto& item) { return item.first.expired(); });
  Record& record = records_[toolchain];
  if (recorded) record.is_good = true;
  if (record.is_good) return;
  const int64_t now_ns = clock_.MonotonicNs();
  // Many may have been under way when the first came back.
  if (now_ns < record.avoid_until_ns && !record.is_trying) return;
  record.is_trying = false;
  record.pause_ns = std::clamp(2 * record.pause_ns, kFirstPauseNs, kLongestPauseNs);
  record.avoid_until_ns = now_ns + record.pause_ns;
}

bool UnrecordedToolchains::ShouldAvoid(const std::shared_ptr<const Toolchain>& toolchain) {
  const MutexLock lock(mutex_);
  const auto it = records_.find(toolchain);
  if (it == records_.end() || it->second.is_good) return false;
  const int64_t now_ns = clock_.MonotonicNs();
  if (now_ns < it->second.avoid_until_ns) return true;
  // Should the one that tries never come back, another does after as long again.
  it->second.avoid_until_ns = now_ns + it->second.pause_ns;
  it->second.is_trying = true;
  return false;
}

}  // namespace llama::compiler
