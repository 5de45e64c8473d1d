// Check: is an outcome the one that this machine would have had, now?
//
// The view that the command had is a subset of the local files at the same paths, so its result can
// differ from the local one only if a lookup was answered otherwise: a file that is here was
// missing there, or one that was found there has changed or gone here. The executor reports every
// lookup; each that the closure does not answer is held against the files as they are now. What the
// closure answers is looked at again when the outputs are written (execute/write.h).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>

#include "base/file_identity.h"
#include "base/file_system.h"
#include "execute/action.h"
#include "execute/outcome.h"
#include "execute/reason.h"
#include "execute/shippable.h"
#include "files/path_walker.h"
#include "tree/layer.h"

namespace llama::execute {

// Every lookup was answered as here. `by_names`: by what CheckRequest::canonical says, and by the
// closure, alone.
struct Agrees {
  bool by_names = false;
};
// The view lacked something that may be sent: run it again with this added to the closure.
struct Lacked {
  tree::Manifest news;
  std::map<std::string, FileIdentity> stamps;
  std::string example;  // a path of it
};
using Finding = std::variant<Agrees, Lacked>;

struct CheckRequest {
  const Action* action = nullptr;
  const Outcome* outcome = nullptr;
  files::PathWalker* walker = nullptr;  // the one that the closure was made with
  const FileSystem* file_system = nullptr;
  // What may be sent on a worker's word.
  const Shippable* shippable = nullptr;
  // Canonical names of what is at these paths now, empty for what isn't there; by a live tree. May
  // be empty: then each is looked at.
  std::function<std::vector<std::string>(const std::vector<std::string>&)> canonical = {};
  // Whether a report that the action foretold agrees still.
  std::function<bool(const store::Digest&)> still_agrees = {};
};

// kRemoteFailed, "lookups-unrecorded", "not-shippable", "verify": run it here. kUnavailable,
// "inputs-changed": what was foretold does not hold any more.
OrReason<Finding> Check(const CheckRequest& request);

}  // namespace llama::execute
