#include "daemon/jobs/remote_run.h"

#include <utility>

#include "daemon/jobs/backend.h"
#include "trace/pricing.h"

namespace llama::daemon {
namespace {

using trace::Value;

// How often a job is sent because the store had lost something of it.
constexpr int kMaxResends = 3;
// Files may change between scan and upload, as in any build; after this many scans it is given up.
constexpr int kMaxScans = 3;
// Of the worker's spans that are believed.
constexpr size_t kMaxWorkerSpans = 64;

Error Failed(const char* word, Error error) {
  if (error.code == Code::kCancelled) return Error{Code::kCancelled, "cancelled"};
  return std::move(error).With(word);
}

}  // namespace

Result<job::Answer> RemoteRun::Go(const Cancelled& cancelled) {
  if (const std::string trouble = shared_.backend->Trouble(); !trouble.empty()) {
    return Error{Code::kUnavailable, "cloud-unavailable: " + trouble};
  }
  auto function = shared_.backend->Function(options_.function);
  if (!function) return Failed("function", std::move(function).error());
  function_ = *function;
  TRY(Scan(cancelled));
  int resends = 0;
  int corrections = 0;
  while (true) {
    ASSIGN_OR_RETURN(const execute::Synced synced, SyncTree(cancelled));
    ASSIGN_OR_RETURN(job::Answer answer, Invoke(synced, cancelled));
    if (answer.outcome == job::Outcome::kMissingObjects) {
      if (++resends > kMaxResends) {
        return Error{Code::kUnavailable, "store-keeps-losing-objects"};
      }
      shared_.sync->Lost(answer.missing, invoked_ns_);
      continue;
    }
    if (answer.outcome != job::Outcome::kRan) {
      return Error{answer.timed_out ? Code::kDeadline : Code::kRemoteFailed,
                   "worker: " + answer.error};
    }
    trace::Span& span = phases_.Begin("verify");
    span.Set("lookups", answer.found.size() + answer.absent.size());
    std::string example;
    ASSIGN_OR_RETURN(const bool corrected, work_.Correct(answer, example));
    if (!corrected) return answer;
    span.Set("corrected", example);
    Count([](session::Counters& c) { ++c.retries; });
    if (++corrections > options_.max_corrections) {
      return Error{Code::kRemoteFailed, "lookups: " + example};
    }
    if (options_.scans_anew) TRY(Scan(cancelled));
  }
}

Result<void> RemoteRun::Scan(const Cancelled& cancelled) {
  return work_.Scan(phases_.Begin("scan"), cancelled);
}

Result<execute::Synced> RemoteRun::SyncTree(const Cancelled& cancelled) {
  for (int scans = 1;; ++scans) {
    trace::Span& span = phases_.Begin("sync");
    auto synced = shared_.sync->Bring(work_.wanted(), work_.shared_entries(), cancelled);
    if (synced) {
      RecordSync(span, *synced);
      return synced;
    }
    span.Set("error", synced.error().message);
    if (synced.error().code != Code::kUnavailable || scans >= kMaxScans ||
        !shared_.backend->IsUp()) {
      return Failed("sync", std::move(synced).error());
    }
    TRY(Scan(cancelled));
  }
}

void RemoteRun::RecordSync(trace::Span& span, const execute::Synced& synced) {
  span.Set("layers", synced.layers.size());
  span.Set("inline_files", synced.inline_contents.size());
  span.Set("store_requests", synced.store_requests);
  span.Set("uploaded_objects", synced.uploaded_objects);
  span.Set("uploaded_bytes", synced.uploaded_bytes);
  if (synced.store_requests > 0) span.Set("store_ns", synced.store_ns);
  sent_bytes_ += synced.uploaded_bytes;
  Count([&](session::Counters& c) {
    c.bytes_up += synced.uploaded_bytes;
    c.store_requests += synced.store_requests;
    c.cost_usd += trace::StoreCostUsd(synced.store_requests, 0);
  });
}

job::Job RemoteRun::MakeJob(const execute::Synced& synced) const {
  job::Job job;
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
  job.timeout_ms = options_.timeout_ms;
  work_.FillJob(job);
  job.max_answer_bytes = function_->max_payload_bytes();
  return job;
}

void RemoteRun::RecordInvocation(trace::Span& span, const job::Invocation& invocation,
                                 size_t payload_bytes) {
  const uint64_t store_requests = invocation.store_puts + invocation.store_gets;
  const double cost = trace::LambdaCostUsd(invocation.billed_ms, invocation.memory_mb) +
                      trace::StoreCostUsd(invocation.store_puts, invocation.store_gets);
  span.Set("function", function_->name());
  span.Set("answer_bytes", invocation.payload.size());
  span.Set("queued_ns", invocation.queued_ns);
  span.Set("billed_ms", invocation.billed_ms);
  if (invocation.billed_estimated) span.Set("billed_estimated", Value(true));
  span.Set("memory_mb", invocation.memory_mb);
  span.Set("init_ns", invocation.init_ns);
  span.Set("requests", invocation.requests);
  if (store_requests > 0) span.Set("store_requests", store_requests);
  span.Set("cost_usd", Value(cost));
  sent_bytes_ += payload_bytes;
  Count([&](session::Counters& c) {
    c.bytes_up += payload_bytes;
    c.bytes_down += invocation.payload.size();
    c.store_requests += store_requests;
    c.cost_usd += cost;
  });
}

void RemoteRun::RecordAnswer(trace::Span& span, const job::Invocation& invocation,
                             const job::Answer& answer) {
  // Lambda tells of a cold start only in its log; the worker always knows.
  const bool cold_start = invocation.cold_start || answer.worker.cold_start;
  span.Set("cold_start", Value(cold_start));
  span.Set("worker_id", answer.worker.id);
  span.Set("worker_jobs", answer.worker.job_count);
  span.Set("fetched_objects", answer.fetched_objects);
  span.Set("fetched_bytes", answer.fetched_bytes);
  span.Set("user_ns", answer.usage.user_ns);
  span.Set("system_ns", answer.usage.system_ns);
  span.Set("max_rss_bytes", answer.usage.max_rss_bytes);
  Count([&](session::Counters& c) {
    c.cold_starts += cold_start ? 1 : 0;
    c.bytes_down += answer.fetched_bytes;
    c.store_requests += answer.fetched_objects;
    c.cost_usd += trace::StoreCostUsd(0, answer.fetched_objects);
  });
  // A worker's spans are believed as far as they belong to this job.
  for (const trace::Span& worker_span : answer.spans) {
    if (worker_span.trace_id == span.trace_id && worker_spans_.size() < kMaxWorkerSpans) {
      worker_spans_.push_back(worker_span);
    }
  }
}

// Tried again within bounds if the worker is lost.
Result<job::Answer> RemoteRun::Invoke(const execute::Synced& synced, const Cancelled& cancelled) {
  job::Job job = MakeJob(synced);
  job.env.emplace_back();  // TRACEPARENT, of each attempt
  for (int attempt = 1;; ++attempt) {
    Result<job::Answer> answer = InvokeOnce(job, attempt, cancelled);
    if (answer) return answer;
    const bool again = answer.error().code == Code::kUnavailable &&
                       attempt < options_.max_crashes && shared_.backend->IsUp();
    if (!again) return answer;
    Count([](session::Counters& c) { ++c.retries; });
  }
}

Result<job::Answer> RemoteRun::InvokeOnce(job::Job& job, int attempt, const Cancelled& cancelled) {
  trace::Span& span = phases_.Begin("invoke");
  span.Set("attempt", attempt);
  job.parent = span.context();
  job.env.back() = "TRACEPARENT=" + trace::FormatTraceparent(job.parent);
  const std::string payload = job::EncodeJob(job);
  span.Set("payload_bytes", payload.size());
  if (payload.size() > function_->max_payload_bytes()) {
    return Error{Code::kInvalid, "payload-too-large: " + std::to_string(payload.size()) + " bytes"};
  }
  invoked_ns_ = shared_.clock->MonotonicNs();
  auto invocation = function_->Invoke(payload, {options_.timeout_ms, cancelled});
  if (!invocation) {
    span.Set("error", invocation.error().message);
    return Failed("invoke", std::move(invocation).error());
  }
  RecordInvocation(span, *invocation, payload.size());
  auto answer = job::DecodeAnswer(invocation->payload);
  if (!answer) return Failed("answer", std::move(answer).error());
  RecordAnswer(span, *invocation, *answer);
  return answer;
}

}  // namespace llama::daemon
