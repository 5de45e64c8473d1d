// The daemon's server: one epoll loop that owns every connection and never waits for any of them.
//
//   loop thread    accepts, reads and writes frames without blocking, notices hang-ups, grants
//                  local slots, sends keep-alives, decides when to end
//   job threads    run Pipeline::Start and Job::Run, one job each; their number is bounded, more
//                  connections than that queue
//   one more       runs everything else of the pipeline in order (SlotGranted, Finished, builds,
//                  ticks), so that a slow disk does not stop the loop and a build's end comes
//                  after the end of its compiles
//
// It ends when it was idle for long enough, on Stop, on a signal, when an idle one meets a wrapper
// of another build, and, once its jobs have ended, when its socket is no longer the one at its
// path. That it sees at once (by inotify on the folder), or within a second (a folder above was
// moved).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "admission/cpu_admission.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "daemon/server/job.h"

namespace llama::daemon {

struct ServerOptions {
  std::string run_dir;  // holds the socket
  std::string build_id;
  admission::CpuAdmission* cpu = nullptr;  // for local slots; outlives the server
  int max_jobs = 1100;
  size_t max_connections = 4096;  // more wait in the listening socket's backlog
  int64_t idle_timeout_ms = 600'000;
  int64_t keep_alive_ms = 5'000;
  int64_t greeting_ms = 10'000;     // from accept to a whole Hello
  int64_t stop_grace_ms = 10'000;   // for running jobs, before they are cancelled
  int64_t cancel_grace_ms = 5'000;  // for cancelled jobs, before they are given up
  int signal_fd = -1;               // a signalfd of what means "stop"; the caller's
  // Called once, on the loop's thread, when the socket is no longer the one at its path: nobody new
  // comes, and another daemon may start while the jobs of this one end.
  std::function<void()> on_socket_lost;
  const Clock* clock = &SystemClock();
};

class Server {
 public:
  // Listens from here on: a connection that is made before Run is answered by it.
  static Result<std::unique_ptr<Server>> Listen(const ServerOptions& options, Pipeline& pipeline);
  ~Server();

  // Serves until the end. kDeadline if jobs did not end although they were cancelled: their threads
  // still use the pipeline, and the process must end without taking it down.
  Result<void> Run();
  // As the Stop message does. Thread-safe.
  void Stop();

 private:
  class Loop;
  explicit Server(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace llama::daemon
