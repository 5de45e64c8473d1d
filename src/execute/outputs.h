// Outputs: what a command may leave behind here, and the writing of it.
//
// A worker is never trusted: a file is only written where the action announced it, or, beside a
// compile's object, under a name that its own options make the compiler write to. Everything is
// written before anything can be seen, so that between Stage and Commit the inputs can be looked at
// once more: what a changed input would have made otherwise is never seen.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/staged_file.h"

namespace llama::execute {

struct Outputs {
  struct Announced {
    std::string path;      // canonical, as the command names it
    std::string local;     // where it is written here
    bool is_tree = false;  // a directory: every new or changed file below it
  };
  std::vector<Announced> announced;
  // Of a compile. In these directories (canonical), a stem with one of these suffixes is an output,
  // too: what the options make the compiler write beside the object.
  std::vector<std::string> dirs;
  std::vector<std::string> stems;
  std::vector<std::string> suffixes;  // ".dwo"
  std::string object;   // one of `announced`: must be there if the command succeeds; written last,
                        // so that make sees it newest
  std::string depfile;  // one of `announced`, or empty
  uint32_t umask = 022;
};

// A file that a command left, under its own local name (no worker's root in path or bytes).
struct OutputFile {
  std::string path;  // canonical
  uint32_t mode = 0644;
  std::string bytes;
};

// Whether the path is announced, or beside the object.
bool IsAllowed(const Outputs& outputs, const std::string& path);

// Where the file that the command calls `path` is to be written. kInvalid: nowhere.
Result<std::string> LocalPathOf(const Outputs& outputs, const std::string& path);

class StagedOutputs {
 public:
  // Checks all of it and writes it where nobody sees it. kInvalid: a file or a removal that is not
  // allowed, or no object of a command that succeeded. Others: a write failed. Either way nothing
  // was changed.
  static Result<StagedOutputs> Stage(const Outputs& outputs, int wait_status,
                                     const std::vector<OutputFile>& files,
                                     const std::vector<std::string>& deleted);

  // When the first of them was written; 0 if there is none.
  int64_t staged_ns() const { return staged_ns_; }
  uint64_t bytes() const { return bytes_; }
  // Gives all of them a modification time. An input that changes from now on is newer.
  Result<void> SetModifiedNs(int64_t time_ns);
  // Each whole or not at all, the object last; removes what the command removed. An error: what was
  // written until then is right.
  Result<void> Commit();

 private:
  std::vector<StagedFile> files_;  // in the order of their commit
  std::vector<std::string> deleted_;
  int64_t staged_ns_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace llama::execute
