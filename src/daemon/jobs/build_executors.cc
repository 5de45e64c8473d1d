#include "daemon/jobs/build_executors.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/file.h"
#include "execute/replay.h"

namespace llama::daemon {

Result<void> BuildExecutors::Begin(const session::BeginBuild& build) {
  std::shared_ptr<execute::Executor> executor;
  if (!build.record_dir.empty()) {
    TRY(MakeDirs(build.record_dir, 0700));
    executor = std::make_shared<execute::RecordingExecutor>(functions_, build.record_dir);
  } else if (!build.replay_dir.empty()) {
    struct stat st {};
    if (stat(build.replay_dir.c_str(), &st) != 0) return ErrnoError(errno, build.replay_dir);
    if (!S_ISDIR(st.st_mode)) return Error{Code::kInvalid, build.replay_dir + ": no folder"};
    execute::ReplayOptions options;
    options.dir = build.replay_dir;
    options.workers = build.replay_workers;
    options.speed = build.replay_speed;
    options.cold_start_ms = build.replay_cold_start_ms;
    options.uplink_bytes_per_s = build.replay_uplink_bytes_per_s;
    executor = std::make_shared<execute::ReplayExecutor>(options, functions_, clock_);
  }
  const MutexLock lock(mutex_);
  if (executor) {
    special_[build.id] = std::move(executor);
  } else {
    special_.erase(build.id);
  }
  if (build.audit_share > 0) {
    audit_shares_[build.id] = build.audit_share;
  } else {
    audit_shares_.erase(build.id);
  }
  return {};
}

void BuildExecutors::End(const std::string& build_id) {
  const MutexLock lock(mutex_);
  special_.erase(build_id);
  audit_shares_.erase(build_id);
}

double BuildExecutors::AuditShare(const std::string& build_id) {
  const MutexLock lock(mutex_);
  const auto share = audit_shares_.find(build_id);
  return share == audit_shares_.end() ? 0 : share->second;
}

std::shared_ptr<execute::Executor> BuildExecutors::For(const std::string& build_id) {
  {
    const MutexLock lock(mutex_);
    const auto it = special_.find(build_id);
    if (it != special_.end()) return it->second;
  }
  return {std::shared_ptr<void>(), &functions_};
}

}  // namespace llama::daemon
