// LambdaPool: the environments there are. An invocation takes the warmest that fits, or starts one;
// idle ones freeze, and go after a while. Concurrency and its ramp are limited as the model says,
// with Lambda's throttles. Thread-safe; Invoke blocks its caller, who drives the environment.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/lambda/environment.h"
#include "emulator/lambda/logs.h"
#include "emulator/request/authority.h"
#include "emulator/request/model.h"
#include "emulator/server/request_log.h"

namespace llama::emulator {

struct LambdaPoolOptions {
  std::string dir;  // of environments; wiped on start
  EnvironmentWorld world;
  int64_t idle_ms = 300'000;
};

struct LambdaCall {
  FunctionConfig config;
  std::string code_dir;
  std::optional<int64_t> reserved_concurrency;
  EnvironmentJob job;
};

class LambdaPool {
 public:
  // All but the options must outlive the pool.
  static Result<std::unique_ptr<LambdaPool>> Start(const LambdaPoolOptions& options,
                                                   Authority& authority, Model& model,
                                                   RequestLog& counters, LambdaLogs& logs,
                                                   const Clock& clock);
  // Kills every environment. No Invoke may be under way.
  ~LambdaPool();

  // TooManyRequestsException with its reason before it, "Reason|…", when throttled (see
  // ThrottleReason); other errors are the emulator's own trouble.
  Result<EnvironmentAnswer> Invoke(const LambdaCall& call) EXCLUDES(mutex_);
  // The function has changed or gone: its idle environments end, busy ones after their work.
  void Forget(const std::string& function) EXCLUDES(mutex_);
  // Ends what runs: every Invoke returns soon.
  void Stop();

  struct Stats {
    int busy = 0;
    int idle = 0;
  };
  Stats stats() const EXCLUDES(mutex_);

 private:
  struct Slot {
    std::unique_ptr<Environment> environment;
    bool settling = false;  // the housekeeper is at it
  };
  using Slots = std::vector<std::unique_ptr<Slot>>;

  LambdaPool(LambdaPoolOptions options, Authority& authority, Model& model, RequestLog& counters,
             LambdaLogs& logs, const Clock& clock);
  Result<void> Admit(const LambdaCall& call) REQUIRES(mutex_);
  Result<void> AdmitStart() REQUIRES(mutex_);
  // A warm one, or nothing.
  std::unique_ptr<Environment> TakeWarm(const FunctionConfig& config) REQUIRES(mutex_);
  Result<std::unique_ptr<Environment>> StartCold(const LambdaCall& call, int number);
  void Finish(const LambdaCall& call, std::unique_ptr<Environment> environment, bool reusable)
      EXCLUDES(mutex_);
  void End(std::unique_ptr<Environment> environment);
  std::vector<std::unique_ptr<Environment>> TakeStale() REQUIRES(mutex_);
  void KeepHouse() EXCLUDES(mutex_);
  bool SettleOne() EXCLUDES(mutex_);

  const LambdaPoolOptions options_;
  Authority& authority_;
  Model& model_;
  RequestLog& counters_;
  LambdaLogs& logs_;
  const Clock& clock_;
  std::atomic<bool> stopping_ = false;

  mutable Mutex mutex_;
  CondVar changed_;
  Slots idle_ GUARDED_BY(mutex_);                           // the last is the warmest
  std::map<std::string, int64_t> busy_ GUARDED_BY(mutex_);  // by function
  int busy_count_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, int64_t> forgotten_ns_ GUARDED_BY(mutex_);  // by function
  int next_number_ GUARDED_BY(mutex_) = 0;
  double start_tokens_ GUARDED_BY(mutex_) = -1;  // of the ramp; below 0: not begun
  int64_t tokens_ns_ GUARDED_BY(mutex_) = 0;     // when they were counted last

  std::thread housekeeper_;
};

// Of a throttled Invoke's error; nullopt: it is another error.
std::optional<std::string> ThrottleReason(const Error& error);

}  // namespace llama::emulator
