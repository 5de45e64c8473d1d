#include "client/invocation.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"
#include "base/file_identity.h"

namespace llama::client {
namespace {

// What execvp(3) searches when there is no PATH.
constexpr char kDefaultPath[] = "/bin:/usr/bin";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Resolver {
 public:
  explicit Resolver(const Surroundings& surroundings) : surroundings_(surroundings) {
    self_ = IdOf(surroundings.self);
  }

  struct Found {
    std::string program;  // empty: there is none
    std::string path;     // PATH without our own folders
  };

  // The first `name` in PATH that is not ourselves; a name with a slash is its own path, unless
  // that is one of our links (which CMake finds and calls by its path). A folder is our own if
  // `name` or cc is ourselves there; such folders stand ahead of the compiler, so what comes behind
  // it is not looked at: every look is a system call, and there is a wrapper for every compile.
  Found Find(std::string_view name) const {
    Found found;
    if (name.find('/') != std::string_view::npos) {
      found.program = JoinPath(surroundings_.cwd, name);
      const Kind kind = KindOf(found.program);
      if (kind == Kind::kNone) return {};
      if (kind == Kind::kSelf) found.program.clear();
      name = BaseName(name);
    }
    const bool by_path = !found.program.empty();
    bool first = true;
    for (const std::string_view dir : SplitPath(Path())) {
      // It may be gone for a moment: once it is back, gcc would look for its own parts beside us.
      if (!dir.empty() && dir == surroundings_.masquerade) continue;
      if (by_path || found.program.empty()) {
        std::string candidate = Candidate(dir, name);
        const Kind kind = KindOf(candidate);
        if (kind == Kind::kProgram && !by_path) found.program = std::move(candidate);
        if (kind == Kind::kSelf) continue;
        if (name != "cc" && KindOf(Candidate(dir, "cc")) == Kind::kSelf) continue;
      }
      if (!first) found.path.push_back(':');
      first = false;
      found.path.append(dir);
    }
    return found;
  }

  const std::string& cwd() const { return surroundings_.cwd; }

 private:
  enum class Kind : unsigned char { kNone, kProgram, kSelf };

  std::string_view Path() const {
    return surroundings_.path == nullptr ? kDefaultPath : surroundings_.path;
  }
  // An empty entry is the working directory.
  std::string Candidate(std::string_view dir, std::string_view name) const {
    return JoinPath(JoinPath(surroundings_.cwd, dir.empty() ? "." : dir), name);
  }
  Kind KindOf(const std::string& path) const {
    struct stat st {};
    if (stat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) return Kind::kNone;
    if (self_ == IdOf(st)) return Kind::kSelf;
    return access(path.c_str(), X_OK) == 0 ? Kind::kProgram : Kind::kNone;
  }

  const Surroundings& surroundings_;
  FileId self_;
};

// A compiler that we don't know by name (nvcc, icpx, a script) is taken for one if it is a program
// and its name is not that of a source, an object or a library: those have an extension.
bool MayBeProgram(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot + 1 == name.size() || !IsLetter(name[dot + 1]);
}

// `name` as called, `args` what follows.
Result<Invocation> Finish(const Resolver& resolver, const std::string& name,
                          std::vector<std::string> args) {
  Invocation invocation;
  Resolver::Found found = resolver.Find(name);
  if (found.program.empty()) return Error{Code::kNotFound, name + ": command not found"};
  invocation.program = std::move(found.program);
  invocation.path = std::move(found.path);
  invocation.argv = std::move(args);
  // By the path of our link, gcc would look for its own parts beside it.
  const bool moved =
      name.find('/') != std::string::npos && invocation.program != JoinPath(resolver.cwd(), name);
  invocation.argv.insert(invocation.argv.begin(), moved ? invocation.program : name);
  return invocation;
}

}  // namespace

std::vector<std::string_view> SplitPath(std::string_view path) {
  std::vector<std::string_view> dirs;
  while (true) {
    const size_t colon = path.find(':');
    dirs.push_back(path.substr(0, colon));
    if (colon == std::string_view::npos) return dirs;
    path.remove_prefix(colon + 1);
  }
}

bool IsWrapper(std::string_view name) { return name == "llamacc" || name == "llamac++"; }

bool LooksLikeCompiler(std::string_view name) {
  // -14, -4.9, -12.2.0
  const size_t digits = name.find_last_not_of("0123456789.");
  if (digits != std::string_view::npos && digits + 1 < name.size() && name[digits] == '-' &&
      IsDigit(name[digits + 1])) {
    name = name.substr(0, digits);
  }
  constexpr auto kStems = std::to_array<std::string_view>(
      {"gcc", "g++", "cc", "c++", "clang", "clang++", "c89", "c99"});
  return std::any_of(kStems.begin(), kStems.end(), [&](std::string_view stem) {
    return name.ends_with(stem) &&
           (name.size() == stem.size() || name[name.size() - stem.size() - 1] == '-');
  });
}

Result<Invocation> ResolveInvocation(const std::vector<std::string>& argv,
                                     const Surroundings& surroundings) {
  if (argv.empty()) return Error{Code::kInvalid, "called without a name"};
  const Resolver resolver(surroundings);
  const std::string called(BaseName(argv[0]));
  std::vector<std::string> args(argv.begin() + 1, argv.end());
  if (!IsWrapper(called)) {
    Result<Invocation> next = Finish(resolver, called, std::move(args));
    if (next && argv[0].find('/') != std::string::npos) next->argv[0] = next->program;
    return next;
  }
  if (!args.empty() && !args[0].empty() && args[0][0] != '-' && args[0][0] != '@') {
    const std::string_view name = BaseName(args[0]);
    // A launcher before a compiler that is ourselves already: then that is how we were called.
    if (IsWrapper(name)) return ResolveInvocation(args, surroundings);
    if (LooksLikeCompiler(name) ||
        (MayBeProgram(name) && !resolver.Find(args[0]).program.empty())) {
      const std::string compiler = args[0];
      args.erase(args.begin());
      return Finish(resolver, compiler, std::move(args));
    }
  }
  const bool cxx = called == "llamac++";
  const char* chosen = cxx ? surroundings.local_cxx : surroundings.local_cc;
  if (chosen == nullptr || *chosen == '\0') chosen = cxx ? "c++" : "cc";
  return Finish(resolver, chosen, std::move(args));
}

}  // namespace llama::client
