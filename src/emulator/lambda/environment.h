// Environment: one instance of a function, as Lambda calls it: a sandbox that runs its bootstrap,
// and the Runtime API that it gets its work from. Serves one invocation at a time, and stays warm
// in between.
//
// Used by one thread at a time, whoever took it from the pool.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "emulator/lambda/function.h"
#include "emulator/lambda/logs.h"
#include "emulator/lambda/messages.h"
#include "emulator/lambda/runtime_api.h"
#include "emulator/sandbox/sandbox.h"
#include "signing/sigv4.h"

namespace llama::emulator {

// What every environment of an emulator has in common.
struct EnvironmentWorld {
  std::string region;
  std::string endpoint;  // of the emulator itself, for the function's AWS_ENDPOINT_URL
  std::string ca_pem;    // that vouches for it; empty: the system's
  Isolation isolation = Isolation::kNone;
  bool bare_root = false;
};

struct EnvironmentLimits {
  bool timeout = true;
  bool memory = true;
  bool tmp = true;
  bool syscalls = true;
  bool freeze = true;
  uint64_t max_answer_bytes = 6'291'556;
  const std::atomic<bool>* stopping = nullptr;  // true: ends the invocation, and the environment
};

struct EnvironmentOptions {
  const EnvironmentWorld* world = nullptr;  // outlives the environment
  FunctionConfig config;
  EnvironmentLimits limits;
  int number = 0;
  std::string dir;  // of its own, removed at its end
  std::string code_dir;
  signing::Keys keys;
};

struct EnvironmentJob {
  std::string id;
  std::string function_arn;
  std::string trace_id;
  std::string client_context;
  std::string_view payload;
};

struct EnvironmentAnswer {
  std::string payload;
  bool failed = false;    // the payload is an error
  bool reusable = false;  // the environment may serve another invocation
  std::string log_tail;   // of this invocation, 4 KB at most
  InvocationReport report;
};

class Environment {
 public:
  // The program is started and its start not awaited. kInvalid: it can't be executed; anything else
  // is the emulator's own trouble.
  static Result<std::unique_ptr<Environment>> Start(EnvironmentOptions options, LambdaLogs& logs,
                                                    const Clock& clock);
  ~Environment();

  EnvironmentAnswer Invoke(const EnvironmentJob& job);

  // After an invocation: freezes once the function has asked for the next. True when there is
  // nothing more to do.
  bool Settle();
  bool settled() const { return settled_; }
  bool HasEnded() const { return sandbox_->HasEnded(); }

  const FunctionConfig& config() const { return options_.config; }
  int number() const { return options_.number; }
  int64_t idle_since_ns = 0;  // the pool's
  int64_t started_ns() const { return started_ns_; }

 private:
  struct Run;  // an invocation under way

  Environment(EnvironmentOptions options, LambdaLogs& logs, const Clock& clock);
  Result<void> StartProgram();
  std::vector<std::string> Variables(const SandboxPaths& paths) const;
  void AwaitInit(Run& run);
  void Serve(Run& run, const EnvironmentJob& job);
  void Judge(Run& run, RuntimeAnswer answer);
  void EndBadly(Run& run, const Error& error);
  bool IsOverLimit(Run& run);
  void Print(std::string_view text);
  void DrainOutput();

  const EnvironmentOptions options_;
  LambdaLogs& logs_;
  const Clock& clock_;
  std::string log_group_;
  std::string log_stream_;
  std::string tail_;
  Fd output_;  // a file that the program appends to
  int64_t output_read_ = 0;
  std::unique_ptr<RuntimeApi> api_;
  std::unique_ptr<Sandbox> sandbox_;
  int64_t started_ns_ = 0;
  bool fresh_ = true;
  bool frozen_ = false;
  bool settled_ = false;
};

}  // namespace llama::emulator
