#include "emulator/lambda/messages.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "base/text/json.h"

namespace llama::emulator {
namespace {

std::string Fixed(int64_t ns, int64_t unit_ns) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.2f",
                                 static_cast<double>(ns) / static_cast<double>(unit_ns));
  return std::string(text.data(), static_cast<size_t>(size));
}

std::string Milliseconds(int64_t ns) { return Fixed(ns, 1'000'000); }

// As Go says them, in which Lambda's own part is written.
std::string SignalName(int number) {
  switch (number) {
    case SIGKILL:
      return "killed";
    case SIGSEGV:
      return "segmentation fault";
    case SIGABRT:
      return "aborted";
    case SIGTERM:
      return "terminated";
    case SIGBUS:
      return "bus error";
    case SIGFPE:
      return "floating point exception";
    case SIGILL:
      return "illegal instruction";
    default:
      return "signal " + std::to_string(number);
  }
}

}  // namespace

int64_t BilledMs(const InvocationReport& report) {
  return std::max<int64_t>(1, (report.duration_ns + report.init_ns + 999'999) / 1'000'000);
}

std::string StartLine(std::string_view id, std::string_view version) {
  std::string line = "START RequestId: ";
  return line.append(id).append(" Version: ").append(version).append("\n");
}

std::string EndLine(std::string_view id) {
  std::string line = "END RequestId: ";
  return line.append(id).append("\n");
}

std::string ReportLine(const InvocationReport& report) {
  const int64_t used_mb = (report.used_bytes + (1 << 20) - 1) >> 20;
  std::string line = "REPORT RequestId: " + report.id;
  line += "\tDuration: " + Milliseconds(report.duration_ns) + " ms";
  line += "\tBilled Duration: " + std::to_string(BilledMs(report)) + " ms";
  line += "\tMemory Size: " + std::to_string(report.memory_mb) + " MB";
  line += "\tMax Memory Used: " + std::to_string(used_mb) + " MB\t";
  if (report.init_ns > 0) line += "Init Duration: " + Milliseconds(report.init_ns) + " ms\t";
  if (!report.status.empty()) line.append("Status: ").append(report.status);
  if (!report.error_type.empty()) line.append("\tError Type: ").append(report.error_type);
  return line + "\n";
}

std::string ErrorPayload(std::string_view type, std::string_view id, std::string_view message) {
  std::string text = "RequestId: ";
  text.append(id).append(" Error: ").append(message);
  JsonWriter json;
  json.BeginObject();
  json.Key("errorType").String(type);
  json.Key("errorMessage").String(text);
  json.EndObject();
  return json.Take();
}

std::string ExitMessage(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return "Runtime exited with error: signal: " + SignalName(WTERMSIG(wait_status));
  }
  const int code = WEXITSTATUS(wait_status);
  if (code == 0) return "Runtime exited without providing a reason";
  return "Runtime exited with error: exit status " + std::to_string(code);
}

std::string TimeoutMessage(int64_t timeout_ns) {
  return "Task timed out after " + Fixed(timeout_ns, 1'000'000'000) + " seconds";
}

}  // namespace llama::emulator
