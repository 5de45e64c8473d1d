// FallbackSlot: a core for a compiler that runs here because no daemon answers. Without a daemon
// nobody admits local work, and under `make -j400` four hundred compilers would begin in the moment
// in which it is lost. The wrappers share what is left by locks on files in its folder:
//
//   fallback-<n>   one a core; locked by whoever runs, and inherited by the compiler, so that its
//                  end, however it ends, frees it. Holds the monotonic time at which it was taken
//   fallback-more  the time at which somebody last went without
//
// Who holds one may wait for who waits for one (`cc -E a.c | cc -c -xc -`), so if none changed
// hands for `patience_ms`, one waiter goes without; the others are as patient again.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"

namespace llama::client {

struct FallbackOptions {
  std::string run_dir;
  int slots = 1;
  int64_t patience_ms = 15'000;
  int64_t most_ms = 900'000;  // then it goes without, whatever the others do
};

// Waits for a slot. Invalid: there is no such folder, or it goes without. Closed on exec.
Fd TakeFallbackSlot(const FallbackOptions& options);

}  // namespace llama::client
