#include "daemon/jobs/command_job.h"

#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/jobs/command_inputs.h"
#include "daemon/jobs/command_outputs.h"
#include "daemon/jobs/remote_run.h"
#include "job/job.h"
#include "trace/phases.h"

namespace llama::daemon {
namespace {

using trace::Value;

// An interpreter finds one level of modules at a time.
constexpr int kMaxLessons = 40;
constexpr int kMaxCrashes = 3;
// What a worker has beyond the command's own time.
constexpr int64_t kAnswerMs = 20'000;
constexpr size_t kMaxNotes = 20;

class CommandJob final : public Job, private RemoteWork {
 public:
  CommandJob(const Shared& shared, session::RunCommand request, int64_t received_ns)
      : shared_(shared),
        request_(std::move(request)),
        build_id_(shared.builds->Resolve(request_.build_id)),
        root_(StartRoot()),
        phases_(*shared.clock, root_.context(), root_.start_ns, request_.start_monotonic_ns),
        inputs_(shared, request_),
        remote_(shared, RunOptions(), phases_, *this) {
    phases_.Begin("send");
    phases_.EndAt(received_ns);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t) override {}
  void Finished(const std::optional<session::Done>& done, int64_t now_ns) override;

 private:
  trace::Span StartRoot();
  void Count(const std::function<void(session::Counters&)>& change) {
    shared_.builds->Count(build_id_, change);
  }

  RemoteRunOptions RunOptions() const;
  Result<void> RunRemotely(const std::function<bool()>& cancelled);
  Result<void> Write(const job::Answer& answer);
  void AddNotes(const job::Answer& answer);

  Result<void> Scan(trace::Span& span, const std::function<bool()>& cancelled) override {
    return inputs_.Walk(span, cancelled);
  }
  const tree::Manifest& wanted() const override { return inputs_.wanted(); }
  const tree::Manifest& shared_entries() const override { return inputs_.shared_entries(); }
  void FillJob(job::Job& job) const override { inputs_.FillJob(job); }
  Result<bool> Correct(const job::Answer& answer, std::string& example) override {
    example = "looked up";
    return inputs_.Correct(answer);
  }

  const Shared& shared_;
  const session::RunCommand request_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  CommandInputs inputs_;
  session::CommandResult result_;
  RemoteRun remote_;
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
  Count([](session::Counters& c) { ++c.remote_running; });
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
  Count([](session::Counters& c) {
    --c.remote_running;
    ++c.remote_done;
  });
  Verdict verdict;
  verdict.command = std::move(result_);
  return verdict;
}

RemoteRunOptions CommandJob::RunOptions() const {
  RemoteRunOptions options;
  options.build_id = build_id_;
  options.timeout_ms = shared_.job_timeout_ms;
  // The worker ends the command; the invocation leaves it the time to say so.
  if (request_.timeout_ms > 0) {
    options.timeout_ms = std::min(request_.timeout_ms + kAnswerMs, options.timeout_ms);
  }
  options.max_crashes = kMaxCrashes;
  options.max_corrections = kMaxLessons;
  options.scans_anew = true;
  return options;
}

Result<void> CommandJob::RunRemotely(const std::function<bool()>& cancelled) {
  phases_.Begin("parse");
  if (request_.timeout_ms > 0) root_.Set("timeout_ms", Value(request_.timeout_ms));
  const ProgramTrees::Turn turn(*shared_.programs, inputs_.query(), cancelled);
  const Result<job::Answer> answer = remote_.Go(cancelled);
  result_.sent_bytes = remote_.sent_bytes();
  if (!answer) {
    result_.timed_out = answer.error().code == Code::kDeadline;
    if (result_.timed_out && request_.timeout_ms > 0) {
      return Error{Code::kDeadline,
                   "its time is up, " + std::to_string(request_.timeout_ms) + " ms"};
    }
    return answer.error();
  }
  result_.timed_out = answer->timed_out;
  turn.Proven();
  return Write(*answer);
}

void CommandJob::AddNotes(const job::Answer& answer) {
  for (const std::string& path : inputs_.refused()) {
    if (result_.notes.size() >= kMaxNotes) break;
    result_.notes.push_back(path + ": looked for, here, and not sent; name it with -f");
  }
  for (const std::string& why : answer.refused) {
    if (result_.notes.size() >= kMaxNotes) break;
    result_.notes.push_back(why + ": not taken");
  }
  for (const job::OutputFile& file : answer.outputs) {
    if (result_.notes.size() >= kMaxNotes) break;
    if (file.bytes.find(answer.root) == std::string::npos) continue;
    result_.notes.push_back(file.path + ": holds a path of the worker's, " + answer.root);
  }
}

Result<void> CommandJob::Write(const job::Answer& answer) {
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

void CommandJob::Finished(const std::optional<session::Done>& done, int64_t now_ns) {
  if (done) {
    root_.Set("local.user_ns", Value(done->user_ns));
    root_.Set("local.system_ns", Value(done->system_ns));
  } else {
    root_.Set("abandoned", Value(true));
  }
  phases_.EndWithin(done ? done->end_monotonic_ns : now_ns, now_ns);
  root_.duration_ns = phases_.boundary_ns() - root_.start_ns;
  std::vector<trace::Span> spans = phases_.Take();
  for (trace::Span& span : remote_.TakeWorkerSpans()) spans.push_back(std::move(span));
  spans.push_back(std::move(root_));
  shared_.builds->Record(build_id_, spans);
}

}  // namespace

std::unique_ptr<Job> NewCommandJob(const Shared& shared, session::RunCommand request,
                                   int64_t received_ns) {
  return std::make_unique<CommandJob>(shared, std::move(request), received_ns);
}

}  // namespace llama::daemon
