#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "base/own_dir.h"
#include "store/object_store.h"

namespace llama::store {
namespace {

constexpr time_t kLeftoverAgeSeconds = 3600;
constexpr uint64_t kMaxObjectBytes = uint64_t{4} << 30;

class FolderStore final : public ObjectStore {
 public:
  FolderStore(std::string root, std::string temp_dir, FolderBound bound)
      : root_(std::move(root)), temp_dir_(std::move(temp_dir)), bound_(std::move(bound)) {}

  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const PutOptions& options) override {
    TRY(CheckKey(key));
    const std::string path = PathOf(key);
    if (options.if_absent && access(path.c_str(), F_OK) == 0) return false;
    std::string temp;
    ASSIGN_OR_RETURN(const Fd fd, NewTemp(temp));
    Result<bool> placed = WriteAndPlace(fd.get(), temp, path, bytes, options);
    unlink(temp.c_str());  // gone already if it was renamed
    if (placed && *placed && key.starts_with(bound_.prefix)) NoteGrowth(bytes.size());
    return placed;
  }

  Result<std::string> Get(const std::string& key) override {
    TRY(CheckKey(key));
    const std::string path = PathOf(key);
    Result<std::string> bytes = ReadFile(path);
    if (!bytes && bytes.error().code != Code::kNotFound) bytes = ReadOpened(path);
    // The time of its last use, by which objects go.
    if (bytes && is_bounded()) (void)utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return bytes;
  }

  Result<bool> Exists(const std::string& key) override {
    TRY(CheckKey(key));
    const std::string path = PathOf(key);
    if (access(path.c_str(), F_OK) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoError(errno, path);
  }

  Result<void> Delete(const std::string& key) override {
    TRY(CheckKey(key));
    const std::string path = PathOf(key);
    if (unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
    return ErrnoError(errno, path);
  }

  // By taking the room for a moment: what is free says nothing of quotas.
  Result<void> HasRoomFor(uint64_t bytes) override {
    std::string temp;
    ASSIGN_OR_RETURN(const Fd fd, NewTemp(temp));
    const int failed = fallocate(fd.get(), 0, 0, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
    unlink(temp.c_str());
    // Some file systems don't know how, and nothing takes no room.
    if (failed == 0 || failed == EOPNOTSUPP || failed == EINVAL) return {};
    return ErrnoError(failed, root_);
  }

 private:
  struct Object {
    std::string path;
    uint64_t size_bytes = 0;
    int64_t used_ns = 0;
  };

  std::string PathOf(const std::string& key) const { return root_ + "/" + key + "~"; }
  bool is_bounded() const { return bound_.max_bytes != UINT64_MAX; }

  // The folder is read anew each time that a tenth of the bound was added to it: other processes
  // put objects there, too.
  void NoteGrowth(uint64_t bytes) EXCLUDES(mutex_) {
    if (!is_bounded()) return;
    const MutexLock lock(mutex_);
    grown_bytes_ += bytes;
    if (grown_bytes_ <= bound_.max_bytes / 10) return;
    grown_bytes_ = 0;
    Trim();
  }

  void Trim() REQUIRES(mutex_) {
    std::vector<Object> objects;
    const size_t slash = bound_.prefix.rfind('/');
    AddObjects(slash == std::string::npos ? root_ : root_ + "/" + bound_.prefix.substr(0, slash),
               objects);
    uint64_t sum = 0;
    for (const Object& object : objects) sum += object.size_bytes;
    if (sum <= bound_.max_bytes - bound_.max_bytes / 10) return;
    std::sort(objects.begin(), objects.end(),
              [](const Object& a, const Object& b) { return a.used_ns < b.used_ns; });
    for (const Object& object : objects) {
      if (sum <= bound_.max_bytes - bound_.max_bytes / 10) return;
      if (unlink(object.path.c_str()) == 0) sum -= object.size_bytes;
    }
  }

  void AddObjects(const std::string& dir, std::vector<Object>& objects) const {
    const Result<std::vector<std::string>> names = ListDir(dir);
    if (!names) return;
    for (const std::string& name : *names) {
      const std::string path = dir + "/" + name;
      struct stat st {};
      if (lstat(path.c_str(), &st) != 0) continue;
      if (S_ISDIR(st.st_mode) && path != temp_dir_) AddObjects(path, objects);
      const bool is_object =
          S_ISREG(st.st_mode) && name.ends_with('~') &&
          path.compare(root_.size() + 1, bound_.prefix.size(), bound_.prefix) == 0;
      if (!is_object) continue;
      objects.push_back({path, static_cast<uint64_t>(st.st_size),
                         st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec});
    }
  }

  // What is closed to its owner is opened; what can't be read even so is lost, and sent again.
  Result<std::string> ReadOpened(const std::string& path) const {
    for (const std::string& dir : {root_, std::string(DirName(path))}) {
      if (IsDirectory(dir)) TRY(MakeOwnDir(dir));
    }
    ASSIGN_OR_RETURN(const Fd file, OpenOwnFile(path, O_RDONLY));
    return ReadAll(file.get(), kMaxObjectBytes, path);
  }

  // Somebody may have removed the folder to begin anew.
  Result<Fd> NewTemp(std::string& temp) const {
    for (bool again = false;; again = true) {
      temp = temp_dir_ + "/XXXXXX";
      Fd fd(mkostemp(temp.data(), O_CLOEXEC));
      if (fd.valid()) return fd;
      if (again) return ErrnoError(errno, temp);
      TRY(MakeOwnDir(root_));
      TRY(MakeOwnDir(temp_dir_));
    }
  }

  static Result<bool> WriteAndPlace(int fd, const std::string& temp, const std::string& path,
                                    std::string_view bytes, const PutOptions& options) {
    TRY(WriteAll(fd, bytes, temp));
    TRY(MakeOwnDir(std::string(DirName(path))));
    if (!options.if_absent) {
      if (rename(temp.c_str(), path.c_str()) != 0) return ErrnoError(errno, path);
      return true;
    }
    if (link(temp.c_str(), path.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    return ErrnoError(errno, path);
  }

  const std::string root_;
  const std::string temp_dir_;
  const FolderBound bound_;
  Mutex mutex_;
  uint64_t grown_bytes_ GUARDED_BY(mutex_) = UINT64_MAX / 2;  // looks at what it finds, first
};

void RemoveLeftovers(const std::string& temp_dir) {
  const Result<std::vector<std::string>> names = ListDir(temp_dir);
  if (!names) return;
  const time_t now = time(nullptr);
  for (const std::string& name : *names) {
    const std::string path = temp_dir + "/" + name;
    struct stat st {};
    if (lstat(path.c_str(), &st) == 0 && st.st_mtime < now - kLeftoverAgeSeconds) {
      unlink(path.c_str());
    }
  }
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenFolderStore(const std::string& root,
                                                     const FolderBound& bound) {
  TRY(MakeOwnDir(root));
  const std::string temp_dir = root + "/~";
  TRY(MakeOwnDir(temp_dir));
  RemoveLeftovers(temp_dir);
  return std::unique_ptr<ObjectStore>(std::make_unique<FolderStore>(root, temp_dir, bound));
}

}  // namespace llama::store
