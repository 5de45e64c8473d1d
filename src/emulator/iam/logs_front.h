// CloudWatch Logs, as far as it takes to read what functions printed: FilterLogEvents,
// GetLogEvents, DescribeLogGroups, DescribeLogStreams, CreateLogGroup, DeleteLogGroup,
// PutRetentionPolicy (which is checked and has no effect). Thread-safe.
#pragma once

#include "base/result.h"
#include "emulator/lambda/logs.h"
#include "emulator/request/authority.h"
#include "emulator/request/message.h"

namespace llama::emulator {

class LogsFront final : public Handler {
 public:
  // Both must outlive the front.
  LogsFront(Authority& authority, LambdaLogs& logs) : authority_(authority), logs_(logs) {}
  Response Handle(const Request& request, const Exchange& exchange) override;

 private:
  Result<std::string> Run(std::string_view action, const std::string& body, const Access& access);

  Authority& authority_;
  LambdaLogs& logs_;
};

}  // namespace llama::emulator
