// The worker's life: job after job from the Runtime API, until it closes.
#pragma once

#include "base/result.h"
#include "worker/run/job_runner.h"
#include "worker/transport/deliveries.h"
#include "worker/transport/runtime_client.h"

namespace llama::worker {

// Returns without an error when there are no more jobs: the API has closed, or the client's stop_fd
// is readable. A command that runs then is killed. With one when the runner is spent: whoever runs
// workers gets a new one.
Result<void> Serve(RuntimeClient& client, JobRunner& runner, Deliveries& deliveries,
                   const Clock& clock);

}  // namespace llama::worker
