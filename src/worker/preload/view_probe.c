/* What a program sees of a folder: each call that takes or gives a path, and what came of it, a
 * line each. Run at home and in the view, it must say the same (worker/run/view_test.cc).
 *
 *   view_probe FOLDER    an absolute path; it holds a.txt, an executable script run.sh, link ->
 * a.txt (relative), abs -> FOLDER/a.txt and sub/b.txt */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

static char folder[PATH_MAX];

static const char* At(const char* name) {
  static char paths[8][PATH_MAX + 64];
  static int next;
  char* path = paths[next++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

static void Say(const char* what, long result) {
  const int error = errno;
  if (result < 0) {
    printf("%s: %s\n", what, strerrorname_np(error));
  } else {
    printf("%s: ok\n", what);
  }
  fflush(stdout);
}

static void SayPath(const char* what, const char* path) {
  printf("%s: %s\n", what, path != NULL ? path : strerrorname_np(errno));
  fflush(stdout);
}

static void SayText(const char* what, int fd) {
  char text[256] = "";
  if (fd < 0) {
    Say(what, fd);
    return;
  }
  const ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  printf("%s: %zd bytes: %s\n", what, n, n > 0 ? text : "");
  fflush(stdout);
}

static void Reading(void) {
  struct stat st;
  struct statx stx;
  FILE* stream;
  SayText("open", open(At("a.txt"), O_RDONLY));
  SayText("openat", openat(AT_FDCWD, At("sub/b.txt"), O_RDONLY));
  const int sub = open(At("sub"), O_RDONLY | O_DIRECTORY);
  SayText("openat by a folder", openat(sub, "b.txt", O_RDONLY));
  SayText("openat by a folder, above", openat(sub, "../a.txt", O_RDONLY));
  close(sub);
  SayText("open a link", open(At("link"), O_RDONLY));
  SayText("open an absolute link", open(At("abs"), O_RDONLY));
  SayText("open what is not there", open(At("none"), O_RDONLY));
  SayText("open below a file", open(At("a.txt/x"), O_RDONLY));
  SayText("open relative", open("a.txt", O_RDONLY));
  char many[PATH_MAX] = "";
  for (int i = 0; i < 40; ++i) strcat(many, "../");
  SayText("above the top", open(strcat(many, At("a.txt") + 1), O_RDONLY));
  snprintf(many, sizeof many, "/../../..%s", At("a.txt"));
  SayText("above the top, absolute", open(many, O_RDONLY));
  snprintf(many, sizeof many, "%s/../../../../../../../../../../../../../..%s", At("sub"),
           At("a.txt"));
  SayText("above the top, from below", open(many, O_RDONLY));
  snprintf(many, sizeof many, "/proc/self/cwd/a.txt");
  SayText("by /proc/self/cwd", open(many, O_RDONLY));
  snprintf(many, sizeof many, "/proc/self/root%s", At("a.txt"));
  SayText("by /proc/self/root", open(many, O_RDONLY));
  stream = fopen(At("a.txt"), "re");
  SayText("fopen", stream != NULL ? dup(fileno(stream)) : -1);
  if (stream != NULL) fclose(stream);
  stream = fopen("/dev/null", "r");
  stream = freopen(At("sub/b.txt"), "r", stream);
  SayText("freopen", stream != NULL ? dup(fileno(stream)) : -1);
  if (stream != NULL) fclose(stream);
  Say("stat", stat(At("a.txt"), &st));
  printf("size %ld mode %o\n", (long)st.st_size, st.st_mode);
  Say("lstat", lstat(At("abs"), &st));
  printf("mode %o\n", st.st_mode);
  Say("fstatat", fstatat(AT_FDCWD, At("none"), &st, 0));
  Say("statx", statx(AT_FDCWD, At("a.txt"), 0, STATX_SIZE, &stx));
  Say("access", access(At("a.txt"), R_OK));
  Say("access none", access(At("none"), F_OK));
  Say("eaccess", eaccess(At("run.sh"), X_OK));
  Say("euidaccess", euidaccess(At("run.sh"), X_OK));
  Say("faccessat", faccessat(AT_FDCWD, At("sub"), X_OK, 0));
  struct statfs fs;
  struct statvfs vfs;
  Say("statfs", statfs(At("a.txt"), &fs));
  Say("statvfs", statvfs(At("none"), &vfs));
  Say("pathconf", pathconf(At("sub"), _PC_NAME_MAX));
  char value[16];
  Say("getxattr", getxattr(At("a.txt"), "user.none", value, sizeof value));
  Say("getxattr none", getxattr(At("none"), "user.none", value, sizeof value));
  const int watch = inotify_init1(IN_CLOEXEC);
  Say("inotify_add_watch", inotify_add_watch(watch, At("sub"), IN_CREATE));
  close(watch);
}

static void Told(const char* what) {
  char to[PATH_MAX];
  char small[4];
  printf("-- told %s\n", what);
  SayPath("getcwd", getcwd(to, sizeof to));
  char* own = getcwd(NULL, 0);
  SayPath("getcwd allocated", own);
  free(own);
  SayPath("getcwd small", getcwd(small, sizeof small));
  own = getcwd(NULL, sizeof small);
  SayPath("getcwd allocated small", own);
  own = get_current_dir_name();
  SayPath("get_current_dir_name", own);
  free(own);
  SayPath("realpath", realpath(At("sub/../abs"), to));
  own = realpath("link", NULL);
  SayPath("realpath relative", own);
  free(own);
  own = canonicalize_file_name(At("abs"));
  SayPath("canonicalize_file_name", own);
  free(own);
  SayPath("realpath none", realpath(At("none"), to));
  SayPath("realpath of the top", realpath("/", to));
  SayPath("realpath above the top", realpath("/../..", to));
  static const char* const kLinks[] = {"link", "abs", "a.txt", "none"};
  for (int i = 0; i < 4; ++i) {
    ssize_t n = readlink(At(kLinks[i]), to, sizeof to - 1);
    if (n >= 0) to[n] = '\0';
    SayPath("readlink", n < 0 ? NULL : to);
    n = readlink(At(kLinks[i]), small, sizeof small);
    printf("readlink small: %zd %.*s\n", n, n > 0 ? (int)n : 0, small);
  }
  ssize_t n = readlink("/proc/self/cwd", to, sizeof to - 1);
  if (n >= 0) to[n] = '\0';
  SayPath("/proc/self/cwd", n < 0 ? NULL : to);
  const int fd = open(At("a.txt"), O_RDONLY);
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  n = readlink(link, to, sizeof to - 1);
  if (n >= 0) to[n] = '\0';
  SayPath("/proc/self/fd", n < 0 ? NULL : to);
  close(fd);
}

static int Visited(const char* path, const struct stat* st, int type, struct FTW* at) {
  (void)st;
  printf("visited %s %d %s\n", path, type, path + at->base);
  return 0;
}

static int ByName(const struct dirent** a, const struct dirent** b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static void Listing(void) {
  DIR* dir = opendir(At("sub"));
  int count = 0;
  while (dir != NULL && readdir(dir) != NULL) ++count;
  printf("opendir: %d names\n", count);
  if (dir != NULL) closedir(dir);
  struct dirent** names;
  const int n = scandir(folder, &names, NULL, ByName);
  Say("scandir", n);
  for (int i = 0; i < n; ++i) {
    printf("  %s\n", names[i]->d_name);
    free(names[i]);
  }
  if (n >= 0) free(names);
  glob_t found;
  Say("glob", glob(At("*.txt"), 0, NULL, &found) == 0 ? 0 : -1);
  Say("glob more", glob(At("su[b]/*"), GLOB_APPEND, NULL, &found) == 0 ? 0 : -1);
  for (size_t i = 0; i < found.gl_pathc; ++i) printf("  %s\n", found.gl_pathv[i]);
  globfree(&found);
  Say("nftw", nftw(At("sub"), Visited, 4, FTW_PHYS));
}

static void Changing(void) {
  struct stat st;
  const struct timespec times[2] = {{1, 0}, {2, 0}};
  const struct timeval coarse[2] = {{3, 0}, {4, 0}};
  const struct utimbuf old = {5, 6};
  Say("mkdir", mkdir(At("new"), 0755));
  Say("mkdir again", mkdir(At("new"), 0755));
  Say("creat", close(creat(At("new/f"), 0600)));
  Say("chmod", chmod(At("new/f"), 0640));
  Say("chown", chown(At("new/f"), getuid(), getgid()));
  Say("lchown", lchown(At("new/f"), getuid(), getgid()));
  Say("truncate", truncate(At("new/f"), 12));
  Say("utimensat", utimensat(AT_FDCWD, At("new/f"), times, 0));
  Say("utimes", utimes(At("new/f"), coarse));
  Say("lutimes", lutimes(At("new/f"), coarse));
  Say("utime", utime(At("new/f"), &old));
  Say("stat", stat(At("new/f"), &st));
  printf("size %ld mode %o time %ld\n", (long)st.st_size, st.st_mode, (long)st.st_mtime);
  Say("link", link(At("new/f"), At("new/g")));
  Say("symlink", symlink(At("a.txt"), At("new/s")));
  SayText("through it", open(At("new/s"), O_RDONLY));
  char to[PATH_MAX];
  const ssize_t n = readlink(At("new/s"), to, sizeof to - 1);
  if (n >= 0) to[n] = '\0';
  SayPath("what it holds", n < 0 ? NULL : to);
  Say("mkfifo", mkfifo(At("new/fifo"), 0600));
  Say("rename", rename(At("new/f"), At("new/h")));
  Say("renameat", renameat(AT_FDCWD, At("new/h"), AT_FDCWD, "new/i"));
  Say("rename none", rename(At("new/none"), At("new/h")));
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s", At("new/t.XXXXXX"));
  Say("mkstemp", close(mkstemp(name)));
  printf("%d %d\n", strncmp(name, At("new/t."), strlen(folder) + 7),
         strstr(name, "XXXXXX") == NULL);
  Say("unlink", unlink(name));
  snprintf(name, sizeof name, "%s", At("new/t.XXXXXX.s"));
  Say("mkstemps", close(mkstemps(name, 2)));
  Say("remove", remove(name));
  snprintf(name, sizeof name, "%s", At("new/t.XXXXXX.s"));
  Say("mkstemps wrongly", mkstemps(name, 3));
  snprintf(name, sizeof name, "%s", At("new/d.XXXXXX"));
  Say("mkdtemp", mkdtemp(name) != NULL ? 0 : -1);
  Say("remove a folder", remove(name));
  Say("rmdir not empty", rmdir(At("new")));
  static const char* const kNames[] = {"new/g", "new/i", "new/s", "new/fifo"};
  for (int i = 0; i < 4; ++i) Say("unlink", unlink(At(kNames[i])));
  Say("rmdir", rmdir(At("new")));
  Say("unlink none", unlink(At("new")));
}

extern char** environ;

static void Running(void) {
  int status = 0;
  char* argv[] = {(char*)At("run.sh"), (char*)"word", NULL};
  pid_t pid = fork();
  if (pid == 0) {
    execv(argv[0], argv);
    _exit(99);
  }
  waitpid(pid, &status, 0);
  printf("execv: %x\n", status);
  if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0) waitpid(pid, &status, 0);
  printf("posix_spawn: %x\n", status);
  char command[PATH_MAX + 16];
  snprintf(command, sizeof command, "%s by-system", argv[0]);
  printf("system: %x\n", system(command));
  fflush(stdout);
  Dl_info info;
  Say("dladdr", dladdr((void*)(size_t)&getpid, &info) != 0 ? 0 : -1);
  Say("dlopen none", dlopen(At("none.so"), RTLD_NOW) == NULL ? 0 : -1);
  SayPath("dlerror", dlerror());
}

int main(int argc, char** argv) {
  if (argc != 2 || strlen(argv[1]) >= sizeof folder || chdir(argv[1]) != 0) return 2;
  strcpy(folder, argv[1]);
  Reading();
  Told("in the folder");
  if (chdir(At("sub/..")) != 0 || chdir("sub") != 0) return 3;
  if (chdir(folder) != 0) return 4;
  Listing();
  Changing();
  Running();
  if (chdir("/") != 0) return 5;
  Told("at the top");
  SayText("from the top", open(At("a.txt") + 1, O_RDONLY));
  return 0;
}
