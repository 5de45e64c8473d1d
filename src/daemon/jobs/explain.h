// Explain: the steps of a compile up to where it would be executed, each with what it found.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/jobs/explanation.h"
#include "daemon/jobs/services.h"
#include "session/session.h"

namespace llama::daemon {

// Runs no compiler but to ask what it is, and at most for its dependencies; writes nothing.
Explanation Explain(const session::Compile& request, const Services& services);

// The same with caches of its own, as a daemon that begins has them.
Result<Explanation> ExplainAlone(const session::Compile& request, const Clock& clock);

}  // namespace llama::daemon
