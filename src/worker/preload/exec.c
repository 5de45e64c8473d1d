/* Becoming another program: the lookup is recorded, and a command of any kind finds programs and
 * the interpreters of scripts below the worker's root. All of libc's exec functions end in its own
 * execve, which can't be had between; so each is here.
 *
 * Safe in a child of vfork: nothing is allocated. */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "lookup_log.h"
#include "recorder.h"

#define MAX_SCRIPTS 4

extern char** environ;

static size_t Count(char* const words[]) {
  size_t n = 0;
  while (words != NULL && words[n] != NULL) ++n;
  return n;
}

int ReadInterpreter(const char* path, char* head, char** interpreter, char** argument) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const long n = syscall(SYS_read, fd, head, SCRIPT_HEAD_BYTES - 1);
  syscall(SYS_close, fd);
  if (n < 3 || head[0] != '#' || head[1] != '!') return 0;
  head[n] = '\0';
  char* at = head + 2;
  while (*at == ' ' || *at == '\t') ++at;
  *interpreter = at;
  *argument = NULL;
  while (*at != '\0' && *at != '\n' && *at != ' ' && *at != '\t') ++at;
  if (*at == ' ' || *at == '\t') {
    *at++ = '\0';
    while (*at == ' ' || *at == '\t') ++at;
    char* end = at;
    while (*end != '\0' && *end != '\n') ++end;
    while (end > at && (end[-1] == ' ' || end[-1] == '\t')) --end;
    *end = '\0';
    if (end > at) *argument = at;
  } else {
    *at = '\0';
  }
  return **interpreter == '/';
}

const char* ScriptName(const char* interpreter, const char* path, const char* real) {
  char buffer[MAX_PATH];
  Elf64_Ehdr head;
  Elf64_Phdr part;
  const int fd =
      (int)syscall(SYS_openat, AT_FDCWD, Lead(interpreter, buffer), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return path;
  int has_loader = 1;
  if (syscall(SYS_read, fd, &head, sizeof head) == (long)sizeof head && head.e_ident[0] == 0x7f) {
    has_loader = 0;
    for (int i = 0; i < head.e_phnum && !has_loader; ++i) {
      const off_t at = (off_t)(head.e_phoff + (uint64_t)i * head.e_phentsize);
      if (syscall(SYS_pread64, fd, &part, sizeof part, at) != (long)sizeof part) break;
      has_loader = part.p_type == PT_INTERP;
    }
  }
  syscall(SYS_close, fd);
  return has_loader ? path : real;
}

/* A child closes what it did not open; programs whose loader is named by a descriptor need it. */
static void KeepLoaders(void) {
  const char* at = getenv(LLAMA_LOADERS_ENV);
  while (at != NULL && *at != '\0') {
    int number = 0;
    for (; *at >= '0' && *at <= '9'; ++at) number = number * 10 + (*at - '0');
    if (*at++ != '=') return;
    char path[MAX_PATH];
    size_t n = 0;
    for (; *at != '\0' && *at != ':'; ++at) {
      if (n < MAX_PATH - 1) path[n++] = *at;
    }
    path[n] = '\0';
    if (*at == ':') ++at;
    if (syscall(SYS_fcntl, number, F_GETFD) >= 0) continue;
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_PATH | O_CLOEXEC);
    if (fd < 0) continue;
    if (fd != number) {
      syscall(SYS_dup3, fd, number, 0);
      syscall(SYS_close, fd);
    } else {
      syscall(SYS_fcntl, fd, F_SETFD, 0);
    }
  }
}

static int Exec(const char* path, char* const argv[], char* const env[], int scripts) {
  char buffer[MAX_PATH];
  const char* real = Lead(path, buffer);
  RecordLookup(AT_FDCWD, real, syscall(SYS_faccessat, AT_FDCWD, real, F_OK));
  char head[SCRIPT_HEAD_BYTES];
  char* interpreter = NULL;
  char* argument = NULL;
  if (!HasRoot() || scripts >= MAX_SCRIPTS || syscall(SYS_faccessat, AT_FDCWD, real, X_OK) != 0 ||
      !ReadInterpreter(real, head, &interpreter, &argument)) {
    if (HasRoot()) KeepLoaders();
    RecordLeaving();
    const int result = (int)syscall(SYS_execve, real, argv, env);
    RecordStaying();
    return result;
  }
  const size_t count = Count(argv);
  char* words[count + 4];
  size_t n = 0;
  words[n++] = interpreter;
  if (argument != NULL) words[n++] = argument;
  words[n++] = (char*)ScriptName(interpreter, path, real);
  for (size_t i = 1; i < count; ++i) words[n++] = argv[i];
  words[n] = NULL;
  return Exec(interpreter, words, env, scripts + 1);
}

/* A program without a format of its own is the shell's. */
static int ExecOrShell(const char* path, char* const argv[], char* const env[]) {
  const int result = Exec(path, argv, env, 0);
  if (errno != ENOEXEC) return result;
  const size_t count = Count(argv);
  char* words[count + 3];
  size_t n = 0;
  words[n++] = "/bin/sh";
  words[n++] = (char*)path;
  for (size_t i = 1; i < count; ++i) words[n++] = argv[i];
  words[n] = NULL;
  return Exec(words[0], words, env, 0);
}

const char* NextInSearchPath(const char* dirs, const char* file, char* path) {
  size_t n = 0;
  for (; *dirs != '\0' && *dirs != ':'; ++dirs) {
    if (n < MAX_PATH) path[n++] = *dirs;
  }
  if (n != 0 && n < MAX_PATH) path[n++] = '/';
  for (size_t i = 0; file[i] != '\0' && n < MAX_PATH; ++i) path[n++] = file[i];
  path[n < MAX_PATH ? n : 0] = '\0';
  return *dirs == '\0' ? NULL : dirs + 1;
}

static int Search(const char* file, char* const argv[], char* const env[]) {
  const char* dirs = getenv("PATH");
  int denied = 0;
  if (dirs == NULL) dirs = "/bin:/usr/bin";
  while (dirs != NULL) {
    char path[MAX_PATH];
    dirs = NextInSearchPath(dirs, file, path);
    if (path[0] == '\0') continue;
    ExecOrShell(path, argv, env);
    if (errno == EACCES) denied = 1;
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) return -1;
  }
  errno = denied ? EACCES : ENOENT;
  return -1;
}

EXPORT int execve(const char* path, char* const argv[], char* const env[]) {
  return Exec(path, argv, env, 0);
}
EXPORT int execv(const char* path, char* const argv[]) { return Exec(path, argv, environ, 0); }

EXPORT int execvpe(const char* file, char* const argv[], char* const env[]) {
  for (const char* c = file; *c != '\0'; ++c) {
    if (*c == '/') return ExecOrShell(file, argv, env);
  }
  if (*file != '\0') return Search(file, argv, env);
  errno = ENOENT;
  return -1;
}
EXPORT int execvp(const char* file, char* const argv[]) { return execvpe(file, argv, environ); }

/* The words of a call with variable arguments, the first of them given, and the NULL behind. */
#define TAKE_WORDS(first)                            \
  va_list rest;                                      \
  size_t count = 1;                                  \
  va_start(rest, first);                             \
  while (va_arg(rest, const char*) != NULL) ++count; \
  va_end(rest);                                      \
  char* words[count + 1];                            \
  va_start(rest, first);                             \
  words[0] = (char*)first;                           \
  for (size_t i = 1; i <= count; ++i) words[i] = va_arg(rest, char*);

EXPORT int execl(const char* path, const char* first, ...) {
  TAKE_WORDS(first)
  va_end(rest);
  return Exec(path, words, environ, 0);
}
EXPORT int execlp(const char* file, const char* first, ...) {
  TAKE_WORDS(first)
  va_end(rest);
  return execvpe(file, words, environ);
}
EXPORT int execveat(int dir, const char* name, char* const argv[], char* const env[], int flags) {
  char buffer[MAX_PATH];
  const char* path = Lead(name, buffer);
  RecordLookup(dir, path, syscall(SYS_faccessat, dir, path, F_OK));
  if (HasRoot()) KeepLoaders();
  RecordLeaving();
  const int result = (int)syscall(SYS_execveat, dir, path, argv, env, flags);
  RecordStaying();
  return result;
}
EXPORT int execle(const char* path, const char* first, ...) {
  TAKE_WORDS(first)
  char** env = va_arg(rest, char**);
  va_end(rest);
  return Exec(path, words, env, 0);
}
