#include "execute/replay.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "trace/names.h"

namespace llama::execute {
namespace {

// A hang-up is noticed within this; a thousand may wait at once.
constexpr int64_t kPollMs = 250;
constexpr std::string_view kFunction = "replay";
// Whatever a recording says, divided by whatever speed: longer than any job's deadline.
constexpr double kLongestNs = 1e15;

uint64_t BytesOf(const Action& action) {
  uint64_t bytes = action.input.size();
  for (const tree::InlineFile& file : action.inline_files) bytes += file.bytes.size();
  return bytes;
}

Result<RecordedCost> CostOf(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd file, OpenFile(path, O_RDONLY));
  std::array<char, kCostBytes> head{};
  const ssize_t size = pread(file.get(), head.data(), head.size(), 0);
  if (size < 0) return ErrnoError(errno, path);
  return DecodeCost({head.data(), static_cast<size_t>(size)});
}

}  // namespace

std::string RecordingName(const Action& action) {
  if (action.standing.empty()) return action.Digest().Hex();
  Action without = action;
  without.standing.clear();
  return without.Digest().Hex();
}

OrReason<Outcome> RecordingExecutor::Execute(const Action& action, Execution& execution) {
  const uint64_t up_before = execution.charges.bytes_up;
  const uint64_t down_before = execution.charges.bytes_down;
  const int64_t begin_ns = execution.clock.MonotonicNs();
  // A recording tells all, whatever this daemon knows already.
  Action untold = action;
  untold.foretold.clear();
  auto outcome = inner_.Execute(untold, execution);
  if (!outcome) return outcome;
  RecordedOutcome recorded;
  recorded.cost.took_ns = execution.clock.MonotonicNs() - begin_ns;
  recorded.cost.bytes_up = execution.charges.bytes_up - up_before;
  recorded.cost.bytes_down = execution.charges.bytes_down - down_before;
  recorded.outcome = *std::move(outcome);
  const std::string path = JoinPath(dir_, RecordingName(action));
  if (const auto written = WriteFileAtomic(path, EncodeOutcome(recorded), 0600); !written) {
    LOG(kWarning, "not recorded: " + written.error().message);
  }
  return std::move(recorded.outcome);
}

OrReason<Outcome> ReplayExecutor::Execute(const Action& action, Execution& execution) {
  const std::string path = JoinPath(options_.dir, RecordingName(action));
  const auto run_instead = [&](const Error& error) {
    if (error.code != Code::kNotFound) LOG(kWarning, path + ": " + error.message);
    ++execution.charges.unrecorded;
    return inner_.Execute(action, execution);
  };
  const auto cost = CostOf(path);
  if (!cost) return run_instead(cost.error());
  trace::Span& span = execution.phases.Begin(trace::span::kInvoke);
  span.Set(trace::field::kFunction, kFunction);
  const int64_t begin_ns = clock_.MonotonicNs();
  ASSIGN_OR_RETURN(const Turn turn, AwaitWorker(execution));
  const int64_t queued_ns = clock_.MonotonicNs() - begin_ns;
  span.Set(trace::field::kQueuedNs, queued_ns);
  span.Set(trace::field::kColdStart, trace::Value(turn.is_cold));
  if (turn.is_cold) ++execution.charges.cold_starts;
  const bool in_time = [&] {
    if (options_.speed <= 0) return true;
    const auto scaled = [&](int64_t ns) {
      return static_cast<int64_t>(std::min(static_cast<double>(ns) / options_.speed, kLongestNs));
    };
    int64_t end_ns = std::max(clock_.MonotonicNs(), SentNs(BytesOf(action)));
    end_ns += scaled(cost->took_ns);
    if (turn.is_cold) end_ns += scaled(options_.cold_start_ms * 1'000'000);
    return WaitUntil(end_ns, execution);
  }();
  Release();
  if (!in_time) return execution.WhyOver();
  // Only now: hundreds may have waited, and each holds an object.
  const auto bytes = ReadFile(path);
  auto recorded =
      bytes ? DecodeOutcome(*bytes, action.foretold) : Result<RecordedOutcome>(bytes.error());
  if (!recorded) return run_instead(recorded.error());
  ++execution.charges.replayed;
  execution.charges.bytes_up += cost->bytes_up;
  execution.charges.bytes_down += cost->bytes_down;
  span.Set(trace::field::kUserNs, recorded->outcome.usage.user_ns);
  span.Set(trace::field::kSystemNs, recorded->outcome.usage.system_ns);
  return std::move(recorded->outcome);
}

OrReason<ReplayExecutor::Turn> ReplayExecutor::AwaitWorker(Execution& execution) {
  CondVar turn;
  const MutexLock lock(mutex_);
  queue_.push_back(&turn);
  while (busy_ >= options_.workers || queue_.front() != &turn) {
    turn.WaitFor(mutex_, kPollMs);
    if (!execution.is_over()) continue;
    queue_.erase(std::find(queue_.begin(), queue_.end(), &turn));
    WakeFirst();
    return execution.WhyOver();
  }
  queue_.pop_front();
  ++busy_;
  // The warm ones first, as Lambda has it.
  const bool is_cold = busy_ > started_;
  started_ = std::max(started_, busy_);
  WakeFirst();
  return Turn{is_cold};
}

void ReplayExecutor::WakeFirst() {
  if (busy_ < options_.workers && !queue_.empty()) queue_.front()->NotifyOne();
}

void ReplayExecutor::Release() {
  const MutexLock lock(mutex_);
  --busy_;
  WakeFirst();
}

int64_t ReplayExecutor::SentNs(uint64_t bytes) {
  if (options_.uplink_bytes_per_s <= 0) return 0;
  const auto ns = static_cast<int64_t>(static_cast<double>(bytes) * 1e9 /
                                       static_cast<double>(options_.uplink_bytes_per_s));
  const MutexLock lock(mutex_);
  uplink_free_ns_ = std::max(uplink_free_ns_, clock_.MonotonicNs()) + ns;
  return uplink_free_ns_;
}

bool ReplayExecutor::WaitUntil(int64_t end_ns, Execution& execution) {
  Mutex mutex;
  CondVar never;
  const MutexLock lock(mutex);
  while (true) {
    const int64_t left_ns = end_ns - clock_.MonotonicNs();
    if (left_ns <= 0) return true;
    if (execution.is_over()) return false;
    never.WaitFor(mutex, std::min(kPollMs, left_ns / 1'000'000 + 1));
  }
}

}  // namespace llama::execute
