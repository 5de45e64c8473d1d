/* The view: a command names files by the paths that they have at home, and is told such paths; its
 * tree stands below the worker's root, where neither chroot nor a namespace is to be had. So the
 * calls that take a path lead it below the root here, and those that give one take the root off.
 * What a program does by system calls of its own, or libc inside itself, is not led.
 *
 * Not led: what is below the root or in the worker's folder already; /proc, /dev and /sys. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lookup_log.h"
#include "recorder.h"

struct Prefix {
  char text[MAX_PATH];
  uint32_t size;
};

static struct Prefix root;
static struct Prefix worker;

uint32_t Length(const char* s) {
  uint32_t n = 0;
  while (s[n] != '\0') ++n;
  return n;
}

static void Keep(struct Prefix* prefix, const char* text, uint32_t size) {
  if (size >= MAX_PATH) return;
  for (uint32_t i = 0; i < size; ++i) prefix->text[i] = text[i];
  prefix->text[size] = '\0';
  prefix->size = size;
}

static int IsBelow(const char* path, const char* prefix, uint32_t size) {
  for (uint32_t i = 0; i < size; ++i) {
    if (path[i] != prefix[i]) return 0;
  }
  return path[size] == '\0' || path[size] == '/';
}

void LearnRoot(const char* log) {
  const char* text = getenv(LLAMA_LOOKUP_ROOT_ENV);
  if (text == NULL || text[0] != '/') return;
  uint32_t size = Length(log);
  while (size > 0 && log[size - 1] != '/') --size;
  if (size > 1) Keep(&worker, log, size - 1);
  Keep(&root, text, Length(text));
}

int HasRoot(void) { return root.size != 0; }

/* The kernel's own path of the folder that the first `size` bytes of `path` name, into `to`
 * (MAX_PATH bytes): its size, or 0. */
static uint32_t KernelPath(char* path, uint32_t size, char* to) {
  const char was = path[size];
  path[size] = '\0';
  const int fd =
      (int)syscall(SYS_openat, AT_FDCWD, size == 0 ? "." : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  path[size] = was;
  if (fd < 0) return 0;
  const uint32_t got = PathOfDescriptor(fd, to);
  syscall(SYS_close, fd);
  return got;
}

/* The first ".." in `path` that leaves the root, going by names alone (a link on the way may lead
 * deeper): `depth` folders lie between the root and where the path begins. */
static const char* FirstLeaving(const char* path, long depth) {
  while (*path != '\0') {
    while (*path == '/') ++path;
    const char* begin = path;
    while (*path != '\0' && *path != '/') ++path;
    const long size = path - begin;
    if (size == 2 && begin[0] == '.' && begin[1] == '.') {
      if (--depth < 0) return begin;
    } else if (size > 1 || (size == 1 && begin[0] != '.')) {
      ++depth;
    }
  }
  return NULL;
}

static long DepthBelowRoot(const char* path) {
  if (!IsBelow(path, root.text, root.size)) return -1;
  long depth = 0;
  for (const char* c = path + root.size; *c != '\0'; ++c) depth += *c == '/';
  return depth;
}

/* At home the folder above "/" is "/" itself. Where the names of `path`, which leads below the root
 * or is relative, go above the root, what is before is looked up, and the rest begins anew there.
 * The result is `path` or in `buffer`. */
static const char* StayBelow(const char* path, char* buffer) {
  for (;;) {
    long depth = 0;
    const char* names = path + root.size;
    if (path[0] != '/') {
      char here[MAX_PATH];
      const char* dir = here;
      if (WorkingDir(&dir, here) == 0 || (depth = DepthBelowRoot(dir)) < 0) return path;
      names = path;
    }
    const char* leaving = FirstLeaving(names, depth);
    if (leaving == NULL) return path;
    char whole[MAX_PATH];
    char above[MAX_PATH];
    const uint32_t size = Length(path);
    for (uint32_t i = 0; i <= size; ++i) whole[i] = path[i];
    uint32_t n = KernelPath(whole, (uint32_t)(leaving - path), above);
    if (n == 0 || DepthBelowRoot(above) < 0) return path;
    if (n > root.size) {
      while (above[n - 1] != '/') --n;
      --n;
    }
    const char* rest = whole + (leaving - path) + 2;
    const uint32_t left = Length(rest);
    if (n + left >= MAX_PATH) return path;
    for (uint32_t i = 0; i < n; ++i) buffer[i] = above[i];
    for (uint32_t i = 0; i <= left; ++i) buffer[n + i] = rest[i];
    path = buffer;
  }
}

static int HasDots(const char* path) {
  for (const char* c = path; *c != '\0'; ++c) {
    if (c[0] == '.' && c[1] == '.' && (c[2] == '/' || c[2] == '\0') &&
        (c == path || c[-1] == '/')) {
      return 1;
    }
  }
  return 0;
}

/* /proc/self/cwd, and what is below it, by the folder's own name: there may be no /proc. */
static const char* LeadFromHere(const char* path, char* buffer) {
  char here[MAX_PATH];
  const char* dir = here;
  const uint32_t size = WorkingDir(&dir, here);
  const char* rest = path + 14;
  const uint32_t left = Length(rest);
  if (size == 0 || size + left >= MAX_PATH) return path;
  for (uint32_t i = 0; i < size; ++i) buffer[i] = dir[i];
  for (uint32_t i = 0; i <= left; ++i) buffer[size + i] = rest[i];
  return HasDots(rest) ? StayBelow(buffer, buffer) : buffer;
}

static int IsOwnFolder(const char* path) { return IsBelow(path, "/proc/self/cwd", 14); }

const char* LeadFollowed(const char* path, char* buffer) {
  if (root.size != 0 && path != NULL && IsOwnFolder(path)) return LeadFromHere(path, buffer);
  return Lead(path, buffer);
}

const char* Lead(const char* path, char* buffer) {
  if (root.size == 0 || path == NULL) return path;
  if (IsOwnFolder(path) && path[14] == '/') return LeadFromHere(path, buffer);
  if (path[0] != '/') return HasDots(path) ? StayBelow(path, buffer) : path;
  if (IsBelow(path, root.text, root.size)) return path;
  if (worker.size != 0 && IsBelow(path, worker.text, worker.size)) return path;
  /* The kernel's root is none of the command's. */
  if (IsBelow(path, "/proc/self/root", 15)) path += path[15] == '\0' ? 0 : 15;
  if (IsBelow(path, "/proc", 5) || IsBelow(path, "/dev", 4) || IsBelow(path, "/sys", 4))
    return path;
  const uint32_t size = Length(path);
  if (root.size + size >= MAX_PATH) return path;
  for (uint32_t i = 0; i < root.size; ++i) buffer[i] = root.text[i];
  for (uint32_t i = 0; i <= size; ++i) buffer[root.size + i] = path[i];
  return HasDots(path) ? StayBelow(buffer, buffer) : buffer;
}

const char* Told(const char* path) {
  if (root.size == 0 || path == NULL || !IsBelow(path, root.text, root.size)) return path;
  return path[root.size] == '\0' ? "/" : path + root.size;
}

void Tell(char* path) {
  const char* told = Told(path);
  if (told == path) return;
  uint32_t i = 0;
  for (; told[i] != '\0'; ++i) path[i] = told[i];
  path[i] = '\0';
}
