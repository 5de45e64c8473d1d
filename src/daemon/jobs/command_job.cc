#include "daemon/jobs/command_job.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "daemon/jobs/command_scan.h"
#include "daemon/jobs/job_record.h"
#include "execute/write.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Outcome;
using execute::Reason;

// An interpreter finds one level of modules at a time.
constexpr int kMaxLessons = 40;
// Files may change under way; after this many scans it is given up.
constexpr int kMaxCommandScans = 3;
constexpr int kMaxLosses = 3;
constexpr size_t kMaxNotes = 20;

class CommandJob final : public Job {
 public:
  CommandJob(const Services& services, session::RunCommand request, int64_t received_ns)
      : services_(services),
        request_(std::move(request)),
        query_(QueryOf(request_)),
        record_(services, {.name = trace::span::kCommand,
                           .build_id = request_.build_id,
                           .traceparent = request_.traceparent,
                           .start_ns = request_.start_ns,
                           .start_monotonic_ns = request_.start_monotonic_ns,
                           .received_ns = received_ns,
                           .pid = request_.pid}) {
    executor_ = services_.executors->For(record_.build_id());
    // Its arguments may hold what is nobody's business; its name does not.
    record_.root().Set(trace::field::kCommand, BaseName(request_.argv[0]));
    record_.root().Set(trace::field::kProgram, request_.program);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t) override {}
  void Finished(const std::optional<session::Done>& done, int64_t now_ns) override {
    record_.Finish(done, now_ns);
  }

 private:
  OrReason<session::CommandResult> RunRemotely(execute::Execution& execution);
  OrReason<Outcome> ExecuteAndLearn(ScannedCommand& scanned, execute::Execution& execution);
  OrReason<ScannedCommand> Scan(execute::Execution& execution);
  OrReason<session::CommandResult> Write(const execute::Action& action, Outcome outcome,
                                         const execute::Execution& execution);
  void AddNotes(const Outcome& outcome, session::CommandResult& result) const;

  const Services& services_;
  const session::RunCommand request_;
  const ProgramQuery query_;
  std::vector<std::string> refused_;  // looked up, here, and not sent
  JobRecord record_;
  std::shared_ptr<execute::Executor> executor_;
};

Verdict CommandJob::Run(const std::function<bool()>& cancelled) {
  record_.CountStart();
  execute::Execution execution{
      .clock = *services_.clock,
      .phases = record_.phases(),
      .cancelled = cancelled,
      .deadline_ns = services_.clock->MonotonicNs() + services_.job_timeout_ms * 1'000'000,
      .function = request_.function,
      .max_losses = kMaxLosses};
  auto result = RunRemotely(execution);
  record_.Charge(execution);
  record_.phases().Begin(trace::span::kReply);
  session::CommandResult answer;
  if (result) {
    answer = std::move(*result);
    record_.CountRemote(answer.status);
    record_.root().Set(trace::field::kOutputBytes, answer.output_bytes);
  } else {
    const Reason& reason = result.error();
    answer.timed_out = reason.code == Code::kDeadline;
    answer.error = reason.Text();
    if (cancelled && cancelled()) answer.error = "cancelled";
    if (answer.timed_out && request_.timeout_ms > 0) {
      answer.error = "its time is up, " + std::to_string(request_.timeout_ms) + " ms";
    }
    record_.CountFailed(answer.timed_out ? "timeout" : "failed", answer.error);
    LOG(kDebug, "command: " + request_.program + ": " + answer.error);
  }
  answer.sent_bytes = execution.charges.bytes_up;
  return answer;
}

OrReason<session::CommandResult> CommandJob::RunRemotely(execute::Execution& execution) {
  record_.phases().Begin(trace::span::kParse);
  if (request_.timeout_ms > 0) record_.root().Set(trace::field::kTimeoutMs, request_.timeout_ms);
  const ProgramTrees::FirstRun first(*services_.programs, query_, execution.cancelled);
  for (int scans = 1;; ++scans) {
    ASSIGN_OR_RETURN(ScannedCommand scanned, Scan(execution));
    auto outcome = ExecuteAndLearn(scanned, execution);
    if (outcome) {
      first.Proven();
      auto result = Write(scanned.action, std::move(*outcome), execution);
      if (result || result.error().code != Code::kUnavailable || scans == kMaxCommandScans)
        return result;
    } else if (outcome.error().code != Code::kUnavailable || scans == kMaxCommandScans) {
      return std::move(outcome).error();
    }
    ++execution.charges.retries;
  }
}

OrReason<ScannedCommand> CommandJob::Scan(execute::Execution& execution) {
  trace::Span& span = record_.phases().Begin(trace::span::kScan);
  auto scanned = ScanCommand(
      request_, query_, services_, [&] { return execution.is_over(); }, span);
  if (execution.is_over()) return execution.WhyOver();
  return scanned;
}

// Runs it until it has found all that is here.
OrReason<Outcome> CommandJob::ExecuteAndLearn(ScannedCommand& scanned,
                                              execute::Execution& execution) {
  for (int lessons = 0;; ++lessons) {
    ASSIGN_OR_RETURN(Outcome outcome, executor_->Execute(scanned.action, execution));
    trace::Span& span = record_.phases().Begin(trace::span::kVerify);
    span.Set(trace::field::kLookups, outcome.lookups.found.size() + outcome.lookups.absent.size());
    if (!LearnFrom(request_, query_, scanned, outcome.lookups, *services_.programs, refused_)) {
      return outcome;
    }
    span.Set(trace::field::kCorrected, "looked up");
    if (lessons == kMaxLessons) return Reason{"lookups", "looked up"};
    ++execution.charges.retries;
    ASSIGN_OR_RETURN(scanned, Scan(execution));
  }
}

void CommandJob::AddNotes(const Outcome& outcome, session::CommandResult& result) const {
  const auto add = [&](std::string note) {
    if (result.notes.size() < kMaxNotes) result.notes.push_back(std::move(note));
  };
  for (const std::string& path : refused_) {
    add(path + ": looked for, here, and not sent; name it with -f");
  }
  for (const std::string& why : outcome.refused) add(why + ": not taken");
  for (const std::string& note : outcome.notes) add(note);
}

// Why an announced file is not there; empty if all are.
std::string MissingOutput(const execute::Outputs& outputs, const Outcome& outcome) {
  for (const execute::Outputs::Announced& output : outputs.announced) {
    const bool is_there =
        output.is_tree || std::any_of(outcome.files.begin(), outcome.files.end(),
                                      [&](const auto& file) { return file.path == output.path; });
    if (is_there) continue;
    for (const std::string& why : outcome.refused) {
      if (!why.starts_with(output.path + ": ")) continue;
      const bool is_dir = why.ends_with(": a directory");
      return why + (is_dir ? "; announce it with '/' at its end" : ", not a regular file");
    }
    return output.path + ": the command did not make it";
  }
  return {};
}

OrReason<session::CommandResult> CommandJob::Write(const execute::Action& action, Outcome outcome,
                                                   const execute::Execution& execution) {
  trace::Span& span = record_.phases().Begin(trace::span::kWrite);
  session::CommandResult result;
  AddNotes(outcome, result);
  result.status = outcome.wait_status;
  result.wall_ns = outcome.usage.wall_ns;
  const auto written =
      execute::Write({&action, &outcome, &execution, services_.digests, services_.file_system});
  if (!written && written.error().code != Code::kRemoteFailed) return written.error();
  result.output_error = written ? MissingOutput(action.outputs, outcome) : written.error().detail;
  if (!result.output_error.empty())
    span.Set(trace::field::kError, "output: " + result.output_error);
  if (written) {
    span.Set(trace::field::kOutputFiles, written->files);
    span.Set(trace::field::kOutputBytes, written->bytes);
    result.output_bytes = written->bytes;
  }
  result.out = std::move(outcome.out);
  result.err = std::move(outcome.err);
  return result;
}

}  // namespace

std::unique_ptr<Job> NewCommandJob(const Services& services, session::RunCommand request,
                                   int64_t received_ns) {
  return std::make_unique<CommandJob>(services, std::move(request), received_ns);
}

}  // namespace llama::daemon
