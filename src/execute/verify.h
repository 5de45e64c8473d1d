// Verification: was every lookup of the remote command answered as the local file system would
// have?
//
// The worker reports each path that the command looked up below its root, found or absent. The
// job's view is a subset of the local files at the same paths, so a result can only differ from the
// local one if a lookup was answered otherwise: a file that is here was missing there, or a file
// that was found there has changed or gone here. Extend() brings the local truth about every such
// path into the job's manifest; if the view so wanted differs from the one that was used, the job
// must run again with it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "files/path_walker.h"
#include "tree/layer.h"

namespace llama::execute {

struct Lookups {
  const std::vector<std::string>* found = nullptr;
  const std::vector<std::string>* absent = nullptr;
};

struct Verification {
  // Paths of the local truth that the job's manifest did not have; empty: the result stands.
  tree::Manifest news;
  // The first of them, for the reason in the trace.
  std::string example;
};

// `known` says whether the job's view has this path with exactly this entry. `ignore` names the
// job's own outputs (as looked up or canonical). Errors: a path that can't be examined.
Result<Verification> Verify(
    const Lookups& lookups, files::PathWalker& walker,
    const std::function<bool(const std::string&, const tree::Entry&)>& known,
    const std::function<bool(const std::string&)>& ignore);

}  // namespace llama::execute
