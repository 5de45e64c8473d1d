/* What programs are told of paths: the root is taken off. libc's own functions do the work where
 * they allocate. */
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

EXPORT char* getcwd(char* to, size_t size) {
  if (to == NULL) {
    char* (*next)(char*, size_t) = (char* (*)(char*, size_t))Next("getcwd");
    if (next == NULL) {
      errno = ENOSYS;
      return NULL;
    }
    /* Of no more room than is asked for, once the root is off. */
    char* got = next(NULL, 0);
    if (got == NULL) return NULL;
    Tell(got);
    if (size == 0 || Length(got) < size) return got;
    free(got);
    errno = ERANGE;
    return NULL;
  }
  if (size == 0) {
    errno = EINVAL;
    return NULL;
  }
  char here[MAX_PATH];
  const long got = syscall(SYS_getcwd, here, sizeof here);
  if (got < 0) return NULL;
  /* "(unreachable)/…": outside of the process's own root. */
  if (got <= 1 || here[0] != '/') {
    errno = ENOENT;
    return NULL;
  }
  const char* told = Told(here);
  const size_t length = Length(told);
  if (length >= size) {
    errno = ERANGE;
    return NULL;
  }
  for (size_t i = 0; i <= length; ++i) to[i] = told[i];
  return to;
}

EXPORT char* __getcwd_chk(char* to, size_t size, size_t room) {
  return getcwd(to, size < room ? size : room);
}

EXPORT char* getwd(char* to) { return getcwd(to, MAX_PATH); }

EXPORT char* get_current_dir_name(void) {
  char* (*next)(void) = (char* (*)(void))Next("get_current_dir_name");
  if (!HasRoot() && next != NULL) return next();
  /* As libc: $PWD, if it is the same folder. It allocates what it gives. */
  const char* pwd = getenv("PWD");
  char buffer[MAX_PATH];
  if (pwd != NULL && pwd[0] == '/') {
    const int there =
        (int)syscall(SYS_openat, AT_FDCWD, Lead(pwd, buffer), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (there >= 0) {
      char named[MAX_PATH];
      char here[MAX_PATH];
      const uint32_t size = PathOfDescriptor(there, named);
      syscall(SYS_close, there);
      const long got = syscall(SYS_getcwd, here, sizeof here);
      uint32_t same = 0;
      while (same < size && named[same] == here[same]) ++same;
      if (size > 0 && got == (long)size + 1 && same == size) {
        const size_t length = Length(pwd) + 1;
        char* copy = malloc(length);
        for (size_t i = 0; copy != NULL && i < length; ++i) copy[i] = pwd[i];
        return copy;
      }
    }
  }
  return getcwd(NULL, 0);
}

/* Canonical names. libc walks the links itself: what is led is where it begins. */

typedef char* (*ResolveFunction)(const char*, char*);

static char* Resolve(ResolveFunction next, const char* name, char* to) {
  if (next == NULL) {
    errno = ENOSYS;
    return NULL;
  }
  if (!HasRoot() || name == NULL) return next(name, to);
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  char* resolved = next(path, to);
  RecordLookup(AT_FDCWD, path, resolved != NULL ? 0 : -1);
  if (resolved != NULL) Tell(resolved);
  return resolved;
}

EXPORT char* realpath(const char* path, char* to) {
  return Resolve((ResolveFunction)Next("realpath"), path, to);
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
