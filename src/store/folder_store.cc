#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "base/file.h"
#include "store/object_store.h"

namespace llama::store {
namespace {

constexpr time_t kLeftoverAgeSeconds = 3600;

class FolderStore final : public ObjectStore {
 public:
  FolderStore(std::string root, std::string temp_dir)
      : root_(std::move(root)), temp_dir_(std::move(temp_dir)) {}

  Result<bool> Put(const std::string& key, std::string_view bytes,
                   const PutOptions& options) override {
    TRY(CheckKey(key));
    const std::string path = PathOf(key);
    if (options.if_absent && access(path.c_str(), F_OK) == 0) return false;
    std::string temp = temp_dir_ + "/XXXXXX";
    const Fd fd(mkostemp(temp.data(), O_CLOEXEC));
    if (!fd.valid()) return ErrnoError(errno, temp);
    Result<bool> placed = WriteAndPlace(fd.get(), temp, path, bytes, options);
    unlink(temp.c_str());  // gone already if it was renamed
    return placed;
  }

  Result<std::string> Get(const std::string& key) override {
    TRY(CheckKey(key));
    return ReadFile(PathOf(key));
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

 private:
  std::string PathOf(const std::string& key) const { return root_ + "/" + key + "~"; }

  static Result<bool> WriteAndPlace(int fd, const std::string& temp, const std::string& path,
                                    std::string_view bytes, const PutOptions& options) {
    TRY(WriteAll(fd, bytes, temp));
    TRY(MakeDirs(std::string(DirName(path)), 0700));
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

Result<std::unique_ptr<ObjectStore>> OpenFolderStore(const std::string& root) {
  TRY(MakeDirs(root, 0700));
  const std::string temp_dir = root + "/~";
  TRY(MakeDirs(temp_dir, 0700));
  RemoveLeftovers(temp_dir);
  return std::unique_ptr<ObjectStore>(std::make_unique<FolderStore>(root, temp_dir));
}

}  // namespace llama::store
