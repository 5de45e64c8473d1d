#include "daemon/command_job.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/command_inputs.h"
#include "daemon/command_outputs.h"
#include "trace/phases.h"
#include "trace/pricing.h"
#include "wire/job.h"

namespace llama::daemon {
namespace {

using trace::Value;

// How often a job may be sent: after a crash or throttle, after lost objects, and for what it was
// found to look up. An interpreter finds one level of modules at a time.
constexpr int kMaxCrashes = 3;
constexpr int kMaxResends = 3;
constexpr int kMaxLessons = 40;
constexpr int kMaxScans = 3;
constexpr size_t kMaxWorkerSpans = 64;
constexpr size_t kMaxNotes = 20;

Error Cancelled() { return Error{Code::kCancelled, "cancelled"}; }

int64_t Size(const auto& container) { return static_cast<int64_t>(container.size()); }

class CommandJob final : public Job {
 public:
  CommandJob(const Shared& shared, wire::RunCommand request, int64_t received_ns)
      : shared_(shared),
        request_(std::move(request)),
        build_id_(shared.builds->Resolve(request_.build_id)),
        root_(StartRoot()),
        phases_(*shared.clock, root_.context(), root_.start_ns),
        inputs_(shared, request_) {
    phases_.BeginAt("send", root_.start_ns);
    phases_.EndAt(received_ns);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t) override {}
  void Finished(const std::optional<wire::Done>& done, int64_t now_ns) override;

 private:
  trace::Span StartRoot();
  void Count(const std::function<void(wire::Counters&)>& change) {
    shared_.builds->Count(build_id_, change);
  }

  Result<void> RunRemotely(const std::function<bool()>& cancelled);
  Result<void> Walk(const std::function<bool()>& cancelled);
  Result<Synced> SyncTree(const std::function<bool()>& cancelled);
  Result<wire::Answer> Invoke(const Synced& synced, const std::function<bool()>& cancelled);
  Result<wire::Answer> InvokeUntilWhole(const std::function<bool()>& cancelled);
  Result<void> Write(const wire::Answer& answer);

  wire::Job MakeJob(const Synced& synced) const;
  int64_t TimeoutMs() const;
  void RecordInvocation(trace::Span& span, const wire::Invocation& invocation,
                        size_t payload_bytes);
  void RecordAnswer(trace::Span& span, const wire::Answer& answer);
  void AddNotes(const wire::Answer& answer);

  const Shared& shared_;
  const wire::RunCommand request_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  CommandInputs inputs_;
  wire::CommandResult result_;
  std::vector<trace::Span> worker_spans_;
  int64_t invoked_ns_ = 0;  // monotonic
};

trace::Span CommandJob::StartRoot() {
  const auto outside = trace::ParseTraceparent(request_.traceparent);
  const bool in_build = !request_.build_id.empty();
  trace::Span root = trace::StartSpan("command", !in_build && outside ? *outside : trace::Context{},
                                      request_.start_ns);
  root.Set("global.build_id", build_id_);
  trace::Context build_root = in_build ? shared_.builds->RootOf(build_id_) : trace::Context{};
  if (in_build && !build_root.valid() && outside) build_root = *outside;
  if (build_root.valid()) {
    root.Set("link.trace_id", trace::Hex(build_root.trace_id));
    root.Set("link.span_id", trace::Hex(build_root.span_id));
  }
  // Its arguments may hold what is nobody's business; its name does not.
  root.Set("command", BaseName(request_.argv[0]));
  root.Set("program", request_.program);
  root.Set("pid", Value(static_cast<int64_t>(request_.pid)));
  return root;
}

Verdict CommandJob::Run(const std::function<bool()>& cancelled) {
  Count([](wire::Counters& c) { ++c.remote_running; });
  const auto ran = RunRemotely(cancelled);
  if (!ran) {
    result_.error = cancelled && cancelled() ? "cancelled" : ran.error().message;
    root_.Set("reason", result_.timed_out ? "timeout" : "failed");
    root_.Set("reason_detail", result_.error);
    LOG(kDebug, "command: " + request_.program + ": " + result_.error);
  }
  root_.Set("remote", ran.has_value());
  phases_.Begin("reply");
  if (ran) {
    root_.Set("status", Value(WIFEXITED(result_.status) ? WEXITSTATUS(result_.status)
                                                        : 128 + WTERMSIG(result_.status)));
    root_.Set("output_bytes", Value(static_cast<int64_t>(result_.output_bytes)));
  }
  Count([](wire::Counters& c) {
    --c.remote_running;
    ++c.remote_done;
  });
  Verdict verdict;
  verdict.command = std::move(result_);
  return verdict;
}

Result<void> CommandJob::RunRemotely(const std::function<bool()>& cancelled) {
  phases_.Begin("parse");
  if (request_.timeout_ms > 0) root_.Set("timeout_ms", Value(request_.timeout_ms));
  const ProgramTrees::Turn turn(*shared_.programs, inputs_.query(), cancelled);
  TRY(Walk(cancelled));
  ASSIGN_OR_RETURN(const wire::Answer answer, InvokeUntilWhole(cancelled));
  turn.Proven();
  return Write(answer);
}

Result<void> CommandJob::Walk(const std::function<bool()>& cancelled) {
  return inputs_.Walk(phases_.Begin("scan"), cancelled);
}

Result<Synced> CommandJob::SyncTree(const std::function<bool()>& cancelled) {
  for (int scans = 1;; ++scans) {
    trace::Span& span = phases_.Begin("sync");
    auto synced = shared_.sync->Bring(inputs_.wanted(), inputs_.shared_entries(), cancelled);
    if (synced) {
      span.Set("layers", Value(Size(synced->layers)));
      span.Set("inline_files", Value(Size(synced->inline_contents)));
      span.Set("store_requests", Value(static_cast<int64_t>(synced->store_requests)));
      span.Set("uploaded_objects", Value(static_cast<int64_t>(synced->uploaded_objects)));
      span.Set("uploaded_bytes", Value(static_cast<int64_t>(synced->uploaded_bytes)));
      result_.sent_bytes += synced->uploaded_bytes;
      Count([&](wire::Counters& c) {
        c.bytes_up += synced->uploaded_bytes;
        c.store_requests += synced->store_requests;
        c.cost_usd += trace::StoreCostUsd(synced->store_requests, 0);
      });
      return synced;
    }
    span.Set("error", synced.error().message);
    if (synced.error().code == Code::kCancelled) return Cancelled();
    if (synced.error().code != Code::kUnavailable || scans >= kMaxScans) {
      return std::move(synced).error().With("the store");
    }
    TRY(Walk(cancelled));
  }
}

int64_t CommandJob::TimeoutMs() const {
  if (request_.timeout_ms <= 0) return shared_.job_timeout_ms;
  return std::min(request_.timeout_ms, shared_.job_timeout_ms);
}

wire::Job CommandJob::MakeJob(const Synced& synced) const {
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
  job.timeout_ms = TimeoutMs();
  job.max_answer_bytes = shared_.functions->max_payload_bytes();
  return job;
}

void CommandJob::RecordInvocation(trace::Span& span, const wire::Invocation& invocation,
                                  size_t payload_bytes) {
  const double cost = trace::LambdaCostUsd(invocation.billed_ms, invocation.memory_mb) +
                      trace::StoreCostUsd(invocation.store_puts, invocation.store_gets);
  span.Set("function", shared_.functions->name());
  span.Set("answer_bytes", Value(Size(invocation.payload)));
  span.Set("queued_ns", Value(invocation.queued_ns));
  span.Set("billed_ms", Value(invocation.billed_ms));
  span.Set("memory_mb", Value(invocation.memory_mb));
  span.Set("cold_start", Value(invocation.cold_start));
  span.Set("init_ns", Value(invocation.init_ns));
  span.Set("cost_usd", Value(cost));
  result_.sent_bytes += payload_bytes;
  Count([&](wire::Counters& c) {
    c.bytes_up += payload_bytes;
    c.bytes_down += invocation.payload.size();
    c.cold_starts += invocation.cold_start ? 1 : 0;
    c.store_requests += invocation.store_puts + invocation.store_gets;
    c.cost_usd += cost;
  });
}

void CommandJob::RecordAnswer(trace::Span& span, const wire::Answer& answer) {
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
  for (const trace::Span& worker_span : answer.spans) {
    if (worker_span.trace_id == root_.trace_id && worker_spans_.size() < kMaxWorkerSpans) {
      worker_spans_.push_back(worker_span);
    }
  }
}

Result<wire::Answer> CommandJob::Invoke(const Synced& synced,
                                        const std::function<bool()>& cancelled) {
  wire::Job job = MakeJob(synced);
  job.env.emplace_back();
  for (int attempt = 1;; ++attempt) {
    trace::Span& span = phases_.Begin("invoke");
    span.Set("attempt", Value(static_cast<int64_t>(attempt)));
    job.parent = span.context();
    job.env.back() = "TRACEPARENT=" + trace::FormatTraceparent(job.parent);
    const std::string payload = wire::EncodeJob(job);
    span.Set("payload_bytes", Value(Size(payload)));
    if (payload.size() > shared_.functions->max_payload_bytes()) {
      return Error{Code::kInvalid,
                   "too much for one invocation: " + std::to_string(payload.size()) + " bytes"};
    }
    invoked_ns_ = shared_.clock->MonotonicNs();
    auto invocation = shared_.functions->Invoke(payload, {TimeoutMs(), cancelled});
    if (!invocation) {
      const Error& error = invocation.error();
      span.Set("error", error.message);
      if (error.code == Code::kCancelled) return Cancelled();
      result_.timed_out = error.code == Code::kDeadline;
      if (error.code != Code::kUnavailable || attempt >= kMaxCrashes) {
        return std::move(invocation).error().With("the function");
      }
      Count([](wire::Counters& c) { ++c.retries; });
      continue;
    }
    RecordInvocation(span, *invocation, payload.size());
    auto answer = wire::DecodeAnswer(invocation->payload);
    if (answer) RecordAnswer(span, *answer);
    return answer;
  }
}

Result<wire::Answer> CommandJob::InvokeUntilWhole(const std::function<bool()>& cancelled) {
  int resends = 0;
  int lessons = 0;
  while (true) {
    ASSIGN_OR_RETURN(const Synced synced, SyncTree(cancelled));
    ASSIGN_OR_RETURN(wire::Answer answer, Invoke(synced, cancelled));
    if (answer.outcome == wire::Outcome::kMissingObjects) {
      if (++resends > kMaxResends) {
        return Error{Code::kUnavailable, "the store keeps losing objects"};
      }
      shared_.sync->Lost(answer.missing, invoked_ns_);
      continue;
    }
    result_.timed_out = answer.timed_out;
    if (answer.outcome != wire::Outcome::kRan) {
      return Error{Code::kRemoteFailed, "the worker: " + answer.error};
    }
    trace::Span& span = phases_.Begin("verify");
    span.Set("lookups", Value(Size(answer.found) + Size(answer.absent)));
    if (!inputs_.Correct(answer)) return answer;
    span.Set("corrected", "looked up");
    Count([](wire::Counters& c) { ++c.retries; });
    if (++lessons > kMaxLessons) {
      return Error{Code::kRemoteFailed, "it keeps looking for files that it has not been sent"};
    }
    TRY(Walk(cancelled));
  }
}

void CommandJob::AddNotes(const wire::Answer& answer) {
  for (const std::string& path : inputs_.refused()) {
    if (result_.notes.size() >= kMaxNotes) break;
    result_.notes.push_back(path + ": looked for, here, and not sent; name it with -f");
  }
  for (const std::string& why : answer.refused) {
    if (result_.notes.size() >= kMaxNotes) break;
    result_.notes.push_back(why + ": not taken");
  }
  for (const wire::OutputFile& file : answer.outputs) {
    if (result_.notes.size() >= kMaxNotes) break;
    if (file.bytes.find(answer.root) == std::string::npos) continue;
    result_.notes.push_back(file.path + ": holds a path of the worker's, " + answer.root);
  }
}

Result<void> CommandJob::Write(const wire::Answer& answer) {
  trace::Span& span = phases_.Begin("write");
  AddNotes(answer);
  result_.status = answer.status;
  result_.wall_ns = answer.usage.wall_ns;
  result_.out = compiler::MapText(answer.out, answer.root);
  result_.err = compiler::MapText(answer.err, answer.root);
  const auto written = WriteCommandOutputs(request_, answer);
  if (!written) {
    span.Set("error", written.error().message);
    result_.output_error = written.error().message;
    return {};
  }
  span.Set("output_files", Value(static_cast<int64_t>(written->files)));
  span.Set("output_bytes", Value(static_cast<int64_t>(written->bytes)));
  result_.output_bytes = written->bytes;
  result_.output_error = written->missing;
  if (!written->missing.empty()) span.Set("error", "missing output: " + written->missing);
  return {};
}

void CommandJob::Finished(const std::optional<wire::Done>& done, int64_t now_ns) {
  int64_t end_ns = now_ns;
  if (done) {
    end_ns =
        std::clamp(done->end_ns, phases_.boundary_ns(), std::max(now_ns, phases_.boundary_ns()));
    root_.Set("local.user_ns", Value(done->user_ns));
    root_.Set("local.system_ns", Value(done->system_ns));
  } else {
    root_.Set("abandoned", Value(true));
  }
  phases_.EndAt(end_ns);
  root_.duration_ns = std::max(end_ns, phases_.boundary_ns()) - root_.start_ns;
  std::vector<trace::Span> spans = phases_.Take();
  spans.insert(spans.end(), worker_spans_.begin(), worker_spans_.end());
  spans.push_back(std::move(root_));
  shared_.builds->Record(build_id_, spans);
}

}  // namespace

std::unique_ptr<Job> NewCommandJob(const Shared& shared, wire::RunCommand request,
                                   int64_t received_ns) {
  return std::make_unique<CommandJob>(shared, std::move(request), received_ns);
}

}  // namespace llama::daemon
