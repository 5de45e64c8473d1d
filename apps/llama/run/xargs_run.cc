#include "llama/run/xargs_run.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "base/file.h"
#include "base/text/format.h"
#include "llama/command.h"

namespace llama::app {
namespace {

constexpr int64_t kTickMs = 200;
// How far --keep-order runs ahead of a slow item, in jobs in flight.
constexpr size_t kAheadFactor = 16;
constexpr size_t kMaxCountedFailures = 100;

std::string Joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) {
    if (!out.empty()) out += ' ';
    out += ShellQuoted(word);
  }
  return out;
}

}  // namespace

Result<HaltPolicy> ParseHalt(const std::string& text) {
  if (text == "never") return HaltPolicy{};
  HaltPolicy policy;
  const size_t equals = text.find(",fail=");
  const std::string when = text.substr(0, equals);
  if (when == "soon") policy.when = HaltPolicy::When::kSoon;
  if (when == "now") policy.when = HaltPolicy::When::kNow;
  if (policy.when != HaltPolicy::When::kNever && equals != std::string::npos) {
    const char* begin = text.data() + equals + 6;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(begin, end, policy.failures);
    if (parsed.ec == std::errc() && parsed.ptr == end && policy.failures > 0) return policy;
  }
  return Error{Code::kInvalid,
               "--halt needs never, soon,fail=NUMBER or now,fail=NUMBER, not " + text};
}

XargsRun::XargsRun(XargsOptions options, Template command, std::vector<std::string> items,
                   const client::ConnectOptions& connect, Surrounding surrounding)
    : options_(std::move(options)),
      template_(std::move(command)),
      items_(std::move(items)),
      surrounding_(std::move(surrounding)),
      remote_(connect) {}

Result<void> XargsRun::Open() {
  start_monotonic_ns_ = clock_.MonotonicNs();
  if (options_.joblog.empty()) return {};
  ASSIGN_OR_RETURN(JobLog log, JobLog::Open(options_.joblog, options_.resume));
  log_ = std::move(log);
  return {};
}

bool XargsRun::MayStart() const {
  if (halted_ || remote_.running() >= options_.jobs) return false;
  if (!again_.empty()) return true;
  if (next_ > items_.size()) return false;
  return !options_.keep_order || next_ - turn_ < options_.jobs * kAheadFactor;
}

Result<void> XargsRun::StartNext() {
  if (!again_.empty()) {
    const size_t seq = again_.front();
    again_.pop_front();
    return Launch(seq);
  }
  const size_t seq = next_++;
  ASSIGN_OR_RETURN(Expansion expansion, template_.Expand(items_[seq - 1], seq));
  if (log_ && options_.resume) {
    ASSIGN_OR_RETURN(const bool done, log_->IsDone(seq, Joined(expansion.shown)));
    if (done) {
      Skip(seq);
      return {};
    }
  }
  jobs_[seq].expansion = std::move(expansion);
  return Launch(seq);
}

void XargsRun::Skip(size_t seq) {
  ++skipped_;
  Print(seq, {});
}

// A program that is not there is the same for every item: it ends the run.
Result<void> XargsRun::Launch(size_t seq) {
  Job& job = jobs_.at(seq);
  ++job.tries;
  job.start_ns = clock_.NowNs();
  job.start_monotonic_ns = clock_.MonotonicNs();
  RemoteCommand command = options_.base;
  command.argv = job.expansion.argv;
  command.env.insert(command.env.end(), job.expansion.env.begin(), job.expansion.env.end());
  for (const std::string& path : job.expansion.inputs) {
    command.inputs.push_back(SameInput(path, command));
  }
  for (const std::string& path : job.expansion.outputs) {
    command.outputs.push_back(SameOutput(path, command));
  }
  ASSIGN_OR_RETURN(const session::RunCommand request, MakeRequest(command, surrounding_));
  const auto started = remote_.Start(seq, request);
  if (started) return {};
  session::CommandResult result;
  result.error = started.error().message;
  return Finish(seq, std::move(result));
}

Result<void> XargsRun::Finish(size_t seq, session::CommandResult result) {
  Job& job = jobs_.at(seq);
  const int status = ExitStatusOf(result);
  job.sent_bytes += result.sent_bytes;
  if (status != 0 && job.tries < options_.tries && !halted_) {
    again_.push_back(seq);
    return {};
  }
  std::string said;
  const auto say = [&](const std::string& what) {
    said += "llama: job " + std::to_string(seq) + ": " + what + "\n";
  };
  if (!result.error.empty()) say(result.error);
  if (!result.output_error.empty()) say("missing output: " + result.output_error);
  if (options_.verbose) {
    for (const std::string& note : result.notes) say(note);
  }
  TRY(Log(seq, job, result, status));
  ++done_;
  if (status != 0) ++failed_;
  jobs_.erase(seq);
  Print(seq, {std::move(result.out), std::move(result.err) + said});
  const HaltPolicy& halt = options_.halt;
  if (halt.when != HaltPolicy::When::kNever && failed_ >= halt.failures) {
    halted_ = true;
    if (halt.when == HaltPolicy::When::kNow) remote_.Abandon();
  }
  return {};
}

Result<void> XargsRun::Log(size_t seq, const Job& job, const session::CommandResult& result,
                           int status) {
  if (!log_) return {};
  LogEntry entry;
  entry.seq = seq;
  entry.host = options_.base.function.empty() ? "llama" : options_.base.function;
  entry.start_ns = job.start_ns;
  entry.run_ns = clock_.MonotonicNs() - job.start_monotonic_ns;
  entry.sent_bytes = job.sent_bytes;
  entry.received_bytes = result.output_bytes + result.out.size() + result.err.size();
  const bool was_signal = result.error.empty() && WIFSIGNALED(result.status);
  entry.exit_status = was_signal ? 0 : status;
  entry.signal = was_signal ? WTERMSIG(result.status) : 0;
  entry.command = Joined(job.expansion.shown);
  return log_->Write(entry);
}

void XargsRun::Print(size_t seq, Output output) {
  if (!options_.keep_order) {
    PrintNow(output);
    return;
  }
  early_.emplace(seq, std::move(output));
  while (!early_.empty() && early_.begin()->first == turn_) {
    PrintNow(early_.begin()->second);
    early_.erase(early_.begin());
    ++turn_;
  }
}

void XargsRun::PrintNow(const Output& output) {
  if (output.out.empty() && output.err.empty()) return;
  if (is_drawn_) std::fputs("\r\033[K", stderr);
  is_drawn_ = false;
  std::fflush(stderr);
  // A reader that went away is its own affair.
  (void)WriteAll(STDOUT_FILENO, output.out, "stdout").has_value();
  (void)WriteAll(STDERR_FILENO, output.err, "stderr").has_value();
}

void XargsRun::Draw(bool last) {
  if (!options_.progress) return;
  const int64_t now_ns = clock_.MonotonicNs();
  if (!last && now_ns - drawn_ns_ < kTickMs * 1'000'000) return;
  drawn_ns_ = now_ns;
  const double per_second = rate_.Update(done_, now_ns);
  const int64_t seconds = (now_ns - start_monotonic_ns_) / 1'000'000'000;
  char text[200];
  std::snprintf(text, sizeof text, "[%lld:%02lld] %zu of %zu done, %zu failed, %zu running, %s/s",
                static_cast<long long>(seconds / 60), static_cast<long long>(seconds % 60),
                done_ + skipped_, items_.size(), failed_, remote_.running(),
                FormatFixed(per_second, 1).c_str());
  std::fprintf(stderr, "\r\033[K%s%s", last ? "" : text, "");
  std::fflush(stderr);
  is_drawn_ = !last;
}

int XargsRun::ExitStatus() const {
  return static_cast<int>(std::min(failed_, kMaxCountedFailures + 1));
}

int XargsRun::Run(const std::function<void()>& tick, int interrupted) {
  const auto fail = [&](const Error& error) {
    remote_.Abandon();
    Draw(true);
    PrintError(error.message);
    const bool no_program = error.code == Code::kNotFound;
    return no_program ? kNoSuchCommand : kLlamaFailed;
  };
  if (const auto opened = Open(); !opened)
    return fail(Error{Code::kInvalid, opened.error().message});
  while (true) {
    while (MayStart()) {
      if (const auto started = StartNext(); !started) return fail(started.error());
    }
    if (remote_.running() == 0 && (halted_ || (again_.empty() && next_ > items_.size()))) break;
    for (RemoteJobs::Finished& ended : remote_.Wait(kTickMs, interrupted)) {
      if (halted_ && options_.halt.when == HaltPolicy::When::kNow) break;
      const auto finished = Finish(ended.id, std::move(ended.result));
      if (!finished) return fail(finished.error());
    }
    tick();
    Draw(false);
    pollfd signal{interrupted, POLLIN, 0};
    if (interrupted >= 0 && poll(&signal, 1, 0) > 0) {
      remote_.Abandon();
      break;
    }
  }
  // What --keep-order still holds back has lost its turn to an item that never ran.
  for (const auto& [seq, output] : early_) PrintNow(output);
  Draw(true);
  return ExitStatus();
}

}  // namespace llama::app
