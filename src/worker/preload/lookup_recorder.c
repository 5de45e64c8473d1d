/* The lookup recorder: preloaded into a compiler and its children, it writes every path that they
 * look up, and whether it was there, into the lookup log (lookup_log.h).
 *
 * It runs inside foreign programs under foreign C libraries, hence:
 * - It calls the kernel itself wherever it can; of libc it needs syscall, getenv, fdopen and
 *   fdopendir, which every version has, and is linked against none of it (musl does as well).
 * - It never allocates, never locks, leaves errno as the call left it, and is safe in a child of
 *   vfork, which shares its memory with the parent.
 * - The call is made first: what it gave is what is recorded, and a pointer that the kernel took is
 *   one that can be read.
 *
 * An open that may create or truncate is no lookup: it is an output. 64-bit Linux only, where
 * struct stat is the kernel's and every call has one size of file offset. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lookup_log.h"
#include "recorder.h"

static struct LookupLogHeader* log_header;
static char start_cwd[MAX_PATH];
static uint32_t start_cwd_size;
/* Set by the first chdir; from then on every relative lookup asks the kernel where it is. */
static volatile int moved;

static void SetLost(void) { __atomic_store_n(&log_header->lost, 1u, __ATOMIC_RELAXED); }

void RecordLost(void) {
  if (log_header != NULL) SetLost();
}

/* Room for `payload` bytes, or NULL. The caller fills it and then calls Finish. */
static struct LookupRecord* Claim(uint32_t payload) {
  const uint32_t size = ((uint32_t)sizeof(struct LookupRecord) + payload + 3u) & ~3u;
  /* Without this a log that is full long since would wrap around. */
  if (__atomic_load_n(&log_header->used, __ATOMIC_RELAXED) > LLAMA_LOOKUP_LOG_BYTES - size) {
    SetLost();
    return NULL;
  }
  const uint32_t at = __atomic_fetch_add(&log_header->used, size, __ATOMIC_RELAXED);
  if (at > LLAMA_LOOKUP_LOG_BYTES - size) {
    SetLost();
    return NULL;
  }
  return (struct LookupRecord*)((char*)log_header + at);
}

static void Finish(struct LookupRecord* record, uint32_t payload, enum LookupKind kind) {
  record->kind = kind;
  __atomic_store_n(&record->size, ((uint32_t)sizeof *record + payload + 3u) & ~3u,
                   __ATOMIC_RELEASE);
}

static void LogPid(enum LookupKind kind, uint32_t pid) {
  if (log_header == NULL) return;
  struct LookupRecord* record = Claim(sizeof pid);
  if (record == NULL) return;
  *(uint32_t*)(record + 1) = pid;
  Finish(record, sizeof pid, kind);
}

uint32_t WorkingDir(const char** dir, char* buffer) {
  if (!moved && start_cwd_size != 0) {
    *dir = start_cwd;
    return start_cwd_size;
  }
  const long got = syscall(SYS_getcwd, buffer, (size_t)MAX_PATH);
  *dir = buffer;
  return got > 1 && buffer[0] == '/' ? (uint32_t)got - 1 : 0;
}

void ForgetWorkingDir(void) { moved = 1; }

uint32_t PathOfDescriptor(int fd, char* to) {
  char link[32] = "/proc/self/fd/";
  char digits[12];
  int n = 0;
  if (fd < 0) return 0;
  do {
    digits[n++] = (char)('0' + fd % 10);
    fd /= 10;
  } while (fd != 0);
  for (int i = 0; i < n; ++i) link[14 + i] = digits[n - 1 - i];
  link[14 + n] = '\0';
  const long got = syscall(SYS_readlinkat, AT_FDCWD, link, to, (size_t)(MAX_PATH - 1));
  if (got <= 0 || to[0] != '/') return 0;
  to[got] = '\0';
  return (uint32_t)got;
}

static int BeginsWith(const char* path, const char* with) {
  while (*with != '\0') {
    if (*path++ != *with++) return 0;
  }
  return 1;
}

/* `dir` as in openat. */
static void LogPath(enum LookupKind kind, int dir, const char* path) {
  static const char kHere[] = "/proc/self/cwd/";
  char buffer[MAX_PATH];
  const char* base = buffer;
  uint32_t base_size = 0;
  if (BeginsWith(path, kHere)) {
    path += sizeof kHere - 1;
    dir = AT_FDCWD;
  }
  if (path[0] != '/') {
    base_size = dir == AT_FDCWD ? WorkingDir(&base, buffer) : PathOfDescriptor(dir, buffer);
    if (base_size == 0) {
      SetLost();
      return;
    }
  }
  const uint32_t path_size = Length(path);
  const uint32_t payload = base_size + 1 + path_size + 1;
  struct LookupRecord* record = Claim(payload);
  if (record == NULL) return;
  char* to = (char*)(record + 1);
  for (uint32_t i = 0; i < base_size; ++i) *to++ = base[i];
  if (base_size != 0) *to++ = '/';
  for (uint32_t i = 0; i <= path_size; ++i) *to++ = path[i];
  Finish(record, payload, kind);
}

void RecordLookup(int dir, const char* path, long result) {
  if (log_header == NULL) return;
  const int saved = errno;
  /* A loop of links may be the view's alone: what leads to it is to be compared. */
  const int was_there = result >= 0 || saved == EACCES || saved == ELOOP;
  if (!was_there && saved != ENOENT && saved != ENOTDIR) return;
  if (path[0] == '\0') return;
  LogPath(was_there ? LOOKUP_FOUND : LOOKUP_ABSENT, dir, path);
  errno = saved;
}

void RecordWritten(int dir, const char* path, long result) {
  if (log_header == NULL || path == NULL || path[0] == '\0') return;
  const int saved = errno;
  if (result < 0 && saved != ENOENT) return;
  LogPath(LOOKUP_WROTE, dir, path);
  errno = saved;
}

__attribute__((constructor)) static void Attach(void) {
  const char* path = getenv(LLAMA_LOOKUP_LOG_ENV);
  FindDlerror();
  if (path == NULL) return;
  const int saved = errno;
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (fd >= 0) {
    const long at = syscall(SYS_mmap, NULL, (size_t)LLAMA_LOOKUP_LOG_BYTES, PROT_READ | PROT_WRITE,
                            MAP_SHARED, fd, 0L);
    syscall(SYS_close, fd);
    if (at != -1 && ((struct LookupLogHeader*)at)->magic == LLAMA_LOOKUP_LOG_MAGIC) {
      log_header = (struct LookupLogHeader*)at;
      const long got = syscall(SYS_getcwd, start_cwd, sizeof start_cwd);
      start_cwd_size = got > 1 ? (uint32_t)got - 1 : 0;
      LogPid(LOOKUP_ATTACHED, (uint32_t)syscall(SYS_getpid));
      LearnRoot(path);
      LearnTerminals();
      LearnInodes();
    }
  }
  errno = saved;
}

/* Opening. */

int OpenAt(int dir, const char* name, int flags, mode_t mode) {
  char buffer[MAX_PATH];
  const char* path = LeadFollowed(name, buffer);
  const int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
  if ((flags & (O_CREAT | O_TRUNC)) == 0) RecordLookup(dir, path, fd);
  NoteOpened(fd, dir, path);
  if ((flags & (O_CREAT | O_TRUNC)) != 0 || (fd >= 0 && (flags & O_ACCMODE) != O_RDONLY)) {
    RecordWritten(dir, path, fd);
  }
  if (fd >= 0 && (flags & O_DIRECTORY) != 0 && log_header != NULL && HasRoot()) {
    LogPath(LOOKUP_LISTED, dir, path);
  }
  return fd;
}

static int TakesMode(int flags) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE_AFTER(last)         \
  mode_t mode = 0;               \
  if (TakesMode(flags)) {        \
    va_list rest;                \
    va_start(rest, last);        \
    mode = va_arg(rest, mode_t); \
    va_end(rest);                \
  }

EXPORT int open(const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return OpenAt(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return OpenAt(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int dir, const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return OpenAt(dir, path, flags, mode);
}

EXPORT int openat64(int dir, const char* path, int flags, ...) {
  MODE_AFTER(flags)
  return OpenAt(dir, path, flags, mode);
}

/* What open becomes with _FORTIFY_SOURCE. */
EXPORT int __open_2(const char* path, int flags) { return OpenAt(AT_FDCWD, path, flags, 0); }
EXPORT int __open64_2(const char* path, int flags) { return OpenAt(AT_FDCWD, path, flags, 0); }
EXPORT int __openat_2(int dir, const char* path, int flags) { return OpenAt(dir, path, flags, 0); }
EXPORT int __openat64_2(int dir, const char* path, int flags) {
  return OpenAt(dir, path, flags, 0);
}

/* fopen is open and fdopen. -1: a mode that is none. */
static int FlagsOfMode(const char* mode) {
  int flags = 0;
  if (mode[0] == 'r') {
    flags = O_RDONLY;
  } else if (mode[0] == 'w') {
    flags = O_WRONLY | O_CREAT | O_TRUNC;
  } else if (mode[0] == 'a') {
    flags = O_WRONLY | O_CREAT | O_APPEND;
  } else {
    return -1;
  }
  for (const char* c = mode + 1; *c != '\0' && *c != ','; ++c) {
    if (*c == '+') flags = (flags & ~O_ACCMODE) | O_RDWR;
    if (*c == 'x') flags |= O_EXCL;
    if (*c == 'e') flags |= O_CLOEXEC;
  }
  return flags;
}

static FILE* OpenStream(const char* path, const char* mode) {
  const int flags = FlagsOfMode(mode);
  if (flags < 0) {
    errno = EINVAL;
    return NULL;
  }
  const int fd = OpenAt(AT_FDCWD, path, flags, 0666);
  if (fd < 0) return NULL;
  FILE* stream = fdopen(fd, mode);
  if (stream == NULL) {
    const int saved = errno;
    syscall(SYS_close, fd);
    errno = saved;
  }
  return stream;
}

EXPORT FILE* fopen(const char* path, const char* mode) { return OpenStream(path, mode); }
EXPORT FILE* fopen64(const char* path, const char* mode) { return OpenStream(path, mode); }

EXPORT int creat(const char* path, mode_t mode) {
  return OpenAt(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
EXPORT int creat64(const char* path, mode_t mode) { return creat(path, mode); }

typedef FILE* (*ReopenFunction)(const char*, const char*, FILE*);

/* libc opens the file itself. */
static FILE* Reopen(ReopenFunction next, const char* name, const char* mode, FILE* stream) {
  if (next == NULL) return NULL;
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  const int flags = FlagsOfMode(mode);
  if (path != NULL && flags >= 0 && (flags & (O_CREAT | O_TRUNC)) == 0) {
    RecordLookup(AT_FDCWD, path, syscall(SYS_faccessat, AT_FDCWD, path, F_OK));
  }
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) RecordWritten(AT_FDCWD, path, 0);
  return next(path, mode, stream);
}

EXPORT FILE* freopen(const char* path, const char* mode, FILE* stream) {
  return Reopen((ReopenFunction)Next("freopen"), path, mode, stream);
}
EXPORT FILE* freopen64(const char* path, const char* mode, FILE* stream) {
  return Reopen((ReopenFunction)Next("freopen64"), path, mode, stream);
}

EXPORT DIR* opendir(const char* path) {
  const int fd = OpenAt(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC, 0);
  if (fd < 0) return NULL;
  DIR* dir = fdopendir(fd);
  if (dir == NULL) {
    const int saved = errno;
    syscall(SYS_close, fd);
    errno = saved;
  }
  return dir;
}

/* Asking about a path. */

static int StatAt(int dir, const char* name, void* to, int flags) {
  char buffer[MAX_PATH];
  const int follows = (flags & AT_SYMLINK_NOFOLLOW) == 0;
  const char* path = follows ? LeadFollowed(name, buffer) : Lead(name, buffer);
  const int result = (int)syscall(SYS_newfstatat, dir, path, to, flags);
  RecordLookup(dir, path, result);
  if (result == 0) ShowInode(dir, path, flags, to);
  return result;
}

EXPORT int stat(const char* path, struct stat* to) { return StatAt(AT_FDCWD, path, to, 0); }
EXPORT int stat64(const char* path, struct stat64* to) { return StatAt(AT_FDCWD, path, to, 0); }
EXPORT int lstat(const char* path, struct stat* to) {
  return StatAt(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
EXPORT int lstat64(const char* path, struct stat64* to) {
  return StatAt(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
EXPORT int fstatat(int dir, const char* path, struct stat* to, int flags) {
  return StatAt(dir, path, to, flags);
}
EXPORT int fstatat64(int dir, const char* path, struct stat64* to, int flags) {
  return StatAt(dir, path, to, flags);
}
/* What stat is to a program that was linked with a glibc before 2.33; of the versions that a
 * 64-bit program passes, all mean the kernel's struct. */
EXPORT int __xstat(int version, const char* path, struct stat* to) {
  (void)version;
  return StatAt(AT_FDCWD, path, to, 0);
}
EXPORT int __xstat64(int version, const char* path, struct stat64* to) {
  (void)version;
  return StatAt(AT_FDCWD, path, to, 0);
}
EXPORT int __lxstat(int version, const char* path, struct stat* to) {
  (void)version;
  return StatAt(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
EXPORT int __lxstat64(int version, const char* path, struct stat64* to) {
  (void)version;
  return StatAt(AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
EXPORT int __fxstatat(int version, int dir, const char* path, struct stat* to, int flags) {
  (void)version;
  return StatAt(dir, path, to, flags);
}
EXPORT int __fxstatat64(int version, int dir, const char* path, struct stat64* to, int flags) {
  (void)version;
  return StatAt(dir, path, to, flags);
}

EXPORT int statx(int dir, const char* name, int flags, unsigned mask, struct statx* to) {
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  const int result = (int)syscall(SYS_statx, dir, path, flags, mask, to);
  RecordLookup(dir, path, result);
  if (result == 0) ShowInodeX(dir, path, flags, to);
  return result;
}

EXPORT int access(const char* name, int mode) {
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  const int result = (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
  RecordLookup(AT_FDCWD, path, result);
  return result;
}

EXPORT int faccessat(int dir, const char* name, int mode, int flags) {
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  long result = flags == 0 ? syscall(SYS_faccessat, dir, path, mode)
                           : syscall(SYS_faccessat2, dir, path, mode, flags);
  /* Before Linux 5.8 nothing but the real ids could be asked about; ours are the same. */
  if (result < 0 && flags == AT_EACCESS && errno == ENOSYS) {
    result = syscall(SYS_faccessat, dir, path, mode);
  }
  RecordLookup(dir, path, result);
  return (int)result;
}

EXPORT int eaccess(const char* path, int mode) {
  return faccessat(AT_FDCWD, path, mode, AT_EACCESS);
}
EXPORT int euidaccess(const char* path, int mode) { return eaccess(path, mode); }

/* Moving: cached directory out of date. */

EXPORT int chdir(const char* name) {
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  const int result = (int)syscall(SYS_chdir, path);
  moved = 1;
  RecordLookup(AT_FDCWD, path, result);
  return result;
}

EXPORT int fchdir(int fd) {
  moved = 1;
  return (int)syscall(SYS_fchdir, fd);
}

/* Beginning and waiting: a child that was waited for and was not attached at its end looked up
 * things unseen (a static program, or one that dropped its environment). */

void RecordLeaving(void) { LogPid(LOOKUP_LEAVING, (uint32_t)syscall(SYS_getpid)); }

void RecordStaying(void) {
  const int saved = errno;
  LogPid(LOOKUP_ATTACHED, (uint32_t)syscall(SYS_getpid));
  errno = saved;
}

/* glibc's own name for it, where dlsym is in a library that the program has not. */
#pragma weak __fork
pid_t __fork(void);

EXPORT pid_t fork(void) {
  static pid_t (*next)(void);
  if (next == NULL) next = (pid_t(*)(void))Next("fork");
  if (next == NULL) next = __fork;
  const pid_t child = next != NULL ? next() : (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) RecordStaying();
  return child;
}

static pid_t Wait(pid_t pid, int* status, int options, struct rusage* usage) {
  int own_status = 0;
  const pid_t done = (pid_t)syscall(SYS_wait4, pid, &own_status, options, usage);
  if (done > 0) {
    if (status != NULL) *status = own_status;
    if (WIFEXITED(own_status) || WIFSIGNALED(own_status)) LogPid(LOOKUP_WAITED, (uint32_t)done);
  }
  return done;
}

EXPORT pid_t wait4(pid_t pid, int* status, int options, struct rusage* usage) {
  return Wait(pid, status, options, usage);
}
EXPORT pid_t wait3(int* status, int options, struct rusage* usage) {
  return Wait(-1, status, options, usage);
}
EXPORT pid_t waitpid(pid_t pid, int* status, int options) {
  return Wait(pid, status, options, NULL);
}
EXPORT pid_t wait(int* status) { return Wait(-1, status, 0, NULL); }
