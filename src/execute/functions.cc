#include "execute/functions.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/file.h"
#include "compiler/plan.h"
#include "execute/shown.h"
#include "trace/names.h"
#include "trace/pricing.h"

namespace llama::execute {
namespace {

using trace::Value;

// How often a job is sent because the store had lost something of it.
constexpr int kMaxResends = 3;
// For how long nothing is, once that was in vain.
constexpr int64_t kNoResendNs = 30'000'000'000;
// Of the worker's spans that are believed.
constexpr size_t kMaxWorkerSpans = 64;
// What a worker has beyond the command's own time to say how it ended.
constexpr int64_t kAnswerMs = 20'000;
constexpr int64_t kMaxInvocationMs = 900'000;  // Lambda's
constexpr char kAllSpent[] = "the cloud took all the time that it has beside the command";
// What a worker says of its CPU time is believed up to a day.
constexpr int64_t kMaxCpuNs = int64_t{86'400} * 1'000'000'000;

bool Contains(std::string_view haystack, std::string_view needle) {
  return !needle.empty() &&
         memmem(haystack.data(), haystack.size(), needle.data(), needle.size()) != nullptr;
}

job::Job JobOf(const Action& action, const Synced& synced) {
  job::Job job;
  job.view.layers = synced.layers;
  job.view.files = action.inline_files;
  job.view.extra = action.closure->inline_links;
  for (const auto& [path, entry] : synced.inline_entries) {
    const bool is_link =
        entry.type == tree::EntryType::kDir || entry.type == tree::EntryType::kSymlink;
    if (is_link) job.view.extra.insert_or_assign(path, entry);
  }
  for (const auto& [path, bytes] : synced.inline_contents) {
    job.view.files.push_back({path, synced.inline_entries.at(path).executable, bytes});
  }
  job.program = action.program;
  job.argv = action.argv;
  job.env = action.env;
  job.cwd = action.cwd;
  job.umask = action.umask;
  job.input = action.input;
  job.foretold = action.foretold;
  job.record_reads = action.record_lookups;
  job.any_command = action.any_command;
  job.in_image = action.in_image;
  job.output_dirs = action.outputs.dirs;
  job.placeholders = action.standing;
  if (action.inodes) job.inodes = *action.inodes;
  if (action.any_command) {
    for (const Outputs::Announced& output : action.outputs.announced) {
      job.outputs.push_back({output.path, output.is_tree});
    }
  }
  return job;
}

void RecordRetries(uint64_t requests, int64_t ns, trace::Span& span) {
  if (requests == 0) return;
  span.Set(trace::field::kRetriedRequests, requests);
  span.Set(trace::field::kRetriedNs, ns);
}

void RecordSync(const Synced& synced, trace::Span& span, Charges& charges) {
  span.Set(trace::field::kLayers, synced.layers.size());
  span.Set(trace::field::kInlineFiles, synced.inline_contents.size());
  span.Set(trace::field::kStoreRequests, synced.store_requests);
  span.Set(trace::field::kUploadedObjects, synced.uploaded_objects);
  span.Set(trace::field::kUploadedBytes, synced.uploaded_bytes);
  if (synced.store_requests > 0) span.Set(trace::field::kStoreNs, synced.store_ns);
  RecordRetries(synced.retried_requests, synced.retried_ns, span);
  charges.bytes_up += synced.uploaded_bytes;
  charges.store_requests += synced.store_requests;
  charges.cost_usd += trace::StoreCostUsd(synced.store_requests, 0);
}

// No failure: the upload goes on, for others.
void RecordLeft(const UploadQueue::UnderWay& upload, trace::Span& span) {
  span.Set(trace::field::kAwaitedBytes, upload.bytes);
  span.Set(trace::field::kAwaitedSentBytes, upload.sent_bytes);
  span.Set(trace::field::kAwaitedNs, upload.ms * int64_t{1'000'000});
  RecordRetries(upload.retried_requests, upload.retried_ns, span);
}

void RecordInvocation(const job::Invocation& invocation, const std::string& function,
                      trace::Span& span, Charges& charges) {
  const uint64_t store_requests = invocation.store_puts + invocation.store_gets;
  const double cost =
      invocation.cost_usd + trace::StoreCostUsd(invocation.store_puts, invocation.store_gets);
  span.Set(trace::field::kFunction, function);
  const uint64_t received_bytes =
      invocation.received_bytes > 0 ? invocation.received_bytes : invocation.payload.size();
  span.Set(trace::field::kAnswerBytes, received_bytes);
  span.Set(trace::field::kQueuedNs, invocation.queued_ns);
  for (const auto& [name, value] : invocation.details) span.Set(name, value);
  span.Set(trace::field::kInitNs, invocation.init_ns);
  span.Set(trace::field::kRequests, invocation.requests);
  if (store_requests > 0) span.Set(trace::field::kStoreRequests, store_requests);
  span.Set(trace::field::kCostUsd, Value(cost));
  charges.bytes_down += received_bytes;
  charges.store_requests += store_requests;
  charges.cost_usd += cost;
}

void RecordAnswer(const job::Answer& answer, bool is_cold_start, trace::Span& span,
                  Execution& execution) {
  span.Set(trace::field::kColdStart, Value(is_cold_start));
  span.Set(trace::field::kWorkerId, answer.worker.id);
  span.Set(trace::field::kWorkerJobs, answer.worker.job_count);
  span.Set(trace::field::kFetchedObjects, answer.fetched_objects);
  span.Set(trace::field::kFetchedBytes, answer.fetched_bytes);
  span.Set(trace::field::kUserNs, answer.usage.user_ns);
  span.Set(trace::field::kSystemNs, answer.usage.system_ns);
  span.Set(trace::field::kMaxRssBytes, answer.usage.max_rss_bytes);
  Charges& charges = execution.charges;
  charges.cold_starts += is_cold_start ? 1 : 0;
  charges.bytes_down += answer.fetched_bytes;
  charges.store_requests += answer.fetched_objects;
  charges.cost_usd += trace::StoreCostUsd(0, answer.fetched_objects);
  charges.user_ns += std::clamp<int64_t>(answer.usage.user_ns, 0, kMaxCpuNs);
  charges.system_ns += std::clamp<int64_t>(answer.usage.system_ns, 0, kMaxCpuNs);
  // A worker's spans are believed as far as they belong to this job.
  for (const trace::Span& worker_span : answer.spans) {
    if (worker_span.trace_id == span.trace_id && execution.worker_spans.size() < kMaxWorkerSpans) {
      execution.worker_spans.push_back(worker_span);
    }
  }
}

// What the command itself took, as its worker says. Who says too much is trusted with time that it
// could have had by being slow.
int64_t CommandNs(const job::Answer& answer) {
  int64_t ns = 0;
  for (const trace::Span& span : answer.spans) {
    if (span.name == trace::span::kExec) ns = std::max(ns, span.duration_ns);
  }
  return ns;
}

}  // namespace

int64_t Execution::RemainingMs(int64_t limit_ms) const {
  const int64_t now_ns = clock.MonotonicNs();
  if (deadline_ns <= now_ns) return 0;
  return std::min((deadline_ns - now_ns) / 1'000'000, limit_ms);
}

OrReason<Outcome> FunctionExecutor::Execute(const Action& action, Execution& execution) {
  if (std::string outage = cloud_.Outage(); !outage.empty()) {
    return Reason{"cloud-unavailable", std::move(outage)};
  }
  auto function = cloud_.Function(execution.function);
  if (!function) return ReasonOf("function", std::move(function).error());
  // A command that runs nowhere else is always tried, and may fail for reasons of its own.
  const bool may_run_here = !action.any_command;
  const std::string name = (*function)->name();
  if (may_run_here) {
    if (auto trouble = health_.Trouble(name, execution.clock.MonotonicNs())) return *trouble;
  }
  for (int resends = 0;; ++resends) {
    ASSIGN_OR_RETURN(const Synced synced, SyncTree(action, execution));
    const int64_t invoked_ns = execution.clock.MonotonicNs();
    auto answer = Invoke(action, synced, **function, execution);
    if (answer && answer->outcome == job::Outcome::kFailed) {
      answer = Reason{"worker", answer->error,
                      answer->timed_out ? Code::kDeadline : Code::kRemoteFailed};
    }
    if (may_run_here) Learn(name, answer, invoked_ns, execution);
    if (!answer) return std::move(answer).error();
    if (answer->outcome == job::Outcome::kRan) {
      return Localise(action, synced, *std::move(answer));
    }
    if (!Resends(resends, execution)) return Reason{"store-keeps-losing-objects", {}};
    sync_.Lost(answer->missing, invoked_ns);
  }
}

// An outage, a job that is cancelled or too large, and a command that was too long for its function
// are no news of it.
void FunctionExecutor::Learn(const std::string& function, const OrReason<job::Answer>& answer,
                             int64_t invoked_ns, const Execution& execution) {
  const int64_t now_ns = execution.clock.MonotonicNs();
  if (answer) {
    if (answer->outcome == job::Outcome::kRan) health_.Ran(function, now_ns);
    return;
  }
  const Code code = answer.error().code;
  const bool too_long = code == Code::kDeadline && now_ns < execution.deadline_ns;
  const bool own = code == Code::kCancelled || code == Code::kInvalid || too_long;
  if (own || !cloud_.Outage().empty()) return;
  health_.Failed(function, answer.error(), invoked_ns, now_ns);
}

bool FunctionExecutor::Resends(int resends, const Execution& execution) {
  const int64_t now_ns = execution.clock.MonotonicNs();
  if (now_ns < resend_after_ns_) return false;
  if (resends < kMaxResends) return true;
  resend_after_ns_ = now_ns + kNoResendNs;
  return false;
}

OrReason<Synced> FunctionExecutor::SyncTree(const Action& action, Execution& execution) {
  trace::Span& span = execution.phases.Begin(trace::span::kSync);
  const Closure& closure = *action.closure;
  const Allowance::Stretch stretch(execution.allowance, execution.clock);
  const auto is_over = [&] { return execution.is_over() || stretch.is_spent(); };
  std::optional<UploadQueue::UnderWay> left;
  const auto leaves = [&](const UploadQueue::UnderWay& upload) {
    if (!execution.rather_here || !execution.rather_here(upload.ms)) return false;
    left = upload;
    return true;
  };
  auto synced =
      closure.id != 0
          ? sync_.EnsureShared(closure.id, closure.own, closure.common_entries(), is_over, leaves)
          : sync_.Ensure(closure.own, closure.common_entries(), is_over, leaves);
  if (synced) {
    RecordSync(*synced, span, execution.charges);
    return std::move(*synced);
  }
  if (left) {
    RecordLeft(*left, span);
    return ReasonOf("slow-upload", std::move(synced).error());
  }
  span.Set(trace::field::kError, synced.error().message);
  if (execution.is_over()) return execution.WhyOver();
  const Code code = synced.error().code;
  if (code == Code::kCancelled) return Reason{"sync", kAllSpent, Code::kDeadline};
  Reason reason = ReasonOf("sync", std::move(synced).error());
  // A file that is no longer what the closure says can be looked at again.
  if (code == Code::kUnavailable) reason.code = code;
  return reason;
}

// Tried again within bounds if the worker is lost.
OrReason<job::Answer> FunctionExecutor::Invoke(const Action& action, const Synced& synced,
                                               job::FunctionClient& function,
                                               Execution& execution) {
  job::Job job = JobOf(action, synced);
  job.max_answer_bytes = function.max_payload_bytes();
  job.env.emplace_back();  // TRACEPARENT, of each attempt
  job.timeout_ms = action.timeout_ms;
  for (int attempt = 1;; ++attempt) {
    auto answer = InvokeOnce(job, attempt, function, execution);
    if (answer || answer.error().code != Code::kUnavailable) return answer;
    if (attempt >= execution.max_losses || execution.is_over() || execution.allowance.is_spent() ||
        !cloud_.Outage().empty()) {
      Reason reason = std::move(answer).error();
      reason.code = Code::kRemoteFailed;  // the inputs are as they were
      return reason;
    }
    ++execution.charges.retries;
  }
}

OrReason<job::Answer> FunctionExecutor::InvokeOnce(job::Job& job, int attempt,
                                                   job::FunctionClient& function,
                                                   Execution& execution) {
  trace::Span& span = execution.phases.Begin(trace::span::kInvoke);
  span.Set(trace::field::kAttempt, attempt);
  if (execution.is_over()) return execution.WhyOver();
  if (execution.allowance.is_spent()) return Reason{"invoke", kAllSpent, Code::kDeadline};
  // A command's own limit leaves the worker time to say that it was reached.
  const int64_t limit_ms = job.timeout_ms > 0
                               ? std::min(job.timeout_ms + kAnswerMs, kMaxInvocationMs)
                               : kMaxInvocationMs;
  const int64_t timeout_ms = execution.RemainingMs(limit_ms);
  const bool own_limit = job.timeout_ms > 0;
  if (!own_limit) job.timeout_ms = timeout_ms;
  job.parent = span.context();
  job.env.back() = "TRACEPARENT=" + trace::FormatTraceparent(job.parent);
  const std::string payload = job::EncodeJob(job);
  if (!own_limit) job.timeout_ms = 0;
  if (payload.size() > function.max_payload_bytes()) {
    return Reason{"payload-too-large", std::to_string(payload.size()) + " bytes", Code::kInvalid};
  }
  store::Retries retries;
  Allowance::Stretch stretch(execution.allowance, execution.clock);
  auto invocation =
      function.Invoke(payload, {timeout_ms, execution.cancelled, &retries, stretch.LeftMs()});
  RecordRetries(retries.requests(), retries.ns(), span);
  const uint64_t sent_bytes =
      invocation && invocation->sent_bytes > 0 ? invocation->sent_bytes : payload.size();
  span.Set(trace::field::kPayloadBytes, sent_bytes);
  if (!invocation) {
    span.Set(trace::field::kError, invocation.error().message);
    const Code code = invocation.error().code;
    Reason reason = ReasonOf("invoke", std::move(invocation).error());
    if (code == Code::kUnavailable) reason.code = code;
    return reason;
  }
  execution.charges.bytes_up += sent_bytes;
  RecordInvocation(*invocation, function.name(), span, execution.charges);
  auto answer = job::DecodeAnswer(invocation->payload);
  if (!answer) return ReasonOf("answer", std::move(answer).error());
  stretch.Excuse(invocation->queued_ns);
  stretch.Excuse(CommandNs(*answer));
  // Lambda tells of a cold start only in its log; the worker always knows.
  RecordAnswer(*answer, invocation->cold_start || answer->worker.cold_start, span, execution);
  return std::move(*answer);
}

// Takes the worker's root off all of it.
OrReason<Outcome> FunctionExecutor::Localise(const Action& action, const Synced& synced,
                                             job::Answer answer) const {
  Outcome outcome;
  outcome.wait_status = answer.status;
  outcome.out = compiler::MapText(answer.out, answer.root);
  outcome.err = compiler::MapText(answer.err, answer.root);
  outcome.deleted = std::move(answer.deleted);
  outcome.refused = std::move(answer.refused);
  outcome.usage = answer.usage;
  for (job::OutputFile& file : answer.outputs) {
    if (Contains(file.bytes, answer.root)) {
      if (!action.any_command) {
        return Reason{"outputs", "root-in-output:" + std::string(BaseName(file.path))};
      }
      outcome.notes.push_back(file.path + ": holds a path of the worker's, " + answer.root);
    }
    outcome.files.push_back({std::move(file.path), file.mode, std::move(file.bytes)});
  }
  Lookups& lookups = outcome.lookups;
  lookups.complete = answer.lookups_complete;
  if (answer.foretold != 0) {
    if (answer.foretold > action.foretold.size()) {
      return Reason{"answer", "a report that was not foretold"};
    }
    lookups.foretold = action.foretold[answer.foretold - 1];
    return outcome;
  }
  lookups.report = answer.report;
  lookups.found = std::move(answer.found);
  lookups.absent = std::move(answer.absent);
  lookups.listed = std::move(answer.listed);
  lookups.shown = ShownBeyond(action, synced.layers, index_, lookups.found);
  return outcome;
}

}  // namespace llama::execute
