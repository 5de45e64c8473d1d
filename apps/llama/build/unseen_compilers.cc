#include "llama/build/unseen_compilers.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/file.h"
#include "builds/record.h"
#include "client/invocation.h"

namespace llama::app {
namespace {

constexpr size_t kMostLooked = 2000;  // processes, of one look
constexpr uint64_t kMaxProcBytes = 4 << 20;

std::string ReadProc(pid_t pid, const std::string& name) {
  auto text = ReadFile("/proc/" + std::to_string(pid) + "/" + name, kMaxProcBytes);
  return text ? *std::move(text) : "";
}

void AddChildren(pid_t pid, std::vector<pid_t>& out) {
  const auto tasks = ListDir("/proc/" + std::to_string(pid) + "/task");
  if (!tasks) return;  // it has ended
  for (const std::string& task : *tasks) {
    const std::string children = ReadProc(pid, "task/" + task + "/children");
    const char* at = children.data();
    const char* const end = at + children.size();
    while (at < end) {
      pid_t child = 0;
      const auto [rest, failed] = std::from_chars(at, end, child);
      if (failed != std::errc()) break;
      out.push_back(child);
      at = rest + 1;
    }
  }
}

// As it was when its program began.
bool HasInPath(pid_t pid, const std::string& folder) {
  const std::string env = std::string(1, '\0') + ReadProc(pid, "environ");
  const size_t at = env.find(std::string("\0PATH=", 6));
  if (at == env.npos) return false;
  const std::string path = env.substr(at + 6, env.find('\0', at + 1) - at - 6);
  const auto folders = client::SplitPath(path);
  return std::find(folders.begin(), folders.end(), folder) != folders.end();
}

std::optional<std::string> CompilerOf(pid_t pid) {
  const auto program = ReadLink("/proc/" + std::to_string(pid) + "/exe");
  if (!program || !client::LooksLikeCompiler(BaseName(*program))) return std::nullopt;
  const std::string arguments = ReadProc(pid, "cmdline");
  std::string called = arguments.substr(0, arguments.find('\0'));
  return called.starts_with('/') ? called : *program;
}

}  // namespace

std::optional<std::string> FindRunningCompiler(pid_t ancestor, const std::string& masquerade) {
  std::vector<pid_t> open = {ancestor};
  for (size_t i = 0; i < open.size() && i < kMostLooked; ++i) {
    auto compiler = open[i] == ancestor ? std::nullopt : CompilerOf(open[i]);
    if (compiler && HasInPath(open[i], masquerade)) return compiler;
    AddChildren(open[i], open);
  }
  return std::nullopt;
}

std::string CMakeTreeOf(const std::vector<std::string>& command, const std::string& cwd) {
  std::string tree = cwd;
  for (size_t i = 0; i < command.size(); ++i) {
    const std::string_view word = command[i];
    const bool names_folder = word == "-C" || word == "--build" || word == "--directory";
    if (names_folder && i + 1 < command.size()) {
      tree = JoinPath(cwd, command[i + 1]);
    } else if (word.starts_with("-C") && word.size() > 2) {
      tree = JoinPath(cwd, word.substr(2));
    }
  }
  return access(JoinPath(tree, "CMakeCache.txt").c_str(), F_OK) == 0 ? tree : "";
}

std::string UnseenText(const std::string& compiler, const std::string& tree,
                       const std::string& wrapper) {
  const std::string what =
      "the build runs " + compiler + " by its path, so nothing is compiled by llama; ";
  if (tree.empty()) {
    return what +
           "configure it with llamacc as its compiler (CC=llamacc CXX=llamac++), or with "
           "the compiler's name alone";
  }
  return what + "for this tree, once: " +
         builds::ShellCommand({"cmake", "-DCMAKE_C_COMPILER_LAUNCHER=" + wrapper,
                               "-DCMAKE_CXX_COMPILER_LAUNCHER=" + wrapper, tree});
}

}  // namespace llama::app
