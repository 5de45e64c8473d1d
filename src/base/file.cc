#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include "base/own_dir.h"
#include "base/staged_file.h"
#include "base/text/hex.h"

namespace llama {
namespace {

struct DirCloser {
  void operator()(DIR* dir) const { closedir(dir); }
};

}  // namespace

Result<Fd> OpenFile(const std::string& path, int flags, mode_t mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) return ErrnoError(errno, path);
  return Fd(fd);
}

Result<std::string> ReadAll(int fd, uint64_t max_bytes, std::string_view name) {
  struct stat st {};
  std::string out;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
    out.reserve(std::min<uint64_t>(static_cast<uint64_t>(st.st_size), max_bytes) + 1);
  }
  size_t used = 0;
  while (true) {
    if (out.size() - used < 4096) {
      out.resize(std::max<size_t>(out.capacity(), used + 65536));
    }
    const ssize_t n = ::read(fd, out.data() + used, out.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, name);
    if (n == 0) break;
    used += static_cast<size_t>(n);
    if (used > max_bytes) {
      return Error{Code::kInvalid,
                   std::string(name) + ": larger than " + std::to_string(max_bytes) + " bytes"};
    }
  }
  out.resize(used);
  return out;
}

Result<std::string> ReadFile(const std::string& path, uint64_t max_bytes) {
  ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_RDONLY));
  return ReadAll(fd.get(), max_bytes, path);
}

Result<void> WriteAll(int fd, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, name);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Result<void> WriteFileAtomic(const std::string& path, std::string_view bytes, mode_t mode) {
  ASSIGN_OR_RETURN(StagedFile file, StagedFile::Write(path, bytes, mode));
  return file.Commit(StagedFile::Replace::kFlushed);
}

Result<void> MakeDirs(const std::string& path, mode_t mode) {
  if (mkdir(path.c_str(), mode) == 0) return {};
  if (errno == EEXIST) {
    if (IsDirectory(path)) return {};
    return ErrnoError(ENOTDIR, path);
  }
  if (errno != ENOENT) return ErrnoError(errno, path);
  const std::string parent(DirName(path));
  if (parent == path || parent == ".") return ErrnoError(ENOENT, path);
  TRY(MakeDirs(parent, 0777));
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return ErrnoError(errno, path);
  return {};
}

namespace {

Result<void> RemoveAt(int dir_fd, const char* name, const std::string& path) {
  if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return ErrnoError(errno, path);
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int raw = openat(dir_fd, name, kFlags);
  // Folders may be closed to their owner: Go makes those of its modules so.
  if (raw < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0) {
    raw = openat(dir_fd, name, kFlags);
  }
  if (raw < 0) return errno == ENOENT ? Result<void>() : ErrnoError(errno, path);
  DIR* handle = fdopendir(raw);
  if (handle == nullptr) {
    ::close(raw);
    return ErrnoError(errno, path);
  }
  const std::unique_ptr<DIR, DirCloser> dir(handle);
  (void)fchmod(raw, 0700);
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    TRY(RemoveAt(dirfd(dir.get()), entry->d_name, path + "/" + std::string(child)));
  }
  if (unlinkat(dir_fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  return {};
}

}  // namespace

Result<void> RemoveTree(const std::string& path) { return RemoveAt(AT_FDCWD, path.c_str(), path); }

Result<std::vector<std::string>> ListDir(const std::string& path) {
  const std::unique_ptr<DIR, DirCloser> dir(opendir(path.c_str()));
  if (!dir) return ErrnoError(errno, path);
  std::vector<std::string> names;
  while (const dirent* entry = readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::string> ReadLink(const std::string& path) {
  char buffer[PATH_MAX];
  const ssize_t n = readlink(path.c_str(), buffer, sizeof buffer);
  if (n < 0) return ErrnoError(errno, path);
  return std::string(buffer, static_cast<size_t>(n));
}

Result<std::string> RealPath(const std::string& path) {
  char buffer[PATH_MAX];
  if (realpath(path.c_str(), buffer) == nullptr) return ErrnoError(errno, path);
  return std::string(buffer);
}

bool IsDirectory(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
}

bool IsRegularFile(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode);
}

Result<std::string> ExecutableDir() {
  ASSIGN_OR_RETURN(const std::string exe, ReadLink("/proc/self/exe"));
  return std::string(DirName(exe));
}

std::string JoinPath(std::string_view dir, std::string_view name) {
  if (!name.empty() && name.front() == '/') return std::string(name);
  if (dir.empty()) return std::string(name);
  std::string out(dir);
  if (out.back() != '/') out.push_back('/');
  out.append(name);
  return out;
}

std::string_view DirName(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

Result<void> MakeOwnDir(const std::string& path) {
  struct stat st {};
  const bool is_there = lstat(path.c_str(), &st) == 0;
  if (is_there && st.st_uid == geteuid() && !S_ISDIR(st.st_mode) && !IsDirectory(path)) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoError(errno, path);
  }
  TRY(MakeDirs(path, 0700));
  if (stat(path.c_str(), &st) != 0) return ErrnoError(errno, path);
  if (st.st_uid == geteuid() && (st.st_mode & S_IRWXU) != S_IRWXU &&
      chmod(path.c_str(), (st.st_mode & 07777) | S_IRWXU) != 0) {
    return ErrnoError(errno, path);
  }
  return {};
}

Result<Fd> OpenOwnFile(const std::string& path, int flags, mode_t mode) {
  struct stat st {};
  const bool is_there = lstat(path.c_str(), &st) == 0 && st.st_uid == geteuid();
  if (is_there && S_ISREG(st.st_mode)) {
    constexpr mode_t kOwners = S_IRUSR | S_IWUSR;
    if ((st.st_mode & kOwners) != kOwners) {
      (void)chmod(path.c_str(), (st.st_mode & 07777) | kOwners);
    }
  } else if (is_there && !IsRegularFile(path)) {
    TRY(RemoveTree(path));
  }
  return OpenFile(path, flags, mode);
}

namespace {

// Where a process id means what it means here: this boot of this machine, this namespace of
// processes. A folder for temporary files may be shared between several.
std::string Realm() {
  const Result<std::string> boot = ReadFile("/proc/sys/kernel/random/boot_id", 100);
  const Result<std::string> pids = ReadLink("/proc/self/ns/pid");
  if (!boot || !pids) return "";
  constexpr size_t kLength = 6;
  size_t hash = std::hash<std::string>()(*boot + *pids);
  std::string realm;
  for (size_t i = 0; i < kLength; ++i, hash /= 16) realm.push_back(kHexDigits[hash % 16]);
  return realm;
}

// Of "<start><pid>-XXXXXX": whether it is a folder of this user's whose process is no more.
bool IsAbandoned(const std::string& dir, std::string_view name, std::string_view start) {
  if (!name.starts_with(start)) return false;
  const std::string_view rest = name.substr(start.size());
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), pid);
  constexpr size_t kRandom = 7;  // "-XXXXXX"
  const size_t digits = static_cast<size_t>(end - rest.data());
  if (error != std::errc() || pid <= 0 || rest.size() != digits + kRandom || *end != '-') {
    return false;
  }
  struct stat st {};
  return kill(pid, 0) != 0 && errno == ESRCH && lstat(JoinPath(dir, name).c_str(), &st) == 0 &&
         S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

void RemoveAbandoned(const std::string& dir, std::string_view start) {
  const Result<std::vector<std::string>> names = ListDir(dir);
  if (!names) return;
  for (const std::string& name : *names) {
    if (IsAbandoned(dir, name, start)) (void)RemoveTree(JoinPath(dir, name)).has_value();
  }
}

}  // namespace

Result<TempDir> TempDir::Create(std::string_view prefix) {
  const char* base = std::getenv("TMPDIR");
  const std::string dir = base != nullptr && *base != '\0' ? base : "/tmp";
  std::string name = std::string(prefix) + "-";
  if (const std::string realm = Realm(); !realm.empty()) {
    name += realm + "-";
    RemoveAbandoned(dir, name);
    name += std::to_string(getpid()) + "-";
  }
  std::string path = JoinPath(dir, name + "XXXXXX");
  if (mkdtemp(path.data()) == nullptr) return ErrnoError(errno, path);
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  if (!path_.empty()) (void)RemoveTree(path_).has_value();
}

}  // namespace llama
