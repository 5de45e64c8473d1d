#include "daemon/record/process_cpu.h"

#include <unistd.h>

#include <algorithm>

namespace llama::daemon {
namespace {

int64_t WholeNs(const admission::TreeCpu& tree) { return tree.own_ns + tree.below_ns; }

}  // namespace

std::optional<ProcessCpu::Spent> ProcessCpu::Take(const std::vector<pid_t>& builds,
                                                  const std::vector<pid_t>& workers) {
  std::vector<pid_t> roots = builds;
  roots.insert(roots.end(), workers.begin(), workers.end());
  roots.push_back(getpid());
  Trees now = admission::CpuOfTrees(roots, proc_);
  const std::optional<Trees> last = std::exchange(last_, now);
  const std::vector<pid_t> last_workers = std::exchange(last_workers_, workers);
  if (!last) return std::nullopt;
  // A tree loses the time of a process that nobody waits for.
  const auto growth = [&](pid_t pid, auto&& ns_of) {
    const auto before = last->find(pid);
    const int64_t before_ns = before == last->end() ? 0 : ns_of(before->second);
    return std::max<int64_t>(0, ns_of(now.at(pid)) - before_ns);
  };
  Spent spent;
  for (const pid_t pid : builds) {
    if (now.contains(pid)) spent.builds_ns[pid] = growth(pid, WholeNs);
  }
  for (const pid_t pid : workers) {
    if (now.contains(pid)) spent.workers_ns += growth(pid, WholeNs);
  }
  if (!now.contains(getpid())) return spent;
  spent.children_ns = growth(getpid(), [](const auto& tree) { return tree.below_ns; });
  // The daemon waits for a worker that ended, and so gets all the time that it ever took.
  for (const pid_t pid : last_workers) {
    const auto before = last->find(pid);
    if (now.contains(pid) || before == last->end()) continue;
    spent.children_ns = std::max<int64_t>(0, spent.children_ns - WholeNs(before->second));
  }
  return spent;
}

}  // namespace llama::daemon
