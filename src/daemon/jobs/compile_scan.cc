#include "daemon/jobs/compile_scan.h"

#include <sys/stat.h>

#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/file.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Outputs;
using execute::Reason;

// A source beyond this travels through the store, like any other input.
constexpr uint64_t kMaxInlineSourceBytes = 3 << 20;

// A file that can't be walked or read as it was named.
Reason InputReason(const Error& error) { return {"input", error.message}; }

OrReason<scan::Inputs> FindInputs(const CompileScan& scan) {
  scan::ScanRequest ask;
  ask.command = &scan.parsed->command;
  ask.toolchain = scan.parsed->toolchain.get();
  ask.argv0 = scan.request->argv.empty() ? scan.request->compiler : scan.request->argv[0];
  ask.env = scan.request->env;
  ask.cwd = scan.request->cwd;
  ask.cancelled = scan.cancelled;
  auto inputs = scan.services->finder->Find(ask);
  if (inputs) return std::move(*inputs);
  // What the preprocessor finds wrong with the code is the local compiler's to report.
  if (inputs.error().code == Code::kRemoteFailed) return Reason{"preprocess-failed", {}};
  return execute::ReasonOf("scan-failed", std::move(inputs).error());
}

// The files, the folders that are searched, and the way to each.
class Walk {
 public:
  Walk(const CompileScan& scan, files::PathWalker& walker, execute::Shippable& shippable)
      : scan_(scan), walker_(walker), shippable_(shippable) {}

  // Gives the source's canonical path.
  OrReason<std::string> AddInputs(const std::vector<std::string>& files) {
    const std::string& cwd = scan_.request->cwd;
    auto source = walker_.Add(JoinPath(cwd, scan_.parsed->command.source));
    if (!source) return InputReason(source.error());
    for (const std::string& file : files) {
      const std::string path = JoinPath(cwd, file);
      const auto added = walker_.Add(path);
      if (!added) return InputReason(added.error());
      shippable_.AddFolder(std::string(DirName(path)));
    }
    std::vector<std::string> optional = scan_.plan->paths;
    for (std::string& path : scan_.services->toolchain_trees->Learned(scan_.parsed->toolchain)) {
      optional.push_back(std::move(path));
    }
    optional.push_back(cwd);
    optional.push_back(LogicalCwd(*scan_.request));
    for (const std::string& path : optional) {
      const auto added = walker_.Add(JoinPath(cwd, path));
      if (!added && added.error().code != Code::kNotFound) return InputReason(added.error());
      if (added) AddFolderOf(*added);
    }
    return std::move(*source);
  }

  OrReason<Outputs> AddOutputs() {
    Outputs outputs;
    outputs.stems = scan_.plan->output_stems;
    outputs.umask = scan_.request->umask;
    ASSIGN_OR_RETURN(outputs.object, AddOutput(scan_.plan->object));
    outputs.announced.push_back({outputs.object, outputs.object, false});
    if (!scan_.plan->depfile.empty()) {
      ASSIGN_OR_RETURN(outputs.depfile, AddOutput(scan_.plan->depfile));
      outputs.announced.push_back({outputs.depfile, outputs.depfile, false});
    }
    for (const std::string& dir : scan_.plan->output_dirs) {
      auto added = walker_.Add(dir);
      if (!added) return Reason{"output", added.error().message};
      outputs.dirs.push_back(std::move(*added));
    }
    return outputs;
  }

 private:
  void AddFolderOf(const std::string& canonical) {
    const auto entry = walker_.manifest().find(canonical);
    const bool is_file =
        entry != walker_.manifest().end() && entry->second.type == tree::EntryType::kFile;
    shippable_.AddFolder(is_file ? std::string(DirName(canonical)) : canonical);
  }
  OrReason<std::string> AddOutput(const std::string& path) {
    auto canonical = walker_.AddParents(path);
    if (!canonical) return Reason{"output", canonical.error().message};
    return std::move(*canonical);
  }

  const CompileScan& scan_;
  files::PathWalker& walker_;
  execute::Shippable& shippable_;
};

// Takes the source out of the layers: it is wanted once.
OrReason<void> TakeSource(const CompileScan& scan, const std::string& path,
                          execute::Closure& closure) {
  const auto entry = closure.own.find(path);
  if (entry == closure.own.end() || entry->second.type != tree::EntryType::kFile) {
    return Reason{"source-not-a-file", {}};
  }
  if (entry->second.size_bytes > kMaxInlineSourceBytes) return {};
  auto bytes = scan.services->file_system->ReadFile(path, kMaxInlineSourceBytes);
  if (!bytes) return InputReason(bytes.error());
  closure.inline_files.push_back({path, entry->second.executable, std::move(*bytes)});
  closure.own.erase(entry);
  return {};
}

}  // namespace

OrReason<ScannedCompile> ScanCompile(const CompileScan& scan, trace::Span& span) {
  const Services& services = *scan.services;
  const admission::CpuAdmission::Hold hold(*services.cpu, scan.cancelled);
  if (!hold.held()) return Reason{"cancelled", {}, Code::kCancelled};
  auto tree = services.toolchain_trees->Get(scan.parsed->toolchain);
  if (!tree) return Reason{"toolchain", tree.error().message};
  auto closure = std::make_shared<execute::Closure>();
  closure->common = (*tree)->manifest;
  closure->common_digest = (*tree)->digest;
  closure->looked_ns = services.clock->NowNs();

  ASSIGN_OR_RETURN(const scan::Inputs inputs, FindInputs(scan));
  span.Set(trace::field::kRung, inputs.rung);
  span.Set(trace::field::kFiles, inputs.files.size());
  ScannedCompile out{{},
                     scan.parsed->toolchain,
                     inputs.rung,
                     std::make_unique<files::PathWalker>(*services.digests, *services.file_system),
                     execute::Shippable(*services.file_system,
                                        std::string(VariableOr(scan.request->env, "HOME", "")))};
  Walk walk(scan, *out.walker, out.shippable);
  ASSIGN_OR_RETURN(const std::string source, walk.AddInputs(inputs.files));
  ASSIGN_OR_RETURN(out.action.outputs, walk.AddOutputs());
  if ((out.walker->text_flags() & files::kMentionsTimestamp) != 0) {
    return Reason{"timestamp-macro", {}};
  }
  closure->own = out.walker->manifest();
  closure->stamps = out.walker->stamps();
  TRY(TakeSource(scan, source, *closure));
  std::erase_if(closure->own, [&](const auto& item) {
    const auto same = closure->common->find(item.first);
    return same != closure->common->end() && same->second == item.second;
  });

  execute::Action& action = out.action;
  action.program = (*tree)->program;
  action.argv = scan.plan->argv;
  action.env = scan.plan->env;
  action.cwd = scan.plan->cwd;
  action.umask = scan.request->umask;
  action.record_lookups = scan.parsed->toolchain->can_preload;
  action.is_clang = scan.parsed->toolchain->family == compiler::Family::kClang;
  for (const Outputs::Announced& output : action.outputs.announced) {
    struct stat st {};
    if (services.file_system->Lstat(output.path, st) == 0) action.standing.push_back(output.path);
  }
  action.closure = std::move(closure);
  return out;
}

OrReason<void> AddToClosure(execute::Lacked lacked, ScannedCompile& scanned) {
  if ((scanned.walker->text_flags() & files::kMentionsTimestamp) != 0) {
    return Reason{"timestamp-macro", {}};
  }
  auto closure = std::make_shared<execute::Closure>(*scanned.action.closure);
  for (auto& [path, entry] : lacked.news) {
    if (closure->inline_files.empty() || path != closure->inline_files.front().path) {
      closure->own.insert_or_assign(path, std::move(entry));
    }
  }
  closure->stamps.merge(lacked.stamps);
  scanned.action.closure = std::move(closure);
  return {};
}

}  // namespace llama::daemon
