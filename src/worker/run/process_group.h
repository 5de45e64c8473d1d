// Ends what a command has left running.
#pragma once

#include <sys/types.h>

namespace llama::worker {

// Kills every process of the group and waits (a fifth of a second at most) until none is left.
// Orphans of the group that became the caller's children (PR_SET_CHILD_SUBREAPER) are reaped.
void KillGroup(pid_t group);

}  // namespace llama::worker
