#include "worker/run/process_group.h"

#include <poll.h>
#include <sys/wait.h>

#include <csignal>

namespace llama::worker {

void KillGroup(pid_t group) {
  constexpr int kTries = 200;
  for (int tries = 0; tries < kTries && kill(-group, SIGKILL) == 0; ++tries) {
    while (waitpid(-group, nullptr, WNOHANG) > 0) {
    }
    if (kill(-group, 0) != 0) return;
    poll(nullptr, 0, 1);
  }
}

}  // namespace llama::worker
