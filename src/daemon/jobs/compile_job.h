// One compile on its way through the daemon, straight-line code from the request to the written
// outputs: parse → plan → scan → execute → check → write (docs/trace_format.md names its phases).
// Every way that does not end in checked outputs ends in a local verdict with a reason: here is the
// one place where that is decided.
#pragma once

#include <cstdint>
#include <memory>

#include "daemon/jobs/services.h"
#include "daemon/server/job.h"
#include "session/session.h"

namespace llama::daemon {

std::unique_ptr<Job> NewCompileJob(const Services& services, session::Compile request,
                                   int64_t received_ns);

}  // namespace llama::daemon
