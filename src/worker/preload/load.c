/* Loading and spawning: libc opens the file itself, so for commands of any kind the path is led
 * below the root before libc sees it. Its own functions are found behind ours by dlsym, which is in
 * libc or in what the program brings; a program without it has no use for them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder.h"

#pragma weak dlsym

void* Next(const char* name) { return dlsym == NULL ? NULL : dlsym(RTLD_NEXT, name); }

typedef void* (*LoadFunction)(const char*, int);

/* Where nothing is led the call is the caller's own (a jump, not a call): libc looks at who calls.
 */
EXPORT void* dlopen(const char* path, int flags) {
  static LoadFunction next;
  if (next == NULL) next = (LoadFunction)Next("dlopen");
  if (next == NULL) return NULL;
  if (!HasRoot() || path == NULL || path[0] != '/') return next(path, flags);
  char buffer[MAX_PATH];
  const char* real = Lead(path, buffer);
  RecordLookup(AT_FDCWD, real, syscall(SYS_faccessat, AT_FDCWD, real, F_OK));
  void* const loaded = next(real, flags);
  /* Keeps the buffer alive, and the call a call. */
  __asm__ volatile("" : : "r"(buffer) : "memory");
  return loaded;
}

typedef int (*SpawnFunction)(pid_t*, const char*, const posix_spawn_file_actions_t*,
                             const posix_spawnattr_t*, char* const[], char* const[]);

static SpawnFunction NextSpawn(void) {
  static SpawnFunction next;
  if (next == NULL) next = (SpawnFunction)Next("posix_spawn");
  return next;
}

/* libc runs this program in the place of `path`: argv[0] of the script's interpreter is it. */
static int Spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                 const posix_spawnattr_t* attributes, char* const argv[], char* const env[]) {
  char buffer[MAX_PATH];
  char head[SCRIPT_HEAD_BYTES];
  const char* real = Lead(path, buffer);
  RecordLookup(AT_FDCWD, real, syscall(SYS_faccessat, AT_FDCWD, real, F_OK));
  char* interpreter = NULL;
  char* argument = NULL;
  if (!ReadInterpreter(real, head, &interpreter, &argument)) {
    return NextSpawn()(pid, real, actions, attributes, argv, env);
  }
  size_t count = 0;
  while (argv[count] != NULL) ++count;
  char* words[count + 4];
  size_t n = 0;
  words[n++] = interpreter;
  if (argument != NULL) words[n++] = argument;
  words[n++] = (char*)ScriptName(interpreter, path, real);
  for (size_t i = 1; i < count; ++i) words[n++] = argv[i];
  words[n] = NULL;
  char program[MAX_PATH];
  const char* led = Lead(interpreter, program);
  RecordLookup(AT_FDCWD, led, syscall(SYS_faccessat, AT_FDCWD, led, F_OK));
  return NextSpawn()(pid, led, actions, attributes, words, env);
}

EXPORT int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                       const posix_spawnattr_t* attributes, char* const argv[], char* const env[]) {
  if (NextSpawn() == NULL) return ENOSYS;
  if (!HasRoot()) return NextSpawn()(pid, path, actions, attributes, argv, env);
  return Spawn(pid, path, actions, attributes, argv, env);
}

EXPORT int posix_spawnp(pid_t* pid, const char* file, const posix_spawn_file_actions_t* actions,
                        const posix_spawnattr_t* attributes, char* const argv[],
                        char* const env[]) {
  static SpawnFunction next;
  if (next == NULL) next = (SpawnFunction)Next("posix_spawnp");
  if (next == NULL) return ENOSYS;
  if (!HasRoot()) return next(pid, file, actions, attributes, argv, env);
  for (const char* c = file; *c != '\0'; ++c) {
    if (*c == '/') return Spawn(pid, file, actions, attributes, argv, env);
  }
  const char* dir = getenv("PATH");
  if (dir == NULL) dir = "/bin:/usr/bin";
  int result = ENOENT;
  while (result == ENOENT || result == ENOTDIR) {
    char path[MAX_PATH];
    dir = NextInSearchPath(dir, file, path);
    if (path[0] != '\0') result = Spawn(pid, path, actions, attributes, argv, env);
    if (dir == NULL) break;
  }
  return result;
}

/* As POSIX has it; libc's own would start a /bin/sh that is not there. */
EXPORT int system(const char* command) {
  static int (*next)(const char*);
  if (next == NULL) next = (int (*)(const char*))Next("system");
  if (next != NULL && (!HasRoot() || command == NULL)) return next(command);
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct sigaction interrupt;
  struct sigaction quit;
  sigset_t block;
  sigset_t before;
  sigemptyset(&ignore.sa_mask);
  sigaction(SIGINT, &ignore, &interrupt);
  sigaction(SIGQUIT, &ignore, &quit);
  sigemptyset(&block);
  sigaddset(&block, SIGCHLD);
  sigprocmask(SIG_BLOCK, &block, &before);
  int status = -1;
  const pid_t pid = fork();
  if (pid == 0) {
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    char* const argv[] = {"sh", "-c", (char*)command, NULL};
    execv("/bin/sh", argv);
    _exit(127);
  }
  if (pid > 0) {
    while (waitpid(pid, &status, 0) < 0) {
      if (errno == EINTR) continue;
      status = -1;
      break;
    }
  }
  sigaction(SIGINT, &interrupt, NULL);
  sigaction(SIGQUIT, &quit, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return status;
}
