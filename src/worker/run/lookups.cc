#include "worker/run/lookups.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <unordered_map>

#include "base/file.h"
#include "base/log.h"
#include "worker/preload/lookup_log.h"

namespace llama::worker {
namespace {

constexpr std::string_view kRecorderName = "llama-lookups.so";

// Where in a path of the log the local path begins: 0 if it isn't below the root.
size_t RootEnd(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return std::string_view::npos;
  if (path.size() > root.size() && path[root.size()] != '/') return std::string_view::npos;
  return root.size();
}

// A record at `at`, if the log holds a whole one there.
struct RawRecord {
  uint32_t kind = 0;
  uint32_t size = 0;
  std::string_view payload;
};

bool ReadRecord(std::string_view log, size_t at, RawRecord& record) {
  LookupRecord head{};
  if (log.size() - at < sizeof head) return false;
  std::memcpy(&head, log.data() + at, sizeof head);
  if (head.size < sizeof head || head.size % 4 != 0 || head.size > log.size() - at) return false;
  record.kind = head.kind;
  record.size = head.size;
  record.payload = log.substr(at + sizeof head, head.size - sizeof head);
  return true;
}

Result<void> Reserve(int fd, const std::string& path) {
  if (fallocate(fd, 0, 0, LLAMA_LOOKUP_LOG_BYTES) == 0) return {};
  if (errno != EOPNOTSUPP && errno != ENOSYS) return ErrnoError(errno, path);
  const std::string zeros(1 << 20, '\0');
  for (uint64_t done = 0; done < LLAMA_LOOKUP_LOG_BYTES; done += zeros.size()) {
    TRY(WriteAll(fd, zeros, path));
  }
  return {};
}

Result<void> PutAt(int fd, std::string_view bytes, off_t at, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path);
    bytes.remove_prefix(static_cast<size_t>(n));
    at += n;
  }
  return {};
}

// The header, and then as much of the log as it says is used.
Result<std::string> GetUsed(int fd, const std::string& path) {
  std::string log(sizeof(LookupLogHeader), '\0');
  LookupLogHeader header{};
  const auto fill = [&](size_t from) -> Result<void> {
    while (from < log.size()) {
      const ssize_t n = pread(fd, log.data() + from, log.size() - from, static_cast<off_t>(from));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoError(errno, path);
      if (n == 0) return Error{Code::kInvalid, path + ": cut short"};
      from += static_cast<size_t>(n);
    }
    return {};
  };
  TRY(fill(0));
  std::memcpy(&header, log.data(), sizeof header);
  log.resize(std::clamp<size_t>(header.used, sizeof header, LLAMA_LOOKUP_LOG_BYTES));
  TRY(fill(sizeof header));
  return log;
}

}  // namespace

std::string CollapsePath(std::string_view path) {
  std::string out;
  out.reserve(path.size());
  for (size_t at = 0; at < path.size();) {
    const size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (!part.empty() && part != ".") out.append("/").append(part);
    at = end + 1;
  }
  return out.empty() ? "/" : out;
}

Lookups ParseLookups(std::string_view log, std::string_view root, pid_t pid) {
  Lookups result;
  LookupLogHeader header{};
  if (log.size() < sizeof header) return result;
  std::memcpy(&header, log.data(), sizeof header);
  bool whole =
      header.magic == LLAMA_LOOKUP_LOG_MAGIC && header.lost == 0 && header.used == log.size();
  std::unordered_map<std::string, bool> first;
  std::set<uint32_t> attached;
  std::set<std::string> listed;
  std::set<std::string> written;
  std::set<uint32_t> waited = {static_cast<uint32_t>(pid)};
  RawRecord record;
  size_t at = sizeof header;
  for (; at < log.size() && ReadRecord(log, at, record); at += record.size) {
    if (record.kind == LOOKUP_FOUND || record.kind == LOOKUP_ABSENT ||
        record.kind == LOOKUP_LISTED || record.kind == LOOKUP_WROTE) {
      const std::string_view path = record.payload.substr(0, record.payload.find('\0'));
      const size_t start = RootEnd(path, root);
      if (start == std::string_view::npos) continue;
      std::string local = CollapsePath(path.substr(start));
      if (record.kind == LOOKUP_LISTED) {
        listed.insert(std::move(local));
      } else if (record.kind == LOOKUP_WROTE) {
        written.insert(std::move(local));
      } else {
        first.emplace(std::move(local), record.kind == LOOKUP_FOUND);
      }
    } else if (record.payload.size() >= sizeof(uint32_t)) {
      uint32_t process = 0;
      std::memcpy(&process, record.payload.data(), sizeof process);
      if (record.kind == LOOKUP_ATTACHED) attached.insert(process);
      if (record.kind == LOOKUP_LEAVING) attached.erase(process);
      if (record.kind == LOOKUP_WAITED) waited.insert(process);
    }
  }
  whole = whole && at == log.size();
  result.complete =
      whole && std::includes(attached.begin(), attached.end(), waited.begin(), waited.end());
  for (auto& [path, found] : first) (found ? result.found : result.absent).push_back(path);
  result.listed.assign(listed.begin(), listed.end());
  result.written.assign(written.begin(), written.end());
  std::sort(result.found.begin(), result.found.end());
  std::sort(result.absent.begin(), result.absent.end());
  return result;
}

Result<std::unique_ptr<LookupLog>> LookupLog::Create(const std::string& dir) {
  std::unique_ptr<LookupLog> log(new LookupLog(dir));
  TRY(log->MakeRecorder());
  TRY(log->MakeLog());
  return log;
}

Result<void> LookupLog::MakeRecorder() {
  TRY(RemoveTree(recorder_dir()));
  TRY(MakeDirs(recorder_dir(), 0700));
  return WriteFileAtomic(JoinPath(recorder_dir(), kRecorderName), RecorderImage(), 0555);
}

Result<void> LookupLog::Check() {
  const std::string recorder = JoinPath(recorder_dir(), kRecorderName);
  struct stat dir {};
  struct stat file {};
  const Result<std::vector<std::string>> names = ListDir(recorder_dir());
  const bool is_alone = names && names->size() == 1 && lstat(recorder_dir().c_str(), &dir) == 0 &&
                        S_ISDIR(dir.st_mode) && lstat(recorder.c_str(), &file) == 0 &&
                        S_ISREG(file.st_mode) && (file.st_mode & 07777) == 0555;
  const Result<std::string> bytes =
      is_alone ? ReadFile(recorder, RecorderImage().size()) : Result<std::string>(std::string());
  if (bytes && *bytes == RecorderImage()) return {};
  LOG(kWarning, "a command altered " + recorder);
  return MakeRecorder();
}

Result<void> LookupLog::MakeLog() {
  (void)unlink(path().c_str());
  ASSIGN_OR_RETURN(log_, OpenFile(path(), O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(Reserve(log_.get(), path()));
  return Reset();
}

Result<void> LookupLog::Reset() {
  struct stat ours {};
  struct stat named {};
  if (!log_.valid() || fstat(log_.get(), &ours) != 0 || stat(path().c_str(), &named) != 0 ||
      ours.st_ino != named.st_ino || ours.st_dev != named.st_dev ||
      ours.st_size != LLAMA_LOOKUP_LOG_BYTES) {
    return MakeLog();
  }
  LookupLogHeader header{};
  std::string old(sizeof header, '\0');
  if (pread(log_.get(), old.data(), old.size(), 0) != static_cast<ssize_t>(old.size())) {
    return ErrnoError(errno, path());
  }
  std::memcpy(&header, old.data(), sizeof header);
  // A record that is left unfinished next time must read as one.
  const size_t used = std::clamp<size_t>(header.used, sizeof header, LLAMA_LOOKUP_LOG_BYTES);
  std::string clean(used, '\0');
  header = {LLAMA_LOOKUP_LOG_MAGIC, sizeof header, 0, 0};
  std::memcpy(clean.data(), &header, sizeof header);
  return PutAt(log_.get(), clean, 0, path());
}

void LookupLog::AddTo(std::vector<std::string>& env) const {
  const std::string recorder = JoinPath(recorder_dir(), kRecorderName);
  env.push_back(std::string(LLAMA_LOOKUP_LOG_ENV) + "=" + path());
  if (dir_.find_first_of(" :") == std::string::npos) {
    env.push_back("LD_PRELOAD=" + recorder);
    return;
  }
  // LD_PRELOAD can't name a path with spaces; a name without a slash is sought in LD_LIBRARY_PATH,
  // which can. (Nor can that name one with colons: the recorder is then not found, and the log
  // incomplete.)
  env.push_back("LD_PRELOAD=" + std::string(kRecorderName));
  constexpr std::string_view kLibraryPath = "LD_LIBRARY_PATH=";
  for (std::string& variable : env) {
    if (!variable.starts_with(kLibraryPath)) continue;
    variable += ":" + recorder_dir();
    return;
  }
  env.push_back(std::string(kLibraryPath) + recorder_dir());
}

bool LookupLog::Suits(const std::string& program) const {
  if (dir_.find(':') != std::string::npos) return false;
  Result<Fd> fd = OpenFile(program, O_RDONLY);
  Elf64_Ehdr theirs{};
  Elf64_Ehdr ours{};
  if (!fd || ::read(fd->get(), &theirs, sizeof theirs) < 2) return false;
  if (theirs.e_ident[0] == '#' && theirs.e_ident[1] == '!') return true;
  if (RecorderImage().size() < sizeof ours) return false;
  std::memcpy(&ours, RecorderImage().data(), sizeof ours);
  return std::memcmp(theirs.e_ident, ours.e_ident, EI_VERSION) == 0 &&
         theirs.e_machine == ours.e_machine;
}

Result<Lookups> LookupLog::Collect(std::string_view root, pid_t pid) const {
  ASSIGN_OR_RETURN(const std::string log, GetUsed(log_.get(), path()));
  return ParseLookups(log, root, pid);
}

}  // namespace llama::worker
