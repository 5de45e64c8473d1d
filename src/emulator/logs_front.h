// CloudWatch Logs, as far as it takes to read what functions printed: FilterLogEvents,
// GetLogEvents, DescribeLogGroups, DescribeLogStreams, CreateLogGroup, DeleteLogGroup,
// PutRetentionPolicy (which is checked and has no effect). Thread-safe.
#pragma once

#include "base/result.h"
#include "emulator/authority.h"
#include "emulator/lambda_logs.h"
#include "emulator/message.h"

namespace llama::emulator {

class LogsFront final : public Handler {
 public:
  // Both must outlive the front.
  LogsFront(Authority& authority, LambdaLogs& logs) : authority_(authority), logs_(logs) {}
  Response Handle(const Request& request, const Exchange& exchange) override;

 private:
  Result<std::string> Run(std::string_view action, const std::string& body);

  Authority& authority_;
  LambdaLogs& logs_;
};

}  // namespace llama::emulator
