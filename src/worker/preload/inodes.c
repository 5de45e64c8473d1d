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

#define MOST_LINKS 40 /* as the kernel has it */
#define MOST_OPEN 1024

static const struct InodeTable* table;
/* Where there is no /proc, names are followed by hand, and what each descriptor was opened as is
 * kept, with the file that it was. */
static int has_proc;
static struct {
  const struct InodeEntry* entry;
  dev_t device;
  ino_t inode;
} opened[MOST_OPEN];

void LearnInodes(void) {
  const char* path = getenv(LLAMA_INODES_ENV);
  if (path == NULL) return;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || syscall(SYS_fstat, fd, &st) != 0) {
    RecordLost();
    return;
  }
  char buffer[MAX_PATH];
  has_proc = PathOfDescriptor(fd, buffer) != 0;
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

/* What is left of a path goes before `rest`, which is within `pending` (MAX_PATH bytes). */
static int PutBefore(const char* text, uint32_t size, const char* rest, char* pending) {
  const uint32_t left = Length(rest);
  if (size + 1 + left >= MAX_PATH) return 0;
  char kept[MAX_PATH];
  for (uint32_t i = 0; i <= left; ++i) kept[i] = rest[i];
  for (uint32_t i = 0; i < size; ++i) pending[i] = text[i];
  pending[size] = '/';
  for (uint32_t i = 0; i <= left; ++i) pending[size + 1 + i] = kept[i];
  return 1;
}

/* The canonical name of what is at `path`, into `to` (MAX_PATH bytes): its size, or 0. */
uint32_t FollowByHand(const char* path, int follows_last, char* to) {
  char pending[MAX_PATH];
  char target[MAX_PATH];
  const char* base = target;
  uint32_t size = 0;
  int links = 0;
  const uint32_t base_size = path[0] == '/' ? 0 : WorkingDir(&base, target);
  if (path[0] != '/' && base_size == 0) return 0;
  if (!PutBefore(base, base_size, path, pending)) return 0;
  const char* next = pending;
  for (;;) {
    while (*next == '/') ++next;
    uint32_t part = 0;
    while (next[part] != '\0' && next[part] != '/') ++part;
    if (part == 0) return size;
    const char* rest = next + part;
    if (part == 1 && next[0] == '.') {
      next = rest;
      continue;
    }
    if (part == 2 && next[0] == '.' && next[1] == '.') {
      while (size > 0 && to[--size] != '/') {
      }
      next = rest;
      continue;
    }
    const uint32_t before = size;
    if (size + 1 + part >= MAX_PATH) return 0;
    to[size++] = '/';
    for (uint32_t i = 0; i < part; ++i) to[size++] = next[i];
    to[size] = '\0';
    next = rest;
    while (*rest == '/') ++rest;
    if (*rest == '\0' && !follows_last) return size;
    const long got = syscall(SYS_readlinkat, AT_FDCWD, to, target, (size_t)MAX_PATH);
    if (got <= 0) continue;
    if (++links > MOST_LINKS || !PutBefore(target, (uint32_t)got, rest, pending)) return 0;
    size = target[0] == '/' ? 0 : before;
    next = pending;
  }
}

static uint32_t NameOf(int dir, const char* path, int flags, char* to) {
  if (path == NULL || path[0] == '\0') return PathOfDescriptor(dir, to);
  const int follows_last = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  if (!has_proc) {
    return path[0] == '/' || dir == AT_FDCWD ? FollowByHand(path, follows_last, to) : 0;
  }
  const int how = O_PATH | O_CLOEXEC | (follows_last ? 0 : O_NOFOLLOW);
  const int fd = (int)syscall(SYS_openat, dir, path, how);
  const uint32_t size = PathOfDescriptor(fd, to);
  if (fd >= 0) syscall(SYS_close, fd);
  return size;
}

/* Of what stat, with these arguments, said is a regular file, this one. */
static const struct InodeEntry* EntryOf(int dir, const char* path, int flags, dev_t device,
                                        ino_t inode) {
  char name[MAX_PATH];
  const int is_open = path == NULL || path[0] == '\0';
  if (is_open && !has_proc) {
    const int is_known = dir >= 0 && dir < MOST_OPEN && opened[dir].entry != NULL &&
                         opened[dir].device == device && opened[dir].inode == inode;
    return is_known ? opened[dir].entry : NULL;
  }
  if (NameOf(dir, path, flags, name) == 0) {
    RecordLost();
    return NULL;
  }
  const char* told = Told(name);
  return told == name ? NULL : Find(told);
}

void NoteOpened(int fd, int dir, const char* path) {
  if (table == NULL || has_proc || fd < 0) return;
  struct stat st;
  const int saved = errno;
  if (syscall(SYS_fstat, fd, &st) == 0 && S_ISREG(st.st_mode)) {
    const struct InodeEntry* entry = EntryOf(dir, path, 0, st.st_dev, st.st_ino);
    if (fd < MOST_OPEN) {
      opened[fd].entry = entry;
      opened[fd].device = st.st_dev;
      opened[fd].inode = st.st_ino;
    } else if (entry != NULL) {
      RecordLost();
    }
  }
  errno = saved;
}

void ShowInode(int dir, const char* path, int flags, struct stat* st) {
  if (table == NULL || !S_ISREG(st->st_mode)) return;
  const int saved = errno;
  const struct InodeEntry* entry = EntryOf(dir, path, flags, st->st_dev, st->st_ino);
  errno = saved;
  if (entry == NULL) return;
  st->st_ino = NUMBER_BIT | entry->number;
  st->st_mtim.tv_sec = entry->mtime_s;
  st->st_mtim.tv_nsec = entry->mtime_ns;
}

void ShowInodeX(int dir, const char* path, int flags, struct statx* st) {
  if (table == NULL || !S_ISREG(st->stx_mode)) return;
  const int saved = errno;
  /* As the kernel's struct stat has it; libc's own is a function. */
  const dev_t device = (st->stx_dev_minor & 0xffu) | (dev_t)st->stx_dev_major << 8 |
                       (dev_t)(st->stx_dev_minor & ~0xffu) << 12;
  const struct InodeEntry* entry = EntryOf(dir, path, flags, device, st->stx_ino);
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
