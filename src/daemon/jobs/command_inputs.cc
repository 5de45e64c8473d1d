#include "daemon/jobs/command_inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "base/file.h"
#include "compiler/environment.h"
#include "session/environment.h"

namespace llama::daemon {
namespace {

using trace::Value;

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
  static const std::string root(1, job::kRootMark);
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
    struct stat st {};
    const std::string dir = std::string(kLocaleDir) + name;
    if (stat(dir.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return dir;
  }
  return "";
}

std::string JoinRooted(const std::vector<std::string>& dirs) {
  std::string out;
  for (const std::string& dir : dirs) {
    if (!out.empty()) out += ':';
    if (dir.starts_with('/')) out += job::kRootMark;
    out += dir;
  }
  return out;
}

}  // namespace

CommandInputs::CommandInputs(const Shared& shared, const session::RunCommand& request)
    : shared_(shared), request_(request) {
  query_.program = request.program;
  query_.env = request.env;
  for (const std::string& variable : request.overrides) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    std::erase_if(query_.env, [&](const std::string& old) { return old.starts_with(name); });
    query_.env.push_back(variable);
  }
}

Result<void> CommandInputs::Walk(trace::Span& span, const std::function<bool()>& cancelled) {
  const execute::Semaphore::Hold hold(*shared_.cpu, cancelled);
  if (!hold.held()) return Error{Code::kCancelled, "cancelled"};
  walker_ = files::PathWalker::Create(*shared_.digests);
  files_.clear();
  links_.clear();
  wanted_.clear();
  inline_bytes_ = 0;
  file_count_ = 0;
  if (request_.in_image) {
    tree_ = std::make_shared<const ProgramTree>();
  } else {
    TRY(WalkProgram());
  }
  for (const session::CommandInput& input : request_.inputs) TRY(TakeInput(input));
  const auto cwd = walker_->Add(request_.cwd);
  if (!cwd && cwd.error().code != Code::kNotFound) return cwd.error();
  // Folders and links of the job's own are its own, too: in a layer they would stay for the next.
  for (const auto& [path, entry] : walker_->manifest()) {
    const auto same = tree_->system.find(path);
    if (same != tree_->system.end() && same->second == entry) continue;
    if (entry.type == tree::EntryType::kFile) wanted_.emplace(path, entry);
    if (entry.type == tree::EntryType::kDir) links_.push_back({path, ""});
    if (entry.type == tree::EntryType::kSymlink) links_.push_back({path, entry.target});
  }
  for (const job::JobFile& file : files_) wanted_.erase(file.path);
  span.Set("files", Value(static_cast<int64_t>(file_count_)));
  span.Set("inline_bytes", Value(static_cast<int64_t>(inline_bytes_)));
  return {};
}

Result<void> CommandInputs::WalkProgram() {
  ASSIGN_OR_RETURN(tree_, shared_.programs->Get(query_));
  for (const std::string& path : tree_->others) {
    const auto added = walker_->Add(path);
    if (!added && path == request_.program) return added.error();
  }
  const std::string locale = LocaleOf(query_.env);
  const auto names = locale.empty() ? std::vector<std::string>() : ListDir(locale).value();
  for (const std::string& name : names) {
    struct stat st {};
    const std::string path = JoinPath(locale, name);
    if (stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode)) TRY(walker_->Add(path));
  }
  if (!locale.empty()) TRY(walker_->Add(JoinPath(locale, "LC_MESSAGES/SYS_LC_MESSAGES")));
  return {};
}

Result<void> CommandInputs::TakeInput(const session::CommandInput& input) {
  struct stat st {};
  if (stat(input.local.c_str(), &st) != 0) return ErrnoError(errno, input.local);
  if (S_ISDIR(st.st_mode)) return TakeFolder(input, 0);
  if (!S_ISREG(st.st_mode)) {
    return Error{Code::kInvalid, input.local + ": neither a regular file nor a directory"};
  }
  return TakeFile(input, static_cast<uint64_t>(st.st_size), (st.st_mode & 0111) != 0);
}

// Links below it are followed to files, never to directories: those may lead round in circles.
Result<void> CommandInputs::TakeFolder(const session::CommandInput& input, int depth) {
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

Result<void> CommandInputs::TakeFile(const session::CommandInput& input, uint64_t size_bytes,
                                     bool executable) {
  if (++file_count_ > kMaxFiles) {
    return Error{Code::kInvalid,
                 input.local + ": more than " + std::to_string(kMaxFiles) + " files"};
  }
  std::string path = input.remote;
  const bool moved = input.local != input.remote;
  if (!moved) {
    ASSIGN_OR_RETURN(path, walker_->AddParents(input.local));
  }
  if (!tree::IsCanonicalPath(path)) return Error{Code::kInvalid, path + ": no path for a file"};
  const bool fits = !(input.is_shared && !moved) && size_bytes <= kMaxInlineFileBytes &&
                    inline_bytes_ + size_bytes <= kMaxInlineBytes;
  if (!fits && !moved) {
    const auto real = RealPath(input.local);
    if (real && *real == path) {
      ASSIGN_OR_RETURN(path, walker_->Add(input.local));
      return {};
    }
  }
  if (!fits && inline_bytes_ + size_bytes > kMaxMovedBytes) {
    return Error{Code::kInvalid, input.local + ": too large to be sent under another name (" +
                                     std::to_string(size_bytes) + " bytes)"};
  }
  ASSIGN_OR_RETURN(std::string bytes, ReadFile(input.local, kMaxMovedBytes));
  inline_bytes_ += bytes.size();
  const auto twice = std::find_if(files_.begin(), files_.end(),
                                  [&](const job::JobFile& file) { return file.path == path; });
  if (twice != files_.end()) files_.erase(twice);
  files_.push_back({std::move(path), executable, std::move(bytes)});
  return {};
}

bool CommandInputs::Correct(const job::Answer& answer) {
  if (request_.in_image) return false;
  const auto is_own = [&](const std::string& path) {
    return std::any_of(files_.begin(), files_.end(),
                       [&](const job::JobFile& file) { return file.path == path; }) ||
           std::any_of(request_.outputs.begin(), request_.outputs.end(),
                       [&](const session::CommandOutput& output) { return output.remote == path; });
  };
  ProgramTrees::Lookups lookups{{}, &answer.found, &answer.listed};
  for (const std::string& path : answer.absent) {
    if (!is_own(path)) lookups.absent.push_back(path);
  }
  refused_.clear();
  return shared_.programs->Learn(query_, *tree_, lookups, refused_);
}

// Whether the path names something that the worker has because the user said so.
bool CommandInputs::IsShipped(const std::string& path) const {
  const auto at_or_below = [&](const std::string& dir) {
    return path == dir || tree::IsBelow(path, dir);
  };
  return path == request_.cwd || path == request_.program || wanted_.contains(path) ||
         tree_->system.contains(path) ||
         std::any_of(request_.inputs.begin(), request_.inputs.end(),
                     [&](const auto& input) { return at_or_below(input.remote); }) ||
         std::any_of(request_.outputs.begin(), request_.outputs.end(),
                     [&](const auto& output) { return at_or_below(output.remote); });
}

// "/a/b" and "--file=/a/b" that name such a path. A path in the middle of other text, such as a
// shell's script, is found by the recorder's re-rooting.
std::string CommandInputs::Rooted(const std::string& argument) const {
  const size_t equals = argument.starts_with('/') ? argument.npos : argument.find('=');
  const size_t start = equals == argument.npos ? 0 : equals + 1;
  std::string path = argument.substr(start);
  if (path.size() < 2 || path[0] != '/') return argument;
  if (path.ends_with('/')) path.pop_back();
  if (!IsShipped(path)) return argument;
  std::string out = argument;
  return out.insert(start, 1, job::kRootMark);
}

std::vector<std::string> CommandInputs::LibraryPath() const {
  std::vector<std::string> dirs;
  if (const char* own = session::FindVariable(query_.env, "LD_LIBRARY_PATH")) {
    dirs = SplitSearchPath(own);
  }
  for (const std::string& dir : tree_->library_dirs) {
    if (std::find(dirs.begin(), dirs.end(), dir) == dirs.end()) dirs.push_back(dir);
  }
  return dirs;
}

std::vector<std::string> CommandInputs::Environment() const {
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

void CommandInputs::FillJob(job::Job& job) const {
  job.any_command = true;
  job.files.insert(job.files.end(), files_.begin(), files_.end());
  job.links.insert(job.links.end(), links_.begin(), links_.end());
  job.in_image = request_.in_image;
  job.record_reads = !request_.in_image;
  job.program = request_.in_image ? request_.program : tree_->program;
  std::vector<std::string> argv = request_.argv;
  if (!tree_->interpreter.empty()) {
    argv = tree_->interpreter;
    argv[0].insert(0, 1, job::kRootMark);
    argv.push_back(Root() + request_.program);
    argv.insert(argv.end(), request_.argv.begin() + 1, request_.argv.end());
  }
  job.argv.clear();
  for (const std::string& word : argv) job.argv.push_back(Rooted(word));
  job.env = Environment();
  job.cwd = request_.cwd;
  job.umask = request_.umask;
  if (request_.timeout_ms > 0) job.timeout_ms = request_.timeout_ms;
  for (const session::CommandOutput& output : request_.outputs) {
    job.outputs.push_back({output.remote, output.is_tree});
  }
  job.input = request_.input;
}

}  // namespace llama::daemon
