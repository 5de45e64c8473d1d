/* The parts of the recorder, for each other: lookup_recorder.c records what is looked up, change.c
 * is what changes names, told.c what tells them; view.c leads paths below the worker's root and
 * takes it off again; exec.c and load.c follow programs and libraries; terminal.c says what
 * standard streams are, inodes.c what stat is to say of some files. */
#ifndef LLAMA_WORKER_PRELOAD_RECORDER_H_
#define LLAMA_WORKER_PRELOAD_RECORDER_H_

#include <stdint.h>
#include <sys/types.h>

#define EXPORT __attribute__((visibility("default")))
#define MAX_PATH 4096

uint32_t Length(const char* s);

/* `result` and errno are what the lookup of `path` below `dir` gave. */
void RecordLookup(int dir, const char* path, long result);
/* `path`, led, was made or opened to be written to; or could not be. */
void RecordWritten(int dir, const char* path, long result);
/* The working directory as the kernel has it, in `buffer` (MAX_PATH bytes) or kept: its size, or 0.
 */
uint32_t WorkingDir(const char** dir, char* buffer);
void ForgetWorkingDir(void);
/* What an open descriptor is a descriptor of, as the kernel has it, into `to` (MAX_PATH bytes): its
 * size, or 0. */
uint32_t PathOfDescriptor(int fd, char* to);
/* What is at the path, by reading links: where there is no /proc. 0: nothing, or it is too long. */
uint32_t FollowByHand(const char* path, int follows_last, char* to);

/* open, or openat, led and recorded. */
int OpenAt(int dir, const char* name, int flags, mode_t mode);

/* Reads LLAMA_LOOKUP_ROOT; `log` is the path of the log, in the worker's folder. */
void LearnRoot(const char* log);
/* Whether paths are led below the root at all. */
int HasRoot(void);
/* Where `path` is to be looked up: itself, or `buffer` (MAX_PATH bytes) with the root before it. */
const char* Lead(const char* path, char* buffer);
/* The same for who follows a link at its end. */
const char* LeadFollowed(const char* path, char* buffer);
/* What a program is told of `path`: the part behind the root. */
const char* Told(const char* path);
/* The same, in place. */
void Tell(char* path);

/* This process is about to become another program; it could not, and goes on. */
void RecordLeaving(void);
void RecordStaying(void);

/* To be called before the program runs. */
void FindDlerror(void);
void LearnTerminals(void);
void LearnInodes(void);

struct stat;
struct statx;
/* Gives what stat (or statx) said of a path the times and the number that it has at home. A path of
 * NULL: of `dir` itself, an open file. */
void ShowInode(int dir, const char* path, int flags, struct stat* st);
void ShowInodeX(int dir, const char* path, int flags, struct statx* st);

/* `fd` was opened as `path` below `dir`. */
void NoteOpened(int fd, int dir, const char* path);

/* Something was not seen, or not shown as it is: the log does not count. */
void RecordLost(void);

/* libc's own function of that name, or NULL. */
void* Next(const char* name);

#define SCRIPT_HEAD_BYTES 256
/* What the kernel reads of a script's first line, into `head` (SCRIPT_HEAD_BYTES). 0: no script. */
int ReadInterpreter(const char* path, char* head, char** interpreter, char** argument);
/* What a script's interpreter is given of it: its name at home, unless the interpreter is a static
 * program, which nobody leads. */
const char* ScriptName(const char* interpreter, const char* path, const char* real);
/* The first candidate for `file` in the search path `dirs` into `path` (MAX_PATH bytes; empty if it
 * is too long), and what is left of `dirs`, or NULL. */
const char* NextInSearchPath(const char* dirs, const char* file, char* path);

#endif
