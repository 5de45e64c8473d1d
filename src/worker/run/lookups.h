// LookupLog: the worker's side of the lookup recorder (preload/lookup_recorder.c): a file that the
// processes of one command write what they looked up into, and what it means once they are gone.
//
// What is in the file was written by the job, which may be hostile: it is copied out and read with
// bounds, never mapped here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace llama::worker {

struct Lookups {
  bool complete = false;           // every process of the command recorded, and nothing was lost
  std::vector<std::string> found;  // sorted, distinct; a path is in one of the two, by its first
  std::vector<std::string> absent;
  std::vector<std::string> listed;  // directories that were opened as such, besides
  // Names that were made or written to, or could not be since their folders are not there; as they
  // were spelt. Sorted, distinct.
  std::vector<std::string> written;
};

// The bytes of the recorder, a shared library.
std::string_view RecorderImage();

// "/a//b/./c/" → "/a/b/c". ".." stays: what it leaves may be a symlink.
std::string CollapsePath(std::string_view path);

class LookupLog {
 public:
  // Writes the recorder and an empty log into `dir` (which is there): recorder/llama-lookups.so and
  // lookups. The room for the log is taken up front, so that a full disk fails here and not inside
  // the command.
  static Result<std::unique_ptr<LookupLog>> Create(const std::string& dir);

  // A command may have written to the recorder, or beside it where loaders look: then it is made
  // anew.
  Result<void> Check();
  // Makes the log empty again, before a command; a log that a command has damaged is made anew.
  Result<void> Reset();
  // Adds what makes a command record: LD_PRELOAD, and the log's name.
  void AddTo(std::vector<std::string>& env) const;
  // Whether the recorder can run in `program` at all: an ELF program of its own machine, or a
  // script. (A loader complains on stderr about a library that isn't its kind.)
  bool Suits(const std::string& program) const;
  // What the command `pid` and its children looked up below `root`, `root` taken off.
  Result<Lookups> Collect(std::string_view root, pid_t pid) const;

 private:
  explicit LookupLog(std::string dir) : dir_(std::move(dir)) {}
  Result<void> MakeLog();
  Result<void> MakeRecorder();
  std::string path() const { return dir_ + "/lookups"; }
  // With a folder of its own, which in some cases is sought for libraries: see AddTo.
  std::string recorder_dir() const { return dir_ + "/recorder"; }

  std::string dir_;
  Fd log_;
};

// Reads a log's bytes: what Collect does, for tests and fuzzing.
Lookups ParseLookups(std::string_view log, std::string_view root, pid_t pid);

}  // namespace llama::worker
