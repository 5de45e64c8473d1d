#include "emulator/lambda/logs.h"

#include <algorithm>

namespace llama::emulator {
namespace {

// Of a group: older events go.
constexpr size_t kMaxGroupBytes = 16 << 20;
constexpr size_t kMaxMessageBytes = 256 << 10;
constexpr size_t kEventBytes = 100;  // what one takes besides its message, about

}  // namespace

bool LambdaLogs::Create(const std::string& group) {
  const MutexLock lock(mutex_);
  return groups_.try_emplace(group).second;
}

void LambdaLogs::Add(const std::string& group, const std::string& stream, int64_t time_ms,
                     std::string_view text) {
  const MutexLock lock(mutex_);
  Group& into = groups_[group];
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), kMaxMessageBytes);
    const size_t size = end >= text.size() ? text.size() : text[end] == '\n' ? end + 1 : end;
    LogEvent event{into.next++, time_ms, stream, std::string(text.substr(0, size))};
    text.remove_prefix(size);
    into.bytes += event.message.size() + kEventBytes;
    into.events.push_back(std::move(event));
  }
  while (into.bytes > kMaxGroupBytes) {
    into.bytes -= into.events.front().message.size() + kEventBytes;
    into.events.pop_front();
  }
}

Result<std::vector<LogEvent>> LambdaLogs::Find(const std::string& group,
                                               const LogQuery& query) const {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return Error{Code::kNotFound, "no log group " + group};
  std::vector<LogEvent> events;
  for (const LogEvent& event : found->second.events) {
    if (event.number <= query.after || event.time_ms < query.from_ms ||
        event.time_ms >= query.until_ms || !event.stream.starts_with(query.stream_prefix)) {
      continue;
    }
    if (!query.streams.empty() && std::find(query.streams.begin(), query.streams.end(),
                                            event.stream) == query.streams.end()) {
      continue;
    }
    if (event.message.find(query.text) == std::string::npos) continue;
    events.push_back(event);
    if (events.size() == query.max) break;
  }
  return events;
}

std::vector<std::string> LambdaLogs::Groups(std::string_view prefix) const {
  const MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, group] : groups_) {
    if (name.starts_with(prefix)) names.push_back(name);
  }
  return names;
}

Result<std::vector<LambdaLogs::Stream>> LambdaLogs::Streams(const std::string& group,
                                                            std::string_view prefix) const {
  const MutexLock lock(mutex_);
  const auto found = groups_.find(group);
  if (found == groups_.end()) return Error{Code::kNotFound, "no log group " + group};
  std::map<std::string, Stream> streams;
  for (const LogEvent& event : found->second.events) {
    if (!event.stream.starts_with(prefix)) continue;
    Stream& stream = streams[event.stream];
    if (stream.name.empty()) stream = {event.stream, event.time_ms, event.time_ms};
    stream.last_ms = event.time_ms;
  }
  std::vector<Stream> list;
  for (const auto& [name, stream] : streams) list.push_back(stream);
  return list;
}

void LambdaLogs::Remove(const std::string& group) {
  const MutexLock lock(mutex_);
  groups_.erase(group);
}

}  // namespace llama::emulator
