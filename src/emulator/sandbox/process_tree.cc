#include "emulator/sandbox/process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <string>

#include "base/file.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxProcesses = 20'000;
// New ones may come to be while the others are told.
constexpr int kLooks = 5;
constexpr uint64_t kMaxFileBytes = 1 << 20;

std::vector<int64_t> Numbers(const std::string& text) {
  std::vector<int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc()) numbers.push_back(number);
    at = next == at ? at + 1 : next;
  }
  return numbers;
}

void AppendChildren(pid_t parent, std::vector<pid_t>& out) {
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  const Result<std::vector<std::string>> threads = ListDir(tasks);
  if (!threads) return;
  for (const std::string& thread : *threads) {
    const Result<std::string> children =
        ReadFile(tasks + "/" + thread + "/children", kMaxFileBytes);
    if (!children) continue;
    for (const int64_t child : Numbers(*children)) out.push_back(static_cast<pid_t>(child));
  }
}

void Signal(pid_t top, int number) {
  std::vector<pid_t> told;
  for (int look = 0; look < kLooks; ++look) {
    bool any = false;
    for (const pid_t pid : Descendants(top)) {
      if (std::find(told.begin(), told.end(), pid) != told.end()) continue;
      told.push_back(pid);
      any = kill(pid, number) == 0 || any;
    }
    if (!any) return;
  }
}

}  // namespace

std::vector<pid_t> Descendants(pid_t top) {
  std::vector<pid_t> found;
  AppendChildren(top, found);
  for (size_t i = 0; i < found.size() && found.size() < kMaxProcesses; ++i) {
    AppendChildren(pid_t{found[i]}, found);
  }
  return found;
}

void StopDescendants(pid_t top) { Signal(top, SIGSTOP); }
void ContinueDescendants(pid_t top) { Signal(top, SIGCONT); }

int64_t MemoryOfDescendants(pid_t top) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  int64_t pages = 0;
  for (const pid_t pid : Descendants(top)) {
    const Result<std::string> statm =
        ReadFile("/proc/" + std::to_string(pid) + "/statm", kMaxFileBytes);
    if (!statm) continue;
    const std::vector<int64_t> sizes = Numbers(*statm);  // total, resident, shared, …
    if (sizes.size() >= 3) pages += std::max<int64_t>(0, sizes[1] - sizes[2]);
  }
  return pages * page;
}

}  // namespace llama::emulator
