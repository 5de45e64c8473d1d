/* The parts of the recorder, for each other: lookup_recorder.c records, reroot.c leads absolute
 * paths below the worker's root, exec.c and load.c follow programs and libraries. */
#ifndef LLAMA_WORKER_PRELOAD_RECORDER_H_
#define LLAMA_WORKER_PRELOAD_RECORDER_H_

#define EXPORT __attribute__((visibility("default")))
#define MAX_PATH 4096

/* `result` and errno are what the lookup of `path` below `dir` gave. */
void RecordLookup(int dir, const char* path, long result);

/* Reads LLAMA_LOOKUP_ROOT; `log` is the path of the log, in the worker's folder. */
void LearnRoot(const char* log);
/* Whether absolute paths are led below the root: only for commands of any kind. */
int HasRoot(void);
/* Where `path` is to be looked up: itself, or `buffer` (MAX_PATH bytes) with the root before it. */
const char* Reroot(const char* path, char* buffer);

#define SCRIPT_HEAD_BYTES 256
/* What the kernel reads of a script's first line, into `head` (SCRIPT_HEAD_BYTES). 0: no script. */
int ReadInterpreter(const char* path, char* head, char** interpreter, char** argument);
/* The first candidate for `file` in the search path `dirs` into `path` (MAX_PATH bytes; empty if it
 * is too long), and what is left of `dirs`, or NULL. */
const char* NextInSearchPath(const char* dirs, const char* file, char* path);

#endif
