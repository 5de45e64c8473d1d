/* Terminals: who called the compiler at home may have had its standard streams on a terminal, of
 * which compilers ask whether it is one, and how wide. LLAMA_TERMINALS says what they are told:
 * "0=80x24:2=80x24", columns and rows by descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lookup_log.h"
#include "recorder.h"

#define STREAMS 3

static struct {
  int is_terminal;
  unsigned short columns;
  unsigned short rows;
} streams[STREAMS];

static unsigned short Number(const char** text) {
  unsigned value = 0;
  for (; **text >= '0' && **text <= '9'; ++*text) value = value * 10 + (unsigned)(**text - '0');
  return (unsigned short)value;
}

void LearnTerminals(void) {
  const char* text = getenv(LLAMA_TERMINALS_ENV);
  while (text != NULL && *text >= '0' && *text < '0' + STREAMS && text[1] == '=') {
    const int fd = *text - '0';
    text += 2;
    streams[fd].is_terminal = 1;
    streams[fd].columns = Number(&text);
    if (*text == 'x') ++text;
    streams[fd].rows = Number(&text);
    if (*text == ':') ++text;
  }
}

static int IsTold(int fd) { return fd >= 0 && fd < STREAMS && streams[fd].is_terminal; }

EXPORT int isatty(int fd) {
  char modes[256];
  if (IsTold(fd)) return 1;
  return syscall(SYS_ioctl, fd, TCGETS, modes) == 0;
}

EXPORT int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (request == TIOCGWINSZ && IsTold(fd)) {
    struct winsize* size = argument;
    size->ws_row = streams[fd].rows;
    size->ws_col = streams[fd].columns;
    size->ws_xpixel = size->ws_ypixel = 0;
    return 0;
  }
  return (int)syscall(SYS_ioctl, fd, request, argument);
}
