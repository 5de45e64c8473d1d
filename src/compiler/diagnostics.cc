// What a compiler wrote to stderr: taken back to local paths, and judged.

#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "compiler/plan.h"

namespace llama::compiler {
namespace {

// Of gcc's driver and cc1, clang, as, and glibc's loader. A missing file is among them because the
// scan has found every file here: code that is at fault fails there first. A source line that
// quotes one of these only costs a local run.
constexpr auto kMachineWords = std::to_array<std::string_view>({
    "internal compiler error",
    "ubmit a full bug report",
    "PLEASE submit a bug report",
    "LLVM ERROR",
    "Killed",
    "terminated program",
    "Segmentation fault",
    "Illegal instruction",
    "Bus error",
    "out of memory",
    "memory exhausted",
    "Cannot allocate memory",
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Permission denied",
    "Operation not permitted",
    "Read-only file system",
    "Too many open files",
    "installation problem",
    "cannot execute",
    "unable to execute command",
    "error while loading shared libraries",
    "No such file or directory",
    "file not found",
    "had to relocate PCH",
});

constexpr int kFirstShellStatus = 126;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

}  // namespace

std::string MapText(std::string_view text, std::string_view root) {
  if (root.empty()) return std::string(text);
  std::string out;
  for (size_t i = 0;;) {
    const size_t found = text.find(root, i);
    out += text.substr(i, found == text.npos ? text.npos : found - i);
    if (found == text.npos) return out;
    i = found + root.size();
    // A longer name that only begins like the root.
    if (i < text.size() && IsNameByte(text[i])) out += root;
  }
}

bool IsMachineFailure(int wait_status, std::string_view err) {
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return false;
  if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) >= kFirstShellStatus) return true;
  return std::any_of(kMachineWords.begin(), kMachineWords.end(),
                     [&](std::string_view word) { return err.find(word) != err.npos; });
}

}  // namespace llama::compiler
