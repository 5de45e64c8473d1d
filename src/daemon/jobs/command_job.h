// A command of any kind on its way through the daemon, straight-line code from the request to the
// written outputs. Its phases are those of a compile (docs/trace_format.md), below a root span
// named `command`. Unlike a compile it never becomes a local run here: what went wrong is told to
// its user, who may have asked for one.
#pragma once

#include <cstdint>
#include <memory>

#include "daemon/jobs/services.h"
#include "daemon/server/job.h"
#include "session/session.h"

namespace llama::daemon {

std::unique_ptr<Job> NewCommandJob(const Services& services, session::RunCommand request,
                                   int64_t received_ns);

}  // namespace llama::daemon
