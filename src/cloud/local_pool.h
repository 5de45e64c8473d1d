// The embedded cloud's functions: worker processes on this machine, one job each at a time, started
// on demand up to a limit, kept warm, reaped when idle. Each talks Lambda's Runtime API as HTTP/1.1
// over one inherited socket (AWS_LAMBDA_RUNTIME_API=fd:3), and fetches the store's objects over the
// same connection, so it needs neither network nor file system of ours: it also runs in a bare
// chroot.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "job/function_client.h"
#include "store/object_store.h"

namespace llama::cloud {

// Of a request and of an answer. The socket would take more; memory, a thousand at once, would not.
inline constexpr uint64_t kMaxLocalPayloadBytes = 256ull << 20;

struct LocalPoolOptions {
  std::string worker_program;  // path of llama-runtime
  std::vector<std::string>
      launcher;     // a command to put before it (LLAMA_WORKER_LAUNCHER), or empty
  std::string dir;  // workers get dir/<pool>/<n>; what pools that are no more left there goes
  int max_workers = 1;
  int64_t idle_timeout_ms = 300'000;
  int64_t memory_mb = 1769;  // what a function of that speed has; for the price
  uint64_t mirror_max_bytes = uint64_t{4} << 30;
  int64_t grace_ms = 3000;  // for a worker that is let go to kill its command and clean up
};

struct PoolStats {
  int workers = 0;
  int busy = 0;
  int waiting = 0;
  int64_t started = 0;  // ever
  int64_t crashed = 0;
  int64_t store_gets = 0;
  int64_t store_get_bytes = 0;
  std::vector<pid_t> pids;  // of its workers
};

class LocalPool final : public job::FunctionClient {
 public:
  // `store` must outlive the pool. The destructor kills every worker, waits for it and removes
  // what the pool has made below `dir` (cloud/pool_folder.h).
  static Result<std::unique_ptr<LocalPool>> Start(const LocalPoolOptions& options,
                                                  store::ObjectStore& store);
  ~LocalPool() override;

  Result<job::Invocation> Invoke(std::string_view payload,
                                 const job::InvokeOptions& options) override;
  uint64_t max_payload_bytes() const override;
  std::string name() const override;
  PoolStats stats() const;

 private:
  class Impl;
  explicit LocalPool(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::cloud
