#include "cloud/local_pool.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/file_identity.h"
#include "base/log.h"
#include "base/mutex.h"
#include "cloud/pool_folder.h"
#include "cloud/runtime_server.h"
#include "cloud/worker_process.h"
#include "job/lambda_bill.h"
#include "trace/names.h"

namespace llama::cloud {
namespace {

// What an Invoke that waits for a free worker costs, a thousand at once, is what sets the first;
// what a cancelled command still burns sets the second, and the third where it has run for long: of
// the daemon's time for a compile of seconds, looking five times a second was a quarter.
constexpr int64_t kQueuePollMs = 250;
constexpr int kRunPollMs = 500;
constexpr int kMaxRunPollMs = 1000;
constexpr int64_t kHousekeepingMs = 1000;
constexpr int64_t kStartTimeoutMs = 20'000;
constexpr int kMaxFailedStarts = 3;
constexpr int64_t kBackOffNs = 5'000'000'000;

struct Worker {
  int number = 0;
  std::string dir;
  std::string log_path;
  std::unique_ptr<WorkerProcess> process;
  std::unique_ptr<RuntimeServer> server;
  bool fresh = true;  // has not asked for its first job yet
  int64_t started_ns = 0;
  int64_t idle_since_ns = 0;
  FileId dir_id;  // none: its folder is out of sight, in a root of its own

  // Whether its folder is the one that it began with; people remove them to begin anew.
  bool HasItsDir() const { return dir_id == FileId{} || dir_id == IdOfItself(dir); }
  // Ends the process, with the grace to clean up after itself, and removes what it had.
  void End(int64_t grace_ms) {
    server->Close();
    process->End(grace_ms);
    // What has come to its place meanwhile is another's; mostly it has removed its own by itself.
    if (!HasItsDir() && access(dir.c_str(), F_OK) == 0) return;
    if (Result<void> removed = RemoveTree(dir); !removed) LOG(kWarning, removed.error().message);
    if (Result<void> removed = RemoveTree(log_path); !removed) {
      LOG(kWarning, removed.error().message);
    }
  }

  // The end of what it said on stderr.
  std::string LastWords() const {
    const Result<std::string> log = ReadFile(log_path, 1 << 20);
    if (!log || log->empty()) return "";
    return ": " + log->substr(log->size() - std::min<size_t>(log->size(), 500));
  }
};

}  // namespace

class LocalPool::Impl {
 public:
  Impl(const LocalPoolOptions& options, PoolFolder folder, store::ObjectStore& store)
      : options_(options),
        store_(store),
        folder_(std::move(folder)),
        housekeeper_([this] { KeepHouse(); }) {}
  ~Impl();

  Result<job::Invocation> Invoke(std::string_view payload, const job::InvokeOptions& options);
  PoolStats stats() const;

 private:
  struct Call;

  Result<job::Invocation> RunCall(Call& call) EXCLUDES(mutex_);
  Result<std::unique_ptr<Worker>> Acquire(Call& call) EXCLUDES(mutex_);
  bool MayTake(const Call& call) const REQUIRES(mutex_);
  bool BacksOff() const REQUIRES(mutex_);
  Result<std::unique_ptr<Worker>> StartWorker(int number) EXCLUDES(mutex_);
  Result<std::string> FolderPath() EXCLUDES(folder_mutex_);
  Error Died(Worker& worker, const Error& cause) EXCLUDES(mutex_);
  void Release(std::unique_ptr<Worker> worker) EXCLUDES(mutex_);
  void Discard(std::unique_ptr<Worker> worker) EXCLUDES(mutex_);
  void CountStart(bool good) EXCLUDES(mutex_);
  void WakeFirst() REQUIRES(mutex_);
  std::vector<std::unique_ptr<Worker>> TakeStale() REQUIRES(mutex_);
  void KeepHouse() EXCLUDES(mutex_);

  const LocalPoolOptions options_;
  store::ObjectStore& store_;
  const Clock& clock_ = SystemClock();
  StoreTraffic traffic_;
  std::atomic<bool> stopping_ = false;

  Mutex folder_mutex_;
  PoolFolder folder_ GUARDED_BY(folder_mutex_);

  mutable Mutex mutex_;
  CondVar changed_;                                               // stopping_, or calls_ fell
  std::deque<Call*> queue_ GUARDED_BY(mutex_);                    // first come, first served
  std::vector<std::unique_ptr<Worker>> idle_ GUARDED_BY(mutex_);  // the last is the warmest
  int workers_ GUARDED_BY(mutex_) = 0;                            // idle, busy, starting or ending
  std::set<pid_t> pids_ GUARDED_BY(mutex_);
  int calls_ GUARDED_BY(mutex_) = 0;
  int next_number_ GUARDED_BY(mutex_) = 0;
  int failed_starts_ GUARDED_BY(mutex_) = 0;  // in a row
  int64_t back_off_until_ns_ GUARDED_BY(mutex_) = 0;
  int64_t started_ GUARDED_BY(mutex_) = 0;
  int64_t crashed_ GUARDED_BY(mutex_) = 0;

  std::thread housekeeper_;
};

// One Invoke under way.
struct LocalPool::Impl::Call {
  std::string_view payload;
  const job::InvokeOptions& options;
  const Impl& pool;
  int64_t begin_ns;
  int64_t deadline_ns;
  CondVar turn;

  Result<void> CheckStop() const {
    if (pool.stopping_ || (options.cancelled && options.cancelled())) {
      return Error{Code::kCancelled, "invocation cancelled"};
    }
    if (pool.clock_.MonotonicNs() >= deadline_ns) {
      return Error{Code::kDeadline,
                   "no answer after " + std::to_string(options.timeout_ms) + " ms"};
    }
    return {};
  }
  http::Wait WaitUntil(int64_t until_ns, const WorkerProcess& process) const {
    http::Wait wait;
    wait.stop_fd = process.end_fd();
    wait.deadline_ns = std::min(until_ns, deadline_ns);
    wait.cancelled = [this] {
      return pool.stopping_ || (options.cancelled && options.cancelled());
    };
    wait.poll_ms = kRunPollMs;
    wait.max_poll_ms = kMaxRunPollMs;
    return wait;
  }
};

LocalPool::Impl::~Impl() {
  std::vector<std::unique_ptr<Worker>> workers;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    for (Call* call : queue_) call->turn.NotifyAll();
    changed_.NotifyAll();
    while (calls_ > 0) changed_.Wait(mutex_);
    workers = std::move(idle_);
  }
  housekeeper_.join();
  // All are told before any is waited for.
  for (const auto& worker : workers) worker->server->Close();
  for (const auto& worker : workers) worker->End(options_.grace_ms);
  const MutexLock lock(folder_mutex_);
  folder_.Remove();
}

Result<job::Invocation> LocalPool::Impl::Invoke(std::string_view payload,
                                                const job::InvokeOptions& options) {
  if (payload.size() > kMaxLocalPayloadBytes) {
    return Error{Code::kInvalid, "payload of " + std::to_string(payload.size()) + " bytes"};
  }
  const int64_t now_ns = clock_.MonotonicNs();
  Call call{payload, options, *this, now_ns, now_ns + options.timeout_ms * 1'000'000, {}};
  {
    const MutexLock lock(mutex_);
    ++calls_;
  }
  Result<job::Invocation> result = RunCall(call);
  const MutexLock lock(mutex_);
  --calls_;
  if (stopping_) changed_.NotifyAll();
  return result;
}

Result<job::Invocation> LocalPool::Impl::RunCall(Call& call) {
  job::Invocation invocation;
  std::unique_ptr<Worker> worker;
  while (true) {
    ASSIGN_OR_RETURN(worker, Acquire(call));
    const http::Wait start =
        call.WaitUntil(clock_.MonotonicNs() + kStartTimeoutMs * 1'000'000, *worker->process);
    Result<void> ready = worker->server->AwaitReady(start);
    const bool fresh = worker->fresh;
    // It may have asked for a job before it died.
    if (ready && !fresh && worker->process->HasEnded()) {
      ready = Error{Code::kUnavailable, "died while idle"};
    }
    if (ready && !fresh && !worker->HasItsDir()) {
      ready = Error{Code::kUnavailable, "its folder is gone"};
    }
    if (ready) {
      if (fresh) {
        CountStart(true);
        worker->dir_id = IdOfItself(worker->dir);
      }
      break;
    }
    // A start that its caller gave up says nothing about the program.
    Result<void> stop = call.CheckStop();
    if (fresh && stop) CountStart(false);
    const Error died = Died(*worker, ready.error());
    Discard(std::move(worker));
    TRY(std::move(stop));
    // One that died while idle is not this job's failure.
    if (fresh) return Error{Code::kUnavailable, "cannot start a worker: " + died.message};
  }
  const int64_t ready_ns = clock_.MonotonicNs();
  invocation.cold_start = worker->fresh;
  if (worker->fresh) invocation.init_ns = ready_ns - worker->started_ns;
  invocation.queued_ns = ready_ns - call.begin_ns - invocation.init_ns;
  worker->fresh = false;

  const int64_t left_ms = (call.deadline_ns - ready_ns) / 1'000'000;
  Result<std::string> answer =
      worker->server->Run(call.payload, clock_.NowNs() / 1'000'000 + left_ms,
                          call.WaitUntil(call.deadline_ns, *worker->process));
  const int64_t ran_ns = clock_.MonotonicNs() - ready_ns + invocation.init_ns;
  job::SetBill({(ran_ns + 999'999) / 1'000'000, options_.memory_mb}, invocation);
  if (answer) {
    Release(std::move(worker));
    invocation.payload = std::move(answer).value();
    return invocation;
  }
  if (answer.error().code == Code::kRemoteFailed) {
    Release(std::move(worker));
    return std::move(answer).error();
  }
  Result<void> stop = call.CheckStop();
  const Error died = Died(*worker, answer.error());
  Discard(std::move(worker));
  TRY(std::move(stop));
  return Error{Code::kUnavailable, died.message};
}

bool LocalPool::Impl::BacksOff() const {
  return failed_starts_ >= kMaxFailedStarts && clock_.MonotonicNs() < back_off_until_ns_;
}

bool LocalPool::Impl::MayTake(const Call& call) const {
  if (queue_.front() != &call) return false;
  return !idle_.empty() || (workers_ < options_.max_workers && !BacksOff());
}

Result<std::unique_ptr<Worker>> LocalPool::Impl::Acquire(Call& call) {
  int number = 0;
  {
    const MutexLock lock(mutex_);
    queue_.push_back(&call);
    Result<void> stop = call.CheckStop();
    while (stop && !MayTake(call)) {
      if (workers_ == 0 && BacksOff()) {
        stop = Error{Code::kUnavailable, "workers do not start"};
        break;
      }
      const int64_t left_ms = (call.deadline_ns - clock_.MonotonicNs()) / 1'000'000 + 1;
      call.turn.WaitFor(mutex_, std::min(left_ms, kQueuePollMs));
      stop = call.CheckStop();
    }
    queue_.erase(std::find(queue_.begin(), queue_.end(), &call));
    if (!stop) {
      WakeFirst();
      return std::move(stop).error();
    }
    if (!idle_.empty()) {
      std::unique_ptr<Worker> worker = std::move(idle_.back());
      idle_.pop_back();
      WakeFirst();
      return worker;
    }
    ++workers_;
    ++started_;
    number = ++next_number_;
    WakeFirst();
  }
  Result<std::unique_ptr<Worker>> worker = StartWorker(number);
  if (!worker) {
    CountStart(false);
    Discard(nullptr);
    return Error{Code::kUnavailable, "cannot start a worker: " + worker.error().message};
  }
  return worker;
}

// Made anew where it is gone: who removes it wants workers that begin with nothing.
Result<std::string> LocalPool::Impl::FolderPath() {
  const MutexLock lock(folder_mutex_);
  if (!folder_.IsInPlace()) {
    LOG(kWarning, folder_.path() + " is gone or another's: making it anew");
    folder_.Remove();
    ASSIGN_OR_RETURN(folder_, PoolFolder::Claim(options_.dir));
  }
  return folder_.path();
}

Result<std::unique_ptr<Worker>> LocalPool::Impl::StartWorker(int number) {
  ASSIGN_OR_RETURN(const std::string folder, FolderPath());
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return ErrnoError(errno, "socketpair");
  }
  Fd ours(sockets[0]);
  const Fd theirs(sockets[1]);
  auto worker = std::make_unique<Worker>();
  worker->number = number;
  worker->dir = JoinPath(folder, std::to_string(number));
  worker->log_path = worker->dir + ".log";
  worker->started_ns = clock_.MonotonicNs();
  SpawnOptions spawn;
  spawn.argv = options_.launcher;
  spawn.argv.push_back(options_.worker_program);
  spawn.env = {"AWS_LAMBDA_RUNTIME_API=fd:3", "LLAMA_WORKER_DIR=" + worker->dir,
               "LLAMA_WORKER_MAX_BYTES=" + std::to_string(options_.mirror_max_bytes),
               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  spawn.socket = theirs.get();
  spawn.log_path = worker->log_path;
  Result<std::unique_ptr<WorkerProcess>> process = WorkerProcess::Spawn(spawn);
  if (!process) {
    TRY(RemoveTree(worker->log_path));
    return std::move(process).error();
  }
  worker->process = std::move(process).value();
  {
    const MutexLock lock(mutex_);
    pids_.insert(worker->process->pid());
  }
  worker->server = std::make_unique<RuntimeServer>(std::move(ours), store_, clock_, traffic_);
  return worker;
}

Error LocalPool::Impl::Died(Worker& worker, const Error& cause) {
  const bool by_itself = cause.code == Code::kNotFound || cause.code == Code::kUnavailable ||
                         worker.process->HasEnded();
  worker.server->Close();
  worker.process->End(options_.grace_ms);
  const std::string words = worker.LastWords();
  LOG(kDebug, "worker " + std::to_string(worker.number) + " " + worker.process->Fate() + words);
  if (by_itself) {
    const MutexLock lock(mutex_);
    ++crashed_;
  }
  return Error{Code::kUnavailable,
               by_itself ? "worker " + worker.process->Fate() + words : cause.message};
}

void LocalPool::Impl::Release(std::unique_ptr<Worker> worker) {
  worker->idle_since_ns = clock_.MonotonicNs();
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(worker));
  if (idle_.size() == 1) changed_.NotifyAll();  // the housekeeper looks seldom while there is none
  WakeFirst();
}

void LocalPool::Impl::Discard(std::unique_ptr<Worker> worker) {
  if (worker) worker->End(options_.grace_ms);
  const MutexLock lock(mutex_);
  if (worker) pids_.erase(worker->process->pid());
  --workers_;
  WakeFirst();
}

void LocalPool::Impl::CountStart(bool good) {
  const MutexLock lock(mutex_);
  failed_starts_ = good ? 0 : failed_starts_ + 1;
  if (!good) back_off_until_ns_ = clock_.MonotonicNs() + kBackOffNs;
}

void LocalPool::Impl::WakeFirst() {
  if (!queue_.empty()) queue_.front()->turn.NotifyOne();
}

std::vector<std::unique_ptr<Worker>> LocalPool::Impl::TakeStale() {
  const int64_t oldest_ns = clock_.MonotonicNs() - options_.idle_timeout_ms * 1'000'000;
  std::vector<std::unique_ptr<Worker>> stale;
  for (auto& worker : idle_) {
    if (worker->idle_since_ns <= oldest_ns || worker->process->HasEnded()) {
      stale.push_back(std::move(worker));
    }
  }
  std::erase(idle_, nullptr);
  return stale;
}

void LocalPool::Impl::KeepHouse() {
  while (true) {
    std::vector<std::unique_ptr<Worker>> stale;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      if (idle_.empty()) {
        changed_.WaitFor(mutex_, kHousekeepingMs * 10);
      } else {
        changed_.WaitFor(mutex_, std::min(kHousekeepingMs, options_.idle_timeout_ms + 1));
      }
      stale = TakeStale();
    }
    for (auto& worker : stale) Discard(std::move(worker));
  }
}

PoolStats LocalPool::Impl::stats() const {
  const MutexLock lock(mutex_);
  PoolStats stats;
  stats.workers = workers_;
  stats.busy = workers_ - static_cast<int>(idle_.size());
  stats.waiting = static_cast<int>(queue_.size());
  stats.started = started_;
  stats.crashed = crashed_;
  stats.store_gets = traffic_.gets;
  stats.store_get_bytes = traffic_.bytes;
  stats.pids.assign(pids_.begin(), pids_.end());
  return stats;
}

LocalPool::LocalPool(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalPool::~LocalPool() = default;

Result<job::Invocation> LocalPool::Invoke(std::string_view payload,
                                          const job::InvokeOptions& options) {
  return impl_->Invoke(payload, options);
}
uint64_t LocalPool::max_payload_bytes() const { return kMaxLocalPayloadBytes; }
std::string LocalPool::name() const { return std::string(trace::field::kEmbeddedFunction); }
PoolStats LocalPool::stats() const { return impl_->stats(); }

Result<std::unique_ptr<LocalPool>> LocalPool::Start(const LocalPoolOptions& options,
                                                    store::ObjectStore& store) {
  if (options.max_workers < 1) return Error{Code::kInvalid, "a pool of no workers"};
  ASSIGN_OR_RETURN(PoolFolder folder, PoolFolder::Claim(options.dir));
  return std::unique_ptr<LocalPool>(
      new LocalPool(std::make_unique<Impl>(options, std::move(folder), store)));
}

}  // namespace llama::cloud
