// JobRecord: what a job writes of itself, a compile or any command: its root span, its phases, the
// counters of its build. Used by the job's thread, and by the server's loop before and after.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/jobs/services.h"
#include "execute/executor.h"
#include "execute/reason.h"
#include "session/session.h"
#include "trace/phases.h"
#include "trace/span.h"

namespace llama::daemon {

class JobRecord {
 public:
  struct Begin {
    std::string_view name;           // of the root span
    std::string_view build_id;       // as LLAMACC_BUILD_ID has it; empty: no named build
    std::string_view traceparent;    // of that build's root, or of whoever called
    int64_t start_ns = 0;            // wall clock
    int64_t start_monotonic_ns = 0;  // the same, as all times below
    int64_t received_ns = 0;
    uint32_t pid = 0;
  };
  JobRecord(const Services& services, const Begin& begin);

  trace::Span& root() { return root_; }
  trace::Phases& phases() { return phases_; }

  void CountStart();
  // The job's verdict is there: what its executions cost, and how it ended.
  void Charge(execute::Execution& execution);
  // `err`: what it wrote of its errors, if it failed.
  void CountRemote(int wait_status, std::string_view err = {});
  void CountLocal(const execute::Reason& reason);
  // A command that llama could not run.
  void CountFailed(std::string_view word, const std::string& why);
  void SlotGranted(int64_t now_ns);
  // The last word; records all spans.
  void Finish(const std::optional<session::Done>& done, int64_t now_ns);

  const std::string& build_id() const { return build_id_; }

 private:
  void Count(const std::function<void(session::Counters&)>& change) {
    services_.builds->Count(build_id_, change);
  }

  const Services& services_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  std::vector<trace::Span> worker_spans_;
  bool is_local_ = false;
  std::string reason_;  // why
  bool is_granted_ = false;
};

}  // namespace llama::daemon
