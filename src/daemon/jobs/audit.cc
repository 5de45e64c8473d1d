#include "daemon/jobs/audit.h"

#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "base/process.h"

namespace llama::daemon {
namespace {

constexpr int64_t kPollMs = 100;
constexpr int64_t kMaxRunMs = 900'000;
constexpr uint64_t kMaxOutputBytes = uint64_t{1} << 30;

// Only announced outputs are looked at, and only regular files: a worker may name anything.
std::string Difference(const session::Compile& request, const execute::Outputs& outputs,
                       const execute::Outcome& outcome, const session::CompileResult& here,
                       const FileSystem& files) {
  if (outcome.wait_status != here.status) {
    return "wait status " + std::to_string(outcome.wait_status) + ", here " +
           std::to_string(here.status);
  }
  // A terminal changes what a compiler prints, and there is none for it here.
  if (!request.stderr_is_terminal() && (outcome.out != here.out || outcome.err != here.err)) {
    return "what it printed";
  }
  for (const execute::OutputFile& file : outcome.files) {
    struct stat st {};
    if (!execute::IsAllowed(outputs, file.path)) return "an output that was not announced";
    if (files.Lstat(file.path, st) != 0 || !S_ISREG(st.st_mode)) return file.path;
    const auto bytes = files.ReadFile(file.path, kMaxOutputBytes);
    if (!bytes) return bytes.error().message;
    if (*bytes != file.bytes) return file.path;
  }
  for (const execute::Outputs::Announced& output : outputs.announced) {
    struct stat st {};
    const bool is_told = std::any_of(outcome.files.begin(), outcome.files.end(),
                                     [&](const auto& file) { return file.path == output.path; });
    if (here.status == 0 && !is_told && files.Lstat(output.path, st) == 0) {
      return output.path + ": made here alone";
    }
  }
  return {};
}

}  // namespace

// One of the local compilers that may run.
class Auditor::Turn {
 public:
  Turn(Auditor& auditor, const execute::Execution& execution) : auditor_(auditor) {
    const MutexLock lock(auditor_.mutex_);
    while (auditor_.free_ <= 0 && !execution.is_over()) {
      auditor_.freed_.WaitFor(auditor_.mutex_, kPollMs);
    }
    held_ = auditor_.free_ > 0;
    if (held_) --auditor_.free_;
  }
  ~Turn() {
    const MutexLock lock(auditor_.mutex_);
    if (!held_) return;
    ++auditor_.free_;
    auditor_.freed_.NotifyOne();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  bool held() const { return held_; }

 private:
  Auditor& auditor_;
  bool held_ = false;
};

bool Auditor::Picks(double share, const std::string& build_id, const std::string& object) {
  constexpr uint64_t kParts = 1'000'000;
  const uint64_t part = std::hash<std::string>()(build_id + '\0' + object) % kParts;
  return static_cast<double>(part) < share * static_cast<double>(kParts);
}

Result<Audited> Auditor::Run(const session::Compile& request, const execute::Outputs& outputs,
                             const execute::Outcome& outcome, const Services& services,
                             execute::Execution& execution) {
  const auto is_over = [&] { return execution.is_over(); };
  const Turn turn(*this, execution);
  if (!turn.held()) return Error{Code::kCancelled, "audit"};
  const admission::CpuAdmission::Hold core(*services.cpu, is_over);
  if (!core.held()) return Error{Code::kCancelled, "audit"};
  ProcessOptions process;
  process.program = request.compiler;
  process.argv = request.argv;
  process.env = request.env;
  process.cwd = request.cwd;
  process.umask = request.umask;
  process.timeout_ms = execution.RemainingMs(kMaxRunMs);
  process.cancelled = is_over;
  ASSIGN_OR_RETURN(ProcessResult ran, RunProcess(process));
  Audited audited;
  audited.result = {ran.status, std::move(ran.out), std::move(ran.err)};
  audited.difference = Difference(request, outputs, outcome, audited.result, *services.file_system);
  return audited;
}

}  // namespace llama::daemon
