// What the process has used so far.
#pragma once

#include <sys/resource.h>

#include <chrono>

namespace llama::bench {

struct Usage {
  double wall_s = 0;
  double cpu_s = 0;
  long peak_rss_kb = 0;
};

inline Usage UsageNow() {
  struct rusage self {};
  getrusage(RUSAGE_SELF, &self);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  Usage usage;
  usage.wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  usage.cpu_s = seconds(self.ru_utime) + seconds(self.ru_stime);
  usage.peak_rss_kb = self.ru_maxrss;
  return usage;
}

}  // namespace llama::bench
