// The Lambda front: control API, invocations and the environments behind them. What it emulates,
// and what not, is in docs/emulator.md. Thread-safe.
//
//   Server::Listen ─▶ Open (with its port) ─▶ Router::Add ─▶ Server::Run … Stop, before the
//   server's ─▶ destructor
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "emulator/lambda/control.h"
#include "emulator/lambda/events.h"
#include "emulator/lambda/logs.h"
#include "emulator/lambda/pool.h"
#include "emulator/lambda/registry.h"
#include "emulator/request/authority.h"
#include "emulator/request/message.h"
#include "emulator/request/model.h"
#include "emulator/server/request_log.h"

namespace llama::emulator {

struct LambdaOptions {
  std::string
      dir;  // functions are kept in `dir`/functions, environments live in `dir`/environments
  bool bare_root = false;     // nothing of this machine's programs in an environment
  int64_t idle_ms = 300'000;  // an environment is killed after that
  std::string endpoint;       // "https://127.0.0.1:4566", for what functions call
  std::string ca_pem;         // vouches for it
};

class LambdaFront final : public Handler {
 public:
  // All but the options must outlive the front. kInvalid: a bare root is not to be had here, or a
  // file of `dir` is damaged.
  static Result<std::unique_ptr<LambdaFront>> Open(const LambdaOptions& options, FetchObject fetch,
                                                   Authority& authority, Model& model,
                                                   RequestLog& counters, const Clock& clock);
  ~LambdaFront() override;

  Response Handle(const Request& request, const Exchange& exchange) override;
  // Ends what functions are doing, so that their callers get an answer soon.
  void Stop();

  LambdaLogs& logs() { return logs_; }
  // "namespaces, bare root": how environments are confined here.
  std::string Confinement() const;

 private:
  LambdaFront(Authority& authority, Model& model, const Clock& clock)
      : authority_(authority), model_(model), clock_(clock) {}

  // access.cc
  Result<void> CheckRole(const Request& request, const Access& access, const FunctionName& name,
                         std::string_view operation) const;
  // Of a request that gives a function a role.
  Result<void> CheckRoleOf(const Request& request) const;
  Result<void> CheckGrant(const FunctionConfig& config) const;

  Result<Response> Route(const Request& request, const Exchange& exchange, const Access& access,
                         Response& logged);
  Result<Response> RouteFunction(const Request& request, const Exchange& exchange,
                                 const std::vector<std::string>& path, const Access& access,
                                 Response& logged);
  Result<Response> Invoke(const Request& request, const Exchange& exchange,
                          const FunctionName& name, Response& logged);
  Response InvokeNow(const LambdaCall& call, bool with_log);
  Result<Response> InvokeLater(const Request& request, const FunctionName& name,
                               const LambdaCall& call);
  Result<LambdaCall> MakeCall(const FunctionName& name) const;
  EventQueue::Outcome WorkOff(const LambdaEvent& event);

  Authority& authority_;
  Model& model_;
  const Clock& clock_;
  EnvironmentWorld world_;
  LambdaLogs logs_;
  std::unique_ptr<FunctionRegistry> registry_;
  std::unique_ptr<LambdaPool> pool_;
  std::unique_ptr<LambdaControl> control_;
  std::unique_ptr<EventQueue> events_;
};

// TooManyRequestsException with one of Lambda's reasons.
Response ThrottleResponse(std::string_view reason);

// Of a request that is no invocation: 50 MB of code as base64, and what surrounds it. (Lambda takes
// 70 MB.)
inline constexpr uint64_t kMaxControlBytes = 70ull << 20;

}  // namespace llama::emulator
