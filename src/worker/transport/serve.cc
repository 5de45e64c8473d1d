#include "worker/transport/serve.h"

#include "base/log.h"

namespace llama::worker {
namespace {

// Whether an error of the connection only says that nobody is there any more.
bool IsEnd(const Error& error) {
  return error.code == Code::kNotFound || error.code == Code::kCancelled ||
         error.code == Code::kUnavailable;
}

Result<void> ServeOne(RuntimeClient& client, JobRunner& runner, Deliveries& deliveries,
                      const Clock& clock, const RuntimeJob& job) {
  RunLimits limits;
  limits.received_ns = job.received_ns;
  limits.deadline_ms = job.deadline_ms;
  limits.xray = job.xray;
  limits.should_abort = [&client] { return client.ShouldStop(); };
  DeliveryLimits delivery;
  delivery.bare_answer_bytes = client.max_answer_bytes();
  if (job.deadline_ms != 0) {
    delivery.deadline_ns = clock.MonotonicNs() + job.deadline_ms * 1'000'000 - clock.NowNs();
  }
  Result<std::string> answer =
      deliveries.Answer(job.payload, delivery, [&](std::string_view payload, uint64_t max_bytes) {
        limits.max_answer_bytes = max_bytes;
        return runner.Run(payload, limits);
      });
  if (client.ShouldStop()) return Error{Code::kCancelled, "told to stop"};
  // Without a word: what is lost with a worker is given to another.
  if (runner.has_lost_job()) return Error{Code::kInternal, "this worker's folder is spoilt"};
  if (!answer) return client.Fail(job.id, answer.error());
  Result<void> sent = client.Respond(job.id, *answer);
  // The API refused this answer, or came too late with it; the next job is another matter.
  if (!sent && sent.error().code == Code::kRemoteFailed) {
    LOG(kWarning, sent.error().message);
    return {};
  }
  return sent;
}

}  // namespace

Result<void> Serve(RuntimeClient& client, JobRunner& runner, Deliveries& deliveries,
                   const Clock& clock) {
  while (true) {
    Result<RuntimeJob> job = client.Next();
    Result<void> served =
        job ? ServeOne(client, runner, deliveries, clock, *job) : std::move(job).error();
    if (served) {
      runner.Recover();
      if (!runner.is_spent()) continue;
      return Error{Code::kInternal, "a command has spoilt this worker"};
    }
    if (IsEnd(served.error())) return {};
    return served;
  }
}

}  // namespace llama::worker
