#include "daemon/jobs/program_closure.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "compiler/elf.h"
#include "session/environment.h"

namespace llama::daemon {
namespace {

constexpr size_t kMaxKnown = 20'000;
constexpr int kMaxScripts = 4;  // as the kernel has it
constexpr size_t kHeadBytes = 256;
// What loads a shared library that names no loader itself.
constexpr const char* kLoader = "/lib64/ld-linux-x86-64.so.2";

void AddOnce(std::vector<std::string>& list, const std::string& item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

Result<std::string> ReadHead(const std::string& path) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK));
  std::string head(kHeadBytes, '\0');
  const ssize_t n = pread(fd.get(), head.data(), head.size(), 0);
  if (n < 0) return ErrnoError(errno, path);
  head.resize(static_cast<size_t>(n));
  return head;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// "#!/usr/bin/env -S x" gives {"/usr/bin/env", "-S x"}, as the kernel splits it.
std::vector<std::string> InterpreterWords(std::string_view head) {
  const std::string_view line = Trim(head.substr(2, std::min(head.find('\n'), head.size()) - 2));
  const size_t space = line.find_first_of(" \t");
  std::vector<std::string> words;
  if (line.empty()) return words;
  words.emplace_back(line.substr(0, space));
  const std::string_view rest = space == line.npos ? "" : Trim(line.substr(space));
  if (!rest.empty()) words.emplace_back(rest);
  return words;
}

// The program that env(1) is to find, in the forms that scripts use.
std::string EnvTarget(std::string_view argument) {
  if (argument.starts_with("-S")) argument = Trim(argument.substr(2));
  const std::string_view name = argument.substr(0, argument.find_first_of(" \t"));
  const bool plain = !name.empty() && name[0] != '-' && name.find('=') == name.npos;
  return plain ? std::string(name) : "";
}

std::string FindInPath(const std::string& name, const std::vector<std::string>& env) {
  if (name.starts_with('/')) return name;
  const char* path = session::FindVariable(env, "PATH");
  for (const std::string& dir : SplitSearchPath(path == nullptr ? "" : path)) {
    std::string candidate = JoinPath(dir, name);
    struct stat st {};
    if (stat(candidate.c_str(), &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0) {
      return candidate;
    }
  }
  return "";
}

void Merge(Closure& into, const Closure& from) {
  for (const std::string& file : from.files) AddOnce(into.files, file);
  for (const std::string& dir : from.library_dirs) AddOnce(into.library_dirs, dir);
}

}  // namespace

std::vector<std::string> SplitSearchPath(std::string_view value) {
  std::vector<std::string> dirs;
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(':', begin), value.size());
    if (end > begin) dirs.emplace_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return dirs;
}

Result<std::shared_ptr<const Closure>> ProgramClosures::Get(const std::string& path,
                                                            const std::vector<std::string>& env) {
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) return ErrnoError(errno, path);
  std::string key = path;
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"}) {
    const char* value = session::FindVariable(env, name);
    key.append(1, '\0').append(value == nullptr ? "" : value);
  }
  if (known_.size() > kMaxKnown) known_.clear();
  Known& known = known_[key];
  const int64_t ctime_ns = int64_t{st.st_ctim.tv_sec} * 1'000'000'000 + st.st_ctim.tv_nsec;
  if (known.closure && known.device == st.st_dev && known.inode == st.st_ino &&
      known.ctime_ns == ctime_ns) {
    return known.closure;
  }
  ASSIGN_OR_RETURN(Closure closure, Find(path, env, 0));
  known = {st.st_dev, st.st_ino, ctime_ns, std::make_shared<const Closure>(std::move(closure))};
  return known.closure;
}

Result<Closure> ProgramClosures::Find(const std::string& path, const std::vector<std::string>& env,
                                      int scripts) {
  Closure out;
  out.files.push_back(path);
  ASSIGN_OR_RETURN(const std::string head, ReadHead(path));
  if (head.starts_with("#!")) {
    out.interpreter = InterpreterWords(head);
    if (out.interpreter.empty() || scripts >= kMaxScripts) return out;
    auto needed = Find(out.interpreter[0], env, scripts + 1);
    if (!needed) return std::move(needed).error().With(path);
    Merge(out, *needed);
    if (!needed->interpreter.empty()) {
      std::vector<std::string> words = needed->interpreter;
      words.insert(words.end(), out.interpreter.begin(), out.interpreter.end());
      out.interpreter = std::move(words);
    }
    if (BaseName(out.interpreter[0]) != "env" || out.interpreter.size() < 2) return out;
    const std::string target = FindInPath(EnvTarget(out.interpreter[1]), env);
    if (target.empty()) return out;
    ASSIGN_OR_RETURN(const Closure found, Find(target, env, scripts + 1));
    Merge(out, found);
    return out;
  }
  const auto elf = compiler::ReadElfProgram(path);
  if (!elf || !elf->is_x86_64) return out;
  const bool is_library = elf->interpreter.empty();
  if (is_library && BaseName(path).find(".so") == std::string_view::npos) return out;
  const std::string loader = is_library ? kLoader : elf->interpreter;
  std::vector<std::string> loader_env;
  if (const char* dirs = session::FindVariable(env, "LD_LIBRARY_PATH")) {
    loader_env.push_back(std::string("LD_LIBRARY_PATH=") + dirs);
  }
  if (!is_library) out.files.push_back(loader);
  auto libraries = compiler::ListLibraries(path, loader, loader_env);
  if (!libraries) {
    // A plugin may count on what its host has loaded.
    return is_library ? Result<Closure>(std::move(out)) : std::move(libraries).error();
  }
  for (const std::string& library : *libraries) {
    AddOnce(out.files, library);
    AddOnce(out.library_dirs, std::string(DirName(library)));
  }
  return out;
}

}  // namespace llama::daemon
