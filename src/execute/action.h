// Action: what is to be run, in local terms, whoever runs it. Made by one author (the scan of a
// compile, of a command), immutable from then on.
//
// Local terms: all paths are those of this machine. Where a word of argv or env holds a path that
// an executor must find below a root of its own, kRootMark stands before it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file_identity.h"
#include "execute/outputs.h"
#include "files/path_walker.h"
#include "store/digest.h"
#include "tree/inode.h"
#include "tree/view.h"

namespace llama::execute {

// The files that a command may find, as they were when they were looked at.
struct Closure {
  // Of every action of the kind: the toolchain's, the program's. Shared by thousands of actions.
  std::shared_ptr<const tree::Manifest> common;
  store::Digest common_digest;
  // Of this action besides, without those that are in `common` or travel with it.
  tree::Manifest own;
  tree::Manifest inline_links;  // kDir and kSymlink: they travel with the action
  // Of files and links that were looked at for this action alone: what to compare with before the
  // outputs are written. `looked_ns`: the wall clock before the first of them was looked at.
  std::map<std::string, FileIdentity> stamps;
  int64_t looked_ns = 0;
  // Of the others, which a live tree keeps (scan/closure.h): the first that is not what it was by
  // now, or empty. Thread-safe. And the modification time of their newest.
  std::function<std::string()> first_change;
  int64_t newest_ns = 0;
  // Of a closure that many actions share: another one for each. 0: of this action alone.
  uint64_t id = 0;

  const tree::Manifest& common_entries() const;
  // The entry of a path in any part, or null.
  const tree::Entry* Find(const std::string& path) const;
};

struct Action {
  std::string program;            // canonical; in_image: as the function's own PATH has it
  std::vector<std::string> argv;  // argv[0] included
  std::vector<std::string> env;   // "K=V", all of it
  std::string cwd;                // absolute; may go through symlinks
  uint32_t umask = 022;
  std::string input;  // on stdin
  std::shared_ptr<const Closure> closure;
  // What travels with the action, since it is wanted once: its source, a command's small inputs.
  std::vector<tree::InlineFile> inline_files;
  // Of the inputs whose times or identity the command may look at, and a mirror would not show.
  tree::Inodes inodes;
  Outputs outputs;
  // Paths of outputs that stand there now, so that the command's removing them is seen.
  std::vector<std::string> standing;
  int64_t timeout_ms = 0;  // of the command itself; 0: the execution's deadline alone
  bool record_lookups = true;
  bool any_command = false;  // no compiler (docs/any_command.md)
  bool in_image = false;     // runs what the function's image has
  // Of reports of lookups that hold as it is: an executor need not tell these (Lookups::foretold).
  std::vector<store::Digest> foretold;

  bool TravelsWith(const std::string& path) const;

  // SHA-256 over all that can decide what comes of it: not over the limits, and what is foretold.
  store::Digest Digest() const;
};

}  // namespace llama::execute
