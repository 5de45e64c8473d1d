#include "daemon/jobs/job_inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "execute/verify.h"
#include "session/environment.h"

namespace llama::daemon {
namespace {

using trace::Value;

// A source beyond this travels through the store, like any other input.
constexpr uint64_t kMaxInlineSourceBytes = 3 << 20;
// Of names of inputs in the trace, together.
constexpr size_t kMaxRecordedBytes = 64 << 10;
constexpr size_t kMaxFlagBytes = 4 << 10;

// $PWD if it names the working directory, as compilers take it for DW_AT_comp_dir.
std::string LogicalCwd(const session::Compile& request) {
  const std::string pwd = Variable(request.env, "PWD");
  struct stat a {};
  struct stat b {};
  if (pwd.starts_with('/') && stat(pwd.c_str(), &a) == 0 && stat(request.cwd.c_str(), &b) == 0 &&
      a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
    return pwd;
  }
  return request.cwd;
}

// What a command that runs here reads and writes, as far as the build's graph needs to know.
void RecordFiles(const compiler::Command& command, trace::Span& root) {
  const bool is_link = command.local_reason == "link";
  if (!command.depfile.empty()) root.Set("depfile", command.depfile);
  if (command.object_given) {
    root.Set("object", command.object);
  } else if (is_link) {
    root.Set("object", "a.out");
  }
  if (!is_link) return;
  std::string inputs;
  for (const compiler::Arg& arg : command.args) {
    if (arg.kind != compiler::ArgKind::kSource) continue;
    if (inputs.size() + arg.path.size() >= kMaxRecordedBytes) break;
    inputs.append(inputs.empty() ? "" : "\n").append(arg.path);
  }
  root.Set("inputs", std::move(inputs));
}

// What makes one build's compiles unlike another's: the options by which the compiler generates
// code. Definitions and folders are left out: they may be long, and hold what is nobody's business.
void RecordFlags(const compiler::Command& command, trace::Span& root) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"-O", "-g", "-f", "-m", "-std="};
  std::string flags;
  for (const compiler::Arg& arg : command.args) {
    if (arg.kind != compiler::ArgKind::kPlain && arg.kind != compiler::ArgKind::kHostNative) {
      continue;
    }
    const std::string& word = arg.words.front();
    if (arg.words.size() != 1 || word.find(' ') != std::string::npos) continue;
    if (std::none_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return word.starts_with(prefix); })) {
      continue;
    }
    if (flags.size() + word.size() >= kMaxFlagBytes) break;
    flags.append(flags.empty() ? "" : " ").append(word);
  }
  root.Set("flags", std::move(flags));
}

Error InputReason(const Error& error) { return LocalReason("input", error.message); }

}  // namespace

Error LocalReason(std::string word, std::string_view detail) {
  if (!detail.empty()) word.append(": ").append(detail);
  return Error{Code::kRemoteFailed, std::move(word)};
}

std::string Variable(const std::vector<std::string>& env, std::string_view name) {
  const char* value = session::FindVariable(env, name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<void> JobInputs::Parse(trace::Span& root) {
  const std::vector<std::string> args(request_.argv.begin() + (request_.argv.empty() ? 0 : 1),
                                      request_.argv.end());
  compiler::ParseOptions options;
  options.cwd = request_.cwd;
  options.remote_assemble = Variable(request_.env, "LLAMACC_REMOTE_ASSEMBLE") != "0";
  const std::string_view name = BaseName(request_.compiler);
  options.is_clang = name.find("clang") != std::string_view::npos;
  options.is_cxx_driver = name.find("++") != std::string_view::npos;
  // A first look decides most local runs without asking the compiler anything.
  command_ = compiler::Parse(args, options);
  root.Set("source", command_.source);
  root.Set("cwd", request_.cwd);
  if (!command_.local_reason.empty()) {
    RecordFiles(command_, root);
    return LocalReason(command_.local_reason);
  }

  TRY(FindToolchain());
  const bool is_clang = toolchain_->family == compiler::Family::kClang;
  if (is_clang != options.is_clang || toolchain_->is_cxx_driver != options.is_cxx_driver) {
    options.is_clang = is_clang;
    options.is_cxx_driver = toolchain_->is_cxx_driver;
    command_ = compiler::Parse(args, options);
    if (!command_.local_reason.empty()) return LocalReason(command_.local_reason);
  }

  compiler::PlanRequest plan;
  plan.command = &command_;
  plan.toolchain = toolchain_.get();
  plan.toolchains = shared_.toolchains;
  plan.env = request_.env;
  plan.cwd = request_.cwd;
  plan.pwd = LogicalCwd(request_);
  plan.stderr_is_terminal = request_.stderr_is_terminal;
  plan_ = compiler::MakePlan(plan);
  root.Set("object", command_.object);
  if (!command_.depfile.empty()) root.Set("depfile", command_.depfile);
  RecordFlags(command_, root);
  if (!plan_.local_reason.empty()) return LocalReason(plan_.local_reason);
  return {};
}

Result<void> JobInputs::FindToolchain() {
  auto toolchain = shared_.toolchains->Get(request_.compiler, request_.env);
  if (!toolchain) return LocalReason("toolchain", toolchain.error().message);
  toolchain_ = std::move(*toolchain);
  auto tree = shared_.toolchain_trees->Get(toolchain_);
  if (!tree) return LocalReason("toolchain", tree.error().message);
  toolchain_tree_ = std::move(*tree);
  return {};
}

Result<void> JobInputs::Scan(trace::Span& root, trace::Span& span,
                             const std::function<bool()>& cancelled) {
  scan::ScanRequest scan;
  scan.command = &command_;
  scan.toolchain = toolchain_.get();
  scan.argv0 = request_.argv.empty() ? request_.compiler : request_.argv[0];
  scan.env = request_.env;
  scan.cwd = request_.cwd;
  scan.cancelled = cancelled;
  const execute::Semaphore::Hold hold(*shared_.cpu, cancelled);
  if (!hold.held()) return Error{Code::kCancelled, "cancelled"};
  const auto inputs = shared_.finder->Find(scan);
  if (!inputs) {
    // What the preprocessor finds wrong with the code is the local compiler's to report.
    if (inputs.error().code == Code::kRemoteFailed) return LocalReason("preprocess-failed");
    return LocalReason("scan-failed", inputs.error().message);
  }
  root.Set("rung", inputs->rung);
  span.Set("rung", inputs->rung);
  span.Set("files", Value(static_cast<int64_t>(inputs->files.size())));
  return Walk(inputs->files);
}

Result<void> JobInputs::Walk(const std::vector<std::string>& files) {
  walker_ = files::PathWalker::Create(*shared_.digests);
  auto source = walker_->Add(JoinPath(request_.cwd, command_.source));
  if (!source) return InputReason(source.error());
  source_path_ = std::move(*source);
  for (const std::string& file : files) {
    const auto added = walker_->Add(JoinPath(request_.cwd, file));
    if (!added) return InputReason(added.error());
  }
  std::vector<std::string> optional = plan_.paths;
  const auto learned = shared_.toolchain_trees->Learned(toolchain_);
  optional.insert(optional.end(), learned.begin(), learned.end());
  optional.push_back(request_.cwd);
  optional.push_back(LogicalCwd(request_));
  for (const std::string& path : optional) {
    const auto added = walker_->Add(JoinPath(request_.cwd, path));
    if (!added && added.error().code != Code::kNotFound) return InputReason(added.error());
  }
  TRY(WalkOutputs());
  if ((walker_->text_flags() & files::kMentionsTimestamp) != 0) {
    return LocalReason("timestamp-macro");
  }
  wanted_ = walker_->manifest();
  TRY(TakeSource());
  for (const auto& [path, tool] : toolchain()) {
    const auto same = wanted_.find(path);
    if (same != wanted_.end() && same->second == tool) wanted_.erase(same);
  }
  return {};
}

Result<void> JobInputs::WalkOutputs() {
  rules_ = OutputRules{};
  rules_.stems = plan_.output_stems;
  rules_.family = toolchain_->family;
  rules_.umask = request_.umask;
  auto object = walker_->AddParents(plan_.object);
  if (!object) return LocalReason("output", object.error().message);
  rules_.object = std::move(*object);
  if (!plan_.depfile.empty()) {
    auto depfile = walker_->AddParents(plan_.depfile);
    if (!depfile) return LocalReason("output", depfile.error().message);
    rules_.depfile = std::move(*depfile);
  }
  for (const std::string& dir : plan_.output_dirs) {
    auto added = walker_->Add(dir);
    if (!added) return LocalReason("output", added.error().message);
    rules_.dirs.push_back(std::move(*added));
  }
  return {};
}

Result<void> JobInputs::TakeSource() {
  source_ = {};
  const auto entry = wanted_.find(source_path_);
  if (entry == wanted_.end() || entry->second.type != tree::EntryType::kFile) {
    return LocalReason("source-not-a-file");
  }
  if (entry->second.size_bytes > kMaxInlineSourceBytes) return {};
  auto bytes = ReadFile(source_path_, kMaxInlineSourceBytes);
  if (!bytes) return InputReason(bytes.error());
  source_ = {source_path_, entry->second.executable, std::move(*bytes)};
  wanted_.erase(entry);
  return {};
}

// Whether the job's view had this path with exactly this entry.
bool JobInputs::IsKnown(const std::string& path, const tree::Entry& entry) const {
  if (path == source_.path) return true;  // digested in the walk that it was read in
  for (const tree::Manifest* manifest : {&wanted_, &toolchain()}) {
    const auto mine = manifest->find(path);
    if (mine != manifest->end()) return mine->second == entry;
  }
  return shared_.index->Missing({{path, entry}}).empty();
}

bool JobInputs::IsOwnOutput(const std::string& path) const {
  return path == plan_.object || path == plan_.depfile || IsAllowedOutput(rules_, path);
}

Result<bool> JobInputs::Correct(const job::Answer& answer, std::string& example) {
  if (!answer.lookups_complete) return LocalReason("lookups-unrecorded");
  auto verified = execute::Verify(
      {&answer.found, &answer.absent}, *walker_,
      [&](const auto& path, const auto& entry) { return IsKnown(path, entry); },
      [&](const auto& path) { return IsOwnOutput(path); });
  if (!verified) return LocalReason("verify", verified.error().message);
  if (verified->news.empty()) return false;
  if ((walker_->text_flags() & files::kMentionsTimestamp) != 0) {
    return LocalReason("timestamp-macro");
  }
  example = verified->example;
  LOG(kDebug, "verify: " + command_.source + ": the view lacked " + example);
  shared_.toolchain_trees->Learn(toolchain_, verified->news);
  for (auto& [path, entry] : verified->news) {
    if (path != source_.path) wanted_.insert_or_assign(path, entry);
  }
  return true;
}

void JobInputs::FillJob(job::Job& job) const {
  if (!source_.path.empty()) job.files.push_back(source_);
  job.program = toolchain_tree_->program;
  job.argv = plan_.argv;
  job.env = plan_.env;
  job.cwd = plan_.cwd;
  job.umask = request_.umask;
  job.output_dirs = rules_.dirs;
  job.record_reads = toolchain_->can_preload;
  for (const std::string* path : {&rules_.object, &rules_.depfile}) {
    struct stat st {};
    if (!path->empty() && lstat(path->c_str(), &st) == 0) job.placeholders.push_back(*path);
  }
}

}  // namespace llama::daemon
