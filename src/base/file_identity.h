// What tells a file from another one at its path (FileId), and from an edited one (FileIdentity),
// without reading it.
//
// A file that is written within the clock's grain after it was looked at may keep its identity (its
// times stand still for up to a tick, 4 to 10 ms). Who remembers something of a file's *content* by
// its identity therefore only does so when it had not changed for a while: IsSettled.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace llama {

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;  // 0: there is no file
  bool operator==(const FileId&) const = default;
};

inline FileId IdOf(const struct stat& st) { return {st.st_dev, st.st_ino}; }
// What the path leads to; what it names itself, though it be a symlink; an open file.
inline FileId IdOf(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 ? IdOf(st) : FileId{};
}
inline FileId IdOfItself(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0 ? IdOf(st) : FileId{};
}
inline FileId IdOfOpen(int fd) {
  struct stat st {};
  return fstat(fd, &st) == 0 ? IdOf(st) : FileId{};
}

struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  bool operator==(const FileIdentity&) const = default;

  // Whether it had stayed as it is for longer than the grain of a file system's times when the
  // wall clock, read before the file was, said `looked_ns`.
  bool IsSettled(int64_t looked_ns) const { return ctime_ns <= looked_ns - kGrainNs; }

  static constexpr int64_t kGrainNs = 50'000'000;
};

inline int64_t TimeNs(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

inline FileIdentity IdentityOf(const struct stat& st) {
  return {st.st_dev, st.st_ino, st.st_size, TimeNs(st.st_mtim), TimeNs(st.st_ctim)};
}

// Symlinks followed. All zero for a file that is not there, which differs from every one that is.
inline FileIdentity IdentityOf(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0 ? IdentityOf(st) : FileIdentity{};
}

}  // namespace llama
