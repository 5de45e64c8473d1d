// What functions printed, and what Lambda says about their invocations: CloudWatch Logs' events, in
// memory, the newest of each group. Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace llama::emulator {

struct LogEvent {
  uint64_t number = 0;  // of the group, ascending
  int64_t time_ms = 0;  // Unix
  std::string stream;
  std::string message;
};

struct LogQuery {
  int64_t from_ms = 0;
  int64_t until_ms = INT64_MAX;  // exclusive
  std::string stream_prefix;
  std::vector<std::string> streams;  // empty: all
  std::string text;                  // contained in the message; empty: any
  uint64_t after = 0;                // events with a greater number
  size_t max = 10'000;
};

class LambdaLogs {
 public:
  // False: the group is there already.
  bool Create(const std::string& group);
  // One event a line of `text`.
  void Add(const std::string& group, const std::string& stream, int64_t time_ms,
           std::string_view text);
  // kNotFound: nothing was ever added to that group.
  Result<std::vector<LogEvent>> Find(const std::string& group, const LogQuery& query) const;
  std::vector<std::string> Groups(std::string_view prefix) const;
  // Streams of a group with the time of their first and last events, by name.
  struct Stream {
    std::string name;
    int64_t first_ms = 0;
    int64_t last_ms = 0;
  };
  Result<std::vector<Stream>> Streams(const std::string& group, std::string_view prefix) const;
  void Remove(const std::string& group);

 private:
  struct Group {
    std::deque<LogEvent> events;
    uint64_t next = 1;
    size_t bytes = 0;
  };
  mutable Mutex mutex_;
  std::map<std::string, Group, std::less<>> groups_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
