/* Listing many names at once: libc opens the folders itself, so it gets the path led; what it names
 * by path is told. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder.h"

/* A folder that libc lists behind our back. */
static void RecordListed(const char* path) {
  const int fd = OpenAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd >= 0) syscall(SYS_close, fd);
}

typedef int (*ScanFunction)(const char*, void*, void*, void*);

static int Scan(ScanFunction next, const char* name, void* to, void* filter, void* compare) {
  if (next == NULL) return -1;
  char buffer[MAX_PATH];
  RecordListed(name);
  return next(Lead(name, buffer), to, filter, compare);
}

EXPORT int scandir(const char* name, struct dirent*** to, int (*filter)(const struct dirent*),
                   int (*compare)(const struct dirent**, const struct dirent**)) {
  return Scan((ScanFunction)Next("scandir"), name, to, (void*)filter, (void*)compare);
}
EXPORT int scandir64(const char* name, struct dirent64*** to, int (*filter)(const struct dirent64*),
                     int (*compare)(const struct dirent64**, const struct dirent64**)) {
  return Scan((ScanFunction)Next("scandir64"), name, to, (void*)filter, (void*)compare);
}

/* Patterns: their folders before the first wildcard are what is listed. */

static int IsWild(char c) { return c == '*' || c == '?' || c == '[' || c == '\\'; }

/* The root's own letters stand for themselves. */
static int Quote(const char* path, uint32_t quoted, char* to) {
  uint32_t n = 0;
  for (uint32_t i = 0; path[i] != '\0'; ++i) {
    if (n + 3 > MAX_PATH) return 0;
    if (i < quoted && IsWild(path[i])) to[n++] = '\\';
    to[n++] = path[i];
  }
  to[n] = '\0';
  return 1;
}

typedef int (*GlobFunction)(const char*, int, int (*)(const char*, int), void*);

static int Glob(GlobFunction next, const char* pattern, int flags, int (*error)(const char*, int),
                glob_t* to) {
  if (next == NULL) return GLOB_ABORTED;
  char buffer[MAX_PATH];
  char quoted[MAX_PATH];
  const char* led = Lead(pattern, buffer);
  char folder[MAX_PATH];
  uint32_t size = 0;
  for (uint32_t i = 0; pattern[i] != '\0' && !IsWild(pattern[i]) && i < MAX_PATH - 1; ++i) {
    folder[i] = pattern[i];
    if (pattern[i] == '/') size = i + 1;
  }
  if (size == 0) folder[size++] = '.';
  folder[size] = '\0';
  RecordListed(folder);
  if (led == pattern) return next(pattern, flags, error, to);
  const uint32_t before = (flags & GLOB_APPEND) != 0 ? (uint32_t)to->gl_pathc : 0;
  if (!Quote(led, Length(led) - Length(pattern), quoted)) return GLOB_NOSPACE;
  const int result = next(quoted, flags & ~GLOB_NOESCAPE, error, to);
  const size_t offset = (flags & GLOB_DOOFFS) != 0 ? to->gl_offs : 0;
  for (size_t i = before; result == 0 && i < to->gl_pathc; ++i) Tell(to->gl_pathv[offset + i]);
  return result;
}

EXPORT int glob(const char* pattern, int flags, int (*error)(const char*, int), glob_t* to) {
  return Glob((GlobFunction)Next("glob"), pattern, flags, error, to);
}
EXPORT int glob64(const char* pattern, int flags, int (*error)(const char*, int), glob64_t* to) {
  return Glob((GlobFunction)Next("glob64"), pattern, flags, error, (glob_t*)to);
}

/* Walks. libc's own would tell the visitor of the root; one walk at a time. */

typedef int (*Visit)(const char*, const struct stat*, int, struct FTW*);
static Visit visit;

static int Visited(const char* path, const struct stat* st, int type, struct FTW* at) {
  const char* told = Told(path);
  struct FTW there = *at;
  there.base -= (int)(Length(path) - Length(told));
  RecordLookup(AT_FDCWD, path, 0);
  if (type == FTW_D || type == FTW_DP) RecordListed(path);
  return visit(told, st, type, &there);
}

typedef int (*WalkFunction)(const char*, Visit, int, int);

static int Walk(WalkFunction next, const char* name, Visit each, int descriptors, int flags) {
  if (next == NULL) return -1;
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  if (path == name) return next(name, each, descriptors, flags);
  const Visit outer = visit;
  visit = each;
  const int result = next(path, Visited, descriptors, flags);
  visit = outer;
  return result;
}

EXPORT int nftw(const char* name, Visit each, int descriptors, int flags) {
  return Walk((WalkFunction)Next("nftw"), name, each, descriptors, flags);
}
EXPORT int nftw64(const char* name, __nftw64_func_t each, int descriptors, int flags) {
  return Walk((WalkFunction)Next("nftw64"), name, (Visit)each, descriptors, flags);
}
