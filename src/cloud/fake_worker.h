// For tests: a worker that does what the payload tells it to, in the test program itself, started
// by the pool as a process of its own. The payload is "<verb> <rest>"; the verbs are in
// fake_worker_test.cc.
#pragma once

#include <string>
#include <vector>

namespace llama::cloud {

// The command line (a launcher: what comes after it is ignored) that runs it.
std::vector<std::string> FakeWorkerCommand();

}  // namespace llama::cloud
