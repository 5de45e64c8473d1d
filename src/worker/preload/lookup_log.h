/* The lookup log: what the preloaded recorder and the worker share. C, since the recorder is.
 *
 * A file of kLookupLogBytes, mapped by every process of a command: this header, then records, each
 * on a boundary of 4 bytes:
 *
 *   u32 size of the whole record, written last (release): 0 marks one that was never finished
 *   u32 kind
 *   bytes: a path ended by NUL, or a u32 process id
 *
 * A process claims room by adding to `used`. Where the claim would pass the end, `lost` is set
 * instead. Numbers are the machine's own: the log never leaves it. */
#ifndef LLAMA_WORKER_PRELOAD_LOOKUP_LOG_H_
#define LLAMA_WORKER_PRELOAD_LOOKUP_LOG_H_

#include <stdint.h>

#define LLAMA_LOOKUP_LOG_BYTES (8u << 20)
#define LLAMA_LOOKUP_LOG_MAGIC 0x31676f6cu /* "log1" */
#define LLAMA_LOOKUP_LOG_ENV "LLAMA_LOOKUPS"
/* Set for commands of any kind: the root below which absolute paths are looked up (reroot.c). */
#define LLAMA_LOOKUP_ROOT_ENV "LLAMA_LOOKUP_ROOT"
/* Where an InodeTable is: what programs are told of some files (inodes.c). */
#define LLAMA_INODES_ENV "LLAMA_INODES"
/* "2=80x24": which standard streams are terminals to the command (terminal.c). */
#define LLAMA_TERMINALS_ENV "LLAMA_TERMINALS"
/* "90=/path:91=/path": the descriptors by whose numbers programs name their loaders, for commands
 * of any kind, which may close them (exec.c opens them again). */
#define LLAMA_LOADERS_ENV "LLAMA_LOADERS"

struct LookupLogHeader {
  uint32_t magic;
  uint32_t used; /* of the file, this header included; may pass its end */
  uint32_t lost; /* not 0: something was looked up that is not in the log */
  uint32_t unused;
};

struct LookupRecord {
  uint32_t size;
  uint32_t kind;
};

struct InodeEntry {
  uint64_t number; /* of the file: the same one, the same file */
  int64_t mtime_s;
  uint32_t mtime_ns;
  uint32_t path; /* where in the table it begins, ended by NUL */
};

/* At the table's beginning; then its entries, by path as bytes, and the paths. */
struct InodeTable {
  uint32_t count;
  uint32_t unused;
};

enum LookupKind {
  LOOKUP_FOUND = 1,    /* a path that is there */
  LOOKUP_ABSENT = 2,   /* a path that is not */
  LOOKUP_ATTACHED = 3, /* the recorder runs in this process */
  LOOKUP_WAITED = 4,   /* a process that another one waited for: it must have attached, too */
  LOOKUP_LISTED = 5,   /* a directory whose names were asked for, besides FOUND */
  LOOKUP_WROTE = 7,    /* a name that was made, or opened to be written to, or could not be made
                        * since its folder is not there */
  LOOKUP_LEAVING = 6,  /* this process becomes another program, in which it has to attach anew */
};

#endif
