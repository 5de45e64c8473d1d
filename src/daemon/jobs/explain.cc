#include "daemon/jobs/explain.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "base/file.h"
#include "base/file_system.h"
#include "compiler/option_kinds.h"
#include "daemon/jobs/closure_cache.h"
#include "daemon/jobs/compile_parse.h"
#include "daemon/jobs/compile_scan.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::Reason;

// Folders that inputs are counted by: the longest that a file is below.
class Origins {
 public:
  explicit Origins(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  void Add(const std::string& path, uint64_t bytes) {
    Explanation::Origin& origin = origins_[FolderOf(path)];
    ++origin.files;
    origin.bytes += bytes;
  }

  std::vector<Explanation::Origin> Take() {
    std::vector<Explanation::Origin> out;
    for (auto& [folder, origin] : origins_) {
      origin.folder = folder;
      out.push_back(std::move(origin));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    return out;
  }

 private:
  static bool IsBelow(std::string_view path, std::string_view folder) {
    return path.size() > folder.size() && path.starts_with(folder) &&
           (folder.ends_with('/') || path[folder.size()] == '/');
  }
  std::string FolderOf(const std::string& path) const {
    std::string_view best;
    for (const std::string& folder : folders_) {
      if (IsBelow(path, folder) && folder.size() > best.size()) best = folder;
    }
    if (!best.empty()) return std::string(best);
    const size_t second = path.find('/', 1);
    const size_t third = second == path.npos ? second : path.find('/', second + 1);
    return third == path.npos ? std::string(DirName(path)) : path.substr(0, third);
  }

  const std::vector<std::string> folders_;
  std::map<std::string, Explanation::Origin> origins_;
};

Explanation::Size SizeOf(const tree::Manifest& manifest) {
  Explanation::Size size;
  for (const auto& [path, entry] : manifest) {
    if (entry.type != tree::EntryType::kFile) continue;
    ++size.files;
    size.bytes += entry.size_bytes;
  }
  return size;
}

class Explainer {
 public:
  Explainer(const session::Compile& request, const Services& services)
      : request_(request), services_(services) {}

  Explanation Run() {
    out_.argv = request_.argv;
    out_.cwd = request_.cwd;
    out_.compiler = request_.compiler;
    Steps();
    return std::move(out_);
  }

 private:
  void Here(const Reason& reason) {
    const auto is_same = [&](const Explanation::Why& why) { return why.word == reason.word; };
    if (std::any_of(out_.whys.begin(), out_.whys.end(), is_same)) return;
    out_.whys.push_back({reason.word, reason.detail});
  }

  void Steps() {
    trace::Span root;
    compiler::Command command;
    const auto parsed = ParseCompile(request_, *services_.toolchains, root, &command);
    Describe(parsed ? parsed->command : command);
    if (!parsed) {
      Here(parsed.error());
      for (const std::string& reason : command.option_reasons) Here({reason, {}});
      if (const auto known = services_.toolchains->Get(request_.compiler, request_.env)) {
        out_.version = (*known)->version;
      }
      return;
    }
    out_.version = parsed->toolchain->version;
    const auto plan = PlanCompile(request_, *parsed, *services_.toolchains);
    if (!plan) return Here(plan.error());
    AddOutputs(*plan);
    Scan(*parsed, *plan);
  }

  void Describe(const compiler::Command& command) {
    out_.source = command.source;
    for (compiler::DescribedArg& arg : compiler::DescribeArgs(command)) {
      out_.arguments.push_back({std::move(arg.text), std::string(arg.kind), std::string(arg.detail),
                                std::move(arg.pins)});
    }
  }

  void AddOutputs(const compiler::Plan& plan) {
    out_.outputs.push_back({plan.object, "object"});
    if (!plan.depfile.empty()) out_.outputs.push_back({plan.depfile, "depfile"});
    for (const std::string& path : plan.side_paths) out_.outputs.push_back({path, "named"});
    for (const std::string& dir : plan.output_dirs) {
      for (const std::string& stem : plan.output_stems) {
        for (const std::string& suffix : plan.output_suffixes) {
          out_.outputs.push_back({JoinPath(dir, stem + "*" + suffix), "beside it"});
        }
      }
    }
  }

  void Scan(const ParsedCompile& parsed, const compiler::Plan& plan) {
    trace::Span span;
    const auto scanned =
        ScanCompile({&request_, &parsed, &plan, &services_, [] { return false; }}, span);
    if (const trace::Value* why = span.Find(trace::field::kRungReason)) {
      if (const auto* text = std::get_if<std::string>(why)) out_.rung_reason = *text;
    }
    if (!scanned) return Here(scanned.error());
    out_.rung = scanned->rung;
    std::vector<std::string> folders = plan.paths;
    folders.push_back(request_.cwd);
    Origins origins(std::move(folders));
    const execute::Closure& closure = *scanned->action.closure;
    for (const tree::InlineFile& file : scanned->action.inline_files) {
      out_.inputs.push_back(file.path);
      origins.Add(file.path, file.bytes.size());
      ++out_.inlined.files;
      out_.inlined.bytes += file.bytes.size();
    }
    for (const auto& [path, entry] : closure.own) {
      if (entry.type != tree::EntryType::kFile) continue;
      out_.inputs.push_back(path);
      origins.Add(path, entry.size_bytes);
    }
    out_.origins = origins.Take();
    out_.own = SizeOf(closure.own);
    out_.toolchain = SizeOf(closure.common_entries());
  }

  const session::Compile& request_;
  const Services& services_;
  Explanation out_;
};

}  // namespace

Explanation Explain(const session::Compile& request, const Services& services) {
  return Explainer(request, services).Run();
}

Result<Explanation> ExplainAlone(const session::Compile& request, const Clock& clock) {
  ASSIGN_OR_RETURN(const auto digests, files::DigestCache::Open("", clock));
  ASSIGN_OR_RETURN(const TempDir files, TempDir::Create("explain"));
  const auto toolchains = compiler::Toolchains::Create(clock, files.path());
  const auto finder = scan::NewDependencyRunFinder();
  compiler::UnrecordedToolchains unrecorded(clock);
  execute::ToolchainTrees trees(*digests);
  files::LiveTree live_tree(*digests, clock);
  scan::Closures closures(live_tree);
  scan::SearchPaths search_paths;
  ClosureCache closure_cache;
  admission::CpuAdmission cpu({});
  Services services;
  services.clock = &clock;
  services.file_system = &LocalFileSystem();
  services.toolchains = toolchains.get();
  services.unrecorded = &unrecorded;
  services.toolchain_trees = &trees;
  services.finder = finder.get();
  services.search_paths = &search_paths;
  services.closures = &closures;
  services.closure_cache = &closure_cache;
  services.digests = digests.get();
  services.cpu = &cpu;
  return Explain(request, services);
}

}  // namespace llama::daemon
