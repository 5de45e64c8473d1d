/* What stat and its kin say of files whose times or identity a compiler may look at: the mirror has
 * times of its own, and one file for each content. The worker gives them as a table (lookup_log.h),
 * by the names that the files have at home. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lookup_log.h"
#include "recorder.h"

/* No file of a disk has such a number. */
#define NUMBER_BIT (1ull << 63)

static const struct InodeTable* table;

void LearnInodes(void) {
  const char* path = getenv(LLAMA_INODES_ENV);
  if (path == NULL) return;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || syscall(SYS_fstat, fd, &st) != 0) {
    RecordLost();
    return;
  }
  const long at = syscall(SYS_mmap, NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0L);
  syscall(SYS_close, fd);
  if (at == -1) {
    RecordLost();
  } else {
    table = (const struct InodeTable*)at;
  }
}

static int Compare(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

static const struct InodeEntry* Find(const char* path) {
  uint32_t low = 0;
  uint32_t high = table->count;
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const struct InodeEntry* entry = (const struct InodeEntry*)(table + 1) + middle;
    const int order = Compare(path, (const char*)table + entry->path);
    if (order == 0) return entry;
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

/* Of what stat, with these arguments, said is a regular file. */
static const struct InodeEntry* EntryOf(int dir, const char* path, int flags) {
  char buffer[MAX_PATH];
  int fd = dir;
  const int is_open = path == NULL || path[0] == '\0';
  if (!is_open) {
    const int how = O_PATH | O_CLOEXEC | ((flags & AT_SYMLINK_NOFOLLOW) != 0 ? O_NOFOLLOW : 0);
    fd = (int)syscall(SYS_openat, dir, path, how);
  }
  const uint32_t size = PathOfDescriptor(fd, buffer);
  if (!is_open && fd >= 0) syscall(SYS_close, fd);
  if (size == 0) {
    RecordLost();
    return NULL;
  }
  const char* told = Told(buffer);
  return told == buffer ? NULL : Find(told);
}

void ShowInode(int dir, const char* path, int flags, struct stat* st) {
  if (table == NULL || !S_ISREG(st->st_mode)) return;
  const int saved = errno;
  const struct InodeEntry* entry = EntryOf(dir, path, flags);
  errno = saved;
  if (entry == NULL) return;
  st->st_ino = NUMBER_BIT | entry->number;
  st->st_mtim.tv_sec = entry->mtime_s;
  st->st_mtim.tv_nsec = entry->mtime_ns;
}

void ShowInodeX(int dir, const char* path, int flags, struct statx* st) {
  if (table == NULL || !S_ISREG(st->stx_mode)) return;
  const int saved = errno;
  const struct InodeEntry* entry = EntryOf(dir, path, flags);
  errno = saved;
  if (entry == NULL) return;
  st->stx_ino = NUMBER_BIT | entry->number;
  st->stx_mtime.tv_sec = entry->mtime_s;
  st->stx_mtime.tv_nsec = entry->mtime_ns;
}

/* An open file. */

static int StatOpen(int fd, struct stat* to) {
  const int result = (int)syscall(SYS_fstat, fd, to);
  if (result == 0) ShowInode(fd, NULL, 0, to);
  return result;
}

EXPORT int fstat(int fd, struct stat* to) { return StatOpen(fd, to); }
EXPORT int fstat64(int fd, struct stat64* to) { return StatOpen(fd, (struct stat*)to); }
EXPORT int __fxstat(int version, int fd, struct stat* to) {
  (void)version;
  return StatOpen(fd, to);
}
EXPORT int __fxstat64(int version, int fd, struct stat64* to) {
  (void)version;
  return StatOpen(fd, (struct stat*)to);
}
