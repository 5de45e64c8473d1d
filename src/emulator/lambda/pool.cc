#include "emulator/lambda/pool.h"

#include <poll.h>

#include <algorithm>

#include "base/file.h"
#include "base/log.h"
#include "emulator/request/lambda_error.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kThrottled = "TooManyRequestsException: ";
// An environment's keys are good for longer than it lives, as Lambda recycles them, too.
constexpr int64_t kMaxAgeNs = 6LL * 3600 * 1'000'000'000;
constexpr int64_t kKeysLifetimeS = 12 * 3600;
// How soon a function that has answered is frozen.
constexpr int64_t kSettlePollMs = 3;
constexpr int64_t kHousekeepingMs = 500;
constexpr double kRampNs = 10e9;
constexpr int64_t kStopPollNs = 50'000'000;

Error Throttle(std::string_view reason) { return LambdaError("TooManyRequestsException", reason); }

std::string LabelOf(int number) { return "env-" + std::to_string(number); }

}  // namespace

std::optional<std::string> ThrottleReason(const Error& error) {
  if (!error.message.starts_with(kThrottled)) return std::nullopt;
  return error.message.substr(kThrottled.size());
}

Result<std::unique_ptr<LambdaPool>> LambdaPool::Start(const LambdaPoolOptions& options,
                                                      Authority& authority, Model& model,
                                                      RequestLog& counters, LambdaLogs& logs,
                                                      const Clock& clock) {
  TRY(RemoveTree(options.dir));
  TRY(MakeDirs(options.dir, 0700));
  return std::unique_ptr<LambdaPool>(
      new LambdaPool(options, authority, model, counters, logs, clock));
}

LambdaPool::LambdaPool(LambdaPoolOptions options, Authority& authority, Model& model,
                       RequestLog& counters, LambdaLogs& logs, const Clock& clock)
    : options_(std::move(options)),
      authority_(authority),
      model_(model),
      counters_(counters),
      logs_(logs),
      clock_(clock),
      housekeeper_([this] { KeepHouse(); }) {}

LambdaPool::~LambdaPool() {
  Stop();
  housekeeper_.join();
  Slots idle;
  {
    const MutexLock lock(mutex_);
    CHECK(busy_count_ == 0);
    idle = std::move(idle_);
  }
  for (auto& slot : idle) End(std::move(slot->environment));
  if (Result<void> removed = RemoveTree(options_.dir); !removed) {
    LOG(kWarning, removed.error().message);
  }
}

void LambdaPool::Stop() {
  const MutexLock lock(mutex_);
  stopping_ = true;
  changed_.NotifyAll();
}

LambdaPool::Stats LambdaPool::stats() const {
  const MutexLock lock(mutex_);
  return {busy_count_, static_cast<int>(idle_.size())};
}

Result<void> LambdaPool::Admit(const LambdaCall& call) {
  if (stopping_) return LambdaError("ServiceUnavailableException", "the emulator is ending");
  const auto limit = static_cast<int64_t>(model_.Number("lambda.concurrency"));
  if (limit > 0 && busy_count_ >= limit) return Throttle("ConcurrentInvocationLimitExceeded");
  const auto busy = busy_.find(call.config.name);
  const int64_t busy_of_it = busy == busy_.end() ? 0 : busy->second;
  if (call.reserved_concurrency && busy_of_it >= *call.reserved_concurrency) {
    return Throttle("ReservedFunctionConcurrentInvocationLimitExceeded");
  }
  return {};
}

// A bucket of as many starts as the ramp has in 10 s, which fills in that time.
Result<void> LambdaPool::AdmitStart() {
  const double ramp = model_.Number("lambda.ramp");
  if (ramp <= 0) return {};
  const int64_t now_ns = clock_.MonotonicNs();
  if (start_tokens_ < 0) {
    start_tokens_ = ramp;
  } else {
    start_tokens_ += ramp * static_cast<double>(now_ns - tokens_ns_) / kRampNs;
    start_tokens_ = std::min(start_tokens_, ramp);
  }
  tokens_ns_ = now_ns;
  if (start_tokens_ < 1) return Throttle("ConcurrentInvocationLimitExceeded");
  start_tokens_ -= 1;
  return {};
}

std::unique_ptr<Environment> LambdaPool::TakeWarm(const FunctionConfig& config) {
  while (true) {
    const auto fits = [&](const std::unique_ptr<Slot>& slot) {
      return slot->environment->config().revision == config.revision &&
             slot->environment->config().name == config.name;
    };
    const auto found = std::find_if(idle_.rbegin(), idle_.rend(), fits);
    if (found == idle_.rend()) return nullptr;
    if ((*found)->settling) {
      changed_.Wait(mutex_);
      continue;
    }
    std::unique_ptr<Environment> environment = std::move((*found)->environment);
    idle_.erase(std::next(found).base());
    return environment;
  }
}

Result<std::unique_ptr<Environment>> LambdaPool::StartCold(const LambdaCall& call, int number) {
  counters_.Count("lambda.cold_starts");
  const int64_t until_ns = clock_.MonotonicNs() + model_.DrawNs("lambda.cold_start");
  while (!stopping_) {
    const int64_t left_ns = until_ns - clock_.MonotonicNs();
    if (left_ns <= 0) break;
    const timespec pause = {0, std::min(left_ns, kStopPollNs)};
    nanosleep(&pause, nullptr);
  }
  EnvironmentOptions options;
  options.world = &options_.world;
  options.config = call.config;
  options.number = number;
  options.dir = options_.dir + "/" + std::to_string(number);
  options.code_dir = call.code_dir;
  options.limits.timeout = model_.Number("lambda.enforce_timeout") != 0;
  options.limits.memory = model_.Number("lambda.enforce_memory") != 0;
  options.limits.tmp = model_.Number("lambda.enforce_tmp") != 0;
  options.limits.syscalls = model_.Number("lambda.deny_syscalls") != 0;
  options.limits.freeze = model_.Number("lambda.freeze") != 0;
  options.limits.stopping = &stopping_;
  const auto max_answer = static_cast<uint64_t>(model_.Number("lambda.max_response"));
  options.limits.max_answer_bytes = max_answer == 0 ? UINT64_MAX : max_answer;
  options.keys = authority_.Issue(LabelOf(number), kKeysLifetimeS, call.config.role).keys;
  Result<std::unique_ptr<Environment>> environment =
      Environment::Start(std::move(options), logs_, clock_);
  if (!environment) authority_.Revoke(LabelOf(number));
  return environment;
}

Result<EnvironmentAnswer> LambdaPool::Invoke(const LambdaCall& call) {
  std::unique_ptr<Environment> environment;
  std::vector<std::unique_ptr<Environment>> dead;
  int number = 0;
  {
    const MutexLock lock(mutex_);
    TRY(Admit(call));
    while ((environment = TakeWarm(call.config)) && environment->HasEnded()) {
      dead.push_back(std::move(environment));
    }
    if (!environment) {
      TRY(AdmitStart());
      number = ++next_number_;
    }
    ++busy_count_;
    ++busy_[call.config.name];
  }
  for (auto& one : dead) End(std::move(one));
  if (!environment) {
    Result<std::unique_ptr<Environment>> started = StartCold(call, number);
    if (!started) {
      Finish(call, nullptr, false);
      if (started.error().code != Code::kInvalid) return std::move(started).error();
      EnvironmentAnswer answer;
      answer.failed = true;
      answer.report.id = call.job.id;
      answer.payload =
          ErrorPayload("Runtime.InvalidEntrypoint", call.job.id, started.error().message);
      return answer;
    }
    environment = std::move(started).value();
  }
  EnvironmentAnswer answer = environment->Invoke(call.job);
  counters_.Count("lambda.billed_ms", BilledMs(answer.report));
  Finish(call, std::move(environment), answer.reusable);
  return answer;
}

void LambdaPool::Finish(const LambdaCall& call, std::unique_ptr<Environment> environment,
                        bool reusable) {
  {
    const MutexLock lock(mutex_);
    --busy_count_;
    if (--busy_[call.config.name] == 0) busy_.erase(call.config.name);
    const auto forgotten = forgotten_ns_.find(call.config.name);
    const int64_t now_ns = clock_.MonotonicNs();
    reusable = reusable && environment && !stopping_ &&
               now_ns - environment->started_ns() < kMaxAgeNs &&
               (forgotten == forgotten_ns_.end() || forgotten->second < environment->started_ns());
    if (reusable) {
      environment->idle_since_ns = now_ns;
      idle_.push_back(std::make_unique<Slot>());
      idle_.back()->environment = std::move(environment);
    }
    changed_.NotifyAll();
  }
  if (environment) End(std::move(environment));
}

void LambdaPool::End(std::unique_ptr<Environment> environment) {
  authority_.Revoke(LabelOf(environment->number()));
  environment.reset();
}

void LambdaPool::Forget(const std::string& function) {
  std::vector<std::unique_ptr<Environment>> gone;
  {
    const MutexLock lock(mutex_);
    forgotten_ns_[function] = clock_.MonotonicNs();
    const auto is_its = [&](const std::unique_ptr<Slot>& slot) {
      return slot->environment->config().name == function;
    };
    while (std::any_of(idle_.begin(), idle_.end(),
                       [&](const auto& slot) { return is_its(slot) && slot->settling; })) {
      changed_.Wait(mutex_);
    }
    for (auto& slot : idle_) {
      if (is_its(slot)) gone.push_back(std::move(slot->environment));
    }
    std::erase_if(idle_, [](const auto& slot) { return slot->environment == nullptr; });
  }
  for (auto& environment : gone) End(std::move(environment));
}

std::vector<std::unique_ptr<Environment>> LambdaPool::TakeStale() {
  const int64_t oldest_ns = clock_.MonotonicNs() - options_.idle_ms * 1'000'000;
  std::vector<std::unique_ptr<Environment>> stale;
  for (auto& slot : idle_) {
    if (slot->settling) continue;
    if (slot->environment->idle_since_ns <= oldest_ns || slot->environment->HasEnded()) {
      stale.push_back(std::move(slot->environment));
    }
  }
  std::erase_if(idle_, [](const auto& slot) { return slot->environment == nullptr; });
  return stale;
}

// Looks at every idle one that is not frozen yet. True: one is left.
bool LambdaPool::SettleOne() {
  std::vector<Slot*> unsettled;
  {
    const MutexLock lock(mutex_);
    for (const auto& slot : idle_) {
      if (slot->environment->settled()) continue;
      slot->settling = true;
      unsettled.push_back(slot.get());
    }
  }
  bool left = false;
  for (Slot* slot : unsettled) {
    left = !slot->environment->Settle() || left;
    const MutexLock lock(mutex_);
    slot->settling = false;
    changed_.NotifyAll();
  }
  return left;
}

void LambdaPool::KeepHouse() {
  while (true) {
    const bool busy = SettleOne();
    std::vector<std::unique_ptr<Environment>> stale;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      stale = TakeStale();
    }
    for (auto& environment : stale) End(std::move(environment));
    const MutexLock lock(mutex_);
    if (!stopping_) changed_.WaitFor(mutex_, busy ? kSettlePollMs : kHousekeepingMs);
  }
}

}  // namespace llama::emulator
