#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/file.h"
#include "base/text/format.h"

namespace llama {
namespace {

// Of one message: what a worker says may be long.
constexpr size_t kMaxTextBytes = 8192;

std::atomic<int> log_fd{STDERR_FILENO};
std::atomic<LogLevel> log_level{LogLevel::kWarning};

const char* LevelName(LogLevel level) {
  constexpr const char* kNames[] = {"DEBUG", "INFO", "WARN", "ERROR", "OFF"};
  return kNames[static_cast<size_t>(level)];
}

}  // namespace

void SetLog(int fd, LogLevel level) {
  log_fd = fd;
  log_level = level;
}

bool LogEnabled(LogLevel level) { return level >= log_level; }

void LogLine(LogLevel level, std::string_view file, int line, std::string_view text) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  char head[96];
  const int n = std::snprintf(head, sizeof head, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s ",
                              utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                              utc.tm_min, utc.tm_sec, now.tv_nsec / 1'000'000, LevelName(level));
  std::string out(head, n > 0 ? static_cast<size_t>(n) : 0);
  out.append(BaseName(file)).append(":").append(std::to_string(line)).append(" ");
  // One line a message, which a terminal shows and does not obey, whatever the text holds.
  std::string shown(text.substr(0, kMaxTextBytes));
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  out += Printable(shown);
  if (text.size() > kMaxTextBytes) out += "…";
  out.push_back('\n');
  (void)WriteAll(log_fd, out, "log").has_value();
}

LogLevel ParseLogLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warning") return LogLevel::kWarning;
  if (name == "error") return LogLevel::kError;
  if (name == "off") return LogLevel::kOff;
  return LogLevel::kInfo;
}

void CheckFailed(const char* file, int line, const char* condition) {
  LogLine(LogLevel::kError, file, line, std::string("CHECK failed: ") + condition);
  std::abort();
}

}  // namespace llama
