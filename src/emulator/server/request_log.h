// What was asked of the emulator: a line of JSON per request, and counters. Thread-safe.
//
//   {"time":"2026-01-31T12:00:00.123Z","id":"…","peer":"127.0.0.1:4711","service":"s3",
//    "operation":"GetObject","resource":"bucket/key","status":200,"bytes_in":0,"bytes_out":123,
//    "duration_ms":20.4,"error":"","fault":"","worker":""}
//
// No query, no headers: signatures and tokens are in them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/fd.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

class RequestLog {
 public:
  RequestLog() = default;
  // Appends to the file; an empty path: counters only.
  Result<void> Open(const std::string& path);

  struct Entry {
    const Request& request;
    const Response& response;
    int64_t time_ns;      // Clock::NowNs at its end
    int64_t duration_ns;  // from its head to the last byte of the answer
    uint64_t bytes_out;   // of the answer's body, as far as it went
  };
  void Add(const Entry& entry);
  // A counter of somebody's own, in the metrics: "lambda.cold_starts".
  void Count(const std::string& name, int64_t by = 1);
  // {"requests":{"s3.GetObject":12,…},"errors":{"s3.NoSuchKey":1},"faults":{…},"counters":{…}, …}
  std::string MetricsJson() const;

 private:
  mutable Mutex mutex_;
  Fd file_ GUARDED_BY(mutex_);
  uint64_t bytes_in_ GUARDED_BY(mutex_) = 0;
  uint64_t bytes_out_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, int64_t> requests_ GUARDED_BY(mutex_);
  std::map<std::string, int64_t> errors_ GUARDED_BY(mutex_);
  std::map<std::string, int64_t> faults_ GUARDED_BY(mutex_);
  std::map<std::string, int64_t> counters_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
