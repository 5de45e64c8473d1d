#include "llama/build/output_taps.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/file.h"

namespace llama::app {
namespace {

constexpr off_t kMaxReadBack = 256 << 20;
constexpr int kLastReads = 1024;  // a pipe's content, 1 MiB at most, in pieces of PIPE_BUF

off_t LengthOf(int fd, const struct stat& st) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_APPEND) != 0) return st.st_size;
  return lseek(fd, 0, SEEK_CUR);
}

bool Is(int fd, short event) {
  pollfd waiting{fd, event, 0};
  return poll(&waiting, 1, 0) > 0;
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
    out[i] = taps_[i].pending.empty() ? pollfd{taps_[i].own_end.get(), POLLIN, 0}
                                      : pollfd{taps_[i].target, POLLOUT, 0};
  }
  return out;
}

bool OutputTaps::Pump() {
  bool any = false;
  for (Tap& tap : taps_) any = PumpTap(tap) || any;
  return any;
}

bool OutputTaps::PumpTap(Tap& tap) {
  if (!tap.own_end.valid()) return false;
  bool any = false;
  if (tap.pending.empty() && Is(tap.own_end.get(), POLLIN)) {
    // A pipe that can be written to takes as much as this without waiting.
    std::array<char, PIPE_BUF> buffer;
    const ssize_t n = read(tap.own_end.get(), buffer.data(), buffer.size());
    if (n <= 0) {
      if (n == 0 || errno != EINTR) tap.own_end.Reset();
      return false;
    }
    tap.pending.assign(buffer.data(), static_cast<size_t>(n));
    watch_.Add(tap.stream, tap.pending);
    any = true;
  }
  if (tap.pending.empty() || !Is(tap.target, POLLOUT)) return any;
  const ssize_t n = write(tap.target, tap.pending.data(), tap.pending.size());
  if (n > 0) tap.pending.erase(0, static_cast<size_t>(n));
  // Nobody reads it any more: that is for the command to see.
  if (n < 0 && errno != EAGAIN && errno != EINTR) tap.own_end.Reset();
  return any || n > 0;
}

void OutputTaps::Finish() {
  for (Tap& tap : taps_) {
    for (int reads = 0; reads < kLastReads && tap.own_end.valid(); ++reads) {
      if (!tap.pending.empty() && !WriteAll(tap.target, tap.pending, "output")) tap.own_end.Reset();
      tap.pending.clear();
      if (!PumpTap(tap)) break;
    }
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
    std::array<char, PIPE_BUF> buffer;
    while (true) {
      const ssize_t n = read(STDIN_FILENO, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) _exit(0);
      const std::string_view bytes(buffer.data(), static_cast<size_t>(n));
      if (!WriteAll(STDOUT_FILENO, bytes, "output")) _exit(0);
    }
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
