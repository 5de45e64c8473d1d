#include "execute/function_health.h"

#include <algorithm>
#include <utility>

namespace llama::execute {

std::optional<Reason> FunctionHealth::Trouble(const std::string& function, int64_t now_ns) {
  const MutexLock lock(mutex_);
  const auto known = records_.find(function);
  if (known == records_.end() || known->second.failures < kFailures) return std::nullopt;
  Record& record = known->second;
  if (now_ns < record.until_ns) return record.last;
  record.until_ns = now_ns + record.hold_ns;
  return std::nullopt;
}

FunctionHealth::Record& FunctionHealth::RecordOf(const std::string& function) {
  if (records_.size() >= kMaxFunctions && !records_.contains(function)) records_.clear();
  return records_[function];
}

void FunctionHealth::Failed(const std::string& function, Reason reason, int64_t begun_ns,
                            int64_t now_ns) {
  const MutexLock lock(mutex_);
  Record& record = RecordOf(function);
  const bool took_all = reason.code == Code::kDeadline;
  // Others had their turn meanwhile: it is a busy function, or a long command.
  if (took_all && record.ran_ns >= begun_ns) return;
  record.failures = took_all ? kFailures : std::min(record.failures + 1, kFailures);
  record.last = std::move(reason);
  record.last.code = Code::kRemoteFailed;
  record.last.detail += " (a moment ago)";
  record.hold_ns = std::clamp(now_ns - begun_ns, kLeastHoldMs * 1'000'000, kMostHoldMs * 1'000'000);
  record.until_ns = now_ns + record.hold_ns;
}

void FunctionHealth::Ran(const std::string& function, int64_t now_ns) {
  const MutexLock lock(mutex_);
  Record& record = RecordOf(function);
  record.failures = 0;
  record.ran_ns = now_ns;
}

}  // namespace llama::execute
