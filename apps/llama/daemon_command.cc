#include "llama/daemon_command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "build_id/build_id.h"
#include "client/connection.h"
#include "daemon/jobs/pipeline.h"
#include "daemon/server/main.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama {
namespace {

constexpr char kUsage[] = "usage: llama daemon start|stop|status [--json]|metrics|restart|run\n";
// A stopping daemon gives its jobs 10 s, and 5 s more once they are cancelled.
constexpr int64_t kStopMs = 20'000;
constexpr int64_t kStatusMs = 10'000;
constexpr size_t kMaxMetricsBytes = size_t{1} << 20;

int Fail(const Error& error) {
  std::fprintf(stderr, "llama daemon: %s\n", Printable(error.message).c_str());
  return 1;
}

Result<client::ConnectOptions> Options() {
  ASSIGN_OR_RETURN(client::ConnectOptions options,
                   client::OptionsFromEnvironment(std::string(BuildId())));
  options.retry_failed = true;
  return options;
}

Result<void> Start() {
  ASSIGN_OR_RETURN(const client::ConnectOptions options, Options());
  ASSIGN_OR_RETURN(const Fd connection, client::Connect(options));
  return {};
}

// True once nobody holds the daemon's lock.
Result<void> AwaitEnd(const std::string& run_dir) {
  const std::string path = run_dir + "/daemon.lock";
  ASSIGN_OR_RETURN(const Fd lock, OpenFile(path, O_RDWR));
  const int64_t end_ns = SystemClock().MonotonicNs() + kStopMs * 1'000'000;
  while (flock(lock.get(), LOCK_SH | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrnoError(errno, path);
    if (SystemClock().MonotonicNs() >= end_ns) {
      return Error{Code::kDeadline, path + ": the daemon does not end"};
    }
    poll(nullptr, 0, 20);
  }
  return {};
}

// By signal, which a daemon of every version understands.
Result<void> Stop() {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  const std::string run_dir = session::RunDir(state_dir);
  ASSIGN_OR_RETURN(const Fd connection, session::ConnectSocket(run_dir));
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      kill(peer.pid, SIGTERM) != 0) {
    return ErrnoError(errno, "daemon of " + run_dir);
  }
  return AwaitEnd(run_dir);
}

Result<session::Status> AskStatus() {
  ASSIGN_OR_RETURN(client::ConnectOptions options, Options());
  options.start = false;
  options.build_id.clear();
  ASSIGN_OR_RETURN(const Fd connection, client::Connect(options));
  TRY(session::SendFrame(connection.get(), session::FrameType::kStatus,
                         Encode(session::StatusRequest{}), kStatusMs));
  ASSIGN_OR_RETURN(const session::Frame reply, session::ReceiveFrame(connection.get(), kStatusMs));
  if (reply.type != session::FrameType::kStatusReply) {
    return Error{Code::kInvalid, "the daemon answered with something else"};
  }
  return session::DecodeStatus(reply.body);
}

void PrintJson(const session::Status& status) {
  const session::Counters& c = status.counters;
  JsonWriter json;
  json.BeginObject().Key("pid").Int(status.pid).Key("build_id").String(status.build_id);
  json.Key("start_ns").Int(status.start_ns);
  const auto number = [&](std::string_view key, uint64_t value) {
    json.Key(key).Int(static_cast<int64_t>(value));
  };
  number("connections", status.connections);
  json.Key("backend").String(status.backend).Key("trouble").String(status.outage);
  json.Key("workers").Int(status.workers).Key("busy_workers").Int(status.busy_workers);
  json.Key("local_slots").Int(status.local_slots);
  number("layers", status.layers);
  number("remote_done", c.remote_done);
  number("local_done", c.local_done);
  number("remote_running", c.remote_running);
  number("local_running", c.local_running);
  number("local_waiting", c.local_waiting);
  number("cold_starts", c.cold_starts);
  number("retries", c.retries);
  number("bytes_up", c.bytes_up);
  number("bytes_down", c.bytes_down);
  number("store_requests", c.store_requests);
  json.Key("cost_usd").Double(c.cost_usd).EndObject();
  std::printf("%s\n", json.str().c_str());
}

void PrintText(const session::Status& status) {
  const session::Counters& c = status.counters;
  const auto n = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  const int64_t up_s = (SystemClock().NowNs() - status.start_ns) / 1'000'000'000;
  std::printf("daemon      pid %u, up %lld s, build %.12s\n", status.pid,
              static_cast<long long>(up_s), status.build_id.c_str());
  std::printf("connections %llu\n", n(status.connections));
  std::printf("cloud       %s\n", status.backend.c_str());
  if (!status.outage.empty()) std::printf("trouble     %s\n", Printable(status.outage).c_str());
  std::printf("workers     %d, %d busy\n", status.workers, status.busy_workers);
  std::printf("tree        %llu layers\n", n(status.layers));
  std::printf("remote      %llu done, %llu running, %llu cold starts, %llu retries\n",
              n(c.remote_done), n(c.remote_running), n(c.cold_starts), n(c.retries));
  std::printf("local       %llu done, %llu running, %llu waiting for %d slots\n", n(c.local_done),
              n(c.local_running), n(c.local_waiting), status.local_slots);
  std::printf("bytes       %llu up, %llu down, %llu store requests\n", n(c.bytes_up),
              n(c.bytes_down), n(c.store_requests));
  std::printf("AWS price   $%.4f\n", c.cost_usd);
}

int Status(bool json) {
  const Result<session::Status> status = AskStatus();
  if (!status) return Fail(status.error());
  json ? PrintJson(*status) : PrintText(*status);
  return 0;
}

// All that comes until the other side ends.
Result<std::string> ReadToEnd(int fd, int64_t timeout_ms) {
  const int64_t end_ns = SystemClock().MonotonicNs() + timeout_ms * 1'000'000;
  std::string text;
  while (true) {
    const int64_t left_ms = (end_ns - SystemClock().MonotonicNs()) / 1'000'000;
    pollfd ready{fd, POLLIN, 0};
    if (left_ms <= 0 || poll(&ready, 1, static_cast<int>(left_ms)) == 0) {
      return Error{Code::kDeadline, "the daemon does not answer"};
    }
    char buffer[16 << 10];
    const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n == 0) return text;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return ErrnoError(errno, "daemon");
    if (n > 0) text.append(buffer, static_cast<size_t>(n));
    if (text.size() > kMaxMetricsBytes) return Error{Code::kInvalid, "the daemon says too much"};
  }
}

// As any scraper asks (docs/operations.md): a daemon of every build that knows it will do.
Result<std::string> AskMetrics() {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  ASSIGN_OR_RETURN(const Fd connection, session::ConnectSocket(session::RunDir(state_dir)));
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\nHost: llama\r\n\r\n";
  if (send(connection.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(kRequest.size())) {
    return ErrnoError(errno, "daemon");
  }
  ASSIGN_OR_RETURN(const std::string answer, ReadToEnd(connection.get(), kStatusMs));
  const size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200 ") || body == std::string::npos) {
    return Error{Code::kInvalid, "the daemon that runs has no metrics; try 'llama daemon restart'"};
  }
  return answer.substr(body + 4);
}

int PrintMetrics() {
  const Result<std::string> metrics = AskMetrics();
  if (!metrics) return Fail(metrics.error());
  std::fwrite(metrics->data(), 1, metrics->size(), stdout);
  if (std::fflush(stdout) == 0) return 0;
  return Fail(ErrnoError(errno, "standard output"));
}

int Restart() {
  if (const Result<void> stopped = Stop(); !stopped && stopped.error().code != Code::kNotFound) {
    return Fail(stopped.error());
  }
  const Result<void> started = Start();
  return started ? 0 : Fail(started.error());
}

Result<std::unique_ptr<daemon::Pipeline>> NewPipeline(const std::string& llama_dir,
                                                      admission::CpuAdmission& cpu) {
  ASSIGN_OR_RETURN(daemon::PipelineOptions options,
                   daemon::PipelineOptionsFromEnvironment(llama_dir));
  options.cpu = &cpu;
  return daemon::NewPipeline(options, SystemClock());
}

int Run(const std::vector<std::string>& args) {
  daemon::MainOptions options;
  Result<std::string> state_dir = client::StateDir();
  if (!state_dir) return Fail(state_dir.error());
  options.llama_dir = *std::move(state_dir);
  options.build_id = std::string(BuildId());
  if (args.size() == 3 && args[1] == "--ready-fd") {
    const std::string& text = args[2];
    std::from_chars(text.data(), text.data() + text.size(), options.ready_fd);
  }
  return daemon::Main(options, NewPipeline);
}

}  // namespace

int DaemonCommand(const std::vector<std::string>& args) {
  const std::string verb = args.empty() ? "" : args[0];
  const bool json = args.size() == 2 && args[1] == "--json";
  if (verb == "run" && (args.size() == 1 || args.size() == 3)) return Run(args);
  if (verb == "status" && (args.size() == 1 || json)) return Status(json);
  if (args.size() == 1 && verb == "metrics") return PrintMetrics();
  if (args.size() == 1 && verb == "restart") return Restart();
  if (args.size() == 1 && (verb == "start" || verb == "stop")) {
    const Result<void> done = verb == "start" ? Start() : Stop();
    // To stop what does not run is no failure.
    if (done || (verb == "stop" && done.error().code == Code::kNotFound)) return 0;
    return Fail(done.error());
  }
  std::fputs(kUsage, stderr);
  return 2;
}

}  // namespace llama
