// For tests: the local files, with something done just before a path is looked at for the nth time.
#pragma once

#include <cerrno>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/file_system.h"
#include "base/mutex.h"

namespace llama {

class ChangingFileSystem final : public FileSystem {
 public:
  // `change` runs before the `nth` look (from 1) at `path`, whatever the kind of look.
  void Before(const std::string& path, int nth, std::function<void()> change) {
    const MutexLock lock(mutex_);
    changes_[path] = {nth, std::move(change)};
  }
  // From now on the file's change shows in its content alone, as within a tick of the kernel's
  // clock.
  void Freeze(const std::string& path) {
    struct stat st {};
    LocalFileSystem().Lstat(path, st);
    const MutexLock lock(mutex_);
    frozen_[path] = st;
  }
  // From now on nobody may look at the path.
  void Deny(const std::string& path) {
    const MutexLock lock(mutex_);
    denied_.insert(path);
  }
  int looks(const std::string& path) const {
    const MutexLock lock(mutex_);
    const auto it = looks_.find(path);
    return it == looks_.end() ? 0 : it->second;
  }

  int Lstat(const std::string& path, struct stat& st) const override {
    Look(path);
    if (IsDenied(path)) return EACCES;
    return IsFrozen(path, st) ? 0 : LocalFileSystem().Lstat(path, st);
  }
  int Stat(const std::string& path, struct stat& st) const override {
    Look(path);
    return IsFrozen(path, st) ? 0 : LocalFileSystem().Stat(path, st);
  }
  Result<std::string> ReadLink(const std::string& path) const override {
    Look(path);
    return LocalFileSystem().ReadLink(path);
  }
  Result<std::string> ReadFile(const std::string& path, uint64_t max_bytes) const override {
    Look(path);
    return LocalFileSystem().ReadFile(path, max_bytes);
  }
  Result<std::string> RealPath(const std::string& path) const override {
    return LocalFileSystem().RealPath(path);
  }

 private:
  struct Change {
    int nth = 0;
    std::function<void()> change;
  };
  bool IsDenied(const std::string& path) const {
    const MutexLock lock(mutex_);
    return denied_.contains(path);
  }
  bool IsFrozen(const std::string& path, struct stat& st) const {
    const MutexLock lock(mutex_);
    const auto it = frozen_.find(path);
    if (it != frozen_.end()) st = it->second;
    return it != frozen_.end();
  }
  void Look(const std::string& path) const {
    std::function<void()> change;
    {
      const MutexLock lock(mutex_);
      const int look = ++looks_[path];
      const auto it = changes_.find(path);
      if (it != changes_.end() && it->second.nth == look) change = it->second.change;
    }
    if (change) change();
  }

  mutable Mutex mutex_;
  mutable std::map<std::string, int> looks_ GUARDED_BY(mutex_);
  std::map<std::string, Change> changes_ GUARDED_BY(mutex_);
  std::map<std::string, struct stat> frozen_ GUARDED_BY(mutex_);
  std::set<std::string> denied_ GUARDED_BY(mutex_);
};

}  // namespace llama
