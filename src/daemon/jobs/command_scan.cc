#include "daemon/jobs/command_scan.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/file.h"
#include "base/root_mark.h"
#include "compiler/environment.h"
#include "files/path_walker.h"
#include "session/environment.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Reason;

// Up to these, of one file and of all together, files travel in the job itself: an object for each
// would cost more than they do. A larger one that stands at its own path goes into the tree.
constexpr uint64_t kMaxInlineFileBytes = 1 << 20;
constexpr uint64_t kMaxInlineBytes = 4 << 20;
// Of what can't go into the tree, since it stands elsewhere there.
constexpr uint64_t kMaxMovedBytes = 128 << 20;
constexpr size_t kMaxFiles = 20'000;
constexpr int kMaxDepth = 100;
constexpr const char* kLocaleDir = "/usr/lib/locale";

const std::string& Root() {
  static const std::string root(1, kRootMark);
  return root;
}

bool IsUtf8(const std::vector<std::string>& env) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = session::FindVariable(env, name);
    if (value == nullptr || *value == '\0') continue;
    std::string lower(value);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return lower.find("utf-8") != lower.npos || lower.find("utf8") != lower.npos;
  }
  return false;
}

std::string LocaleOf(const std::vector<std::string>& env) {
  if (!IsUtf8(env)) return "";
  for (const char* name : {"/C.utf8", "/C.UTF-8"}) {
    const std::string dir = std::string(kLocaleDir) + name;
    if (IsDirectory(dir)) return dir;
  }
  return "";
}

std::string JoinRooted(const std::vector<std::string>& dirs) {
  std::string out;
  for (const std::string& dir : dirs) {
    if (!out.empty()) out += ':';
    if (dir.starts_with('/')) out += kRootMark;
    out += dir;
  }
  return out;
}

class Scanner {
 public:
  Scanner(const session::RunCommand& request, const ProgramQuery& query, const Services& services)
      : request_(request),
        query_(query),
        services_(services),
        walker_(*services.digests, *services.file_system),
        looked_ns_(services.clock->NowNs()) {}

  Result<void> Walk() {
    if (request_.in_image) {
      tree_ = std::make_shared<const ProgramTree>();
    } else {
      TRY(WalkProgram());
    }
    for (const session::CommandInput& input : request_.inputs) TRY(TakeInput(input));
    const auto cwd = walker_.Add(request_.cwd);
    if (!cwd && cwd.error().code != Code::kNotFound) return cwd.error();
    return {};
  }

  ScannedCommand Take(trace::Span& span) {
    auto closure = std::make_shared<execute::Closure>();
    closure->common = tree_->system;
    closure->looked_ns = looked_ns_;
    // Folders and links of the command's own are its own, too: in a layer they would stay for the
    // next.
    for (const auto& [path, entry] : walker_.manifest()) {
      const auto same = tree_->system->find(path);
      if (same != tree_->system->end() && same->second == entry) continue;
      const bool is_file = entry.type == tree::EntryType::kFile;
      (is_file ? closure->own : closure->inline_links).emplace(path, entry);
    }
    for (const tree::InlineFile& file : files_) closure->own.erase(file.path);
    for (const auto& [path, entry] : closure->own) {
      const auto stamp = walker_.stamps().find(path);
      if (stamp != walker_.stamps().end()) closure->stamps.insert(*stamp);
    }
    own_ = &closure->own;
    span.Set(trace::field::kFiles, file_count_);
    span.Set(trace::field::kInlineBytes, inline_bytes_);
    ScannedCommand out{MakeAction(), tree_};
    out.action.inline_files = std::move(files_);
    out.action.closure = std::move(closure);
    return out;
  }

 private:
  execute::Action MakeAction() const {
    execute::Action action;
    action.any_command = true;
    action.in_image = request_.in_image;
    action.record_lookups = !request_.in_image;
    action.program = request_.in_image ? request_.program : tree_->program;
    std::vector<std::string> argv = request_.argv;
    if (!tree_->interpreter.empty()) {
      argv = tree_->interpreter;
      argv[0].insert(0, 1, kRootMark);
      argv.push_back(Root() + request_.program);
      argv.insert(argv.end(), request_.argv.begin() + 1, request_.argv.end());
    }
    for (const std::string& word : argv) action.argv.push_back(Rooted(word));
    action.env = Environment();
    action.cwd = request_.cwd;
    action.umask = request_.umask;
    action.timeout_ms = request_.timeout_ms;
    action.input = request_.input;
    action.outputs.umask = request_.umask;
    for (const session::CommandOutput& output : request_.outputs) {
      action.outputs.announced.push_back({output.remote, output.local, output.is_tree});
    }
    return action;
  }

  Result<void> WalkProgram() {
    ASSIGN_OR_RETURN(tree_, services_.programs->Get(query_));
    for (const std::string& path : tree_->others) {
      const auto added = walker_.Add(path);
      if (!added && path == request_.program) return added.error();
    }
    const std::string locale = LocaleOf(query_.env);
    const auto names = locale.empty() ? std::vector<std::string>() : ListDir(locale).value();
    for (const std::string& name : names) {
      struct stat st {};
      const std::string path = JoinPath(locale, name);
      if (stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode)) TRY(walker_.Add(path));
    }
    if (!locale.empty()) TRY(walker_.Add(JoinPath(locale, "LC_MESSAGES/SYS_LC_MESSAGES")));
    return {};
  }

  Result<void> TakeInput(const session::CommandInput& input) {
    struct stat st {};
    if (stat(input.local.c_str(), &st) != 0) return ErrnoError(errno, input.local);
    if (S_ISDIR(st.st_mode)) return TakeFolder(input, 0);
    if (!S_ISREG(st.st_mode)) {
      return Error{Code::kInvalid, input.local + ": neither a regular file nor a directory"};
    }
    return TakeFile(input, static_cast<uint64_t>(st.st_size), (st.st_mode & 0111) != 0);
  }

  // Links below it are followed to files, never to directories: those may lead round in circles.
  Result<void> TakeFolder(const session::CommandInput& input, int depth) {
    if (depth > kMaxDepth) return Error{Code::kInvalid, input.local + ": nested too deeply"};
    ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(input.local));
    for (const std::string& name : names) {
      const session::CommandInput inner{JoinPath(input.local, name), JoinPath(input.remote, name),
                                        input.is_shared};
      struct stat st {};
      if (lstat(inner.local.c_str(), &st) != 0) continue;
      if (S_ISDIR(st.st_mode)) {
        TRY(TakeFolder(inner, depth + 1));
        continue;
      }
      if (stat(inner.local.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
      TRY(TakeFile(inner, static_cast<uint64_t>(st.st_size), (st.st_mode & 0111) != 0));
    }
    return {};
  }

  Result<void> TakeFile(const session::CommandInput& input, uint64_t size_bytes, bool executable) {
    if (++file_count_ > kMaxFiles) {
      return Error{Code::kInvalid,
                   input.local + ": more than " + std::to_string(kMaxFiles) + " files"};
    }
    std::string path = input.remote;
    const bool moved = input.local != input.remote;
    if (!moved) {
      ASSIGN_OR_RETURN(path, walker_.AddParents(input.local));
    }
    if (!tree::IsCanonicalPath(path)) return Error{Code::kInvalid, path + ": no path for a file"};
    const bool fits = !(input.is_shared && !moved) && size_bytes <= kMaxInlineFileBytes &&
                      inline_bytes_ + size_bytes <= kMaxInlineBytes;
    if (!fits && !moved) {
      const auto real = RealPath(input.local);
      if (real && *real == path) {
        ASSIGN_OR_RETURN(path, walker_.Add(input.local));
        return {};
      }
    }
    if (!fits && inline_bytes_ + size_bytes > kMaxMovedBytes) {
      return Error{Code::kInvalid, input.local + ": too large to be sent under another name (" +
                                       std::to_string(size_bytes) + " bytes)"};
    }
    ASSIGN_OR_RETURN(std::string bytes, ReadFile(input.local, kMaxMovedBytes));
    inline_bytes_ += bytes.size();
    std::erase_if(files_, [&](const tree::InlineFile& file) { return file.path == path; });
    files_.push_back({std::move(path), executable, std::move(bytes)});
    return {};
  }

  // Whether the path names something that the worker has because the user said so.
  bool IsShipped(const std::string& path) const {
    const auto at_or_below = [&](const std::string& dir) {
      return path == dir || tree::IsBelow(path, dir);
    };
    return path == request_.cwd || path == request_.program || own_->contains(path) ||
           tree_->system->contains(path) ||
           std::any_of(request_.inputs.begin(), request_.inputs.end(),
                       [&](const auto& input) { return at_or_below(input.remote); }) ||
           std::any_of(request_.outputs.begin(), request_.outputs.end(),
                       [&](const auto& output) { return at_or_below(output.remote); });
  }

  // "/a/b" and "--file=/a/b" that name such a path. A path in the middle of other text, such as a
  // shell's script, is found by the recorder's re-rooting.
  std::string Rooted(const std::string& argument) const {
    const size_t equals = argument.starts_with('/') ? argument.npos : argument.find('=');
    const size_t start = equals == argument.npos ? 0 : equals + 1;
    std::string path = argument.substr(start);
    if (path.size() < 2 || path[0] != '/') return argument;
    if (path.ends_with('/')) path.pop_back();
    if (!IsShipped(path)) return argument;
    std::string out = argument;
    return out.insert(start, 1, kRootMark);
  }

  std::vector<std::string> LibraryPath() const {
    std::vector<std::string> dirs;
    if (const char* own = session::FindVariable(query_.env, "LD_LIBRARY_PATH")) {
      dirs = SplitSearchPath(own);
    }
    for (const std::string& dir : tree_->library_dirs) {
      if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(dir);
    }
    return dirs;
  }

  std::vector<std::string> Environment() const {
    std::vector<std::string> env;
    if (const char* epoch = session::FindVariable(query_.env, "SOURCE_DATE_EPOCH")) {
      env.push_back(std::string("SOURCE_DATE_EPOCH=") + epoch);
    }
    env.push_back("PWD=" + Root() + request_.cwd);
    if (!request_.in_image) {
      const char* path = session::FindVariable(query_.env, "PATH");
      env.push_back("PATH=" + JoinRooted(SplitSearchPath(path == nullptr ? "" : path)));
      env.push_back("LD_LIBRARY_PATH=" + JoinRooted(LibraryPath()));
      env.push_back("LLAMA_LOOKUP_ROOT=" + Root());
      const bool utf8 = !LocaleOf(query_.env).empty();
      env.push_back(utf8 ? "LC_ALL=C.UTF-8" : "LC_ALL=C");
      if (utf8) env.push_back("LOCPATH=" + Root() + kLocaleDir);
      const std::string zone = compiler::PosixTimeZone(session::FindVariable(query_.env, "TZ"));
      if (!zone.empty()) env.push_back("TZ=" + zone);
      // What it compiles of its library would be thrown away.
      env.emplace_back("PYTHONDONTWRITEBYTECODE=1");
    }
    for (const std::string& variable : request_.overrides) {
      const std::string name = variable.substr(0, variable.find('=') + 1);
      const bool is_search_path = name == "PATH=" || name == "LD_LIBRARY_PATH=";
      if (is_search_path && !request_.in_image) continue;  // in them already, re-rooted
      std::erase_if(env, [&](const std::string& old) { return old.starts_with(name); });
      env.push_back(variable);
    }
    return env;
  }

  const session::RunCommand& request_;
  const ProgramQuery& query_;
  const Services& services_;
  files::PathWalker walker_;
  const int64_t looked_ns_;
  std::shared_ptr<const ProgramTree> tree_;
  const tree::Manifest* own_ = nullptr;  // of the closure that is being made
  std::vector<tree::InlineFile> files_;
  uint64_t inline_bytes_ = 0;
  size_t file_count_ = 0;
};

}  // namespace

ProgramQuery QueryOf(const session::RunCommand& request) {
  ProgramQuery query{request.program, request.env};
  for (const std::string& variable : request.overrides) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(query.env, [&](const std::string& old) { return old.starts_with(name); });
    query.env.push_back(variable);
  }
  return query;
}

OrReason<ScannedCommand> ScanCommand(const session::RunCommand& request, const ProgramQuery& query,
                                     const Services& services,
                                     const std::function<bool()>& cancelled, trace::Span& span) {
  const admission::CpuAdmission::Hold hold(*services.cpu, cancelled);
  if (!hold.held()) return Reason{"cancelled", {}, Code::kCancelled};
  Scanner scanner(request, query, services);
  if (auto walked = scanner.Walk(); !walked) {
    // Its user reads what is wrong with the file, not in which step it was found.
    return Reason{walked.error().message, {}};
  }
  return scanner.Take(span);
}

bool LearnFrom(const session::RunCommand& request, const ProgramQuery& query,
               const ScannedCommand& scanned, const execute::Lookups& lookups,
               ProgramTrees& programs, std::vector<std::string>& refused) {
  if (request.in_image) return false;
  std::set<std::string> own;
  for (const tree::InlineFile& file : scanned.action.inline_files) own.insert(file.path);
  for (const session::CommandOutput& output : request.outputs) own.insert(output.remote);
  ProgramTrees::Lookups learned{{}, &lookups.found, &lookups.listed};
  for (const std::string& path : lookups.absent) {
    if (!own.contains(path)) learned.absent.push_back(path);
  }
  refused.clear();
  return programs.Learn(query, *scanned.tree, learned, refused);
}

}  // namespace llama::daemon
