#include "daemon/jobs/job_record.h"

#include <sys/wait.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "daemon/jobs/job_tally.h"
#include "diagnostics/tool_errors.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using trace::Value;

// Inside a build TRACEPARENT is the build's root: a trace of its own, linked. Outside it is whoever
// called, and becomes the parent.
trace::Span StartRoot(const Services& services, const JobRecord::Begin& begin,
                      const std::string& build_id) {
  const auto outside = trace::ParseTraceparent(begin.traceparent);
  const bool in_build = !begin.build_id.empty();
  trace::Span root = trace::StartSpan(
      begin.name, !in_build && outside ? *outside : trace::Context{}, begin.start_ns);
  root.Set(trace::field::kBuildId, build_id);
  trace::Context build_root = in_build ? services.builds->RootOf(build_id) : trace::Context{};
  if (in_build && !build_root.valid() && outside) build_root = *outside;
  if (build_root.valid()) {
    root.Set(trace::field::kLinkTraceId, trace::Hex(build_root.trace_id));
    root.Set(trace::field::kLinkSpanId, trace::Hex(build_root.span_id));
  }
  root.Set(trace::field::kPid, Value(static_cast<int64_t>(begin.pid)));
  return root;
}

}  // namespace

JobRecord::JobRecord(const Services& services, const Begin& begin)
    : services_(services),
      build_id_(services.builds->Resolve(begin.build_id)),
      root_(StartRoot(services, begin, build_id_)),
      phases_(*services.clock, root_.context(), root_.start_ns, begin.start_monotonic_ns) {
  phases_.Begin(trace::span::kSend);
  phases_.EndAt(begin.received_ns);
}

void JobRecord::CountStart() {
  Count([](session::Counters& c) { ++c.remote_running; });
}

void JobRecord::Charge(execute::Execution& execution) {
  const execute::Charges& charges = execution.charges;
  Count([&](session::Counters& c) {
    c.bytes_up += charges.bytes_up;
    c.bytes_down += charges.bytes_down;
    c.store_requests += charges.store_requests;
    c.cold_starts += charges.cold_starts;
    c.retries += charges.retries;
    c.cost_usd += charges.cost_usd;
    c.replayed += charges.replayed;
    c.unrecorded += charges.unrecorded;
  });
  services_.tally->AddRemoteCpu(charges.user_ns, charges.system_ns);
  worker_spans_ = std::move(execution.worker_spans);
}

void JobRecord::CountRemote(int wait_status, std::string_view err) {
  root_.Set(trace::field::kRemote, Value(true));
  root_.Set(trace::field::kStatus,
            Value(WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status)));
  if (wait_status != 0) {
    if (std::string text = diagnostics::ErrorExcerpt(err); !text.empty()) {
      root_.Set(trace::field::kDiagnostic, std::move(text));
    }
  }
  Count([](session::Counters& c) {
    --c.remote_running;
    ++c.remote_done;
  });
  services_.tally->Count("remote", "");
}

void JobRecord::CountLocal(const execute::Reason& reason) {
  is_local_ = true;
  reason_ = reason.word;
  root_.Set(trace::field::kRemote, Value(false));
  root_.Set(trace::field::kReason, reason.word);
  if (!reason.detail.empty()) root_.Set(trace::field::kReasonDetail, reason.detail);
  Count([](session::Counters& c) {
    --c.remote_running;
    ++c.local_waiting;
  });
}

void JobRecord::CountFailed(std::string_view word, const std::string& why) {
  root_.Set(trace::field::kRemote, Value(false));
  root_.Set(trace::field::kReason, word);
  root_.Set(trace::field::kReasonDetail, why);
  Count([](session::Counters& c) {
    --c.remote_running;
    ++c.remote_done;
  });
  services_.tally->Count("failed", word);
}

void JobRecord::SlotGranted(int64_t now_ns) {
  is_granted_ = true;
  phases_.BeginAt("local", now_ns);
  Count([](session::Counters& c) {
    --c.local_waiting;
    ++c.local_running;
  });
}

void JobRecord::Finish(const std::optional<session::Done>& done, int64_t now_ns) {
  if (is_local_) {
    Count([&](session::Counters& c) {
      if (is_granted_) {
        --c.local_running;
        ++c.local_done;
      } else {
        --c.local_waiting;
      }
    });
    services_.tally->Count(is_granted_ ? "local" : "cancelled", reason_);
  }
  if (done) {
    root_.Set(trace::field::kLocalUserNs, Value(done->user_ns));
    root_.Set(trace::field::kLocalSystemNs, Value(done->system_ns));
  } else if (!is_granted_) {
    root_.Set(trace::field::kAbandoned, Value(true));
  }
  phases_.EndWithin(done ? done->end_monotonic_ns : now_ns, now_ns);
  root_.duration_ns = phases_.boundary_ns() - root_.start_ns;
  std::vector<trace::Span> spans = phases_.Take();
  std::move(worker_spans_.begin(), worker_spans_.end(), std::back_inserter(spans));
  spans.push_back(std::move(root_));
  services_.builds->Record(build_id_, spans);
}

}  // namespace llama::daemon
