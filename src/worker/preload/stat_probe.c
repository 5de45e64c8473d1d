/* stat_probe FILE...: what it is told of files and of its standard streams. Of each file and each
 * way to ask: the time, and the number of the first file that is the same one. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 16

static ino_t seen[MOST];

static int Number(ino_t inode) {
  int i = 0;
  while (i < MOST - 1 && seen[i] != 0 && seen[i] != inode) ++i;
  seen[i] = inode;
  return i + 1;
}

static void Say(const char* how, int result, const struct stat* st) {
  if (result != 0) {
    printf(" %s: none", how);
  } else {
    printf(" %s: %lld.%09ld %d", how, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
           Number(st->st_ino));
  }
}

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    struct stat st;
    struct statx stx;
    const int fd = open(argv[i], O_RDONLY);
    printf("%d", i);
    Say("stat", stat(argv[i], &st), &st);
    Say("lstat", lstat(argv[i], &st), &st);
    Say("fstatat", fstatat(AT_FDCWD, argv[i], &st, AT_SYMLINK_NOFOLLOW), &st);
    Say("fstat", fstat(fd, &st), &st);
    Say("empty", fstatat(fd, "", &st, AT_EMPTY_PATH), &st);
    if (statx(AT_FDCWD, argv[i], 0, STATX_BASIC_STATS, &stx) == 0) {
      st.st_mtim.tv_sec = stx.stx_mtime.tv_sec;
      st.st_mtim.tv_nsec = stx.stx_mtime.tv_nsec;
      st.st_ino = stx.stx_ino;
      Say("statx", 0, &st);
    }
    printf("\n");
  }
  for (int fd = 0; fd < 3; ++fd) {
    struct winsize size;
    const int known = ioctl(fd, TIOCGWINSZ, &size) == 0;
    printf("%d: %d %d %d\n", fd, isatty(fd), known ? size.ws_col : -1, known ? size.ws_row : -1);
  }
  return 0;
}
