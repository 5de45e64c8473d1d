// Audit: a compile that was run elsewhere, run here as well, and what came of both compared byte by
// byte. What is here stays, since it is the truth (`llama build --audit`).
#pragma once

#include <cstdint>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "daemon/jobs/services.h"
#include "execute/executor.h"
#include "execute/outcome.h"
#include "session/session.h"

namespace llama::daemon {

struct Audited {
  std::string difference;         // "/a/b.o: differs"; empty: there is none
  session::CompileResult result;  // of the local run
};

// Thread-safe.
class Auditor {
 public:
  // So many local compilers at once.
  explicit Auditor(int at_once) : free_(at_once) {}

  // Whether a compile that makes `object` is one of `share` (0 to 1) of a build's.
  static bool Picks(double share, const std::string& build_id, const std::string& object);

  // Runs the command of `request` where and as the wrapper would have, which makes its outputs, and
  // holds `outcome` against them. Waits for its turn, and for a core. kCancelled, kDeadline by the
  // execution, or the compiler could not be run: nothing was compared.
  Result<Audited> Run(const session::Compile& request, const execute::Outputs& outputs,
                      const execute::Outcome& outcome, const Services& services,
                      execute::Execution& execution);

 private:
  class Turn;

  Mutex mutex_;
  CondVar freed_;
  int free_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
