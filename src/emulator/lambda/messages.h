// The texts that Lambda writes about an invocation: into its log, and in place of its answer. Users
// and tools look for them, so they are worded as Lambda words them. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llama::emulator {

struct InvocationReport {
  std::string id;
  int64_t duration_ns = 0;
  int64_t init_ns = 0;  // 0: no cold start
  int64_t memory_mb = 0;
  int64_t used_bytes = 0;
  std::string_view status;  // "", "timeout", "error"
  std::string_view error_type;
};

int64_t BilledMs(const InvocationReport& report);
// "START RequestId: … Version: $LATEST\n" and so on.
std::string StartLine(std::string_view id, std::string_view version);
std::string EndLine(std::string_view id);
std::string ReportLine(const InvocationReport& report);

// {"errorType":"Runtime.ExitError","errorMessage":"RequestId: … Error: …"}
std::string ErrorPayload(std::string_view type, std::string_view id, std::string_view message);
// Of a wait status: "Runtime exited with error: signal: killed".
std::string ExitMessage(int wait_status);
// "Task timed out after 3.00 seconds"
std::string TimeoutMessage(int64_t timeout_ns);

}  // namespace llama::emulator
