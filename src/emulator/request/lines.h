// The lines between clients and the emulator: bandwidth as the model has it, by connection, by
// worker and in total, each direction on its own. Thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/mutex.h"
#include "emulator/request/model.h"

namespace llama::emulator {

enum class Direction : unsigned char { kUp, kDown };

// One line: bytes leave it in order, at its rate. It keeps no credit for the time that it was idle.
class Line {
 public:
  // When `bytes` handed over at `now_ns` are through. A rate of 0 is no limit.
  int64_t Reserve(uint64_t bytes, double bytes_per_s, int64_t now_ns);
  int64_t free_at_ns() const { return free_at_ns_; }

 private:
  int64_t free_at_ns_ = 0;
};

// The two of one connection; its thread alone uses it.
struct ConnectionLines {
  std::array<Line, 2> lines;
};

class Lines {
 public:
  explicit Lines(const Model& model) : model_(model) {}

  // Books `bytes` on the connection's line, the worker's if `worker` is not empty, and the common
  // one; gives the MonotonicNs at which the last of them lets them through.
  int64_t Reserve(Direction direction, const std::string& worker, uint64_t bytes,
                  ConnectionLines& connection, int64_t now_ns);
  bool IsLimited(Direction direction) const;

 private:
  const Model& model_;
  Mutex mutex_;
  std::array<Line, 2> total_ GUARDED_BY(mutex_);
  std::map<std::string, std::array<Line, 2>> workers_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
