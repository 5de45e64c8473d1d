// The daemon's counters as Prometheus' text exposition format 0.0.4
// (https://prometheus.io/docs/instrumenting/exposition_formats/), for `llama daemon metrics` and
// for scrapers (daemon/server/scrape.h). docs/operations.md names them. Counters begin at 0 with
// each daemon.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session/session.h"

namespace llama::daemon {

struct EndedJobs {
  std::string outcome;  // remote, local, failed, cancelled
  std::string reason;   // why not remote; empty for those that were
  uint64_t count = 0;
};

struct Metrics {
  session::Status status;  // with the counters of the daemon's life
  std::vector<EndedJobs> ended;
  int64_t remote_user_ns = 0;  // of commands in functions
  int64_t remote_system_ns = 0;
  uint64_t active_builds = 0;
  // The server's.
  uint64_t busy_threads = 0;     // jobs that run or wait for a thread
  uint64_t waiting_records = 0;  // what the pipeline has to do besides jobs
  uint64_t waiting_slots = 0;    // local runs that wait for a slot
  uint64_t held_slots = 0;
  uint64_t scans = 0;
  // Of the daemon's process.
  int64_t up_ns = 0;
  int64_t user_ns = 0;
  int64_t system_ns = 0;
  int64_t resident_bytes = 0;
};

// Reads what is of this process.
void FillProcess(Metrics& metrics);

std::string FormatMetrics(const Metrics& metrics);

}  // namespace llama::daemon
