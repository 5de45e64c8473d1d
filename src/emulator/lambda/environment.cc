#include "emulator/lambda/environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <map>

#include "base/file.h"
#include "base/log.h"
#include "emulator/lambda/registry.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

// Lambda gives a start 10 s before it counts against the function's own time.
constexpr int64_t kInitNs = 10'000'000'000;
// Between looks at what a function uses; what it does in between is not seen.
constexpr int kWatchMs = 50;
constexpr size_t kLogTailBytes = 4096;
constexpr size_t kKeptTailBytes = 64 << 10;
constexpr uid_t kFirstUid = 20'000;
constexpr int kUids = 40'000;
constexpr char kCaFile[] = "ca.pem";

// "2026/01/31/[$LATEST]0123…"
std::string StreamName(std::string_view version, int64_t now_ns) {
  std::string date = IsoDate(now_ns).substr(0, 10);
  std::replace(date.begin(), date.end(), '-', '/');
  std::string random = NewUuid();
  std::erase(random, '-');
  return date.append("/[").append(version).append("]").append(random);
}

}  // namespace

struct Environment::Run {
  InvocationReport report;
  EnvironmentAnswer answer;
  int64_t timeout_ns = 0;
  bool out_of_memory = false;
  bool out_of_tmp = false;
  bool over = false;  // the answer is there
};

Result<std::unique_ptr<Environment>> Environment::Start(EnvironmentOptions options,
                                                        LambdaLogs& logs, const Clock& clock) {
  std::unique_ptr<Environment> environment(new Environment(std::move(options), logs, clock));
  TRY(environment->StartProgram());
  return environment;
}

Environment::Environment(EnvironmentOptions options, LambdaLogs& logs, const Clock& clock)
    : options_(std::move(options)),
      logs_(logs),
      clock_(clock),
      log_group_("/aws/lambda/" + options_.config.name),
      log_stream_(StreamName(options_.config.version, clock.NowNs())) {}

Environment::~Environment() {
  if (sandbox_) sandbox_->Kill();
  DrainOutput();
  if (Result<void> removed = RemoveTree(options_.dir); !removed) {
    LOG(kWarning, removed.error().message);
  }
}

Result<void> Environment::StartProgram() {
  const EnvironmentWorld& world = *options_.world;
  TRY(MakeDirs(options_.dir, 0700));
  const std::string log = options_.dir + "/output";
  ASSIGN_OR_RETURN(output_, OpenFile(log, O_RDWR | O_CREAT | O_EXCL, 0600));
  ASSIGN_OR_RETURN(const Fd append, OpenFile(log, O_WRONLY | O_APPEND));
  ASSIGN_OR_RETURN(api_, RuntimeApi::Listen(clock_));
  SandboxOptions sandbox;
  sandbox.isolation = world.isolation;
  sandbox.bare = world.bare_root;
  sandbox.dir = options_.dir;
  sandbox.code_dir = options_.code_dir;
  sandbox.tmp_bytes = options_.limits.tmp ? static_cast<uint64_t>(options_.config.tmp_mb) << 20 : 0;
  sandbox.deny_syscalls = options_.limits.syscalls;
  sandbox.uid = kFirstUid + static_cast<uid_t>(options_.number % kUids);
  sandbox.argv = {PathsOf(sandbox).task + "/bootstrap"};
  sandbox.env = Variables(PathsOf(sandbox));
  if (!world.ca_pem.empty()) sandbox.files = {{kCaFile, world.ca_pem}};
  sandbox.output = append.get();
  started_ns_ = clock_.MonotonicNs();
  Print("INIT_START Runtime Version: " + options_.config.runtime + "\n");
  ASSIGN_OR_RETURN(sandbox_, Sandbox::Start(sandbox));
  return {};
}

std::vector<std::string> Environment::Variables(const SandboxPaths& paths) const {
  const FunctionConfig& config = options_.config;
  const EnvironmentWorld& world = *options_.world;
  std::map<std::string, std::string> variables = {
      {"AWS_ACCESS_KEY_ID", options_.keys.access_key_id},
      {"AWS_DEFAULT_REGION", world.region},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(config.memory_mb)},
      {"AWS_LAMBDA_FUNCTION_NAME", config.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", config.version},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
      {"AWS_LAMBDA_LOG_GROUP_NAME", log_group_},
      {"AWS_LAMBDA_LOG_STREAM_NAME", log_stream_},
      {"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:" + std::to_string(api_->port())},
      {"AWS_REGION", world.region},
      {"AWS_SECRET_ACCESS_KEY", options_.keys.secret_access_key},
      {"AWS_SESSION_TOKEN", options_.keys.session_token},
      {"LAMBDA_RUNTIME_DIR", paths.runtime},
      {"LAMBDA_TASK_ROOT", paths.task},
      {"LANG", "en_US.UTF-8"},
      {"LD_LIBRARY_PATH", "/lib64:/usr/lib64:" + paths.runtime + ":" + paths.runtime +
                              "/lib:" + paths.task + ":" + paths.task + "/lib:/opt/lib"},
      {"PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
      {"TZ", ":UTC"},
      {"_HANDLER", config.handler},
  };
  // Not of Lambda's: without a /tmp of its own a function has to be told.
  if (world.isolation == Isolation::kNone) {
    variables["TMPDIR"] = paths.tmp;
    variables["LLAMA_WORKER_DIR"] = paths.tmp + "/llama-worker";
  }
  for (const auto& [name, value] : config.environment) variables.insert_or_assign(name, value);
  // Nor these: Lambda's own endpoints need no telling. A function's own win.
  if (!world.endpoint.empty()) variables.emplace("AWS_ENDPOINT_URL", world.endpoint);
  if (!world.ca_pem.empty()) variables.emplace("AWS_CA_BUNDLE", paths.runtime + "/" + kCaFile);
  std::vector<std::string> out;
  for (const auto& [name, value] : variables) out.push_back(name + "=" + value);
  return out;
}

void Environment::Print(std::string_view text) {
  logs_.Add(log_group_, log_stream_, clock_.NowNs() / 1'000'000, text);
  tail_.append(text);
  if (tail_.size() > kKeptTailBytes) tail_.erase(0, tail_.size() - kKeptTailBytes / 2);
}

void Environment::DrainOutput() {
  std::array<char, 16384> chunk{};
  const int64_t before = output_read_;
  while (output_.valid()) {
    const ssize_t n = pread(output_.get(), chunk.data(), chunk.size(), output_read_);
    if (n <= 0) break;
    output_read_ += n;
    Print({chunk.data(), static_cast<size_t>(n)});
  }
  // What has been read need not stay on the disk.
  if (output_read_ > before) {
    fallocate(output_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, output_read_);
  }
}

bool Environment::IsOverLimit(Run& run) {
  DrainOutput();
  const int64_t used = sandbox_->MemoryBytes();
  run.report.used_bytes = std::max(run.report.used_bytes, used);
  run.out_of_memory = options_.limits.memory && used > options_.config.memory_mb << 20;
  run.out_of_tmp = options_.limits.tmp && sandbox_->TmpBytes() > options_.config.tmp_mb << 20;
  const std::atomic<bool>* const stopping = options_.limits.stopping;
  return run.out_of_memory || run.out_of_tmp || (stopping != nullptr && *stopping);
}

EnvironmentAnswer Environment::Invoke(const EnvironmentJob& job) {
  Run run;
  run.report.id = job.id;
  run.report.memory_mb = options_.config.memory_mb;
  run.timeout_ns = options_.config.timeout_s * 1'000'000'000;
  tail_.clear();
  settled_ = false;
  if (std::exchange(frozen_, false)) sandbox_->Thaw();
  if (std::exchange(fresh_, false)) AwaitInit(run);
  DrainOutput();
  Print(StartLine(job.id, options_.config.version));
  if (!run.over) Serve(run, job);
  DrainOutput();
  if (!tail_.empty() && tail_.back() != '\n') Print("\n");
  Print(EndLine(job.id));
  Print(ReportLine(run.report));
  run.answer.report = run.report;
  run.answer.log_tail = tail_.substr(tail_.size() - std::min(tail_.size(), kLogTailBytes));
  return std::move(run.answer);
}

void Environment::AwaitInit(Run& run) {
  http::Wait wait;
  wait.deadline_ns = started_ns_ + kInitNs + run.timeout_ns;
  wait.stop_fd = sandbox_->end_fd();
  wait.cancelled = [&] { return IsOverLimit(run); };
  wait.poll_ms = kWatchMs;
  const Result<void> ready = api_->AwaitNext(wait);
  run.report.init_ns = clock_.MonotonicNs() - started_ns_;
  if (!ready) EndBadly(run, ready.error());
}

void Environment::Serve(Run& run, const EnvironmentJob& job) {
  const int64_t begin_ns = clock_.MonotonicNs();
  http::Wait wait;
  // Unenforced, it is still no way to hold a connection for ever.
  constexpr int64_t kForeverNs = 24LL * 3600 * 1'000'000'000;
  wait.deadline_ns = begin_ns + (options_.limits.timeout ? run.timeout_ns : kForeverNs);
  wait.stop_fd = sandbox_->end_fd();
  wait.cancelled = [&] { return IsOverLimit(run); };
  wait.poll_ms = kWatchMs;
  RuntimeJob out;
  out.id = job.id;
  out.function_arn = job.function_arn;
  out.trace_id = job.trace_id;
  out.client_context = job.client_context;
  out.deadline_ms = (clock_.NowNs() + run.timeout_ns) / 1'000'000;
  out.payload = job.payload;
  Result<void> ready = api_->AwaitNext(wait);
  Result<RuntimeAnswer> answer =
      ready ? api_->Run(out, options_.limits.max_answer_bytes, wait) : std::move(ready).error();
  run.report.duration_ns = clock_.MonotonicNs() - begin_ns;
  if (!answer) return EndBadly(run, answer.error());
  run.report.used_bytes = std::max(run.report.used_bytes, sandbox_->MemoryBytes());
  Judge(run, std::move(answer).value());
}

void Environment::Judge(Run& run, RuntimeAnswer answer) {
  run.over = true;
  run.answer.reusable = true;
  run.answer.payload = std::move(answer.body);
  if (answer.kind == RuntimeAnswer::Kind::kAnswer) return;
  run.answer.failed = true;
  if (answer.kind == RuntimeAnswer::Kind::kTooLarge) {
    run.answer.payload =
        ErrorPayload("Function.ResponseSizeTooLarge", run.report.id,
                     "Response payload size exceeded maximum allowed payload size (" +
                         std::to_string(options_.limits.max_answer_bytes) + " bytes).");
  } else if (run.answer.payload.empty()) {
    run.answer.payload = ErrorPayload(
        answer.error_type.empty() ? "Runtime.Unknown" : answer.error_type, run.report.id, "");
  }
}

// The environment is of no more use.
void Environment::EndBadly(Run& run, const Error& error) {
  run.over = true;
  run.answer.failed = true;
  run.report.status = "error";
  const bool timed_out = error.code == Code::kDeadline;
  // A program that ends closes its connections first.
  const bool by_itself = sandbox_->HasEnded();
  const int status = sandbox_->Status();
  sandbox_->Kill();
  if (timed_out) {
    run.report.status = "timeout";
    const std::string message = TimeoutMessage(run.timeout_ns);
    run.answer.payload = ErrorPayload("Sandbox.Timedout", run.report.id, message);
    DrainOutput();
    Print(IsoDate(clock_.NowNs()) + " " + run.report.id + " " + message + "\n\n");
  } else if (error.code == Code::kRemoteFailed) {
    run.answer.payload = error.message;
    run.report.error_type = "Runtime.Unknown";
    if (error.message.empty()) {
      run.answer.payload = ErrorPayload("Runtime.Unknown", run.report.id, "initialization failed");
    }
  } else {
    run.report.error_type = "Runtime.ExitError";
    constexpr int kKilled = 9;
    const std::string message = ExitMessage(by_itself ? status : kKilled);
    run.answer.payload = ErrorPayload("Runtime.ExitError", run.report.id, message);
    DrainOutput();
    Print("RequestId: " + run.report.id + " Error: " + message + "\nRuntime.ExitError\n");
  }
}

bool Environment::Settle() {
  if (settled_) return true;
  DrainOutput();
  if (!api_->IsWaiting()) return HasEnded();
  if (options_.limits.freeze) {
    sandbox_->Freeze();
    frozen_ = true;
  }
  settled_ = true;
  return true;
}

}  // namespace llama::emulator
