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
  int64_t own_ticks = 0;
  int64_t waited_ticks = 0;  // of children that were waited for, and theirs
  int64_t ticks() const { return own_ticks + waited_ticks; }
};

using Processes = std::unordered_map<pid_t, ProcessStat>;

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
  constexpr int kWaitedUserTicks = 16;
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
    if (field >= kUserTicks) {
      (field < kWaitedUserTicks ? out.own_ticks : out.waited_ticks) += Number(word);
    }
    text.remove_prefix(end + 1);
  }
  return out;
}

Processes ReadProcesses(const std::string& proc) {
  Processes out;
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

// The nearest of the wanted among a process and its ancestors; 0: none.
pid_t RootOf(pid_t pid, const Processes& processes, const std::unordered_set<pid_t>& wanted) {
  // No longer than there are processes: what was read one after the other may form a circle.
  for (size_t steps = 0; steps <= processes.size(); ++steps) {
    if (wanted.contains(pid)) return pid;
    const auto found = processes.find(pid);
    if (found == processes.end()) return 0;
    pid = found->second.parent;
  }
  return 0;
}

int64_t TickNs() { return 1'000'000'000 / sysconf(_SC_CLK_TCK); }

}  // namespace

Work WorkOf(const std::vector<pid_t>& roots, const std::string& proc) {
  const Processes processes = ReadProcesses(proc);
  const std::unordered_set<pid_t> wanted(roots.begin(), roots.end());
  Work work;
  for (const auto& [pid, stat] : processes) {
    if (RootOf(pid, processes, wanted) == 0) continue;
    work.cpu_ns += stat.ticks() * TickNs();
    work.is_active |= stat.state == 'R' || stat.state == 'D';
  }
  return work;
}

std::map<pid_t, TreeCpu> CpuOfTrees(const std::vector<pid_t>& roots, const std::string& proc) {
  const Processes processes = ReadProcesses(proc);
  std::unordered_set<pid_t> wanted;
  for (const pid_t root : roots) {
    if (processes.contains(root)) wanted.insert(root);
  }
  std::map<pid_t, TreeCpu> out;
  for (const auto& [pid, stat] : processes) {
    const pid_t root = RootOf(pid, processes, wanted);
    if (root == 0) continue;
    TreeCpu& tree = out[root];
    (pid == root ? tree.own_ns : tree.below_ns) += stat.own_ticks * TickNs();
    tree.below_ns += stat.waited_ticks * TickNs();
  }
  return out;
}

}  // namespace llama::admission
