#include "admission/process_tree.h"

#include <unistd.h>

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/file.h"

namespace llama::admission {
namespace {

constexpr uint64_t kMaxStatBytes = 4096;

struct ProcessStat {
  pid_t parent = 0;
  char state = '?';
  int64_t ticks = 0;
};

int64_t Number(std::string_view word) {
  int64_t value = 0;
  std::from_chars(word.data(), word.data() + word.size(), value);
  return value;
}

// The fields of proc(5) by their numbers there, from 3 (the state); the name before them may hold
// anything, brackets too.
std::optional<ProcessStat> ParseStat(std::string_view text) {
  constexpr int kState = 3;
  constexpr int kParent = 4;
  constexpr int kUserTicks = 14;
  constexpr int kWaitedSystemTicks = 17;
  const size_t name_end = text.rfind(") ");
  if (name_end == text.npos) return std::nullopt;
  text.remove_prefix(name_end + 2);
  ProcessStat out;
  for (int field = kState; field <= kWaitedSystemTicks; ++field) {
    const size_t end = text.find(' ');
    if (end == text.npos || end == 0) return std::nullopt;
    const std::string_view word = text.substr(0, end);
    if (field == kState) out.state = word[0];
    if (field == kParent) out.parent = static_cast<pid_t>(Number(word));
    if (field >= kUserTicks) out.ticks += Number(word);
    text.remove_prefix(end + 1);
  }
  return out;
}

std::unordered_map<pid_t, ProcessStat> ReadProcesses(const std::string& proc) {
  std::unordered_map<pid_t, ProcessStat> out;
  const Result<std::vector<std::string>> names = ListDir(proc);
  if (!names) return out;
  for (const std::string& name : *names) {
    if (name[0] < '0' || name[0] > '9') continue;
    const Result<std::string> text = ReadFile(proc + "/" + name + "/stat", kMaxStatBytes);
    const std::optional<ProcessStat> stat = text ? ParseStat(*text) : std::nullopt;
    if (stat) out.emplace(static_cast<pid_t>(Number(name)), *stat);
  }
  return out;
}

}  // namespace

Work WorkOf(const std::vector<pid_t>& roots, const std::string& proc) {
  const std::unordered_map<pid_t, ProcessStat> processes = ReadProcesses(proc);
  const std::unordered_set<pid_t> wanted(roots.begin(), roots.end());
  const int64_t tick_ns = 1'000'000'000 / sysconf(_SC_CLK_TCK);
  Work work;
  for (const auto& [pid, stat] : processes) {
    pid_t ancestor = pid;
    // No longer than there are processes: what was read one after the other may form a circle.
    for (size_t steps = 0; steps <= processes.size() && !wanted.contains(ancestor); ++steps) {
      const auto found = processes.find(ancestor);
      ancestor = found == processes.end() ? 0 : found->second.parent;
      if (ancestor == 0) break;
    }
    if (!wanted.contains(ancestor)) continue;
    work.cpu_ns += stat.ticks * tick_ns;
    work.is_active |= stat.state == 'R' || stat.state == 'D';
  }
  return work;
}

}  // namespace llama::admission
