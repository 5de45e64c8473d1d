// The log: one line a message, "2026-01-31T12:00:00.123Z INFO job.cc:42 text", to one descriptor.
// The level is set once in main. Thread-safe. Secrets are never logged.
#pragma once

#include <string>
#include <string_view>

namespace llama {

enum class LogLevel : unsigned char { kDebug, kInfo, kWarning, kError, kOff };

// The descriptor stays the caller's and must outlive all logging. Default: stderr, kWarning.
void SetLog(int fd, LogLevel level);
bool LogEnabled(LogLevel level);
void LogLine(LogLevel level, std::string_view file, int line, std::string_view text);

// "debug", "info", "warning", "error", "off"; anything else is kInfo.
LogLevel ParseLogLevel(std::string_view name);

}  // namespace llama

// LOG(kInfo, "text " + detail): the text is only built when the level is on.
#define LOG(level, text)                                                      \
  do {                                                                        \
    if (::llama::LogEnabled(::llama::LogLevel::level)) {                      \
      ::llama::LogLine(::llama::LogLevel::level, __FILE__, __LINE__, (text)); \
    }                                                                         \
  } while (false)

// CHECK(condition): for our own bugs only; nothing that comes from outside may reach one.
#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) ::llama::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

namespace llama {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);
}
