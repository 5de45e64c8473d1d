#include "worker/run/announced_outputs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>

#include "base/file.h"

namespace llama::worker {
namespace {

constexpr size_t kMaxFiles = 20'000;
constexpr int kMaxDepth = 100;
constexpr uint64_t kMaxCopyBytes = uint64_t{1} << 30;

// Calls `each` with every entry below `dir` (a real path) that is no directory, by its name there.
using EachEntry = std::function<Result<void>(const std::string& name, const struct stat& st)>;
Result<void> ForEachBelow(const std::string& dir, const std::string& prefix, int depth,
                          const EachEntry& each) {
  if (depth > kMaxDepth) return Error{Code::kInvalid, prefix + ": nested too deeply"};
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(dir));
  for (const std::string& name : names) {
    struct stat st {};
    const std::string path = JoinPath(dir, name);
    if (lstat(path.c_str(), &st) != 0) continue;
    const std::string inside = prefix.empty() ? name : JoinPath(prefix, name);
    if (S_ISDIR(st.st_mode)) {
      TRY(ForEachBelow(path, inside, depth + 1, each));
    } else {
      TRY(each(inside, st));
    }
  }
  return {};
}

bool IsDirectoryItself(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

// The mirror's own file is read-only and may be another path's, too.
Result<void> MakeOwn(const std::string& path, const struct stat& st) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxCopyBytes));
  if (unlink(path.c_str()) != 0) return ErrnoError(errno, path);
  const mode_t mode = (st.st_mode & 0111) != 0 ? 0755 : 0644;
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(WriteAll(fd.get(), bytes, path));
  return fchmod(fd.get(), mode) == 0 ? Result<void>() : ErrnoError(errno, path);
}

// Takes files up to the bounds.
class Taker {
 public:
  Taker(uint64_t max_bytes, job::Answer& answer)
      : max_bytes_(max_bytes), left_(max_bytes), answer_(answer) {}

  Result<void> Take(const std::string& real, const std::string& path, const struct stat& st) {
    if (!S_ISREG(st.st_mode)) {
      answer_.refused.push_back(path + ": " + KindOf(st.st_mode));
      return {};
    }
    const uint64_t size = static_cast<uint64_t>(st.st_size) + path.size();
    if (size > left_ || answer_.outputs.size() >= kMaxFiles) {
      return Error{Code::kInvalid, "answer too large: " + path + " does not fit into " +
                                       std::to_string(max_bytes_) + " bytes and " +
                                       std::to_string(kMaxFiles) + " files"};
    }
    constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
    Result<Fd> fd = OpenFile(real, kFlags);
    if (!fd && access(real.c_str(), R_OK) != 0 &&
        chmod(real.c_str(), (st.st_mode & 07777) | 0400) == 0) {
      fd = OpenFile(real, kFlags);
    }
    if (!fd) return std::move(fd).error();
    job::OutputFile file{path, st.st_mode & 07777, {}};
    ASSIGN_OR_RETURN(file.bytes, ReadAll(fd->get(), left_, path));
    left_ -= std::min<uint64_t>(left_, file.bytes.size() + path.size());
    answer_.outputs.push_back(std::move(file));
    return {};
  }

 private:
  static const char* KindOf(mode_t mode) {
    if (S_ISDIR(mode)) return "a directory";
    return S_ISLNK(mode) ? "a symbolic link" : "not a regular file";
  }

  const uint64_t max_bytes_;
  uint64_t left_;
  job::Answer& answer_;
};

}  // namespace

Result<void> AnnouncedOutputs::Begin() {
  for (const job::JobOutput& output : outputs_) {
    const std::string real = root_ + output.path;
    struct stat st {};
    if (lstat(real.c_str(), &st) != 0) continue;
    if (!output.is_tree) {
      if (S_ISREG(st.st_mode)) TRY(MakeOwn(real, st));
      continue;
    }
    if (!S_ISDIR(st.st_mode)) continue;
    TRY(ForEachBelow(real, "", 0, [&](const std::string& name, const struct stat& now) {
      before_.emplace(JoinPath(output.path, name), StampOf(now));
      return Result<void>();
    }));
  }
  return {};
}

Result<void> AnnouncedOutputs::Collect(uint64_t max_bytes, job::Answer& answer) const {
  Taker taker(max_bytes, answer);
  for (const job::JobOutput& output : outputs_) {
    const std::string real = root_ + output.path;
    struct stat st {};
    if (lstat(real.c_str(), &st) != 0) continue;
    if (!output.is_tree) {
      TRY(taker.Take(real, output.path, st));
      continue;
    }
    if (!IsDirectoryItself(real)) {
      answer.refused.push_back(output.path + ": not a directory");
      continue;
    }
    TRY(ForEachBelow(real, "", 0, [&](const std::string& name, const struct stat& now) {
      const std::string path = JoinPath(output.path, name);
      const auto old = before_.find(path);
      if (old != before_.end() && old->second == StampOf(now)) return Result<void>();
      return taker.Take(real + "/" + name, path, now);
    }));
  }
  std::sort(answer.outputs.begin(), answer.outputs.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

}  // namespace llama::worker
