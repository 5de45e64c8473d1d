#include "daemon/jobs/compile_scan.h"

#include <sys/stat.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/environment.h"
#include "base/file.h"
#include "compiler/environment.h"
#include "daemon/jobs/closure_cache.h"
#include "execute/standing.h"
#include "scan/inodes.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Outputs;
using execute::Reason;

// A file that can't be walked or read as it was named.
Reason InputReason(const Error& error) { return {"input", error.message}; }

scan::ScanRequest AskOf(const CompileScan& scan) {
  scan::ScanRequest ask;
  ask.command = &scan.parsed->command;
  ask.toolchain = scan.parsed->toolchain.get();
  ask.argv0 = scan.request->argv.empty() ? scan.request->compiler : scan.request->argv[0];
  ask.env = scan.request->env;
  ask.cwd = scan.request->cwd;
  ask.cancelled = scan.cancelled;
  return ask;
}

OrReason<scan::Inputs> FindInputs(const CompileScan& scan) {
  auto inputs = scan.services->finder->Find(AskOf(scan));
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
    outputs.suffixes = scan_.plan->output_suffixes;
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
    for (const std::string& path : scan_.plan->side_paths) {
      ASSIGN_OR_RETURN(const std::string canonical, AddOutput(path));
      outputs.announced.push_back({canonical, canonical, false});
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

OrReason<tree::InlineFile> ReadSource(const CompileScan& scan, const std::string& path,
                                      const tree::Entry& entry) {
  auto bytes = scan.services->file_system->ReadFile(path, kMaxInlineSourceBytes);
  if (!bytes) return InputReason(bytes.error());
  if (store::Sha256(*bytes) != entry.digest) {
    return Reason{"inputs-changed", path, Code::kUnavailable};
  }
  return tree::InlineFile{path, entry.executable, std::move(*bytes)};
}

// Takes the source out of the layers: it is wanted once.
OrReason<void> TakeSource(const CompileScan& scan, const std::string& path,
                          execute::Closure& closure, execute::Action& action) {
  const auto entry = closure.own.find(path);
  if (entry == closure.own.end() || entry->second.type != tree::EntryType::kFile) {
    return Reason{"source-not-a-file", {}};
  }
  if (entry->second.size_bytes > kMaxInlineSourceBytes) return {};
  ASSIGN_OR_RETURN(tree::InlineFile file, ReadSource(scan, path, entry->second));
  action.inline_files.push_back(std::move(file));
  closure.own.erase(entry);
  return {};
}

// What the action is besides its inputs.
void Describe(const CompileScan& scan, const execute::ToolchainTree& tree,
              execute::Action& action) {
  action.program = tree.program;
  action.argv = scan.plan->argv;
  action.env = scan.plan->env;
  action.cwd = scan.plan->cwd;
  action.umask = scan.request->umask;
  action.record_lookups = scan.parsed->toolchain->can_preload;
  for (const Outputs::Announced& output : action.outputs.announced) {
    struct stat st {};
    if (scan.services->file_system->Lstat(output.path, st) == 0) {
      action.standing.push_back(output.path);
    }
  }
}

ScannedCompile Begin(const CompileScan& scan, std::string rung) {
  const Services& services = *scan.services;
  return {{},
          scan.parsed->toolchain,
          std::move(rung),
          std::make_unique<files::PathWalker>(*services.digests, *services.file_system),
          /*is_live=*/false,
          /*unlearn=*/nullptr,
          /*has_lacked=*/false,
          execute::Shippable(*services.file_system,
                             std::string(VariableOr(scan.request->env, "HOME", "")))};
}

OrReason<void> CheckStanding(const CompileScan& scan, const Outputs& outputs) {
  const compiler::Language language = scan.parsed->command.language;
  const auto& args = scan.parsed->command.args;
  const bool makes_text = std::any_of(args.begin(), args.end(), [](const compiler::Arg& arg) {
    return arg.words[0] == "-S" || arg.words[0] == "--assemble";
  });
  auto writer = makes_text ? execute::ObjectWriter::kInto : execute::ObjectWriter::kGnuAs;
  if (scan.parsed->toolchain->family == compiler::Family::kClang) {
    const bool is_assembler = language == compiler::Language::kAssembler ||
                              language == compiler::Language::kAssemblerWithCpp;
    writer = is_assembler ? execute::ObjectWriter::kInto : execute::ObjectWriter::kClang;
  }
  std::string path = execute::FirstPeculiar(outputs, writer, *scan.services->file_system);
  if (!path.empty()) return Reason{"output-attributes", std::move(path)};
  return {};
}

// clang tells files apart by identity, gcc by their times, and only where it matters.
bool LooksAt(const CompileScan& scan, const scan::Seen& seen) {
  return scan.parsed->toolchain->family == compiler::Family::kClang || seen.once || seen.times;
}

// For times of files, which may be older than the zone's rule.
void AddZone(const CompileScan& scan, execute::Action& action) {
  const std::string path = compiler::TimeZoneFile(FindVariable(scan.request->env, "TZ"));
  if (path.empty()) return;
  auto bytes = scan.services->file_system->ReadFile(path, kMaxInlineSourceBytes);
  if (!bytes) return;
  for (std::string& variable : action.env) {
    if (variable.starts_with("TZ=")) variable = "TZ=:" + std::string(1, kRootMark) + path;
  }
  action.inline_files.push_back({path, false, *std::move(bytes)});
}

// Where nobody knows what the files say: of all of them.
tree::Inodes AllInodes(const execute::Action& action, const execute::Closure& closure,
                       const FileSystem& file_system) {
  scan::Inodes inodes;
  const auto add = [&](const std::string& path, const store::Digest& digest) {
    const auto stamp = closure.stamps.find(path);
    struct stat st {};
    if (stamp != closure.stamps.end()) {
      inodes.Add(path, digest, stamp->second);
    } else if (file_system.Lstat(path, st) == 0) {
      inodes.Add(path, digest, IdentityOf(st));
    }
  };
  for (const auto& [path, entry] : closure.own) {
    if (entry.type == tree::EntryType::kFile) add(path, entry.digest);
  }
  for (const tree::InlineFile& file : action.inline_files) {
    add(file.path, store::Sha256(file.bytes));
  }
  scan::Seen seen{.times = true, .once = true};
  return inodes.Take(seen);
}

// The upper rung: by what the files say, on the live tree.
class LiveScan {
 public:
  LiveScan(const CompileScan& scan, const execute::ToolchainTree& tree)
      : scan_(scan), tree_(tree) {}

  OrReason<ScannedCompile> Run(trace::Span& span) {
    scan::ClosureRequest& request = request_;
    auto preprocessing = services().search_paths->Get(AskOf(scan_));
    if (!preprocessing) return Reason{"rung", preprocessing.error().message};
    request.preprocessing = *std::move(preprocessing);
    request.cwd = scan_.request->cwd;
    request.source = JoinPath(request.cwd, command().source);
    request.reads_directives = HasDirectives();
    request.reads_precompiled = scan_.parsed->toolchain->family == compiler::Family::kGcc;
    NameOthers(request);
    auto closure = services().closures->Find(request);
    if (!closure) {
      can_learn_ = closure.error().code == Code::kInvalid;
      return Reason{"rung", closure.error().message};
    }
    if (!(*closure)->special.empty()) return Reason{"special-file", (*closure)->special};
    span.Set(trace::field::kFiles, (*closure)->file_count);
    ScannedCompile out = Begin(scan_, (*closure)->is_learned ? "learned" : "superset");
    if ((*closure)->is_learned) {
      out.unlearn = [closures = services().closures, request] { closures->Unlearn(request); };
    }
    out.is_live = true;
    if (LooksAt(scan_, (*closure)->seen)) out.action.inodes = (*closure)->inodes;
    out.shippable.ShareFolders((*closure)->folders);
    ASSIGN_OR_RETURN(out.action.outputs, OutputsOf(**closure));
    TRY(CheckStanding(scan_, out.action.outputs));
    ASSIGN_OR_RETURN(out.action.closure,
                     services().closure_cache->Get(request, *closure, tree_, *services().closures));
    const tree::Entry& source = (*closure)->manifest.at((*closure)->source);
    if (out.action.closure->Find((*closure)->source) == nullptr) {
      ASSIGN_OR_RETURN(tree::InlineFile file, ReadSource(scan_, (*closure)->source, source));
      out.action.inline_files.push_back(std::move(file));
    }
    Describe(scan_, tree_, out.action);
    if ((*closure)->seen.times) AddZone(scan_, out.action);
    return out;
  }

  // After it failed, what the rung below found.
  void Learn(const std::vector<std::string>& files) const {
    if (!can_learn_) return;
    std::vector<std::string> absolute;
    for (const std::string& file : files) absolute.push_back(JoinPath(request_.cwd, file));
    services().closures->Learn(request_, std::move(absolute));
  }

 private:
  const Services& services() const { return *scan_.services; }
  const compiler::Command& command() const { return scan_.parsed->command; }

  // clang obeys them in what is preprocessed, too, and expands macros.
  bool HasDirectives() const {
    const compiler::Language language = command().language;
    if (language == compiler::Language::kAssembler) return false;
    return scan_.parsed->toolchain->family == compiler::Family::kClang ||
           (language != compiler::Language::kPreprocessedC &&
            language != compiler::Language::kPreprocessedCxx);
  }

  // In this order: the outputs' folders, the working directory, what the plan names, what was
  // learned of the toolchain.
  void NameOthers(scan::ClosureRequest& request) const {
    const compiler::Plan& plan = *scan_.plan;
    request.others.push_back(std::string(DirName(plan.object)));
    if (!plan.depfile.empty()) request.others.push_back(std::string(DirName(plan.depfile)));
    request.others.insert(request.others.end(), plan.output_dirs.begin(), plan.output_dirs.end());
    for (const std::string& path : plan.side_paths) {
      request.others.push_back(std::string(DirName(path)));
    }
    request.others.push_back(request.cwd);
    for (const std::string& path : plan.paths) {
      request.others.push_back(JoinPath(request.cwd, path));
    }
    for (std::string& path : services().toolchain_trees->Learned(scan_.parsed->toolchain)) {
      request.others.push_back(std::move(path));
    }
  }

  OrReason<Outputs> OutputsOf(const scan::Closure& closure) const {
    const compiler::Plan& plan = *scan_.plan;
    Outputs outputs;
    outputs.stems = plan.output_stems;
    outputs.suffixes = plan.output_suffixes;
    outputs.umask = scan_.request->umask;
    size_t next = 0;
    ASSIGN_OR_RETURN(outputs.object, Output(closure, next++, plan.object));
    outputs.announced.push_back({outputs.object, outputs.object, false});
    if (!plan.depfile.empty()) {
      ASSIGN_OR_RETURN(outputs.depfile, Output(closure, next++, plan.depfile));
      outputs.announced.push_back({outputs.depfile, outputs.depfile, false});
    }
    for (const std::string& dir : plan.output_dirs) {
      const std::string& canonical = closure.others[next++];
      if (canonical.empty()) return Reason{"output", dir + ": no such folder"};
      outputs.dirs.push_back(canonical);
    }
    for (const std::string& path : plan.side_paths) {
      ASSIGN_OR_RETURN(const std::string canonical, Output(closure, next++, path));
      outputs.announced.push_back({canonical, canonical, false});
    }
    return outputs;
  }

  static OrReason<std::string> Output(const scan::Closure& closure, size_t at,
                                      const std::string& path) {
    if (closure.others[at].empty()) return Reason{"output", path + ": no such folder"};
    return JoinPath(closure.others[at], BaseName(path));
  }

  const CompileScan& scan_;
  const execute::ToolchainTree& tree_;
  scan::ClosureRequest request_;
  bool can_learn_ = false;
};

// A file named on the command line that the run below would use up, or not be given; or empty.
std::string SpecialFile(const CompileScan& scan) {
  for (const compiler::Arg& arg : scan.parsed->command.args) {
    if (arg.kind != compiler::ArgKind::kPathIn && arg.kind != compiler::ArgKind::kSource) continue;
    const std::string path = JoinPath(scan.request->cwd, arg.path);
    struct stat st {};
    if (IsDeviceOrProcess(path) || (scan.services->file_system->Stat(path, st) == 0 &&
                                    !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
      return path;
    }
  }
  return {};
}

// The rung below: by the compiler's own -M, and a look at each file.
OrReason<ScannedCompile> ScanByDependencyRun(const CompileScan& scan,
                                             const execute::ToolchainTree& tree,
                                             const LiveScan* upper, trace::Span& span) {
  const Services& services = *scan.services;
  auto closure = std::make_shared<execute::Closure>();
  closure->looked_ns = services.clock->NowNs();
  if (std::string path = SpecialFile(scan); !path.empty()) {
    return Reason{"special-file", std::move(path)};
  }
  ASSIGN_OR_RETURN(const scan::Inputs inputs, FindInputs(scan));
  span.Set(trace::field::kFiles, inputs.files.size());
  if (upper != nullptr) upper->Learn(inputs.files);
  ScannedCompile out = Begin(scan, inputs.rung);
  Walk walk(scan, *out.walker, out.shippable);
  ASSIGN_OR_RETURN(const std::string source, walk.AddInputs(inputs.files));
  ASSIGN_OR_RETURN(out.action.outputs, walk.AddOutputs());
  TRY(CheckStanding(scan, out.action.outputs));
  closure->common = tree.manifest;
  closure->common_digest = tree.digest;
  closure->own = out.walker->manifest();
  closure->stamps = out.walker->stamps();
  TRY(TakeSource(scan, source, *closure, out.action));
  std::erase_if(closure->own, [&](const auto& item) {
    const auto same = closure->common->find(item.first);
    return same != closure->common->end() && same->second == item.second;
  });
  Describe(scan, tree, out.action);
  out.action.inodes = AllInodes(out.action, *closure, *services.file_system);
  AddZone(scan, out.action);
  out.action.closure = std::move(closure);
  return out;
}

}  // namespace

OrReason<ScannedCompile> ScanCompile(const CompileScan& scan, trace::Span& span) {
  const Services& services = *scan.services;
  const admission::CpuAdmission::Hold hold(*services.cpu, scan.cancelled);
  if (!hold.held()) return Reason{"cancelled", {}, Code::kCancelled};
  auto tree = services.toolchain_trees->Get(scan.parsed->toolchain);
  if (!tree) return Reason{"toolchain", tree.error().message};
  std::optional<LiveScan> live;
  if (services.closures != nullptr) {
    auto scanned = live.emplace(scan, **tree).Run(span);
    if (scanned || scanned.error().word != "rung") {
      if (scanned) span.Set(trace::field::kRung, scanned->rung);
      return scanned;
    }
    span.Set(trace::field::kRungReason, scanned.error().detail);
  }
  auto scanned = ScanByDependencyRun(scan, **tree, live ? &*live : nullptr, span);
  if (scanned) span.Set(trace::field::kRung, scanned->rung);
  return scanned;
}

void AddToClosure(execute::Lacked lacked, const FileSystem& file_system, ScannedCompile& scanned) {
  auto closure = std::make_shared<execute::Closure>(*scanned.action.closure);
  for (auto& [path, entry] : lacked.news) {
    if (!scanned.action.TravelsWith(path)) {
      closure->own.insert_or_assign(path, std::move(entry));
    }
  }
  closure->stamps.merge(lacked.stamps);
  closure->id = 0;
  scanned.action.inodes = AllInodes(scanned.action, *closure, file_system);
  scanned.action.closure = std::move(closure);
}

}  // namespace llama::daemon
