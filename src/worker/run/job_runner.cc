#include "worker/run/job_runner.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "trace/names.h"
#include "worker/preload/lookup_log.h"
#include "worker/run/announced_outputs.h"
#include "worker/run/check_job.h"
#include "worker/run/inode_table.h"
#include "worker/run/outputs.h"
#include "worker/run/process_group.h"

namespace llama::worker {
namespace {

// Of outputs, stdout and stderr together, before compression.
constexpr uint64_t kMaxCollectedBytes = 512ull << 20;
// What a deadline leaves for the answer: a tenth of the time, at most this.
constexpr int64_t kMaxMarginMs = 2000;
// A folder that was left alone for this long may have met a person: it is looked at once more.
constexpr int64_t kUnwatchedNs = 2'000'000'000;
// For what a command leaves running to end.
constexpr int64_t kMaxKillMs = 3000;
// What the worker itself puts into a command's environment.
constexpr std::string_view kOwnVariables[] = {
    "TMPDIR=", "LD_PRELOAD=", "LLAMA_LOOKUPS=", "LLAMA_LOADERS=", "LLAMA_INODES="};

// The command's own time: the job's, or less if the answer must be out before.
int64_t TimeoutMs(const job::Job& job, const RunLimits& limits, const Clock& clock) {
  int64_t timeout_ms = std::max<int64_t>(job.timeout_ms, 0);
  if (limits.deadline_ms > 0) {
    const int64_t left_ms = std::max<int64_t>(limits.deadline_ms - clock.NowNs() / 1'000'000, 1);
    const int64_t usable_ms = std::max<int64_t>(left_ms - std::min(kMaxMarginMs, left_ms / 10), 1);
    timeout_ms = timeout_ms == 0 ? usable_ms : std::min(timeout_ms, usable_ms);
  }
  return timeout_ms;
}

// Whether the command is to see its own paths (preload/view.c).
bool HasView(const job::Job& job) {
  return std::any_of(job.env.begin(), job.env.end(), [](const std::string& variable) {
    return variable.starts_with(LLAMA_LOOKUP_ROOT_ENV "=");
  });
}

bool IsOwnVariable(std::string_view variable) {
  return std::any_of(std::begin(kOwnVariables), std::end(kOwnVariables),
                     [&](std::string_view own) { return variable.starts_with(own); });
}

// Where a command that sees its own paths has its scratch files: their names are in messages and in
// debug information. Empty: where the worker has them.
std::string OwnTemporary(const job::Job& job) {
  if (!HasView(job) || job.any_command) return {};
  constexpr std::string_view kName = "TMPDIR=";
  for (const std::string& variable : job.env) {
    if (variable.starts_with(kName)) return variable.substr(kName.size());
  }
  return "/tmp";
}

// What the command itself made is no lookup: its outputs that were not there before, and scratch
// files, which have another name each time.
void DropMade(const job::Job& job, const mirror::Mirror& mirror, const std::string& temporary,
              job::Answer& answer) {
  std::vector<std::string> made;
  for (const job::OutputFile& file : answer.outputs) {
    const bool stood = mirror.Find(file.path) != nullptr ||
                       std::find(job.placeholders.begin(), job.placeholders.end(), file.path) !=
                           job.placeholders.end();
    if (!stood) made.push_back(file.path);
  }
  std::erase_if(answer.found, [&](const std::string& path) {
    if (!temporary.empty() && DirName(path) == temporary && mirror.Find(path) == nullptr)
      return true;
    return std::find(made.begin(), made.end(), path) != made.end();
  });
}

// What the other side knows already.
void DropForetold(const job::Job& job, job::Answer& answer) {
  if (job.foretold.empty() || job.any_command || !answer.lookups_complete) return;
  const auto same = std::find(job.foretold.begin(), job.foretold.end(),
                              job::ReportDigest(answer.found, answer.absent));
  if (same == job.foretold.end()) return;
  answer.foretold = static_cast<uint64_t>(same - job.foretold.begin()) + 1;
  answer.found.clear();
  answer.absent.clear();
}

// A plugin is the user's; and by a folder or specs of his a driver may run any program.
bool RunsOtherCode(const job::Job& job) {
  constexpr std::string_view kPrefixes[] = {"-fplugin=", "--plugin=", "-fpass-plugin=", "-B",
                                            "--prefix",  "-specs",    "--specs"};
  return std::any_of(job.argv.begin(), job.argv.end(), [&](std::string_view word) {
    return word == "-load" ||
           std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return word.starts_with(prefix); });
  });
}

// Where the descriptors lead, for a command that closes them (preload/lookup_log.h).
std::string LoadersVariable(const std::vector<std::pair<int, int>>& keep_fds) {
  std::string variable = "LLAMA_LOADERS=";
  for (const auto& [fd, number] : keep_fds) {
    const Result<std::string> path = ReadLink("/proc/self/fd/" + std::to_string(fd));
    if (!path) continue;
    if (!variable.ends_with('=')) variable += ':';
    variable += std::to_string(number) + "=" + *path;
  }
  return variable;
}

void SetStatus(trace::Span& span, int status) {
  if (WIFSIGNALED(status)) {
    span.Set(trace::field::kSignal, int64_t{WTERMSIG(status)});
  } else {
    span.Set(trace::field::kExitStatus, int64_t{WEXITSTATUS(status)});
  }
}

job::Answer& Fail(job::Answer& answer, const Error& error) {
  answer.outcome = job::Outcome::kFailed;
  answer.error = error.message;
  answer.out.clear();
  answer.err.clear();
  answer.outputs.clear();
  answer.deleted.clear();
  return answer;
}

}  // namespace

struct JobRunner::Command {
  ProcessOptions process;
  OutputWatch outputs;
  AnnouncedOutputs announced;
  std::vector<std::string> placeholders;
  Fd input;
  std::string temporary;  // in the tree; empty: the worker's own
  pid_t pid = 0;
  bool recorded = false;
  bool has_strays = false;  // it wrote where nobody looks for outputs
};

Result<std::unique_ptr<JobRunner>> JobRunner::Open(const RunnerOptions& options,
                                                   store::ObjectStore& store, const Clock& clock) {
  TRY(llama::MakeDirs(options.dir, 0700));
  // Commands see paths as the kernel gives them (getcwd): the root must be such a path.
  ASSIGN_OR_RETURN(std::string dir, RealPath(options.dir));
  std::unique_ptr<JobRunner> runner(new JobRunner(std::move(dir), clock));
  TRY(RemoveTree(runner->dir_ + "/tmp"));
  // Orphans of a command come to us, to be ended with it.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  mirror::MirrorOptions mirror;
  mirror.dir = runner->dir_ + "/m";
  mirror.max_bytes = options.mirror_max_bytes;
  ASSIGN_OR_RETURN(runner->mirror_, mirror::Mirror::Open(mirror, store));
  ASSIGN_OR_RETURN(runner->lookups_, LookupLog::Create(runner->dir_));
  runner->identity_.id = trace::Hex(trace::NewSpanId());
  return runner;
}

JobRunner::~JobRunner() {
  mirror_.reset();
  for (const char* name : {"/tmp", "/m", "/lookups", "/recorder"}) {
    if (Result<void> removed = RemoveTree(dir_ + name); !removed) {
      LOG(kWarning, removed.error().message);
    }
  }
  (void)rmdir(dir_.c_str());
}

std::string JobRunner::Rooted(std::string_view text) const {
  std::string out;
  for (char c : text) {
    if (c == kRootMark) {
      out += mirror_->root();
    } else {
      out.push_back(c);
    }
  }
  return out;
}

Result<std::string> JobRunner::Run(std::string_view payload, const RunLimits& limits) {
  ASSIGN_OR_RETURN(const job::Job job, job::DecodeJob(payload));
  ++identity_.job_count;
  identity_.cold_start = identity_.job_count == 1;
  JobSpans phases(clock_, job.parent, trace::span::kReceive, limits.received_ns);
  phases.current().Set(trace::field::kPayloadBytes, static_cast<int64_t>(payload.size()));
  job::Answer answer = RunJob(job, limits, phases);
  answer.root = mirror_->root();
  answer.worker = identity_;

  trace::Span& span = phases.worker();
  span.Set(trace::field::kWorkerId, identity_.id);
  span.Set(trace::field::kJobCount, static_cast<int64_t>(identity_.job_count));
  span.Set(trace::field::kColdStart, identity_.cold_start);
  constexpr const char* kOutcomes[] = {"ran", "missing_objects", "failed"};
  span.Set(trace::field::kOutcome, kOutcomes[static_cast<size_t>(answer.outcome)]);
  if (!limits.xray.empty()) span.Set(trace::field::kXray, limits.xray);
  if (!answer.error.empty()) span.Set(trace::field::kError, answer.error);
  if (job.parent.valid()) answer.spans = std::move(phases).Finish();

  uint64_t most = limits.max_answer_bytes;
  if (job.max_answer_bytes != 0 && (most == 0 || job.max_answer_bytes < most)) {
    most = job.max_answer_bytes;
  }
  std::string encoded = job::EncodeAnswer(answer);
  if (most == 0 || encoded.size() <= most) return encoded;
  const std::string size = std::to_string(encoded.size());
  Fail(answer, Error{Code::kInvalid, "answer too large: " + size + " bytes"});
  answer.found.clear();
  answer.absent.clear();
  answer.foretold = 0;
  answer.lookups_complete = false;
  return job::EncodeAnswer(answer);
}

void JobRunner::Recover() {
  if (recovered_ || spent_) return;
  Result<void> sound = mirror_->Check(reach_);
  if (sound) sound = lookups_->Check();
  recovered_ = sound.has_value();
  recovered_ns_ = clock_.MonotonicNs();
  spent_ = !recovered_;
  if (spent_) LOG(kWarning, sound.error().message);
}

void JobRunner::LookAgain() {
  mirror_->Distrust();
  recovered_ = false;
  reach_ = mirror::Reach::kEverything;
}

// Nothing has run. Either the job cannot be done, or the folder is not what it was.
job::Answer& JobRunner::Lose(job::Answer& answer, const Error& error) {
  LookAgain();
  Recover();
  lost_job_ = spent_;
  return Fail(answer, error);
}

job::Answer JobRunner::RunJob(const job::Job& job, const RunLimits& limits, JobSpans& phases) {
  job::Answer answer;
  phases.Begin(trace::span::kMaterialise);
  if (recovered_ && clock_.MonotonicNs() - recovered_ns_ > kUnwatchedNs) LookAgain();
  Recover();
  if (spent_) return Lose(answer, Error{Code::kUnavailable, "spoilt by an earlier command"});
  if (Result<void> ready = Materialise(job, answer, phases); !ready) {
    return Lose(answer, ready.error());
  }
  if (answer.outcome == job::Outcome::kMissingObjects) return answer;
  Result<Command> command = Prepare(job, limits);
  if (!command) return Lose(answer, command.error());
  phases.Begin(trace::span::kExec);
  Result<void> ran = Execute(*command, answer, phases);
  phases.Begin(trace::span::kCollect);
  if (ran) ran = Collect(job, *command, answer);
  // A compile that was seen whole ran nothing but the compiler, and wrote where it was to. Anything
  // else may have written anywhere.
  if (ran && !job.any_command && answer.lookups_complete && !command->has_strays &&
      !RunsOtherCode(job)) {
    reach_ = mirror::Reach::kDirectories;
  }
  if (!ran) return Fail(answer, ran.error());
  answer.deleted = command->outputs.Gone(job.placeholders);
  DropMade(job, *mirror_, command->temporary, answer);
  const auto found = static_cast<int64_t>(answer.found.size());
  const auto absent = static_cast<int64_t>(answer.absent.size());
  DropForetold(job, answer);
  int64_t bytes = 0;
  for (const job::OutputFile& file : answer.outputs) {
    bytes += static_cast<int64_t>(file.bytes.size());
  }
  phases.current().Set(trace::field::kOutputs, static_cast<int64_t>(answer.outputs.size()));
  phases.current().Set(trace::field::kOutputBytes, bytes);
  phases.current().Set(trace::field::kFound, found);
  phases.current().Set(trace::field::kAbsent, absent);
  answer.outcome = job::Outcome::kRan;
  return answer;
}

Result<void> JobRunner::Collect(const job::Job& job, Command& command, job::Answer& answer) {
  const uint64_t said = answer.out.size() + answer.err.size();
  const uint64_t most = kMaxCollectedBytes - std::min(kMaxCollectedBytes, said);
  if (job.any_command) {
    TRY(command.announced.Collect(most, answer));
  } else {
    ASSIGN_OR_RETURN(answer.outputs, command.outputs.Collect(most));
  }
  return CollectLookups(command, job.any_command, answer);
}

Result<void> JobRunner::Materialise(const job::Job& job, job::Answer& answer, JobSpans& phases) {
  TRY(CheckJob(job));
  phases.current().Set(trace::field::kLayers, static_cast<int64_t>(job.view.layers.size()));
  Result<mirror::PrepareStats> stats = mirror_->Prepare(job.view);
  if (!stats) {
    if (stats.error().code == Code::kNotFound && !mirror_->missing().empty()) {
      answer.outcome = job::Outcome::kMissingObjects;
      answer.missing = mirror_->missing();
      return {};
    }
    return std::move(stats).error();
  }
  answer.fetched_objects = stats->fetched_objects;
  answer.fetched_bytes = stats->fetched_bytes;
  trace::Span& span = phases.current();
  span.Set(trace::field::kFetchedObjects, static_cast<int64_t>(stats->fetched_objects));
  span.Set(trace::field::kFetchedBytes, static_cast<int64_t>(stats->fetched_bytes));
  if (stats->retried_requests > 0) {
    span.Set(trace::field::kRetriedRequests, static_cast<int64_t>(stats->retried_requests));
    span.Set(trace::field::kRetriedNs, stats->retried_ns);
  }
  span.Set(trace::field::kFilesWritten, static_cast<int64_t>(stats->files_written));
  span.Set(trace::field::kFilesRemoved, static_cast<int64_t>(stats->files_removed));
  span.Set(trace::field::kEvictedBytes, static_cast<int64_t>(stats->evicted_bytes));
  answer.outcome = job::Outcome::kFailed;
  return MakeDirs(job);
}

Result<void> JobRunner::MakeDirs(const job::Job& job) {
  for (const std::string& dir : job.output_dirs) TRY(mirror_->EnsureDir(dir));
  for (const job::JobOutput& output : job.outputs) {
    TRY(mirror_->EnsureDir(output.is_tree ? output.path : std::string(DirName(output.path))));
  }
  struct stat st {};
  const std::string cwd = LocalCwd(job);
  if (stat((mirror_->root() + cwd).c_str(), &st) != 0) {
    TRY(CheckPaths({cwd}, "cwd"));
    TRY(mirror_->EnsureDir(cwd));
  }
  // Where paths are led, /tmp is the tree's, too; unless it is a link there.
  if (HasView(job)) (void)mirror_->EnsureDir("/tmp");
  TRY(RemoveTree(dir_ + "/tmp"));
  return llama::MakeDirs(dir_ + "/tmp", 0700);
}

Result<JobRunner::Command> JobRunner::Prepare(const job::Job& job, const RunLimits& limits) {
  Command command{{},
                  OutputWatch(mirror_->root(), job.output_dirs),
                  AnnouncedOutputs(mirror_->root(), job.outputs),
                  job.placeholders,
                  {},
                  OwnTemporary(job)};
  for (const std::string& path : job.placeholders) {
    TRY(command.outputs.Place(path, 0666 & ~static_cast<mode_t>(job.umask)));
  }
  TRY(command.outputs.Begin());
  TRY(command.announced.Begin());
  TRY(GiveInput(job, command));

  ProcessOptions& process = command.process;
  process.program = mirror_->root() + job.program;
  if (job.in_image) {
    ASSIGN_OR_RETURN(process.program, FindInImage(job.program));
  }
  process.cwd = mirror_->root() + LocalCwd(job);
  for (const std::string& argument : job.argv) process.argv.push_back(Rooted(argument));
  for (const std::string& variable : job.env) {
    if (!IsOwnVariable(variable)) process.env.push_back(Rooted(variable));
  }
  if (!command.temporary.empty() && !mirror_->EnsureDir(command.temporary)) command.temporary = {};
  if (command.temporary != "/tmp") {
    process.env.push_back("TMPDIR=" +
                          (command.temporary.empty() ? dir_ + "/tmp" : command.temporary));
  }
  if (job.record_reads && lookups_->Suits(process.program)) {
    TRY(lookups_->Reset());
    lookups_->AddTo(process.env);
    TRY(ShowInodes(job.inodes, dir_ + "/tmp/.inodes", process.env));
    command.recorded = true;
  }
  process.keep_fds = mirror_->keep_fds();
  if (job.any_command) process.env.push_back(LoadersVariable(process.keep_fds));
  process.umask = static_cast<mode_t>(job.umask & 0777);
  process.timeout_ms = TimeoutMs(job, limits, clock_);
  process.max_output_bytes = kMaxCollectedBytes / 4;
  process.cancelled = limits.should_abort;
  return command;
}

Result<void> JobRunner::GiveInput(const job::Job& job, Command& command) {
  if (job.input.empty()) return {};
  const std::string path = dir_ + "/tmp/.stdin";
  ASSIGN_OR_RETURN(command.input, OpenFile(path, O_RDWR | O_CREAT | O_EXCL, 0600));
  if (unlink(path.c_str()) != 0) return ErrnoError(errno, path);
  TRY(WriteAll(command.input.get(), job.input, path));
  if (lseek(command.input.get(), 0, SEEK_SET) != 0) return ErrnoError(errno, path);
  command.process.stdin_fd = command.input.get();
  return {};
}

// As execvp would find it, with this process's own PATH.
Result<std::string> JobRunner::FindInImage(const std::string& name) const {
  if (name.find('/') != std::string::npos) return name;
  const char* set = std::getenv("PATH");
  const std::string_view path = set != nullptr ? set : "/usr/local/bin:/usr/bin:/bin";
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const std::string_view dir = path.substr(begin, end - begin);
    const std::string candidate = JoinPath(dir.empty() ? "." : dir, name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return Error{Code::kNotFound, name + ": not in the function's image"};
}

Result<void> JobRunner::Execute(Command& command, job::Answer& answer, JobSpans& phases) {
  recovered_ = false;
  reach_ = mirror::Reach::kEverything;
  command.process.on_start = [&](pid_t pid) {
    if (pid != 0) command.pid = pid;
  };
  Result<ProcessResult> ran = RunProcess(command.process);
  if (command.pid != 0) KillGroup(command.pid);
  if (!KillDescendants(command.pid, kMaxKillMs)) {
    spent_ = true;
    LOG(kWarning, "a command left processes that can't be ended");
  }
  TRY(RemoveTree(dir_ + "/tmp"));
  if (!ran) {
    answer.timed_out = ran.error().code == Code::kDeadline;
    return std::move(ran).error();
  }
  answer.status = ran->status;
  answer.out = std::move(ran->out);
  answer.err = std::move(ran->err);
  answer.usage = {ran->usage.wall_ns, ran->usage.user_ns, ran->usage.system_ns,
                  ran->usage.max_rss_bytes};
  trace::Span& span = phases.current();
  SetStatus(span, ran->status);
  span.Set(trace::field::kUserNs, ran->usage.user_ns);
  span.Set(trace::field::kSystemNs, ran->usage.system_ns);
  span.Set(trace::field::kMaxRssBytes, ran->usage.max_rss_bytes);
  return {};
}

// What was written elsewhere is told as an output that nobody announced.
Result<void> JobRunner::CollectLookups(Command& command, bool any_command, job::Answer& answer) {
  if (!command.recorded) return {};
  ASSIGN_OR_RETURN(Lookups lookups, lookups_->Collect(mirror_->root(), command.pid));
  answer.lookups_complete = lookups.complete;
  answer.found = std::move(lookups.found);
  answer.absent = std::move(lookups.absent);
  if (any_command) {
    answer.listed = std::move(lookups.listed);
    return {};
  }
  for (std::string& path : command.outputs.Strays(lookups.written)) {
    command.has_strays = true;
    answer.outputs.push_back({std::move(path), 0, {}});
  }
  std::sort(answer.outputs.begin(), answer.outputs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

}  // namespace llama::worker
