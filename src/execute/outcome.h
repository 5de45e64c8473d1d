// Outcome: what came of an action, in local terms: nothing in it shows where it was run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "execute/outputs.h"
#include "job/job.h"
#include "store/digest.h"
#include "tree/layer.h"

namespace llama::execute {

// What the command asked the file system, and what it was told.
struct Lookups {
  bool complete = false;  // recorded in every process, none lost
  // Absolute local paths as the command spelt them ("//" and "/./" collapsed, ".." kept): files and
  // directories that it found, and those that it did not. Sorted, distinct.
  std::vector<std::string> found;
  std::vector<std::string> absent;
  std::vector<std::string> listed;  // directories whose names it asked for
  // What stood on the ways to found paths in the view that the command had, and is not the action's
  // closure's, as far as the executor knows (execute/shown.h).
  tree::Manifest shown;
  // They are those of a report that the action foretold, and told no more: all of the above is
  // empty.
  std::optional<store::Digest> foretold;
  // Of `found` and `absent`, by which a later action may foretell them, if the executor can.
  std::optional<store::Digest> report;
};

struct Outcome {
  int wait_status = 0;  // as waitpid(2) gives it
  std::string out;
  std::string err;
  std::vector<OutputFile> files;
  std::vector<std::string> deleted;  // of `standing`: removed by the command
  std::vector<std::string> refused;  // why an announced output was not taken: "/a/b: a directory"
  std::vector<std::string> notes;    // files that hold a path of the place where they were made
  Lookups lookups;
  ProcessUsage usage;  // of the command
};

}  // namespace llama::execute
