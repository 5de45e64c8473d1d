// Logs: a function's log group in CloudWatch Logs.
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/. Errors as ControlError has
// them. Thread-safe if the service is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

struct LogEvent {
  int64_t time_ms = 0;  // Unix epoch
  std::string stream;
  std::string message;
};

struct LogPage {
  std::vector<LogEvent> events;  // in the order of time
  std::string next;              // empty: there is no more
};

class Logs {
 public:
  // The service must outlive this.
  explicit Logs(Service& logs) : logs_(logs) {}

  // A page may be empty and yet not the last.
  Result<LogPage> Filter(const std::string& group, int64_t since_ms, const std::string& pattern,
                         const std::string& next);
  Result<bool> HasGroup(const std::string& group);
  // There already: no error.
  Result<void> CreateGroup(const std::string& group);
  Result<void> SetRetention(const std::string& group, int days);
  // Absent: no error.
  Result<void> DeleteGroup(const std::string& group);

 private:
  Result<HttpAnswer> Call(const std::string& action, const std::string& body,
                          const std::string& group);
  Service& logs_;
};

}  // namespace llama::aws
