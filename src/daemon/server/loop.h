// The inside of daemon/server/server.h. Everything here runs on the loop thread but for what says
// otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admission/cpu_admission.h"
#include "base/fd.h"
#include "base/file_identity.h"
#include "base/mutex.h"
#include "daemon/server/connection.h"
#include "daemon/server/job_threads.h"
#include "daemon/server/server.h"

namespace llama::daemon {

class Server::Loop {
 public:
  using Id = uint64_t;

  Loop(const ServerOptions& options, Pipeline& pipeline);
  ~Loop();
  Result<void> Listen();
  Result<void> Run();
  void RequestStop();  // any thread

 private:
  // What a job thread hands back.
  struct Completion {
    Id id = 0;
    bool local = false;
    std::string frame;  // to send: Result, RunLocally, or another request's answer
    std::shared_ptr<RunningJob> running;  // of a compile or command; no job: it was malformed
  };
  struct WaitingEnd {
    Id id = 0;
    session::EndBuild build;
    int64_t since_ns = 0;
    int busy_passes = 0;
  };

  // Events (server.cc).
  Result<void> WatchInput(int fd, Id id);
  void HandleEvent(Id id, uint32_t events);
  void OnWake();
  void OnSignal();
  void Accept();
  void OnConnectionEvent(Id id, uint32_t events);
  void Watch(Id id, Connection& connection);
  void PauseAccepting(bool pause);

  // Time (server.cc).
  void OnTick(int64_t now_ns);
  int64_t RoundNs() const;
  void LookAround(int64_t now_ns);
  void CheckSocketPath();
  int WaitMs() const;
  bool OwnsSocketPath() const;
  void WatchRunFolder();
  void OnFolderChange();

  // The end (server.cc).
  bool Idle() const;  // nothing is served but connections that only ask
  void BeginStop(const char* why);
  void AdvanceStop(int64_t now_ns);
  void CloseIdleConnections();
  void CancelEverything();
  bool Ended() const;

  // Requests (requests.cc). False: the connection is to be closed.
  bool OnFrame(Id id, Connection& connection, session::Frame frame);
  bool OnHello(Id id, Connection& connection, const std::string& body);
  bool OnRequest(Id id, Connection& connection, session::Frame& frame);
  Result<std::unique_ptr<Job>> JobOf(const session::Frame& frame, int64_t received_ns);
  static std::string FrameOf(const Verdict& verdict);
  bool StartJob(Id id, Connection& connection, session::Frame frame);
  bool Serve(Id id, Connection& connection, std::function<std::string()> answer);
  bool ServeStatus(Id id, Connection& connection, const std::string& body);
  session::Status StatusNow() const;
  bool OnScrape(Id id, Connection& connection);
  void StartWaitingEnds(bool quiet, int64_t now_ns);
  void ForgetBuild(const std::string& build_id);
  void AbandonBuilds(int64_t now_ns);

  void TakeCompletions();
  void OnCompletion(Completion completion);
  void GrantSlots();
  bool SendTo(Id id, Connection& connection, std::string frame);
  void Close(Id id);
  void FinishLater(std::shared_ptr<RunningJob> running, std::optional<session::Done> done);
  void Complete(Completion completion);  // any thread
  void Wake();                           // any thread

  int64_t MonotonicNs() const { return options_.clock->MonotonicNs(); }

  static constexpr Id kListener = 1;
  static constexpr Id kWake = 2;
  static constexpr Id kSignal = 3;
  static constexpr Id kFolder = 4;
  static constexpr Id kFirstConnection = 16;

  const ServerOptions options_;
  Pipeline& pipeline_;
  const int64_t start_ns_;
  Fd epoll_;
  Fd listener_;
  Fd wake_;    // an eventfd: completions, stop
  Fd folder_;  // inotify on run_dir; invalid where there is none
  FileId socket_id_;

  std::map<Id, Connection> connections_;
  Id next_id_ = kFirstConnection;
  // Jobs that still run for a connection that is gone.
  std::map<Id, std::shared_ptr<RunningJob>> orphans_;
  std::vector<WaitingEnd> waiting_ends_;
  std::map<std::string, int64_t> lost_builds_;  // since when their connection is gone (monotonic)
  bool accepting_ = false;
  bool socket_lost_ = false;
  std::atomic<bool> ticking_{false};  // a Tick of the pipeline is under way
  bool stopping_ = false;
  bool cancelled_ = false;
  int64_t stop_ns_ = 0;
  int64_t cancel_ns_ = 0;
  int64_t last_tick_ns_ = 0;
  int64_t last_round_ns_ = 0;
  int64_t last_activity_ns_ = 0;

  Mutex mutex_;
  std::vector<Completion> completions_ GUARDED_BY(mutex_);
  bool stop_requested_ GUARDED_BY(mutex_) = false;

  // Last, so that they are gone before what their tasks use.
  JobThreads after_{1};
  JobThreads jobs_;
};

}  // namespace llama::daemon
