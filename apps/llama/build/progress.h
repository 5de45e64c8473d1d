// The status line of a build under way.
#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include "session/session.h"

namespace llama::app {

// Compiles finished per second, over the last few seconds.
class Rate {
 public:
  // `done` may fall when a daemon is replaced: counting then starts anew.
  double Update(uint64_t done, int64_t now_ns);

 private:
  struct Sample {
    int64_t time_ns;
    uint64_t done;
  };
  std::deque<Sample> samples_;
};

// "[1:02] 1,204 compiled (24 local), 38+2 running, 41.2/s, …", as much as fits into `columns`.
std::string FormatProgress(const session::Counters& counters, double per_second, int64_t elapsed_ns,
                           size_t columns);

}  // namespace llama::app
