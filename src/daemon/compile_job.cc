#include "daemon/compile_job.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "base/file.h"
#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/outputs.h"
#include "daemon/verify.h"
#include "trace/phases.h"
#include "trace/pricing.h"
#include "tree/path_walker.h"
#include "wire/environment.h"
#include "wire/job.h"

namespace llama::daemon {
namespace {

using trace::Value;

// A source beyond this travels through the store, like any other input.
constexpr uint64_t kMaxInlineSourceBytes = 3 << 20;
// How often a job may be sent: after a crash or throttle, after lost objects, after a lookup that
// its view answered wrongly. A deep chain of __has_include finds one more level each time.
constexpr int kMaxCrashes = 2;
constexpr int kMaxResends = 3;
constexpr int kMaxCorrections = 6;
// Files may change between scan and upload, as in any build; after this many new scans it is given
// up.
constexpr int kMaxScans = 3;
// Of the worker's spans that are believed.
constexpr size_t kMaxWorkerSpans = 64;

std::string Variable(const std::vector<std::string>& env, std::string_view name) {
  const char* value = wire::FindVariable(env, name);
  return value == nullptr ? std::string() : std::string(value);
}

// $PWD if it names the working directory, as compilers take it for DW_AT_comp_dir.
std::string LogicalCwd(const wire::Compile& request) {
  const std::string pwd = Variable(request.env, "PWD");
  struct stat a {};
  struct stat b {};
  if (pwd.starts_with('/') && stat(pwd.c_str(), &a) == 0 && stat(request.cwd.c_str(), &b) == 0 &&
      a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
    return pwd;
  }
  return request.cwd;
}

// Why the job is to run here: what Run's steps return as an Error, in place of a code's meaning.
Error Local(std::string reason) { return Error{Code::kRemoteFailed, std::move(reason)}; }

class CompileJob final : public Job {
 public:
  CompileJob(const Shared& shared, wire::Compile request, int64_t received_ns)
      : shared_(shared),
        request_(std::move(request)),
        build_id_(shared.builds->Resolve(Variable(request_.env, "LLAMACC_BUILD_ID"))),
        root_(StartRoot()),
        phases_(*shared.clock, root_.context(), root_.start_ns) {
    phases_.BeginAt("send", root_.start_ns);
    phases_.EndAt(received_ns);
  }

  Verdict Run(const std::function<bool()>& cancelled) override;
  void SlotGranted(int64_t now_ns) override;
  void Finished(const std::optional<wire::Done>& done, int64_t now_ns) override;

 private:
  trace::Span StartRoot();
  void Count(const std::function<void(wire::Counters&)>& change) {
    shared_.builds->Count(build_id_, change);
  }

  // The steps, in order. An error is the reason for a local run.
  Result<wire::CompileResult> RunRemotely(const std::function<bool()>& cancelled);
  Result<void> Parse();
  Result<void> ScanAndWalk(const std::function<bool()>& cancelled);
  Result<void> WalkInputs(const scan::Inputs& inputs);
  Result<Synced> SyncTree(const std::function<bool()>& cancelled);
  Result<wire::Answer> Invoke(const Synced& synced, const std::function<bool()>& cancelled);
  Result<wire::Answer> InvokeUntilVerified(const std::function<bool()>& cancelled);
  Result<bool> NeedsCorrection(const wire::Answer& answer);
  Result<wire::CompileResult> Write(wire::Answer& answer);

  wire::Job MakeJob(const Synced& synced) const;
  std::vector<std::string> Placeholders() const;
  void RecordInvocation(trace::Span& span, const cloud::Invocation& invocation,
                        size_t payload_bytes);
  void RecordAnswer(trace::Span& span, const wire::Answer& answer);

  const Shared& shared_;
  const wire::Compile request_;
  const std::string build_id_;
  trace::Span root_;
  trace::Phases phases_;
  std::vector<trace::Span> worker_spans_;

  // Filled by the steps.
  std::shared_ptr<const compiler::Toolchain> toolchain_;
  std::shared_ptr<const ToolchainTree> toolchain_tree_;
  compiler::Command command_;
  compiler::Plan plan_;
  std::unique_ptr<tree::PathWalker> walker_;
  tree::Manifest wanted_;  // of this job alone: without the toolchain, without the inline source
  tree::Manifest corrections_;  // found by verification; they override what the walk found
  std::string source_path_;     // canonical
  std::string source_bytes_;    // empty when it is in wanted_
  bool source_inline_ = false;
  bool source_executable_ = false;
  OutputRules rules_;
  int64_t invoked_ns_ = 0;  // monotonic
  bool running_ = false;
  bool local_ = false;
  bool granted_ = false;
};

trace::Span CompileJob::StartRoot() {
  const auto outside = trace::ParseTraceparent(Variable(request_.env, "TRACEPARENT"));
  const bool in_build = !Variable(request_.env, "LLAMACC_BUILD_ID").empty();
  // Inside a build TRACEPARENT is the build's root: a trace of its own, linked. Outside it is
  // whoever called, and becomes the parent.
  trace::Span root = trace::StartSpan("llamacc", !in_build && outside ? *outside : trace::Context{},
                                      request_.start_ns);
  root.Set("global.build_id", build_id_);
  if (in_build) {
    trace::Context build_root = shared_.builds->RootOf(build_id_);
    if (!build_root.valid() && outside) build_root = *outside;
    if (build_root.valid()) {
      root.Set("link.trace_id", trace::Hex(build_root.trace_id));
      root.Set("link.span_id", trace::Hex(build_root.span_id));
    }
  }
  root.Set("compiler", request_.compiler);
  root.Set("pid", Value(static_cast<int64_t>(request_.pid)));
  return root;
}

Verdict CompileJob::Run(const std::function<bool()>& cancelled) {
  Count([](wire::Counters& c) { ++c.remote_running; });
  running_ = true;
  auto result = RunRemotely(cancelled);
  Count([](wire::Counters& c) { --c.remote_running; });
  running_ = false;

  Verdict verdict;
  root_.Set("remote", result.has_value());
  if (result) {
    phases_.Begin("reply");
    root_.Set("status", Value(WIFEXITED(result->status) ? WEXITSTATUS(result->status)
                                                        : 128 + WTERMSIG(result->status)));
    verdict.result = std::move(*result);
    Count([](wire::Counters& c) { ++c.remote_done; });
    return verdict;
  }
  local_ = true;
  verdict.local = true;
  verdict.reason = cancelled && cancelled() ? "cancelled" : result.error().message;
  root_.Set("reason", verdict.reason);
  LOG(kDebug, "local: " + command_.source + ": " + verdict.reason);
  Count([](wire::Counters& c) { ++c.local_waiting; });
  phases_.Begin("queue");
  return verdict;
}

Result<wire::CompileResult> CompileJob::RunRemotely(const std::function<bool()>& cancelled) {
  phases_.Begin("parse");
  TRY(Parse());
  ASSIGN_OR_RETURN(wire::Answer answer, InvokeUntilVerified(cancelled));
  return Write(answer);
}

Result<void> CompileJob::Parse() {
  std::vector<std::string> args(request_.argv.begin() + (request_.argv.empty() ? 0 : 1),
                                request_.argv.end());
  compiler::ParseOptions options;
  options.cwd = request_.cwd;
  options.remote_assemble = Variable(request_.env, "LLAMACC_REMOTE_ASSEMBLE") != "0";
  const std::string_view name = BaseName(request_.compiler);
  options.is_clang = name.find("clang") != std::string_view::npos;
  options.is_cxx_driver = name.find("++") != std::string_view::npos;
  // A first look decides most local runs without asking the compiler anything.
  command_ = compiler::Parse(args, options);
  root_.Set("source", command_.source);
  if (!command_.local_reason.empty()) return Local(command_.local_reason);

  auto toolchain = shared_.toolchains->Get(request_.compiler, request_.env);
  if (!toolchain) return Local("toolchain:" + toolchain.error().message);
  toolchain_ = std::move(*toolchain);
  const bool is_clang = toolchain_->family == compiler::Family::kClang;
  if (is_clang != options.is_clang || toolchain_->is_cxx_driver != options.is_cxx_driver) {
    options.is_clang = is_clang;
    options.is_cxx_driver = toolchain_->is_cxx_driver;
    command_ = compiler::Parse(args, options);
    if (!command_.local_reason.empty()) return Local(command_.local_reason);
  }
  auto tree = shared_.toolchain_trees->Get(toolchain_);
  if (!tree) return Local("toolchain:" + tree.error().message);
  toolchain_tree_ = std::move(*tree);

  compiler::PlanRequest plan;
  plan.command = &command_;
  plan.toolchain = toolchain_.get();
  plan.toolchains = shared_.toolchains;
  plan.env = request_.env;
  plan.cwd = request_.cwd;
  plan.pwd = LogicalCwd(request_);
  plan.stderr_is_terminal = request_.stderr_is_terminal;
  plan_ = compiler::MakePlan(plan);
  root_.Set("object", command_.object);
  if (!plan_.local_reason.empty()) return Local(plan_.local_reason);
  return {};
}

Result<void> CompileJob::ScanAndWalk(const std::function<bool()>& cancelled) {
  trace::Span& span = phases_.Begin("scan");
  scan::ScanRequest scan;
  scan.command = &command_;
  scan.toolchain = toolchain_.get();
  scan.argv0 = request_.argv.empty() ? request_.compiler : request_.argv[0];
  scan.env = request_.env;
  scan.cwd = request_.cwd;
  scan.cancelled = cancelled;
  const Semaphore::Hold hold(*shared_.cpu, cancelled);
  if (!hold.held()) return Error{Code::kCancelled, "cancelled"};
  auto inputs = shared_.finder->Find(scan);
  if (!inputs) {
    const bool in_code = inputs.error().code == Code::kRemoteFailed;
    return Local(in_code ? "preprocess-failed" : "scan-failed:" + inputs.error().message);
  }
  root_.Set("rung", inputs->rung);
  span.Set("rung", inputs->rung);
  span.Set("files", Value(static_cast<int64_t>(inputs->files.size())));
  return WalkInputs(*inputs);
}

// The local truth about everything that the job names, as manifest entries.
Result<void> CompileJob::WalkInputs(const scan::Inputs& inputs) {
  walker_ = tree::PathWalker::Create(*shared_.digests);
  const auto fail = [](const Error& error) { return Local("input:" + error.message); };
  const std::string source = JoinPath(request_.cwd, command_.source);
  auto canonical_source = walker_->Add(source);
  if (!canonical_source) return fail(canonical_source.error());
  source_path_ = *canonical_source;
  for (const std::string& file : inputs.files) {
    auto added = walker_->Add(JoinPath(request_.cwd, file));
    if (!added) return fail(added.error());
  }
  std::vector<std::string> optional = plan_.paths;
  const auto learned = shared_.toolchain_trees->Learned(toolchain_);
  optional.insert(optional.end(), learned.begin(), learned.end());
  optional.push_back(request_.cwd);
  optional.push_back(LogicalCwd(request_));
  for (const std::string& path : optional) {
    auto added = walker_->Add(JoinPath(request_.cwd, path));
    if (!added && added.error().code != Code::kNotFound) return fail(added.error());
  }

  rules_ = OutputRules{};
  rules_.stems = plan_.output_stems;
  rules_.family = toolchain_->family;
  rules_.umask = request_.umask;
  auto object = walker_->AddParents(plan_.object);
  if (!object) return fail(object.error());
  rules_.object = *object;
  if (!plan_.depfile.empty()) {
    auto depfile = walker_->AddParents(plan_.depfile);
    if (!depfile) return fail(depfile.error());
    rules_.depfile = *depfile;
  }
  for (const std::string& dir : plan_.output_dirs) {
    auto added = walker_->Add(dir);
    if (!added) return fail(added.error());
    rules_.dirs.push_back(*added);
  }
  if (walker_->text_flags() & store::kMentionsTimestamp) return Local("timestamp-macro");

  wanted_ = walker_->manifest();
  const auto entry = wanted_.find(source_path_);
  if (entry == wanted_.end() || entry->second.type != tree::EntryType::kFile) {
    return Local("source-not-a-file");
  }
  source_inline_ = entry->second.size_bytes <= kMaxInlineSourceBytes;
  if (source_inline_) {
    auto bytes = ReadFile(source_path_, kMaxInlineSourceBytes);
    if (!bytes) return fail(bytes.error());
    source_bytes_ = std::move(*bytes);
    source_executable_ = entry->second.executable;
    wanted_.erase(entry);
  }
  for (const auto& [path, tool] : toolchain_tree_->manifest) {
    const auto same = wanted_.find(path);
    if (same != wanted_.end() && same->second == tool) wanted_.erase(same);
  }
  return {};
}

Result<Synced> CompileJob::SyncTree(const std::function<bool()>& cancelled) {
  for (int scans = 0;; ++scans) {
    if (!walker_) TRY(ScanAndWalk(cancelled));
    tree::Manifest wanted = wanted_;
    for (const auto& [path, entry] : corrections_) {
      if (path != source_path_ || !source_inline_) wanted.insert_or_assign(path, entry);
    }
    trace::Span& span = phases_.Begin("sync");
    auto synced = shared_.sync->Bring(wanted, toolchain_tree_->manifest, cancelled);
    if (synced) {
      span.Set("layers", Value(static_cast<int64_t>(synced->layers.size())));
      span.Set("store_requests", Value(static_cast<int64_t>(synced->store_requests)));
      span.Set("uploaded_objects", Value(static_cast<int64_t>(synced->uploaded_objects)));
      span.Set("uploaded_bytes", Value(static_cast<int64_t>(synced->uploaded_bytes)));
      Count([&](wire::Counters& c) {
        c.bytes_up += synced->uploaded_bytes;
        c.store_requests += synced->store_requests;
        c.cost_usd += trace::StoreCostUsd(synced->store_requests, 0);
      });
      return synced;
    }
    span.Set("error", synced.error().message);
    if (synced.error().code == Code::kCancelled) return Error{Code::kCancelled, "cancelled"};
    if (synced.error().code != Code::kUnavailable || scans + 1 >= kMaxScans) {
      return Local("sync:" + synced.error().message);
    }
    walker_ = nullptr;
    corrections_.clear();
  }
}

std::vector<std::string> CompileJob::Placeholders() const {
  std::vector<std::string> out;
  for (const std::string* path : {&rules_.object, &rules_.depfile}) {
    struct stat st {};
    if (!path->empty() && lstat(path->c_str(), &st) == 0) out.push_back(*path);
  }
  return out;
}

wire::Job CompileJob::MakeJob(const Synced& synced) const {
  wire::Job job;
  for (const tree::LayerRef& layer : synced.layers) {
    job.layers.push_back({layer.key, layer.size_bytes});
  }
  for (const auto& [path, bytes] : synced.inline_contents) {
    job.files.push_back({path, synced.inline_entries.at(path).executable, bytes});
  }
  if (source_inline_) job.files.push_back({source_path_, source_executable_, source_bytes_});
  for (const auto& [path, entry] : synced.inline_entries) {
    if (entry.type == tree::EntryType::kDir) job.links.push_back({path, ""});
    if (entry.type == tree::EntryType::kSymlink) job.links.push_back({path, entry.target});
  }
  job.program = toolchain_tree_->program;
  job.argv = plan_.argv;
  job.env = plan_.env;
  job.cwd = plan_.cwd;
  job.umask = request_.umask;
  job.output_dirs = rules_.dirs;
  job.placeholders = Placeholders();
  job.record_reads = toolchain_->can_preload;
  job.timeout_ms = shared_.job_timeout_ms;
  job.max_answer_bytes = shared_.functions->max_payload_bytes();
  return job;
}

void CompileJob::RecordInvocation(trace::Span& span, const cloud::Invocation& invocation,
                                  size_t payload_bytes) {
  const double cost = trace::LambdaCostUsd(invocation.billed_ms, invocation.memory_mb);
  span.Set("function", shared_.functions->name());
  span.Set("answer_bytes", Value(static_cast<int64_t>(invocation.payload.size())));
  span.Set("queued_ns", Value(invocation.queued_ns));
  span.Set("billed_ms", Value(invocation.billed_ms));
  span.Set("memory_mb", Value(invocation.memory_mb));
  span.Set("cold_start", Value(invocation.cold_start));
  span.Set("init_ns", Value(invocation.init_ns));
  span.Set("cost_usd", Value(cost));
  Count([&](wire::Counters& c) {
    c.bytes_up += payload_bytes;
    c.bytes_down += invocation.payload.size();
    c.cold_starts += invocation.cold_start ? 1 : 0;
    c.cost_usd += cost;
  });
}

void CompileJob::RecordAnswer(trace::Span& span, const wire::Answer& answer) {
  span.Set("worker_id", answer.worker.id);
  span.Set("worker_jobs", Value(static_cast<int64_t>(answer.worker.job_count)));
  span.Set("fetched_objects", Value(static_cast<int64_t>(answer.fetched_objects)));
  span.Set("fetched_bytes", Value(static_cast<int64_t>(answer.fetched_bytes)));
  span.Set("user_ns", Value(answer.usage.user_ns));
  span.Set("system_ns", Value(answer.usage.system_ns));
  span.Set("max_rss_bytes", Value(answer.usage.max_rss_bytes));
  Count([&](wire::Counters& c) {
    c.bytes_down += answer.fetched_bytes;
    c.store_requests += answer.fetched_objects;
    c.cost_usd += trace::StoreCostUsd(0, answer.fetched_objects);
  });
  // A worker's spans are believed as far as they belong to this compile.
  for (const trace::Span& worker_span : answer.spans) {
    if (worker_span.trace_id == root_.trace_id && worker_spans_.size() < kMaxWorkerSpans) {
      worker_spans_.push_back(worker_span);
    }
  }
}

// One invocation, tried again within bounds if the worker is lost.
Result<wire::Answer> CompileJob::Invoke(const Synced& synced,
                                        const std::function<bool()>& cancelled) {
  wire::Job job = MakeJob(synced);
  job.env.emplace_back();
  for (int attempt = 1;; ++attempt) {
    trace::Span& span = phases_.Begin("invoke");
    span.Set("attempt", Value(static_cast<int64_t>(attempt)));
    job.parent = span.context();
    job.env.back() = "TRACEPARENT=" + trace::FormatTraceparent(job.parent);
    const std::string payload = wire::EncodeJob(job);
    span.Set("payload_bytes", Value(static_cast<int64_t>(payload.size())));
    if (payload.size() > shared_.functions->max_payload_bytes()) return Local("payload-too-large");
    invoked_ns_ = shared_.clock->MonotonicNs();
    auto invocation = shared_.functions->Invoke(payload, {shared_.job_timeout_ms, cancelled});
    if (!invocation) {
      const Error& error = invocation.error();
      span.Set("error", error.message);
      if (error.code == Code::kCancelled) return Error{Code::kCancelled, "cancelled"};
      if (error.code != Code::kUnavailable || attempt >= kMaxCrashes) {
        return Local("invoke:" + error.message);
      }
      Count([](wire::Counters& c) { ++c.retries; });
      continue;
    }
    RecordInvocation(span, *invocation, payload.size());
    auto answer = wire::DecodeAnswer(invocation->payload);
    if (!answer) return Local("answer:" + answer.error().message);
    RecordAnswer(span, *answer);
    return answer;
  }
}

Result<wire::Answer> CompileJob::InvokeUntilVerified(const std::function<bool()>& cancelled) {
  int resends = 0;
  int corrections = 0;
  while (true) {
    ASSIGN_OR_RETURN(const Synced synced, SyncTree(cancelled));
    ASSIGN_OR_RETURN(wire::Answer answer, Invoke(synced, cancelled));
    if (answer.outcome == wire::Outcome::kMissingObjects) {
      if (++resends > kMaxResends) return Local("store:objects keep getting lost");
      shared_.sync->Lost(answer.missing, invoked_ns_);
      continue;
    }
    if (answer.outcome != wire::Outcome::kRan) return Local("worker:" + answer.error);
    phases_.Begin("verify");
    ASSIGN_OR_RETURN(const bool wrong, NeedsCorrection(answer));
    if (!wrong) return answer;
    Count([](wire::Counters& c) { ++c.retries; });
    if (++corrections > kMaxCorrections) return Local("lookups:" + corrections_.begin()->first);
  }
}

// Whether the command's lookups were answered otherwise than the local files would have.
Result<bool> CompileJob::NeedsCorrection(const wire::Answer& answer) {
  if (!answer.lookups_complete) return Local("lookups-unrecorded");
  const auto known = [&](const std::string& path, const tree::Entry& entry) {
    if (path == source_path_) return true;  // digested in the same walk that it was read in
    const auto mine = wanted_.find(path);
    if (mine != wanted_.end()) return mine->second == entry;
    const auto tool = toolchain_tree_->manifest.find(path);
    if (tool != toolchain_tree_->manifest.end()) return tool->second == entry;
    return shared_.index->Missing({{path, entry}}).empty();
  };
  const auto ignore = [&](const std::string& path) {
    return path == rules_.object || path == rules_.depfile || path == plan_.object ||
           path == plan_.depfile || IsAllowedOutput(rules_, path);
  };
  auto verified = Verify({&answer.found, &answer.absent}, *walker_, known, ignore);
  if (!verified) return Local("verify:" + verified.error().message);
  trace::Span& span = phases_.current();
  span.Set("lookups", Value(static_cast<int64_t>(answer.found.size() + answer.absent.size())));
  if (verified->news.empty()) return false;
  span.Set("corrected", verified->example);
  LOG(kDebug, "verify: " + command_.source + ": view lacked " + verified->example);
  if (walker_->text_flags() & store::kMentionsTimestamp) return Local("timestamp-macro");
  shared_.toolchain_trees->Learn(toolchain_, verified->news);
  for (auto& [path, entry] : verified->news) corrections_.insert_or_assign(path, entry);
  return true;
}

Result<wire::CompileResult> CompileJob::Write(wire::Answer& answer) {
  if (compiler::IsMachineFailure(answer.status, answer.err)) return Local("remote-compiler-failed");
  if (plan_.translated_messages && !(answer.err.empty() && answer.out.empty())) {
    return Local("translated-diagnostics");
  }
  trace::Span& span = phases_.Begin("write");
  auto written = WriteOutputs(rules_, answer);
  if (!written) {
    return Local(written.error().code == Code::kInvalid ? written.error().message
                                                        : "write:" + written.error().message);
  }
  span.Set("output_files", Value(static_cast<int64_t>(answer.outputs.size())));
  span.Set("output_bytes", Value(static_cast<int64_t>(*written)));
  wire::CompileResult result;
  result.status = answer.status;
  result.out = compiler::MapText(answer.out, answer.root);
  result.err = compiler::MapText(answer.err, answer.root);
  return result;
}

void CompileJob::SlotGranted(int64_t now_ns) {
  granted_ = true;
  phases_.BeginAt("local", now_ns);
  Count([](wire::Counters& c) {
    --c.local_waiting;
    ++c.local_running;
  });
}

void CompileJob::Finished(const std::optional<wire::Done>& done, int64_t now_ns) {
  if (local_) {
    Count([&](wire::Counters& c) {
      if (granted_) {
        --c.local_running;
        ++c.local_done;
      } else {
        --c.local_waiting;
      }
    });
  }
  int64_t end_ns = now_ns;
  if (done) {
    end_ns = std::clamp(done->end_ns, phases_.boundary_ns(), now_ns);
    root_.Set("local.user_ns", Value(done->user_ns));
    root_.Set("local.system_ns", Value(done->system_ns));
  }
  phases_.EndAt(end_ns);
  root_.duration_ns = std::max(end_ns, phases_.boundary_ns()) - root_.start_ns;
  if (!done && !granted_) root_.Set("abandoned", Value(true));
  std::vector<trace::Span> spans = phases_.Take();
  spans.insert(spans.end(), worker_spans_.begin(), worker_spans_.end());
  spans.push_back(std::move(root_));
  shared_.builds->Record(build_id_, spans);
}

}  // namespace

std::unique_ptr<Job> NewCompileJob(const Shared& shared, wire::Compile request,
                                   int64_t received_ns) {
  return std::make_unique<CompileJob>(shared, std::move(request), received_ns);
}

}  // namespace llama::daemon
