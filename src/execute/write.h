// Write: puts an outcome's files in their places, unless an input has changed meanwhile.
//
// A header that is edited while its compile waits for a worker must not be hidden by an object that
// holds the old text and is newer. So the outputs are staged first; then every input is looked at
// again, as a whole; then they appear. An edit after that look is newer than the object, since the
// object's time lies before the look (and a tick of the clock by which files are stamped before
// that).
#pragma once

#include <cstdint>

#include "base/file_system.h"
#include "execute/action.h"
#include "execute/executor.h"
#include "execute/outcome.h"
#include "execute/reason.h"
#include "files/digest_cache.h"

namespace llama::execute {

struct WriteRequest {
  const Action* action = nullptr;
  const Outcome* outcome = nullptr;
  const Execution* execution = nullptr;  // nothing is written once it is over
  files::DigestCache* digests = nullptr;
  const FileSystem* file_system = nullptr;
};

struct Written {
  uint64_t files = 0;
  uint64_t bytes = 0;
};

// "inputs-changed" (kUnavailable): look at them again; nothing was written. "outputs": they are not
// what the action announced; nothing was written. "write": the local file system failed. Or why the
// execution is over.
OrReason<Written> Write(const WriteRequest& request);

}  // namespace llama::execute
