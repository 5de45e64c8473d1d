// What a compiler wrote to stderr: taken back to local paths, and judged.

#include <sys/wait.h>

#include <algorithm>
#include <array>

#include "compiler/plan.h"

namespace llama::compiler {
namespace {

// Of gcc's driver and cc1, clang, as, and glibc's loader. A source line that quotes one of these
// only costs a local run.
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
    "had to relocate PCH",
});

// These as well, but for an #include of what is not there: what a compiler looks up in vain is
// checked before anybody asks. What it found and could not open, because a worker lost it
// meanwhile, gcc names by its path.
constexpr auto kMissing =
    std::to_array<std::string_view>({"No such file or directory", "file not found"});

constexpr int kFirstShellStatus = 126;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

// "a.c:1:10: fatal error: x.h: No such…", "<command-line>: fatal error: 'x.h' file not found". With
// a blank before what is missing it is a sentence, of an output or a dump.
bool IsOfInclude(std::string_view line, std::string_view missing, const IsThere& is_there) {
  constexpr std::string_view kFatal = ": fatal error: ";
  const size_t at = line.find(kFatal);
  if (at == line.npos || at == 0) return false;
  std::string_view name = line.substr(at + kFatal.size());
  name = name.substr(0, name.find(missing));
  for (const std::string_view end : {"' ", ": "}) {
    if (name.ends_with(end)) name.remove_suffix(end.size());
  }
  if (name.starts_with('\'')) name.remove_prefix(1);
  if (name.empty() || name.find(' ') != name.npos || is_there(std::string(name))) return false;
  const std::string_view where = line.substr(0, at);
  const size_t column = where.find_last_not_of("0123456789");
  return where == "<command-line>" ||
         (column != where.npos && column + 1 < where.size() && where[column] == ':');
}

// A compiler ends with the first #include that is missing: who names more of them is none.
bool MissesMore(std::string_view err, const IsThere& is_there) {
  int missing = 0;
  while (!err.empty()) {
    const std::string_view line = err.substr(0, err.find('\n'));
    err.remove_prefix(std::min(line.size() + 1, err.size()));
    for (const std::string_view word : kMissing) {
      if (line.find(word) == line.npos) continue;
      if (++missing > 1 || !IsOfInclude(line, word, is_there)) return true;
    }
  }
  return false;
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

bool IsMachineFailure(int wait_status, std::string_view err, const IsThere& is_there) {
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0) return false;
  if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) >= kFirstShellStatus) return true;
  return std::any_of(kMachineWords.begin(), kMachineWords.end(),
                     [&](std::string_view word) { return err.find(word) != err.npos; }) ||
         MissesMore(err, is_there);
}

}  // namespace llama::compiler
