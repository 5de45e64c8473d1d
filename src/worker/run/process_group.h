// Ends what a command has left running.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace llama::worker {

// Kills every process of the group and waits (a fifth of a second at most) until none is left.
// Orphans of the group that became the caller's children (PR_SET_CHILD_SUBREAPER) are reaped.
void KillGroup(pid_t group);

// Kills and reaps every descendant of the calling process, whatever group or session it has put
// itself into: the caller must be a subreaper, so that orphans become its children. False: some are
// left after `within_ms` (or are not ours to kill). Needs no /proc; `near` is a number that theirs
// are probably not far above.
bool KillDescendants(pid_t near, int64_t within_ms);

}  // namespace llama::worker
