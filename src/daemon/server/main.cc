#include "daemon/server/main.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <thread>

#include "base/file.h"
#include "base/own_dir.h"
#include "daemon/server/lifecycle.h"
#include "daemon/server/server.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

// Below the time that a wrapper waits for its daemon.
constexpr int64_t kLockMs = 8'000;

Result<int64_t> Number(const char* name, int64_t high, int64_t otherwise) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return otherwise;
  const std::string_view text = value;
  int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || number < 1 || number > high) {
    return Error{Code::kInvalid, std::string(name) + "=" + value + ": must be a number from 1 to " +
                                     std::to_string(high)};
  }
  return number;
}

struct Settings {
  int local_slots = 0;  // 0: as many as cores
  int64_t idle_timeout_ms = 0;
};

Result<Settings> SettingsFromEnvironment() {
  ASSIGN_OR_RETURN(const int64_t slots, Number("LLAMA_LOCAL_SLOTS", 10'000, 0));
  ASSIGN_OR_RETURN(const int64_t idle_s, Number("LLAMA_IDLE_TIMEOUT", 1 << 30, 600));
  return Settings{static_cast<int>(slots), idle_s * 1000};
}

LogLevel LogLevelFromEnvironment() {
  const char* level = std::getenv("LLAMA_LOG");
  return level == nullptr ? LogLevel::kInfo : ParseLogLevel(level);
}

Result<void> Serve(const MainOptions& options, const PipelineFactory& new_pipeline, Fd& ready,
                   int signal_fd) {
  ASSIGN_OR_RETURN(const Settings settings, SettingsFromEnvironment());
  const std::string run_dir = session::RunDir(options.llama_dir);
  { ASSIGN_OR_RETURN(const Fd checked, session::OpenRunDir(run_dir, /*create=*/true)); }
  Result<Fd> lock = LockDaemon(run_dir, kLockMs);
  if (!lock && lock.error().code == Code::kUnavailable) {
    LOG(kInfo, lock.error().message);
    TellReady(std::move(ready));
    return {};
  }
  if (!lock) return std::move(lock).error();
  admission::CpuAdmission::Options cpu_options;
  cpu_options.cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  cpu_options.local_slots = settings.local_slots > 0 ? settings.local_slots : cpu_options.cores;
  admission::CpuAdmission cpu(cpu_options);
  ASSIGN_OR_RETURN(std::unique_ptr<Pipeline> pipeline, new_pipeline(options.llama_dir, cpu));

  ServerOptions server_options;
  server_options.run_dir = run_dir;
  server_options.build_id = options.build_id;
  server_options.idle_timeout_ms = settings.idle_timeout_ms;
  server_options.signal_fd = signal_fd;
  server_options.cpu = &cpu;
  server_options.on_socket_lost = [&lock] { lock->Reset(); };
  ASSIGN_OR_RETURN(std::unique_ptr<Server> server, Server::Listen(server_options, *pipeline));
  LOG(kInfo, "pid " + std::to_string(getpid()) + ", build " + options.build_id + ", listening in " +
                 run_dir);
  TellReady(std::move(ready));
  if (const Result<void> ended = server->Run(); !ended) {
    LOG(kError, ended.error().message);
    // Threads that do not end still use the pipeline: no destructor may run.
    _exit(1);
  }
  server.reset();
  pipeline.reset();
  LOG(kInfo, "ended");
  return {};
}

}  // namespace

int Main(const MainOptions& options, const PipelineFactory& new_pipeline) {
  Fd ready;
  // Close-on-exec, or a worker would hold the starter's pipe open.
  if (options.ready_fd >= 0 && fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC) == 0) {
    ready = Fd(options.ready_fd);
  }
  umask(077);
  RaiseDescriptorLimit();
  Result<Fd> signals = TakeStopSignals();
  Result<void> ran;
  if (!signals) ran = signals.error();
  if (ran) ran = MakeOwnDir(options.llama_dir);
  if (ran) ran = LogToFile(options.llama_dir, LogLevelFromEnvironment());
  setsid();
  if (ran && chdir("/") != 0) ran = ErrnoError(errno, "/");
  if (ran) ran = Serve(options, new_pipeline, ready, signals->get());
  if (ran) return 0;
  LOG(kError, ran.error().message);
  TellReady(std::move(ready), ran);
  return 1;
}

}  // namespace llama::daemon
