#include "daemon/jobs/compile_job.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/jobs/job_inputs.h"
#include "daemon/jobs/outputs.h"
#include "daemon/jobs/remote_run.h"
#include "job/job.h"
#include "trace/phases.h"

namespace llama::daemon {
namespace {

using trace::Value;

class CompileJob final : public Job, private RemoteWork {
 public:
  CompileJob(const Shared& shared, session::Compile request, int64_t received_ns)
      : shared_(shared),
        request_(std::move(request)),
        build_id_(shared.builds->Resolve(Variable(request_.env, "LLAMACC_BUILD_ID"))),
        root_(StartRoot()),
        phases_(*shared.clock, root_.context(), root_.start_ns, request_.start_monotonic_ns),
        inputs_(shared, request_),
        remote_(shared, RunOptions(), phases_, *this) {
    phases_.Begin("send");
    phases_.EndAt(received_ns);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t now_ns) override;
  void Finished(const std::optional<session::Done>& done, int64_t now_ns) override;

 private:
  trace::Span StartRoot();
  void Count(const std::function<void(session::Counters&)>& change) {
    shared_.builds->Count(build_id_, change);
  }

  RemoteRunOptions RunOptions() const;
  // The steps, in order. An error is the reason for a local run.
  Result<session::CompileResult> RunRemotely(const std::function<bool()>& cancelled);
  Result<session::CompileResult> Write(job::Answer& answer);
  void RecordReason(const std::string& reason);

  Result<void> Scan(trace::Span& span, const std::function<bool()>& cancelled) override {
    return inputs_.Scan(root_, span, cancelled);
  }
  const tree::Manifest& wanted() const override { return inputs_.wanted(); }
  const tree::Manifest& shared_entries() const override { return inputs_.toolchain(); }
  void FillJob(job::Job& job) const override { inputs_.FillJob(job); }
  Result<bool> Correct(const job::Answer& answer, std::string& example) override {
    return inputs_.Correct(answer, example);
  }

  const Shared& shared_;
  const session::Compile request_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  JobInputs inputs_;
  RemoteRun remote_;
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
  Count([](session::Counters& c) { ++c.remote_running; });
  auto result = RunRemotely(cancelled);
  Verdict verdict;
  root_.Set("remote", result.has_value());
  if (result) {
    phases_.Begin("reply");
    root_.Set("status", Value(WIFEXITED(result->status) ? WEXITSTATUS(result->status)
                                                        : 128 + WTERMSIG(result->status)));
    verdict.result = std::move(*result);
    Count([](session::Counters& c) {
      --c.remote_running;
      ++c.remote_done;
    });
    return verdict;
  }
  local_ = true;
  verdict.local = true;
  verdict.reason = cancelled && cancelled() ? "cancelled" : result.error().message;
  RecordReason(verdict.reason);
  Count([](session::Counters& c) {
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

RemoteRunOptions CompileJob::RunOptions() const {
  RemoteRunOptions options;
  options.build_id = build_id_;
  options.function = Variable(request_.env, "LLAMACC_FUNCTION");
  options.timeout_ms = shared_.job_timeout_ms;
  return options;
}

Result<session::CompileResult> CompileJob::RunRemotely(const std::function<bool()>& cancelled) {
  phases_.Begin("parse");
  TRY(inputs_.Parse(root_));
  ASSIGN_OR_RETURN(job::Answer answer, remote_.Go(cancelled));
  return Write(answer);
}

Result<session::CompileResult> CompileJob::Write(job::Answer& answer) {
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
  session::CompileResult result;
  result.status = answer.status;
  result.out = compiler::MapText(answer.out, answer.root);
  result.err = compiler::MapText(answer.err, answer.root);
  return result;
}

void CompileJob::SlotGranted(int64_t now_ns) {
  granted_ = true;
  phases_.BeginAt("local", now_ns);
  Count([](session::Counters& c) {
    --c.local_waiting;
    ++c.local_running;
  });
}

void CompileJob::Finished(const std::optional<session::Done>& done, int64_t now_ns) {
  if (local_) {
    Count([&](session::Counters& c) {
      if (granted_) {
        --c.local_running;
        ++c.local_done;
      } else {
        --c.local_waiting;
      }
    });
  }
  if (done) {
    root_.Set("local.user_ns", Value(done->user_ns));
    root_.Set("local.system_ns", Value(done->system_ns));
  }
  phases_.EndWithin(done ? done->end_monotonic_ns : now_ns, now_ns);
  root_.duration_ns = phases_.boundary_ns() - root_.start_ns;
  if (!done && !granted_) root_.Set("abandoned", Value(true));
  std::vector<trace::Span> spans = phases_.Take();
  for (trace::Span& span : remote_.TakeWorkerSpans()) spans.push_back(std::move(span));
  spans.push_back(std::move(root_));
  shared_.builds->Record(build_id_, spans);
}

}  // namespace

std::unique_ptr<Job> NewCompileJob(const Shared& shared, session::Compile request,
                                   int64_t received_ns) {
  return std::make_unique<CompileJob>(shared, std::move(request), received_ns);
}

}  // namespace llama::daemon
