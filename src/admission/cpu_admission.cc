#include "admission/cpu_admission.h"

#include <algorithm>

namespace llama::admission {
namespace {

constexpr int64_t kPollMs = 250;
constexpr int kLeastExtra = 4;

}  // namespace

CpuAdmission::CpuAdmission(Options options) : options_(std::move(options)) {}

bool CpuAdmission::ScanMayRun() const {
  if (scans_ == 0) return true;
  const int kept_free = held_.empty() && !waiting_.empty() ? 1 : 0;
  return scans_ + static_cast<int>(held_.size()) + kept_free < options_.cores;
}

bool CpuAdmission::SlotMayRun() const {
  // On one core a scan may be there always; the first slot must not wait for the last scan.
  if (held_.empty()) return options_.cores == 1 || scans_ < options_.cores;
  const int slots = static_cast<int>(held_.size());
  return waiting_scans_ == 0 && slots < options_.local_slots &&
         scans_ + slots < std::max(options_.cores, options_.local_slots);
}

bool CpuAdmission::BeginScan(const std::function<bool()>& cancelled) {
  const MutexLock lock(mutex_);
  ++waiting_scans_;
  bool gave_up = false;
  while (!ScanMayRun() && !gave_up) {
    scan_may_run_.WaitFor(mutex_, kPollMs);
    gave_up = cancelled && cancelled();
  }
  --waiting_scans_;
  if (gave_up) {
    TellRoom();
    return false;
  }
  ++scans_;
  return true;
}

void CpuAdmission::EndScan() {
  const MutexLock lock(mutex_);
  --scans_;
  scan_may_run_.NotifyOne();
  TellRoom();
}

void CpuAdmission::TellRoom() {
  if (on_room_ && !waiting_.empty() && SlotMayRun()) on_room_();
}

bool CpuAdmission::ClaimIdle(int64_t now_ns) {
  const MutexLock lock(mutex_);
  const bool idle = waiting_.empty() && waiting_scans_ == 0 && SlotMayRun();
  if (!idle || now_ns < next_claim_ns_) return false;
  next_claim_ns_ = now_ns + kClaimMs * 1'000'000;
  return true;
}

void CpuAdmission::OnRoom(std::function<void()> call) {
  const MutexLock lock(mutex_);
  on_room_ = std::move(call);
}

void CpuAdmission::Progress(int64_t now_ns) {
  last_progress_ns_ = now_ns;
  first_look_.reset();
}

void CpuAdmission::Request(Id id, pid_t pid, int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (waiting_.empty()) Progress(now_ns);
  waiting_.emplace_back(id, pid);
}

void CpuAdmission::Release(Id id, int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (held_.erase(id) > 0) {
    Progress(now_ns);
    scan_may_run_.NotifyOne();
    return;
  }
  std::erase_if(waiting_, [&](const auto& entry) { return entry.first == id; });
  if (waiting_.empty()) scan_may_run_.NotifyOne();  // no core is kept free any more
}

std::optional<CpuAdmission::Id> CpuAdmission::Grant(int64_t now_ns) {
  const MutexLock lock(mutex_);
  if (waiting_.empty() || (!SlotMayRun() && !HoldersAreStuck(now_ns))) return std::nullopt;
  const auto [id, pid] = waiting_.front();
  waiting_.pop_front();
  held_.emplace(id, pid);
  Progress(now_ns);
  return id;
}

bool CpuAdmission::HoldersAreStuck(int64_t now_ns) {
  const int64_t patience_ns = options_.patience_ms * 1'000'000;
  const int64_t stalled_ns = now_ns - last_progress_ns_;
  const int most = options_.local_slots + std::max(options_.local_slots, kLeastExtra);
  if (held_.empty() || static_cast<int>(held_.size()) >= most) return false;
  if (stalled_ns < patience_ns / 2) return false;
  if (first_look_ && now_ns - first_look_->time_ns < patience_ns / 2) return false;
  std::vector<pid_t> holders;
  for (const auto& [id, pid] : held_) {
    if (pid > 0) holders.push_back(pid);
  }
  const Look look{now_ns, options_.work_of(holders)};
  if (!first_look_) {
    first_look_ = look;
    return false;
  }
  const int64_t used_ns = look.work.cpu_ns - first_look_->work.cpu_ns;
  const bool stuck = !look.work.is_active && used_ns < (look.time_ns - first_look_->time_ns) / 10;
  // Patience begins anew.
  if (!stuck) Progress(now_ns);
  return stuck;
}

int CpuAdmission::scans() const {
  const MutexLock lock(mutex_);
  return scans_;
}

size_t CpuAdmission::held() const {
  const MutexLock lock(mutex_);
  return held_.size();
}

size_t CpuAdmission::waiting() const {
  const MutexLock lock(mutex_);
  return waiting_.size();
}

}  // namespace llama::admission
