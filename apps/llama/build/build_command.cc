// llama build: runs a build, with everything that it compiles on record.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/file.h"
#include "base/text/format.h"
#include "base/text/text_writer.h"
#include "build_id/build_id.h"
#include "client/connection.h"
#include "llama/build/build_setup.h"
#include "llama/build/ninja_build.h"
#include "llama/build/output_taps.h"
#include "llama/build/output_watch.h"
#include "llama/build/progress.h"
#include "llama/build/relay.h"
#include "llama/build/unseen_compilers.h"
#include "llama/command.h"
#include "llama/daemon_link.h"
#include "llama/look/report_build.h"
#include "llama/run/run_command.h"
#include "llama/terminal_style.h"
#include "trace/names.h"
#include "trace/trace_file.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 12> kOptions = {{{"--name", true},
                                              {"--tag", true},
                                              {"--json"},
                                              {"--no-summary"},
                                              {"--no-progress"},
                                              {"--record", true},
                                              {"--replay", true},
                                              {"--workers", true},
                                              {"--speed", true},
                                              {"--cold-start", true},
                                              {"--uplink", true},
                                              {"--audit", true}}};

constexpr int64_t kTickMs = 200;
// In which a build that compiles is expected to have run a compiler.
constexpr int64_t kUnseenNs = 5'000'000'000;

struct BuildOptions {
  BuildRequest request;
  bool json = false;
  bool summary = true;
  bool progress = true;
  session::BeginBuild daemon;  // what the daemon is asked to do for it
};

constexpr int64_t kMostWorkers = 100'000;
constexpr int64_t kMostColdStartMs = 3'600'000;

Result<double> NumberOf(std::string_view option, const std::string& value, double low,
                        double high) {
  double number = 0;
  const char* const end = value.data() + value.size();
  const auto [rest, failed] = std::from_chars(value.data(), end, number);
  if (failed != std::errc() || rest != end || !(number >= low && number <= high)) {
    return Error{Code::kInvalid, std::string(option) + " " + value + ": not a number from " +
                                     FormatFixed(low, low > 0 && low < 1 ? 3 : 0) + " to " +
                                     FormatFixed(high, 0)};
  }
  return number;
}

// "12M": bytes a second.
Result<int64_t> RateOf(const std::string& value) {
  std::string digits = value;
  double unit = 1;
  for (const auto& [letter, bytes] : {std::pair{'K', 1e3}, {'M', 1e6}, {'G', 1e9}}) {
    if (!digits.ends_with(letter)) continue;
    digits.pop_back();
    unit = bytes;
    break;
  }
  ASSIGN_OR_RETURN(const double number, NumberOf("--uplink", digits, 0.001, 1e12));
  return static_cast<int64_t>(std::max(1.0, number * unit));
}

Result<session::BeginBuild> ParseDaemonOptions(const ParsedArguments& parsed) {
  session::BeginBuild out;
  const auto absolute = [](const std::string& dir) -> Result<std::string> {
    if (dir.empty() || dir.starts_with('/')) return dir;
    std::error_code failed;
    const std::filesystem::path path = std::filesystem::absolute(dir, failed);
    if (failed) return Error{Code::kInvalid, dir + ": " + failed.message()};
    return path.lexically_normal().string();
  };
  ASSIGN_OR_RETURN(out.record_dir, absolute(parsed.Value("--record")));
  ASSIGN_OR_RETURN(out.replay_dir, absolute(parsed.Value("--replay")));
  if (!out.record_dir.empty() && !out.replay_dir.empty()) {
    return Error{Code::kInvalid, "--record or --replay, not both"};
  }
  for (const char* option : {"--workers", "--speed", "--cold-start", "--uplink"}) {
    if (parsed.Has(option) && out.replay_dir.empty()) {
      return Error{Code::kInvalid, std::string(option) + " is for --replay"};
    }
  }
  if (parsed.Has("--workers")) {
    ASSIGN_OR_RETURN(const double workers,
                     NumberOf("--workers", parsed.Value("--workers"), 1, kMostWorkers));
    out.replay_workers = static_cast<int32_t>(workers);
  }
  if (parsed.Has("--speed")) {
    ASSIGN_OR_RETURN(out.replay_speed, NumberOf("--speed", parsed.Value("--speed"), 0, 1e6));
  }
  if (parsed.Has("--cold-start")) {
    ASSIGN_OR_RETURN(const double ms,
                     NumberOf("--cold-start", parsed.Value("--cold-start"), 0, kMostColdStartMs));
    out.replay_cold_start_ms = static_cast<int64_t>(ms);
  }
  if (parsed.Has("--uplink")) {
    ASSIGN_OR_RETURN(out.replay_uplink_bytes_per_s, RateOf(parsed.Value("--uplink")));
  }
  if (parsed.Has("--audit")) {
    std::string percent = parsed.Value("--audit");
    if (percent.ends_with('%')) percent.pop_back();
    ASSIGN_OR_RETURN(const double number, NumberOf("--audit", percent, 0, 100));
    out.audit_share = number / 100;
  }
  return out;
}

Result<BuildOptions> ParseOptions(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions, true));
  BuildOptions out;
  out.request.name = parsed.Value("--name");
  out.request.command = parsed.rest;
  out.json = parsed.Has("--json");
  out.summary = !parsed.Has("--no-summary");
  out.progress = !parsed.Has("--no-progress");
  ASSIGN_OR_RETURN(out.daemon, ParseDaemonOptions(parsed));
  for (const auto& [option, value] : parsed.options) {
    if (option != "--tag") continue;
    const size_t equals = value.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error{Code::kInvalid, "--tag needs KEY=VALUE, not " + value};
    }
    out.request.tags.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  }
  if (out.request.command.empty()) return Error{Code::kInvalid, "no command to run"};
  return out;
}

std::vector<std::string> Environment() {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  return env;
}

int ExitStatus(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// One build from its first to its last moment.
class Build {
 public:
  explicit Build(BuildOptions options) : options_(std::move(options)), env_(Environment()) {}

  int Run() {
    if (const auto begun = Begin(); !begun) {
      // Not recording is no reason for not building.
      PrintError(begun.error().message + "; running the command without llama");
    }
    RunOptions run;
    run.command = options_.request.command;
    run.env = env_;
    std::optional<Relay> relay = OpenRelay();
    run.relay = relay ? &*relay : nullptr;
    OutputTaps taps(watch_);
    run.taps = setup_ ? &taps : nullptr;
    run.tick_ms = kTickMs;
    run.tick = [&] { Tick(run.relay); };
    run.interrupted = [&] {
      if (setup_) setup_->interrupted = true;
    };
    const Result<int> status = RunCommand(run);
    HoldSignals();
    if (!status) PrintError(status.error().message);
    const int not_run = !status && status.error().code == Code::kNotFound ? 127 : 126;
    Finish(status ? ExitStatus(*status) : not_run);
    return status ? EndLike(*status) : not_run;
  }

 private:
  Result<void> Begin() {
    auto connect = client::OptionsFromEnvironment(std::string(BuildId()));
    if (!connect) return std::move(connect).error();
    ASSIGN_OR_RETURN(setup_, PrepareBuild(options_.request, connect->state_dir, env_, clock_));
    const std::string wrapper = JoinPath(DirName(connect->daemon_program), "llamacc");
    ASSIGN_OR_RETURN(std::vector<std::string> env, BuildEnvironment(*setup_, wrapper, env_));
    wrapper_ = wrapper;
    const builds::BuildRecord& record = setup_->record;
    session::BeginBuild build = options_.daemon;
    build.id = record.id;
    build.name = record.name;
    build.start_ns = record.start_ns;
    build.root = setup_->root.context();
    build.span = setup_->root;
    build.pid = getpid();
    link_ = std::make_unique<DaemonLink>(*connect, std::move(build), clock_);
    if (const auto begun = link_->Begin(); !begun) {
      PrintError("no daemon (" + begun.error().message + "); compiling locally");
    }
    env_ = std::move(env);
    return {};
  }

  std::optional<Relay> OpenRelay() {
    const char* term = std::getenv("TERM");
    const bool is_dumb = term == nullptr || std::string_view(term) == "dumb";
    if (!options_.progress || !link_ || is_dumb || isatty(STDERR_FILENO) != 1) return std::nullopt;
    auto relay = Relay::Open(STDERR_FILENO, &watch_);
    if (!relay) return std::nullopt;
    return std::move(*relay);
  }

  void Tick(Relay* relay) {
    if (!link_) return;
    // Without it the rest of the build would find the compilers themselves in PATH.
    if (!IsDirectory(client::MasqueradeDir(setup_->state_dir))) {
      (void)BuildEnvironment(*setup_, wrapper_, env_).has_value();
    }
    link_->Tick(true);
    TellOutage(relay);
    WatchForUnseen(relay);
    if (relay == nullptr || !link_->counters()) return;
    const session::Counters& counters = *link_->counters();
    const int64_t now_ns = clock_.MonotonicNs();
    const double per_second = rate_.Update(counters.remote_done + counters.local_done, now_ns);
    relay->Draw(FormatProgress(counters, per_second, now_ns - setup_->start_monotonic_ns,
                               relay->columns() - 1));
  }

  // Once, in one line: a build that is slow for this reason must not look like one that is just
  // slow.
  void TellOutage(Relay* relay) {
    if (told_outage_ || link_->outage().empty()) return;
    told_outage_ = true;
    if (relay != nullptr) relay->Erase();
    PrintError(link_->outage() + "; compiling locally while that lasts");
  }

  // Whether a compile has come through llama; yes if nobody can tell.
  bool AnySeen() const {
    if (!link_ || !link_->counters()) return true;
    const session::Counters& c = *link_->counters();
    return c.remote_done + c.local_done + c.remote_running + c.local_running + c.local_waiting > 0;
  }

  // A build that calls its compilers by their paths would only look slow.
  void WatchForUnseen(Relay* relay) {
    const std::string_view is_local = GetVariable(env_, "LLAMACC_LOCAL");
    if (AnySeen() || told_unseen_ || !(is_local.empty() || is_local == "0")) return;
    if (unseen_compiler_.empty()) {
      unseen_compiler_ =
          FindRunningCompiler(getpid(), client::MasqueradeDir(setup_->state_dir)).value_or("");
    }
    if (unseen_compiler_.empty()) return;
    if (clock_.MonotonicNs() - setup_->start_monotonic_ns < kUnseenNs) return;
    if (relay != nullptr) relay->Erase();
    TellUnseen();
  }

  void TellUnseen() {
    told_unseen_ = true;
    const builds::BuildRecord& record = setup_->record;
    PrintError(UnseenText(unseen_compiler_, CMakeTreeOf(record.command, record.cwd), wrapper_));
  }

  // What its output and its processes told, for the record.
  void Note(int exit_status) {
    trace::Span& root = setup_->root;
    if (!unseen_compiler_.empty()) {
      link_->AwaitCounters();
      if (AnySeen()) unseen_compiler_.clear();
    }
    if (!unseen_compiler_.empty()) {
      root.Set(trace::field::kUnseenCompiler, unseen_compiler_);
      // The summary tells it, too.
      if (!told_unseen_ && (!options_.summary || options_.json)) TellUnseen();
    }
    if (exit_status == 0 && watch_.says_up_to_date()) {
      root.Set(trace::field::kUpToDate, trace::Value(true));
    }
    if (exit_status == 0 || setup_->interrupted) return;
    if (const std::string text = watch_.Diagnostic(); !text.empty()) {
      root.Set(trace::field::kDiagnostic, text);
    }
    if (!watch_.failed_target().empty()) {
      root.Set(trace::field::kFailedTarget, watch_.failed_target());
    }
    if (watch_.failures() == 0) return;
    const auto left = NinjaStepsLeft(options_.request.command, setup_->record.cwd, env_);
    if (left && *left > watch_.failures()) {
      root.Set(trace::field::kStepsLeft, *left - watch_.failures());
    }
  }

  void Finish(int exit_status) {
    if (!setup_) return;
    if (const auto done = FinishBuild(*setup_, exit_status, clock_); !done) {
      PrintError(done.error().message);
    }
    Note(exit_status);
    KeepNinjaGraph(options_.request.command, setup_->record.cwd, env_, setup_->dir);
    if (const auto ended = EndTrace(); !ended) PrintError(ended.error().message);
    TellUnrecorded();
    if (options_.summary) PrintSummary();
  }

  void TellUnrecorded() {
    if (options_.daemon.replay_dir.empty() || !link_) return;
    link_->AwaitCounters();
    if (!link_->counters()) return;
    const session::Counters& counters = *link_->counters();
    if (counters.unrecorded == 0) return;
    PrintError("replay: " + Plural(counters.unrecorded, "action was", "actions were") +
               " not in the recording and ran as without it; " + FormatCount(counters.replayed) +
               " replayed");
  }

  // The daemon writes the root span behind all others; without one it is written here.
  Result<void> EndTrace() {
    if (link_ && link_->End({setup_->record.id, setup_->root})) return {};
    ASSIGN_OR_RETURN(const auto writer, trace::TraceWriter::Open(builds::TracePath(setup_->dir)));
    writer->Add(setup_->root);
    return writer->Flush();
  }

  void PrintSummary() {
    const auto build = LoadBuildDir(setup_->dir);
    if (!build) {
      PrintError("no summary: " + build.error().message);
      return;
    }
    const report::Report report = ReportBuild(*build);
    const std::string text = options_.json ? report::FormatReportJson(build->trace, report)
                                           : report::FormatShort(report, StyleOf(STDERR_FILENO));
    if (!options_.json) std::fputc('\n', stderr);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }

  const BuildOptions options_;
  const Clock& clock_ = SystemClock();
  std::vector<std::string> env_;
  std::string wrapper_;
  std::optional<BuildSetup> setup_;
  std::unique_ptr<DaemonLink> link_;
  Rate rate_;
  OutputWatch watch_;
  std::string unseen_compiler_;  // empty: none was seen
  bool told_outage_ = false;
  bool told_unseen_ = false;
};

int Run(const Arguments& arguments) {
  auto options = ParseOptions(arguments);
  if (!options) return UsageError("build", options.error().message);
  return Build(std::move(*options)).Run();
}

}  // namespace

const Command kBuildCommand = {
    "build", "run a build and say what it did",
    "usage: llama build [--name NAME] [--tag KEY=VALUE]... [OPTION]... [--] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs COMMAND, a build of any kind, with every compiler in PATH (cc, gcc, g++, clang, also "
    "with\n"
    "version or target in the name) standing for llamacc; CC and CXX stay as they are. Trees that\n"
    "CMake configures in it compile by llamacc, too; it says so if a build calls a compiler by "
    "its\n"
    "path instead, and what to do. Shows the progress on a terminal, and at the end, on standard\n"
    "error, what the build did, or its first error. Exits as COMMAND does.\n"
    "\n"
    "  --name NAME      what to call the build, for 'llama report NAME'\n"
    "  --tag KEY=VALUE  noted with the build; may be repeated\n"
    "  --json           what 'llama report --json' gives, instead of the summary\n"
    "  --no-summary     no summary; 'llama report' shows it later\n"
    "  --no-progress    no status line\n"
    "  --audit P%       compile that share here as well, compare what comes of it byte by byte,\n"
    "                   and keep what was made here; the summary says what was compared\n"
    "\n"
    "  --record DIR     keep what comes of each action in DIR\n"
    "  --replay DIR     answer actions from there, after the time that they took; then also:\n"
    "    --workers N      how many run at once (default: 1000)\n"
    "    --speed X        that much faster; 0: at once\n"
    "    --cold-start MS  for the first action of each worker\n"
    "    --uplink RATE    bytes a second, like 12M\n"
    "\n"
    "examples:\n"
    "  llama build -- make -j64\n"
    "  llama build --name before --tag branch=main -- ninja -C out\n"
    "  llama build --json --no-progress -- make -j64 2>summary.json\n"
    "  llama build --audit 5% -- make -j64\n"
    "  llama build --replay rec --workers 400 -- make -j400\n",
    Run};

}  // namespace llama::app
