#include "daemon/compile_job.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/job_inputs.h"
#include "daemon/outputs.h"
#include "trace/phases.h"
#include "trace/pricing.h"
#include "wire/job.h"

namespace llama::daemon {
namespace {

using trace::Value;

// How often a job may be sent: after a crash or throttle, after lost objects, after a lookup that
// its view answered wrongly. A deep chain of __has_include finds one more level each time.
constexpr int kMaxCrashes = 2;
constexpr int kMaxResends = 3;
constexpr int kMaxCorrections = 6;
// Files may change between scan and upload, as in any build; after this many scans it is given up.
constexpr int kMaxScans = 3;
// Of the worker's spans that are believed.
constexpr size_t kMaxWorkerSpans = 64;

Error Cancelled() { return Error{Code::kCancelled, "cancelled"}; }

class CompileJob final : public Job {
 public:
  CompileJob(const Shared& shared, wire::Compile request, int64_t received_ns)
      : shared_(shared),
        request_(std::move(request)),
        build_id_(shared.builds->Resolve(Variable(request_.env, "LLAMACC_BUILD_ID"))),
        root_(StartRoot()),
        phases_(*shared.clock, root_.context(), root_.start_ns),
        inputs_(shared, request_) {
    phases_.BeginAt("send", root_.start_ns);
    phases_.EndAt(received_ns);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t now_ns) override;
  void Finished(const std::optional<wire::Done>& done, int64_t now_ns) override;

 private:
  trace::Span StartRoot();
  void Count(const std::function<void(wire::Counters&)>& change) {
    shared_.builds->Count(build_id_, change);
  }

  // The steps, in order. An error is the reason for a local run.
  Result<wire::CompileResult> RunRemotely(const std::function<bool()>& cancelled);
  Result<void> Scan(const std::function<bool()>& cancelled);
  Result<Synced> SyncTree(const std::function<bool()>& cancelled);
  Result<wire::Answer> Invoke(const Synced& synced, const std::function<bool()>& cancelled);
  Result<wire::Answer> InvokeUntilVerified(const std::function<bool()>& cancelled);
  Result<wire::CompileResult> Write(wire::Answer& answer);

  wire::Job MakeJob(const Synced& synced) const;
  void RecordSync(trace::Span& span, const Synced& synced);
  void RecordInvocation(trace::Span& span, const wire::Invocation& invocation,
                        size_t payload_bytes);
  void RecordAnswer(trace::Span& span, const wire::Answer& answer);
  void RecordReason(const std::string& reason);

  const Shared& shared_;
  const wire::Compile request_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  JobInputs inputs_;
  std::vector<trace::Span> worker_spans_;
  int64_t invoked_ns_ = 0;  // monotonic
  bool local_ = false;
  bool granted_ = false;
};

trace::Span CompileJob::StartRoot() {
  const auto outside = trace::ParseTraceparent(Variable(request_.env, "TRACEPARENT"));
  const bool in_build = !Variable(request_.env, "LLAMACC_BUILD_ID").empty();
  // Inside a build TRACEPARENT is the build's root: a trace of its own, linked. Outside it is
  // whoever called, and becomes the parent.
  trace::Span root = trace::StartSpan("llamacc", !in_build && outside ? *outside : trace::Context{},
                                      request_.start_ns);
  root.Set("global.build_id", build_id_);
  if (in_build) {
    trace::Context build_root = shared_.builds->RootOf(build_id_);
    if (!build_root.valid() && outside) build_root = *outside;
    if (build_root.valid()) {
      root.Set("link.trace_id", trace::Hex(build_root.trace_id));
      root.Set("link.span_id", trace::Hex(build_root.span_id));
    }
  }
  root.Set("compiler", request_.compiler);
  root.Set("pid", Value(static_cast<int64_t>(request_.pid)));
  return root;
}

Verdict CompileJob::Run(const std::function<bool()>& cancelled) {
  Count([](wire::Counters& c) { ++c.remote_running; });
  auto result = RunRemotely(cancelled);
  Verdict verdict;
  root_.Set("remote", result.has_value());
  if (result) {
    phases_.Begin("reply");
    root_.Set("status", Value(WIFEXITED(result->status) ? WEXITSTATUS(result->status)
                                                        : 128 + WTERMSIG(result->status)));
    verdict.result = std::move(*result);
    Count([](wire::Counters& c) {
      --c.remote_running;
      ++c.remote_done;
    });
    return verdict;
  }
  local_ = true;
  verdict.local = true;
  verdict.reason = cancelled && cancelled() ? "cancelled" : result.error().message;
  RecordReason(verdict.reason);
  Count([](wire::Counters& c) {
    --c.remote_running;
    ++c.local_waiting;
  });
  phases_.Begin("queue");
  return verdict;
}

// A reason is a word that can be counted; what it was in this case stands beside it.
void CompileJob::RecordReason(const std::string& reason) {
  const size_t colon = reason.find(": ");
  root_.Set("reason", reason.substr(0, colon));
  if (colon != std::string::npos) root_.Set("reason_detail", reason.substr(colon + 2));
  LOG(kDebug, "local: " + inputs_.command().source + ": " + reason);
}

Result<wire::CompileResult> CompileJob::RunRemotely(const std::function<bool()>& cancelled) {
  phases_.Begin("parse");
  TRY(inputs_.Parse(root_));
  TRY(Scan(cancelled));
  ASSIGN_OR_RETURN(wire::Answer answer, InvokeUntilVerified(cancelled));
  return Write(answer);
}

Result<void> CompileJob::Scan(const std::function<bool()>& cancelled) {
  return inputs_.Scan(root_, phases_.Begin("scan"), cancelled);
}

Result<Synced> CompileJob::SyncTree(const std::function<bool()>& cancelled) {
  for (int scans = 1;; ++scans) {
    trace::Span& span = phases_.Begin("sync");
    auto synced = shared_.sync->Bring(inputs_.wanted(), inputs_.toolchain(), cancelled);
    if (synced) {
      RecordSync(span, *synced);
      return synced;
    }
    span.Set("error", synced.error().message);
    if (synced.error().code == Code::kCancelled) return Cancelled();
    if (synced.error().code != Code::kUnavailable || scans >= kMaxScans) {
      return LocalReason("sync", synced.error().message);
    }
    TRY(Scan(cancelled));
  }
}

void CompileJob::RecordSync(trace::Span& span, const Synced& synced) {
  span.Set("layers", Value(static_cast<int64_t>(synced.layers.size())));
  span.Set("inline_files", Value(static_cast<int64_t>(synced.inline_contents.size())));
  span.Set("store_requests", Value(static_cast<int64_t>(synced.store_requests)));
  span.Set("uploaded_objects", Value(static_cast<int64_t>(synced.uploaded_objects)));
  span.Set("uploaded_bytes", Value(static_cast<int64_t>(synced.uploaded_bytes)));
  Count([&](wire::Counters& c) {
    c.bytes_up += synced.uploaded_bytes;
    c.store_requests += synced.store_requests;
    c.cost_usd += trace::StoreCostUsd(synced.store_requests, 0);
  });
}

wire::Job CompileJob::MakeJob(const Synced& synced) const {
  wire::Job job;
  for (const tree::LayerRef& layer : synced.layers) {
    job.layers.push_back({layer.key, layer.size_bytes});
  }
  for (const auto& [path, bytes] : synced.inline_contents) {
    job.files.push_back({path, synced.inline_entries.at(path).executable, bytes});
  }
  for (const auto& [path, entry] : synced.inline_entries) {
    if (entry.type == tree::EntryType::kDir) job.links.push_back({path, ""});
    if (entry.type == tree::EntryType::kSymlink) job.links.push_back({path, entry.target});
  }
  inputs_.FillJob(job);
  job.timeout_ms = shared_.job_timeout_ms;
  job.max_answer_bytes = shared_.functions->max_payload_bytes();
  return job;
}

void CompileJob::RecordInvocation(trace::Span& span, const wire::Invocation& invocation,
                                  size_t payload_bytes) {
  const double cost = trace::LambdaCostUsd(invocation.billed_ms, invocation.memory_mb);
  span.Set("function", shared_.functions->name());
  span.Set("answer_bytes", Value(static_cast<int64_t>(invocation.payload.size())));
  span.Set("queued_ns", Value(invocation.queued_ns));
  span.Set("billed_ms", Value(invocation.billed_ms));
  span.Set("memory_mb", Value(invocation.memory_mb));
  span.Set("cold_start", Value(invocation.cold_start));
  span.Set("init_ns", Value(invocation.init_ns));
  span.Set("cost_usd", Value(cost));
  Count([&](wire::Counters& c) {
    c.bytes_up += payload_bytes;
    c.bytes_down += invocation.payload.size();
    c.cold_starts += invocation.cold_start ? 1 : 0;
    c.cost_usd += cost;
  });
}

void CompileJob::RecordAnswer(trace::Span& span, const wire::Answer& answer) {
  span.Set("worker_id", answer.worker.id);
  span.Set("worker_jobs", Value(static_cast<int64_t>(answer.worker.job_count)));
  span.Set("fetched_objects", Value(static_cast<int64_t>(answer.fetched_objects)));
  span.Set("fetched_bytes", Value(static_cast<int64_t>(answer.fetched_bytes)));
  span.Set("user_ns", Value(answer.usage.user_ns));
  span.Set("system_ns", Value(answer.usage.system_ns));
  span.Set("max_rss_bytes", Value(answer.usage.max_rss_bytes));
  Count([&](wire::Counters& c) {
    c.bytes_down += answer.fetched_bytes;
    c.store_requests += answer.fetched_objects;
    c.cost_usd += trace::StoreCostUsd(0, answer.fetched_objects);
  });
  // A worker's spans are believed as far as they belong to this compile.
  for (const trace::Span& worker_span : answer.spans) {
    if (worker_span.trace_id == root_.trace_id && worker_spans_.size() < kMaxWorkerSpans) {
      worker_spans_.push_back(worker_span);
    }
  }
}

// One invocation, tried again within bounds if the worker is lost.
Result<wire::Answer> CompileJob::Invoke(const Synced& synced,
                                        const std::function<bool()>& cancelled) {
  wire::Job job = MakeJob(synced);
  job.env.emplace_back();
  for (int attempt = 1;; ++attempt) {
    trace::Span& span = phases_.Begin("invoke");
    span.Set("attempt", Value(static_cast<int64_t>(attempt)));
    job.parent = span.context();
    job.env.back() = "TRACEPARENT=" + trace::FormatTraceparent(job.parent);
    const std::string payload = wire::EncodeJob(job);
    span.Set("payload_bytes", Value(static_cast<int64_t>(payload.size())));
    if (payload.size() > shared_.functions->max_payload_bytes())
      return LocalReason("payload-too-large");
    invoked_ns_ = shared_.clock->MonotonicNs();
    auto invocation = shared_.functions->Invoke(payload, {shared_.job_timeout_ms, cancelled});
    if (!invocation) {
      const Error& error = invocation.error();
      span.Set("error", error.message);
      if (error.code == Code::kCancelled) return Cancelled();
      if (error.code != Code::kUnavailable || attempt >= kMaxCrashes) {
        return LocalReason("invoke", error.message);
      }
      Count([](wire::Counters& c) { ++c.retries; });
      continue;
    }
    RecordInvocation(span, *invocation, payload.size());
    auto answer = wire::DecodeAnswer(invocation->payload);
    if (!answer) return LocalReason("answer", answer.error().message);
    RecordAnswer(span, *answer);
    return answer;
  }
}

Result<wire::Answer> CompileJob::InvokeUntilVerified(const std::function<bool()>& cancelled) {
  int resends = 0;
  int corrections = 0;
  while (true) {
    ASSIGN_OR_RETURN(const Synced synced, SyncTree(cancelled));
    ASSIGN_OR_RETURN(wire::Answer answer, Invoke(synced, cancelled));
    if (answer.outcome == wire::Outcome::kMissingObjects) {
      if (++resends > kMaxResends) return LocalReason("store-keeps-losing-objects");
      shared_.sync->Lost(answer.missing, invoked_ns_);
      continue;
    }
    if (answer.outcome != wire::Outcome::kRan) return LocalReason("worker", answer.error);
    trace::Span& span = phases_.Begin("verify");
    span.Set("lookups", Value(static_cast<int64_t>(answer.found.size() + answer.absent.size())));
    std::string example;
    ASSIGN_OR_RETURN(const bool corrected, inputs_.Correct(answer, example));
    if (!corrected) return answer;
    span.Set("corrected", example);
    Count([](wire::Counters& c) { ++c.retries; });
    if (++corrections > kMaxCorrections) return LocalReason("lookups", example);
  }
}

Result<wire::CompileResult> CompileJob::Write(wire::Answer& answer) {
  if (compiler::IsMachineFailure(answer.status, answer.err)) {
    return LocalReason("remote-compiler-failed");
  }
  if (inputs_.plan().translated_messages && !(answer.err.empty() && answer.out.empty())) {
    return LocalReason("translated-diagnostics");
  }
  trace::Span& span = phases_.Begin("write");
  const auto written = WriteOutputs(inputs_.rules(), answer);
  if (!written) {
    const Error& error = written.error();
    return LocalReason(error.code == Code::kInvalid ? "outputs" : "write", error.message);
  }
  span.Set("output_files", Value(static_cast<int64_t>(answer.outputs.size())));
  span.Set("output_bytes", Value(static_cast<int64_t>(*written)));
  wire::CompileResult result;
  result.status = answer.status;
  result.out = compiler::MapText(answer.out, answer.root);
  result.err = compiler::MapText(answer.err, answer.root);
  return result;
}

void CompileJob::SlotGranted(int64_t now_ns) {
  granted_ = true;
  phases_.BeginAt("local", now_ns);
  Count([](wire::Counters& c) {
    --c.local_waiting;
    ++c.local_running;
  });
}

void CompileJob::Finished(const std::optional<wire::Done>& done, int64_t now_ns) {
  if (local_) {
    Count([&](wire::Counters& c) {
      if (granted_) {
        --c.local_running;
        ++c.local_done;
      } else {
        --c.local_waiting;
      }
    });
  }
  int64_t end_ns = now_ns;
  if (done) {
    end_ns = std::clamp(done->end_ns, phases_.boundary_ns(), now_ns);
    root_.Set("local.user_ns", Value(done->user_ns));
    root_.Set("local.system_ns", Value(done->system_ns));
  }
  phases_.EndAt(end_ns);
  root_.duration_ns = std::max(end_ns, phases_.boundary_ns()) - root_.start_ns;
  if (!done && !granted_) root_.Set("abandoned", Value(true));
  std::vector<trace::Span> spans = phases_.Take();
  spans.insert(spans.end(), worker_spans_.begin(), worker_spans_.end());
  spans.push_back(std::move(root_));
  shared_.builds->Record(build_id_, spans);
}

}  // namespace

std::unique_ptr<Job> NewCompileJob(const Shared& shared, wire::Compile request,
                                   int64_t received_ns) {
  return std::make_unique<CompileJob>(shared, std::move(request), received_ns);
}

}  // namespace llama::daemon
