/* What programs are told of paths: the root is taken off. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder.h"

/* Links. */

/* What a link holds is told whole, and then cut to the caller's room, as the kernel does. */
static ssize_t ReadLinkAt(int dir, const char* name, char* to, size_t size) {
  char buffer[MAX_PATH];
  char target[MAX_PATH];
  const char* path = Lead(name, buffer);
  ssize_t result = 0;
  if (!HasRoot() || size == 0) {
    result = (ssize_t)syscall(SYS_readlinkat, dir, path, to, size);
  } else {
    result = (ssize_t)syscall(SYS_readlinkat, dir, path, target, sizeof target - 1);
    if (result >= 0) {
      target[result] = '\0';
      const char* told = Told(target);
      const size_t length = Length(told);
      result = (ssize_t)(length < size ? length : size);
      for (ssize_t i = 0; i < result; ++i) to[i] = told[i];
    }
  }
  /* EINVAL: it is there, and no link. */
  if (result < 0 && errno == EINVAL && size > 0) {
    RecordLookup(dir, path, 0);
    errno = EINVAL;
  } else {
    RecordLookup(dir, path, result);
  }
  return result;
}

EXPORT ssize_t readlink(const char* path, char* to, size_t size) {
  return ReadLinkAt(AT_FDCWD, path, to, size);
}
EXPORT ssize_t readlinkat(int dir, const char* path, char* to, size_t size) {
  return ReadLinkAt(dir, path, to, size);
}
EXPORT ssize_t __readlink_chk(const char* path, char* to, size_t size, size_t room) {
  return ReadLinkAt(AT_FDCWD, path, to, size < room ? size : room);
}
EXPORT ssize_t __readlinkat_chk(int dir, const char* path, char* to, size_t size, size_t room) {
  return ReadLinkAt(dir, path, to, size < room ? size : room);
}

/* The working directory. */

static uint32_t Canonical(const char* path, char* to);

/* A copy that the program frees. */
static char* Allocated(const char* text, size_t room) {
  const size_t size = Length(text) + 1;
  char* copy = malloc(size < room ? room : size);
  for (size_t i = 0; copy != NULL && i < size; ++i) copy[i] = text[i];
  return copy;
}

EXPORT char* getcwd(char* to, size_t size) {
  char here[MAX_PATH];
  if (to != NULL && size == 0) {
    errno = EINVAL;
    return NULL;
  }
  const long got = syscall(SYS_getcwd, here, sizeof here);
  if (got < 0) return NULL;
  /* "(unreachable)/…": outside of the process's own root. */
  if (got <= 1 || here[0] != '/') {
    errno = ENOENT;
    return NULL;
  }
  const char* told = Told(here);
  const size_t length = Length(told);
  if (size != 0 && length >= size) {
    errno = ERANGE;
    return NULL;
  }
  if (to == NULL) return Allocated(told, size);
  for (size_t i = 0; i <= length; ++i) to[i] = told[i];
  return to;
}

EXPORT char* __getcwd_chk(char* to, size_t size, size_t room) {
  return getcwd(to, size < room ? size : room);
}

EXPORT char* getwd(char* to) { return getcwd(to, MAX_PATH); }

/* As libc: $PWD, if it is the same folder. */
EXPORT char* get_current_dir_name(void) {
  const char* pwd = getenv("PWD");
  char buffer[MAX_PATH];
  char named[MAX_PATH];
  char here[MAX_PATH];
  if (pwd != NULL && pwd[0] == '/' && Canonical(Lead(pwd, buffer), named) != 0) {
    const long got = syscall(SYS_getcwd, here, sizeof here);
    long same = 0;
    while (same < got && named[same] == here[same]) ++same;
    if (got > 1 && same == got) return Allocated(pwd, 0);
  }
  return getcwd(NULL, 0);
}

/* Canonical names. The kernel knows them, of what is open, and tells them by /proc. */

static uint32_t Canonical(const char* path, char* to) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
  if (fd < 0) return 0;
  uint32_t size = PathOfDescriptor(fd, to);
  syscall(SYS_close, fd);
  if (size == 0) size = FollowByHand(path, 1, to);
  if (size == 0) errno = ENOENT;
  return size;
}

EXPORT char* realpath(const char* name, char* to) {
  char buffer[MAX_PATH];
  char resolved[MAX_PATH];
  if (name == NULL) {
    errno = EINVAL;
    return NULL;
  }
  const char* path = Lead(name, buffer);
  const uint32_t size = Canonical(path, resolved);
  RecordLookup(AT_FDCWD, path, size != 0 ? 0 : -1);
  if (size == 0) return NULL;
  const char* told = Told(resolved);
  if (to == NULL) return Allocated(told, 0);
  uint32_t i = 0;
  for (; told[i] != '\0'; ++i) to[i] = told[i];
  to[i] = '\0';
  return to;
}

EXPORT char* __realpath_chk(const char* path, char* to, size_t room) {
  (void)room; /* of MAX_PATH bytes at least, or the program is wrong */
  return realpath(path, to);
}

EXPORT char* canonicalize_file_name(const char* path) { return realpath(path, NULL); }

/* Loaded files. */

EXPORT int dladdr(const void* address, Dl_info* info) {
  static int (*next)(const void*, Dl_info*);
  if (next == NULL) next = (int (*)(const void*, Dl_info*))Next("dladdr");
  if (next == NULL) return 0;
  const int found = next(address, info);
  /* The name lives as long as the object: its own end is what is told. */
  if (found != 0) info->dli_fname = Told(info->dli_fname);
  return found;
}

static char* (*next_dlerror)(void);

/* Before anything goes wrong: looking it up is a call whose success is remembered in its place. */
void FindDlerror(void) { next_dlerror = (char* (*)(void))Next("dlerror"); }

/* What went wrong in loading names the file: until the next call, as libc has it. */
EXPORT char* dlerror(void) {
  static char told[2 * MAX_PATH];
  char* text = next_dlerror == NULL ? NULL : next_dlerror();
  if (text == NULL || !HasRoot()) return text;
  uint32_t n = 0;
  while (*text != '\0' && n < sizeof told - 1) {
    const char* behind = Told(text);
    if (behind != text && *behind == '/' && behind[1] != '\0') {
      text = (char*)behind;
    }
    told[n++] = *text++;
  }
  told[n] = '\0';
  return told;
}
