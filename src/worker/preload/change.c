/* Calls that change names, or what is behind one: led below the root. None is a lookup, but for
 * those that read what they name. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "recorder.h"

#define LED(name, path)      \
  char name##_led[MAX_PATH]; \
  const char* path = Lead(name, name##_led)

/* Directories. */

EXPORT int mkdirat(int dir, const char* name, mode_t mode) {
  LED(name, path);
  return (int)syscall(SYS_mkdirat, dir, path, mode);
}
EXPORT int mkdir(const char* name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

EXPORT int unlinkat(int dir, const char* name, int flags) {
  LED(name, path);
  return (int)syscall(SYS_unlinkat, dir, path, flags);
}
EXPORT int unlink(const char* name) { return unlinkat(AT_FDCWD, name, 0); }
EXPORT int rmdir(const char* name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
EXPORT int remove(const char* name) {
  const int result = unlink(name);
  /* EISDIR is Linux's, EPERM POSIX's. */
  return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(name) : result;
}

/* Names. */

EXPORT int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned flags) {
  LED(from, old);
  LED(to, name);
  const int result = (int)syscall(SYS_renameat2, from_dir, old, to_dir, name, flags);
  RecordWritten(to_dir, name, result);
  return result;
}
EXPORT int renameat(int from_dir, const char* from, int to_dir, const char* to) {
  return renameat2(from_dir, from, to_dir, to, 0);
}
EXPORT int rename(const char* from, const char* to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) {
  LED(from, old);
  LED(to, name);
  const int result = (int)syscall(SYS_linkat, from_dir, old, to_dir, name, flags);
  if (result == 0) RecordLookup(from_dir, old, 0);
  RecordWritten(to_dir, name, result);
  return result;
}
EXPORT int link(const char* from, const char* to) {
  return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* A link is made as the mirror makes them: what it holds leads below the root. */
EXPORT int symlinkat(const char* target, int dir, const char* name) {
  LED(name, path);
  char buffer[MAX_PATH];
  const char* led = target[0] == '/' ? Lead(target, buffer) : target;
  const int result = (int)syscall(SYS_symlinkat, led, dir, path);
  RecordWritten(dir, path, result);
  return result;
}
EXPORT int symlink(const char* target, const char* name) {
  return symlinkat(target, AT_FDCWD, name);
}

EXPORT int mknodat(int dir, const char* name, mode_t mode, dev_t device) {
  LED(name, path);
  return (int)syscall(SYS_mknodat, dir, path, mode, (unsigned)device);
}
EXPORT int mknod(const char* name, mode_t mode, dev_t device) {
  return mknodat(AT_FDCWD, name, mode, device);
}
EXPORT int __xmknod(int version, const char* name, mode_t mode, dev_t* device) {
  (void)version;
  return mknodat(AT_FDCWD, name, mode, *device);
}
EXPORT int mkfifoat(int dir, const char* name, mode_t mode) {
  return mknodat(dir, name, mode | S_IFIFO, 0);
}
EXPORT int mkfifo(const char* name, mode_t mode) { return mkfifoat(AT_FDCWD, name, mode); }

/* Attributes. */

EXPORT int fchmodat(int dir, const char* name, mode_t mode, int flags) {
  LED(name, path);
  if (flags == 0) return (int)syscall(SYS_fchmodat, dir, path, mode);
  int (*next)(int, const char*, mode_t, int) =
      (int (*)(int, const char*, mode_t, int))Next("fchmodat");
  if (next != NULL) return next(dir, path, mode, flags);
  errno = ENOTSUP;
  return -1;
}
EXPORT int chmod(const char* name, mode_t mode) { return fchmodat(AT_FDCWD, name, mode, 0); }

EXPORT int fchownat(int dir, const char* name, uid_t user, gid_t group, int flags) {
  LED(name, path);
  return (int)syscall(SYS_fchownat, dir, path, user, group, flags);
}
EXPORT int chown(const char* name, uid_t user, gid_t group) {
  return fchownat(AT_FDCWD, name, user, group, 0);
}
EXPORT int lchown(const char* name, uid_t user, gid_t group) {
  return fchownat(AT_FDCWD, name, user, group, AT_SYMLINK_NOFOLLOW);
}

EXPORT int truncate(const char* name, off_t size) {
  LED(name, path);
  return (int)syscall(SYS_truncate, path, size);
}
EXPORT int truncate64(const char* name, off64_t size) { return truncate(name, size); }

EXPORT int utimensat(int dir, const char* name, const struct timespec times[2], int flags) {
  LED(name, path);
  return (int)syscall(SYS_utimensat, dir, path, times, flags);
}

static int SetTimes(int dir, const char* name, const struct timeval times[2], int flags) {
  struct timespec exact[2];
  if (times == NULL) return utimensat(dir, name, NULL, flags);
  for (int i = 0; i < 2; ++i) {
    exact[i].tv_sec = times[i].tv_sec;
    exact[i].tv_nsec = times[i].tv_usec * 1000;
  }
  return utimensat(dir, name, exact, flags);
}
EXPORT int utimes(const char* name, const struct timeval times[2]) {
  return SetTimes(AT_FDCWD, name, times, 0);
}
EXPORT int lutimes(const char* name, const struct timeval times[2]) {
  return SetTimes(AT_FDCWD, name, times, AT_SYMLINK_NOFOLLOW);
}
EXPORT int futimesat(int dir, const char* name, const struct timeval times[2]) {
  return SetTimes(dir, name, times, 0);
}
EXPORT int utime(const char* name, const struct utimbuf* times) {
  if (times == NULL) return utimensat(AT_FDCWD, name, NULL, 0);
  const struct timespec exact[2] = {{times->actime, 0}, {times->modtime, 0}};
  return utimensat(AT_FDCWD, name, exact, 0);
}

/* Extended attributes: a program that asks for one has looked the path up. */

static ssize_t Looked(const char* path, ssize_t result) {
  const int saved = errno;
  const int is_absent = result < 0 && (saved == ENOENT || saved == ENOTDIR);
  RecordLookup(AT_FDCWD, path, is_absent ? -1 : 0);
  errno = saved;
  return result;
}

EXPORT ssize_t getxattr(const char* name, const char* key, void* to, size_t size) {
  LED(name, path);
  return Looked(path, (ssize_t)syscall(SYS_getxattr, path, key, to, size));
}
EXPORT ssize_t lgetxattr(const char* name, const char* key, void* to, size_t size) {
  LED(name, path);
  return Looked(path, (ssize_t)syscall(SYS_lgetxattr, path, key, to, size));
}
EXPORT ssize_t listxattr(const char* name, char* to, size_t size) {
  LED(name, path);
  return Looked(path, (ssize_t)syscall(SYS_listxattr, path, to, size));
}
EXPORT ssize_t llistxattr(const char* name, char* to, size_t size) {
  LED(name, path);
  return Looked(path, (ssize_t)syscall(SYS_llistxattr, path, to, size));
}
EXPORT int setxattr(const char* name, const char* key, const void* value, size_t size, int flags) {
  LED(name, path);
  return (int)syscall(SYS_setxattr, path, key, value, size, flags);
}
EXPORT int lsetxattr(const char* name, const char* key, const void* value, size_t size, int flags) {
  LED(name, path);
  return (int)syscall(SYS_lsetxattr, path, key, value, size, flags);
}
EXPORT int removexattr(const char* name, const char* key) {
  LED(name, path);
  return (int)syscall(SYS_removexattr, path, key);
}
EXPORT int lremovexattr(const char* name, const char* key) {
  LED(name, path);
  return (int)syscall(SYS_lremovexattr, path, key);
}

/* File systems, watches. */

EXPORT int statfs(const char* name, struct statfs* to) {
  LED(name, path);
  return (int)Looked(path, (ssize_t)syscall(SYS_statfs, path, to));
}
EXPORT int statfs64(const char* name, struct statfs64* to) {
  LED(name, path);
  return (int)Looked(path, (ssize_t)syscall(SYS_statfs, path, to));
}

struct statvfs;
typedef int (*StatvfsFunction)(const char*, struct statvfs*);
EXPORT int statvfs(const char* name, struct statvfs* to) {
  LED(name, path);
  const StatvfsFunction next = (StatvfsFunction)Next("statvfs");
  return next == NULL ? -1 : (int)Looked(path, next(path, to));
}
EXPORT int statvfs64(const char* name, struct statvfs* to) {
  LED(name, path);
  const StatvfsFunction next = (StatvfsFunction)Next("statvfs64");
  return next == NULL ? -1 : (int)Looked(path, next(path, to));
}

EXPORT long pathconf(const char* name, int what) {
  LED(name, path);
  long (*next)(const char*, int) = (long (*)(const char*, int))Next("pathconf");
  return next == NULL ? -1 : next(path, what);
}

EXPORT int inotify_add_watch(int fd, const char* name, uint32_t mask) {
  LED(name, path);
  return (int)Looked(path, (ssize_t)syscall(SYS_inotify_add_watch, fd, path, mask));
}

/* Temporary names: the X's of a template are the caller's own, and are filled there. */

static const char kNameLetters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
enum { kNameTries = 1000 };

/* Where the six X's are, before `suffix` bytes at the end; NULL: not there. */
static char* FindXs(char* name, int suffix) {
  const uint32_t size = Length(name);
  if (suffix < 0 || size < 6u + (uint32_t)suffix) return NULL;
  char* xs = name + size - (uint32_t)suffix - 6;
  for (int i = 0; i < 6; ++i) {
    if (xs[i] != 'X') return NULL;
  }
  return xs;
}

static int FillXs(char* xs) {
  unsigned char random[6];
  if (syscall(SYS_getrandom, random, sizeof random, 0) != (long)sizeof random) return -1;
  for (int i = 0; i < 6; ++i) xs[i] = kNameLetters[random[i] % (sizeof kNameLetters - 1)];
  return 0;
}

static int MakeTemporary(char* name, int suffix, int flags, int is_dir) {
  char* xs = FindXs(name, suffix);
  if (xs == NULL) {
    errno = EINVAL;
    return -1;
  }
  const int saved = errno;
  for (int i = 0; i < kNameTries; ++i) {
    if (FillXs(xs) != 0) break;
    const int made =
        is_dir ? mkdir(name, 0700)
               : OpenAt(AT_FDCWD, name, (flags & ~O_ACCMODE) | O_RDWR | O_CREAT | O_EXCL, 0600);
    if (made >= 0) {
      errno = saved;
      return made;
    }
    if (errno != EEXIST) return -1;
  }
  errno = EEXIST;
  return -1;
}

EXPORT int mkostemps(char* name, int suffix, int flags) {
  return MakeTemporary(name, suffix, flags, 0);
}
EXPORT int mkostemps64(char* name, int suffix, int flags) { return mkostemps(name, suffix, flags); }
EXPORT int mkostemp(char* name, int flags) { return mkostemps(name, 0, flags); }
EXPORT int mkostemp64(char* name, int flags) { return mkostemps(name, 0, flags); }
EXPORT int mkstemps(char* name, int suffix) { return mkostemps(name, suffix, 0); }
EXPORT int mkstemps64(char* name, int suffix) { return mkostemps(name, suffix, 0); }
EXPORT int mkstemp(char* name) { return mkostemps(name, 0, 0); }
EXPORT int mkstemp64(char* name) { return mkostemps(name, 0, 0); }
EXPORT char* mkdtemp(char* name) { return MakeTemporary(name, 0, 0, 1) < 0 ? NULL : name; }
EXPORT char* mktemp(char* name) {
  char* xs = FindXs(name, 0);
  if (xs == NULL) {
    errno = EINVAL;
    name[0] = '\0';
    return name;
  }
  char buffer[MAX_PATH];
  for (int i = 0; i < kNameTries; ++i) {
    if (FillXs(xs) != 0) break;
    if (syscall(SYS_faccessat, AT_FDCWD, Lead(name, buffer), F_OK) != 0 && errno == ENOENT) {
      return name;
    }
  }
  name[0] = '\0';
  return name;
}
