#include "llama/build/output_taps.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/file.h"

namespace llama::app {
namespace {

constexpr off_t kMaxReadBack = 256 << 20;
constexpr size_t kMaxChunk = 65536;      // what a pipe holds unless told otherwise
constexpr size_t kMostAtOnce = 1 << 20;  // from one output, before the other is looked at

off_t LengthOf(int fd, const struct stat& st) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_APPEND) != 0) return st.st_size;
  return lseek(fd, 0, SEEK_CUR);
}

short EventsOf(int fd, short events) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, 0) > 0 ? waiting.revents : short{0};
}

}  // namespace

OutputTaps::OutputTaps(OutputWatch& watch) : watch_(watch) {
  std::array<struct stat, 2> stats{};
  for (size_t i = 0; i < 2; ++i) {
    const int fd = i == 0 ? STDOUT_FILENO : STDERR_FILENO;
    const auto stream = i == 0 ? OutputWatch::Stream::kOut : OutputWatch::Stream::kErr;
    if (fstat(fd, &stats[i]) != 0) continue;
    const bool is_same =
        i == 1 && stats[0].st_ino == stats[1].st_ino && stats[0].st_dev == stats[1].st_dev;
    if (S_ISFIFO(stats[i].st_mode)) {
      if (is_same) shared_ = taps_[0].target >= 0;
      if (!is_same) OpenTap(fd, stream, taps_[i]);
    } else if (S_ISREG(stats[i].st_mode) && !is_same) {
      files_[i] = {fd, stream, LengthOf(fd, stats[i])};
    }
  }
}

void OutputTaps::OpenTap(int target, OutputWatch::Stream stream, Tap& tap) const {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return;  // then it goes unseen
  tap.own_end = Fd(fds[0]);
  tap.command_end = Fd(fds[1]);
  tap.target = target;
  tap.stream = stream;
}

void OutputTaps::TakeInCommand() const {
  for (const Tap& tap : taps_) {
    if (tap.target >= 0) dup2(tap.command_end.get(), tap.target);
  }
  if (shared_) dup2(taps_[0].command_end.get(), STDERR_FILENO);
}

void OutputTaps::CloseCommandEnds() {
  for (Tap& tap : taps_) tap.command_end.Reset();
}

std::array<pollfd, 2> OutputTaps::Waiting() const {
  std::array<pollfd, 2> out = {{{-1, 0, 0}, {-1, 0, 0}}};
  for (size_t i = 0; i < 2; ++i) {
    if (!taps_[i].own_end.valid()) continue;
    out[i] = taps_[i].is_target_full ? pollfd{taps_[i].target, POLLOUT, 0}
                                     : pollfd{taps_[i].own_end.get(), POLLIN, 0};
  }
  return out;
}

void OutputTaps::Pump() {
  for (Tap& tap : taps_) {
    if (tap.own_end.valid()) PumpTap(tap);
  }
}

// A reader may wait for our end before it reads: what fits into its pipe at once must not take more
// room there than what the command wrote. So it is written anew, and small pieces share a page;
// tee(2) and splice(2) would give each of them one of the pipe's sixteen.
void OutputTaps::PumpTap(Tap& tap) {
  std::array<char, PIPE_BUF> buffer;  // a pipe that can be written to takes as much without waiting
  for (size_t passed = 0; passed < kMostAtOnce;) {
    const short there = EventsOf(tap.own_end.get(), POLLIN);
    if (there == 0) return;
    if ((there & POLLIN) == 0) return tap.own_end.Reset();  // all writers are gone
    tap.is_target_full = EventsOf(tap.target, POLLOUT) == 0;
    if (tap.is_target_full) return;
    const ssize_t n = read(tap.own_end.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) return tap.own_end.Reset();
    const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
    watch_.Add(tap.stream, bytes);
    tap.last_bytes -= std::min(tap.last_bytes, static_cast<int>(n));
    passed += bytes.size();
    // Nobody reads it any more: that is for the command to see.
    if (!WriteAll(tap.target, bytes, "output")) return tap.own_end.Reset();
  }
}

void OutputTaps::CommandEnded() {
  for (Tap& tap : taps_) {
    if (ioctl(tap.own_end.get(), FIONREAD, &tap.last_bytes) != 0) tap.last_bytes = 0;
  }
}

bool OutputTaps::HasMore() const {
  return std::any_of(taps_.begin(), taps_.end(),
                     [](const Tap& tap) { return tap.own_end.valid() && tap.last_bytes > 0; });
}

void OutputTaps::Finish() {
  Pump();  // sees whether anybody is left who writes
  for (Tap& tap : taps_) {
    if (tap.own_end.valid()) LeaveCopier(tap);
  }
  for (const Written& file : files_) ReadBack(file);
  watch_.End();
}

void OutputTaps::LeaveCopier(Tap& tap) {
  if (fork() == 0) {
    // Nothing of the build's own may live on with it: locks, the daemon's connection.
    dup2(tap.own_end.get(), STDIN_FILENO);
    dup2(tap.target, STDOUT_FILENO);
    close_range(STDERR_FILENO, ~0U, 0);
    for (const int signal : {SIGINT, SIGQUIT, SIGHUP}) std::signal(signal, SIG_IGN);
    ssize_t n = 0;
    do {
      n = splice(STDIN_FILENO, nullptr, STDOUT_FILENO, nullptr, kMaxChunk, 0);
    } while (n > 0 || (n < 0 && errno == EINTR));
    _exit(0);
  }
  tap.own_end.Reset();
}

void OutputTaps::ReadBack(const Written& file) {
  if (file.fd < 0 || file.from < 0) return;
  const auto opened = OpenFile("/proc/self/fd/" + std::to_string(file.fd), O_RDONLY);
  if (!opened) return;  // one that we may only write to
  std::array<char, 65536> buffer;
  off_t at = file.from;
  while (at - file.from < kMaxReadBack) {
    const ssize_t n = pread(opened->get(), buffer.data(), buffer.size(), at);
    if (n <= 0) return;
    watch_.Add(file.stream, {buffer.data(), static_cast<size_t>(n)});
    at += n;
  }
}

}  // namespace llama::app
