/* A command of any kind names files by absolute paths that no compiler would: a script's own, those
 * compiled into an interpreter. Its tree stands below the worker's root, where neither chroot nor a
 * namespace is to be had; so the calls that look up paths do it here. What a program does by system
 * calls of its own, or libc inside itself, is not led.
 *
 * Not led: what is below the root or in the worker's folder already; /proc, /dev and /sys; and
 * /tmp, unless the tree has something under that name. */
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

static uint32_t Length(const char* s) {
  uint32_t n = 0;
  while (s[n] != '\0') ++n;
  return n;
}

static void Keep(struct Prefix* prefix, const char* text, uint32_t size) {
  if (size >= MAX_PATH) return;
  for (uint32_t i = 0; i < size; ++i) prefix->text[i] = text[i];
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

/* The first name below /tmp decides, so that a temporary file's path leads to one place whether it
 * is there yet or not. */
static int TreeHasTemporary(char* path) {
  char* end = path + root.size + 5;
  while (*end != '\0' && *end != '/') ++end;
  const char was = *end;
  *end = '\0';
  const int saved = errno;
  const int there = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) == 0;
  errno = saved;
  *end = was;
  return there;
}

const char* Reroot(const char* path, char* buffer) {
  if (root.size == 0 || path == NULL || path[0] != '/') return path;
  if (IsBelow(path, root.text, root.size)) return path;
  if (worker.size != 0 && IsBelow(path, worker.text, worker.size)) return path;
  if (IsBelow(path, "/proc", 5) || IsBelow(path, "/dev", 4) || IsBelow(path, "/sys", 4))
    return path;
  const uint32_t size = Length(path);
  if (root.size + size >= MAX_PATH) return path;
  for (uint32_t i = 0; i < root.size; ++i) buffer[i] = root.text[i];
  for (uint32_t i = 0; i <= size; ++i) buffer[root.size + i] = path[i];
  if (!IsBelow(path, "/tmp", 4)) return buffer;
  return path[4] == '/' && path[5] != '\0' && TreeHasTemporary(buffer) ? buffer : path;
}
