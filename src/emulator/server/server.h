// The emulator's HTTP server: a thread per connection, bounded, that reads requests, lets a Handler
// answer, and applies the model to the answer (latency, bandwidth, faults).
//
// It is made for experiments and tests on one machine, not for strangers: what it bounds (heads,
// bodies, connections, waits) it bounds so that a broken client costs little.
//
// The Lambda front's Runtime API may use a Server of its own on another port.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/request/message.h"
#include "emulator/request/model.h"
#include "emulator/server/body_room.h"
#include "emulator/server/request_log.h"

namespace llama::emulator {

class Lines;

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  // PEM files; both empty: plain HTTP.
  std::string certificate_file;
  std::string key_file;
  int max_connections = 4000;
  uint64_t max_body_bytes = uint64_t{512} << 20;
  uint64_t body_room_bytes = uint64_t{2} << 30;  // of all bodies above 8 MiB together
  int64_t idle_ms = 60'000;                      // between requests of a connection
  int64_t slow_ms = 60'000;                      // for a head, and for any progress of a body
};

class Server {
 public:
  // Listens; connections are served once Run is called. `handler` and `clock` outlive the server,
  // as do `model` (nullptr: no latencies and faults) and `log` (nullptr: none).
  static Result<std::unique_ptr<Server>> Listen(const ServerOptions& options, Handler& handler,
                                                Model* model, RequestLog* log, const Clock& clock);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  uint16_t port() const { return port_; }
  // Accepts until Stop, then lets the requests under way end, for 5 s; what is left is cut off.
  void Run();
  // From any thread, or a signal handler.
  void Stop();

 private:
  struct Tls;
  Server(ServerOptions options, Handler& handler, Model* model, RequestLog* log,
         const Clock& clock);
  Result<void> Open();
  void Accept();
  void Serve(Fd socket, std::string peer);

  const ServerOptions options_;
  Handler& handler_;
  RequestLog* const log_;
  const Clock& clock_;
  BodyRoom room_;
  std::unique_ptr<Lines> lines_;
  std::unique_ptr<Tls> tls_;
  uint16_t port_ = 0;
  Fd listener_;
  Fd drain_fd_;  // readable: take no more requests
  Fd stop_fd_;   // readable: end at once
  std::atomic<uint64_t> next_id_{1};

  Mutex mutex_;
  CondVar ended_;
  int connections_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::emulator
