#include "worker/run/worker_dir.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>

#include "base/file.h"

namespace llama::worker {
namespace {

constexpr std::string_view kPrefix = "llama-";

// The lock of a folder that is ours and nobody else's; invalid otherwise.
Fd Lock(const std::string& path) {
  Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  struct stat at_path {};
  const bool is_ours = fd.valid() && fstat(fd.get(), &st) == 0 && st.st_uid == geteuid() &&
                       flock(fd.get(), LOCK_EX | LOCK_NB) == 0 &&
                       lstat(path.c_str(), &at_path) == 0 && at_path.st_ino == st.st_ino;
  return is_ours ? std::move(fd) : Fd();
}

// The number in "llama-123"; 0: another name.
pid_t NumberIn(std::string_view name) {
  if (!name.starts_with(kPrefix)) return 0;
  name.remove_prefix(kPrefix.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() && pid > 0 ? pid : 0;
}

void RemoveThoseOfTheDead(const std::string& tmp) {
  const Result<std::vector<std::string>> names = ListDir(tmp);
  if (!names) return;
  for (const std::string& name : *names) {
    const pid_t pid = NumberIn(name);
    // The process as well: it may be between making its folder and locking it.
    if (pid == 0 || pid == getpid() || kill(pid, 0) == 0 || errno != ESRCH) continue;
    if (const Fd lock = Lock(JoinPath(tmp, name)); lock.valid()) {
      (void)RemoveTree(JoinPath(tmp, name)).has_value();
    }
  }
}

}  // namespace

Result<WorkerDir> WorkerDir::Claim(const std::string& tmp) {
  RemoveThoseOfTheDead(tmp);
  const std::string usual = JoinPath(tmp, "llama-worker");
  (void)mkdir(usual.c_str(), 0700);
  if (Fd lock = Lock(usual); lock.valid()) return WorkerDir(usual, std::move(lock));
  const std::string own = JoinPath(tmp, std::string(kPrefix) + std::to_string(getpid()));
  (void)mkdir(own.c_str(), 0700);
  Fd lock = Lock(own);
  if (!lock.valid()) return Error{Code::kUnavailable, own + ": somebody else's"};
  return WorkerDir(own, std::move(lock));
}

}  // namespace llama::worker
