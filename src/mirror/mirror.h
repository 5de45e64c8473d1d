// Mirror: a worker's copy of the tree under a root of its own, kept between jobs.
//
// Layout of `dir`: root/ is the mirrored file system, blobs/ the contents by digest (hard-linked
// into root/), ld/ the short links to ELF interpreters. The mirror knows exactly what it has put
// under root/; Prepare() brings it to a job's view by applying the difference, which for the list
// of the job before is that job's own files.
//
// Everything is read-only, which keeps no command from writing to it: it runs as the same user. So
// after each command all of it is looked at (Check). What was written to, replaced, removed, added
// or given another mode shows in the ctime of the file or of its directory, which no command can
// set (file_stamp.h); and what shows there is read again, and replaced if it is not what its digest
// says. Not held against a command: that it attacks the worker's own process, sets the clock as
// root, or as root alters files of a tmpfs through a mapping (which has no ctime of its own).
//
// It needs no more than one folder that it may write: no other user, no namespaces, no /proc (but
// see keep_fds()). A process that is killed leaves nothing but `dir`, which its owner removes.
//
// Not thread-safe: one job at a time, as in Lambda.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/object_store.h"
#include "tree/view.h"

namespace llama::mirror {

struct MirrorOptions {
  std::string dir;                         // made if absent; wiped on Open
  uint64_t max_bytes = uint64_t{4} << 30;  // of blobs; beyond, what the job doesn't use goes
  int parallel_fetches = 8;
};

struct PrepareStats {
  uint64_t fetched_objects = 0;
  uint64_t fetched_bytes = 0;
  uint64_t retried_requests = 0;
  int64_t retried_ns = 0;      // in fetching: for those
  uint64_t files_written = 0;  // new under root/, directories and symlinks as well
  uint64_t files_removed = 0;
  uint64_t evicted_bytes = 0;
};

// What a command can have altered. A look at a file takes some microseconds, and there are
// thousands of them for each directory that a compile's outputs go to.
enum class Reach : unsigned char {
  kDirectories,  // it may have made, removed and replaced files, but wrote into none that was there
  kEverything,
};

class Mirror {
 public:
  // `store` must outlive the mirror.
  static Result<std::unique_ptr<Mirror>> Open(const MirrorOptions& options,
                                              store::ObjectStore& store);
  ~Mirror();

  // After it, root/ holds the view and nothing else. ELF programs (PT_INTERP) are patched to use
  // the interpreter of the view; absolute symlink targets are re-rooted. kNotFound: the store has
  // lost an object; missing() names all of the view's lost or damaged ones. kUnavailable: the disk
  // is full even after eviction.
  Result<PrepareStats> Prepare(const tree::View& view);
  const std::vector<std::string>& missing() const;

  // The canonical path of root/, without a trailing slash: what local paths are prefixed with.
  const std::string& root() const;
  // Whether `path` (canonical, local) is an entry of the current view.
  const tree::Entry* Find(const std::string& path) const;
  // Finds what the command that ran since Prepare did to the mirror, wherever it wrote, and undoes
  // it: what it left is removed, and what of the view is gone or altered is put back by the next
  // Prepare. That does it, too, if nobody has; here it is done while nobody waits. To be called
  // when no process of the command is left. After an error no Prepare succeeds any more: the mirror
  // is to be thrown away.
  Result<void> Check(Reach reach);
  // Somebody else than a command may have been here: the next Check, or Prepare, looks again.
  void Distrust();
  // Makes a directory (canonical, local; "/" is always there) and those above it under root/ until
  // the next Prepare, if the view does not have it. kInvalid: the view has something else there.
  Result<void> EnsureDir(const std::string& path);
  // Descriptors that compilers must inherit so that their patched interpreter resolves: {fd,
  // number}. Only where `dir` is too long for the name of a link to fit into the programs; then
  // they say /proc/self/fd/<number>, and need a /proc. Valid until the next Prepare.
  std::vector<std::pair<int, int>> keep_fds() const;

 private:
  class Impl;
  explicit Mirror(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::mirror
