#include "client/hung_note.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "session/socket.h"

namespace llama::client {
namespace {

constexpr size_t kMaxWordBytes = 4096;

}  // namespace

HungNote::HungNote(const std::string& run_dir) : path_(run_dir + "/" + session::kHungName) {}

HungNote::Advice HungNote::Read(int64_t hold_ms) {
  Fd fd(open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return Advice::kAsk;
  if (IsRecent(fd.get(), hold_ms)) return Advice::kLeave;
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return Advice::kLeave;
  // Another may have tried in the meantime.
  if (IsRecent(fd.get(), hold_ms)) return Advice::kLeave;
  probe_ = std::move(fd);
  return Advice::kProbe;
}

bool HungNote::IsFresh(int64_t hold_ms) const {
  const Fd fd(open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  return fd.valid() && IsRecent(fd.get(), hold_ms);
}

void HungNote::Write() const {
  const Fd fd(open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.valid()) WriteMonotonicTime(fd.get());
}

void HungNote::Remove() const { unlink(path_.c_str()); }

bool IsRecent(int fd, int64_t hold_ms) {
  char text[32];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  int64_t written_ns = 0;
  if (size <= 0 || std::from_chars(text, text + size, written_ns).ec != std::errc()) return false;
  const int64_t now_ns = SystemClock().MonotonicNs();
  return written_ns <= now_ns && now_ns - written_ns < hold_ms * 1'000'000;
}

void WriteMonotonicTime(int fd, std::string_view word) {
  const std::string text = std::to_string(SystemClock().MonotonicNs())
                               .append("\n")
                               .append(word.substr(0, kMaxWordBytes));
  if (pwrite(fd, text.data(), text.size(), 0) > 0) {
    (void)!ftruncate(fd, static_cast<off_t>(text.size()));
  }
}

std::string WordAt(int fd) {
  char text[32 + kMaxWordBytes];
  const ssize_t size = pread(fd, text, sizeof text, 0);
  const std::string_view all(text, static_cast<size_t>(std::max<ssize_t>(size, 0)));
  const size_t line = all.find('\n');
  if (line == all.npos) return {};
  const std::string_view word = all.substr(line + 1);
  return std::string(word.substr(0, word.find('\n')));
}

}  // namespace llama::client
