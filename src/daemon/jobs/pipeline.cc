#include "daemon/jobs/pipeline.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "aws/settings/settings.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own_dir.h"
#include "daemon/jobs/audit.h"
#include "daemon/jobs/backend.h"
#include "daemon/jobs/closure_cache.h"
#include "daemon/jobs/command_job.h"
#include "daemon/jobs/compile_job.h"
#include "daemon/jobs/job_tally.h"
#include "daemon/jobs/lookup_reports.h"
#include "daemon/record/build_samples.h"
#include "daemon/record/builds.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

Result<int64_t> NumberFromEnvironment(const char* name, int64_t low, int64_t high,
                                      int64_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == '\0') return otherwise;
  int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value < low || value > high) {
    return Error{Code::kInvalid, std::string(name) + "=" + text + ": expected a number from " +
                                     std::to_string(low) + " to " + std::to_string(high)};
  }
  return value;
}

bool WantsTraces() {
  const char* text = std::getenv("LLAMA_TRACE");
  return text == nullptr || std::strcmp(text, "off") != 0;
}

class PipelineImpl final : public Pipeline {
 public:
  static Result<std::unique_ptr<Pipeline>> Open(const PipelineOptions& options,
                                                const Clock& clock) {
    auto self = std::make_unique<PipelineImpl>(options, clock);
    TRY(self->Init(options));
    return std::unique_ptr<Pipeline>(std::move(self));
  }

  PipelineImpl(const PipelineOptions& options, const Clock& clock)
      : clock_(clock),
        builds_(JoinPath(options.backend.llama_dir, "builds"), clock, WantsTraces()),
        toolchains_(
            compiler::Toolchains::Create(clock, JoinPath(options.backend.llama_dir, "cache"))),
        finder_(scan::NewDependencyRunFinder()) {}

  ~PipelineImpl() override {
    builds_.Flush();
    if (digests_) (void)digests_->Flush().has_value();
  }

  std::unique_ptr<Job> Start(session::Compile request, int64_t received_ns) override {
    return NewCompileJob(services_, std::move(request), received_ns);
  }
  std::unique_ptr<Job> StartCommand(session::RunCommand request, int64_t received_ns) override {
    return NewCommandJob(services_, std::move(request), received_ns);
  }
  Result<void> BeginBuild(const session::BeginBuild& build) override {
    TRY(executors_->Begin(build));
    samples_.BeforeBegin(WorkersNow());
    return builds_.Begin(build);
  }
  Result<void> EndBuild(const session::EndBuild& build) override {
    samples_.BeforeEnd(WorkersNow(), build.id, build.root.end_ns());
    executors_->End(build.id);
    return builds_.End(build);
  }
  void AbandonBuild(const std::string& build_id, int64_t gone_ns) override {
    const int64_t end_ns = clock_.NowNs() - (clock_.MonotonicNs() - gone_ns);
    samples_.BeforeEnd(WorkersNow(), build_id, end_ns);
    executors_->End(build_id);
    if (const auto ended = builds_.Abandon(build_id, end_ns); !ended) {
      LOG(kWarning, "build " + build_id + ": " + ended.error().message);
    }
  }
  session::Counters CountersOf(const std::string& build_id) override {
    return builds_.CountersOf(build_id);
  }

  void FillStatus(session::Status& status) override {
    backend_->FillStatus(status);
    status.layers = index_->layer_count();
  }

  void FillMetrics(Metrics& metrics) override {
    tally_.Fill(metrics);
    metrics.active_builds = builds_.ActiveBuilds().size();
  }

  void Tick() override {
    samples_.Tick(WorkersNow());
    builds_.Flush();
    if (++ticks_ % kTicksPerDigestFlush == 0) {
      if (const auto flushed = digests_->Flush(); !flushed) {
        LOG(kWarning, "digest cache: " + flushed.error().message);
      }
      if (const auto flushed = directives_ ? directives_->Flush() : Result<void>(); !flushed) {
        LOG(kWarning, "directives cache: " + flushed.error().message);
      }
    }
  }

 private:
  static constexpr int kTicksPerDigestFlush = 15;

  Result<void> Init(const PipelineOptions& options) {
    const std::string cache = JoinPath(options.backend.llama_dir, "cache");
    TRY(MakeOwnDir(cache));
    ASSIGN_OR_RETURN(const aws::Settings settings,
                     aws::ResolveSettings(options.env, options.backend.llama_dir));
    ASSIGN_OR_RETURN(backend_, Backend::Open(settings, options.backend, clock_));
    ASSIGN_OR_RETURN(digests_, files::DigestCache::Open(JoinPath(cache, "digests"), clock_));
    ASSIGN_OR_RETURN(index_,
                     tree::LayerIndex::Open(JoinPath(cache, "layers"), backend_->store_name()));
    const std::string directives = JoinPath(cache, "directives");
    if (auto opened = scan::DirectivesCache::Open(directives)) {
      directives_ = *std::move(opened);
    } else {
      LOG(kWarning, "directives cache: " + opened.error().message + "; nothing is kept");
    }
    live_tree_ = std::make_unique<files::LiveTree>(*digests_, clock_);
    closures_ = std::make_unique<scan::Closures>(*live_tree_, directives_.get());
    sync_ = std::make_unique<execute::TreeSync>(backend_->store(), *index_, *digests_, clock_);
    trees_ = std::make_unique<execute::ToolchainTrees>(*digests_);
    programs_ = std::make_unique<ProgramTrees>(*digests_, clock_);
    services_.clock = &clock_;
    services_.file_namespace = OwnFileNamespace();
    services_.group = getegid();
    services_.builds = &builds_;
    services_.tally = &tally_;
    services_.toolchains = toolchains_.get();
    services_.unrecorded = &unrecorded_;
    services_.toolchain_trees = trees_.get();
    services_.programs = programs_.get();
    services_.finder = finder_.get();
    services_.digests = digests_.get();
    executor_ = std::make_unique<execute::FunctionExecutor>(*backend_, *sync_, *index_);
    executors_ = std::make_unique<BuildExecutors>(*executor_, clock_);
    services_.executors = executors_.get();
    services_.auditor = &auditor_;
    services_.file_system = &LocalFileSystem();
    services_.cpu = options.cpu;
    const char* scanner = std::getenv("LLAMA_SCAN");
    if (scanner == nullptr || std::strcmp(scanner, "cc-M") != 0) {
      services_.search_paths = &search_paths_;
      services_.closures = closures_.get();
      services_.closure_cache = &closure_cache_;
      reports_ = std::make_unique<LookupReports>(*closures_);
      services_.reports = reports_.get();
    }
    services_.job_timeout_ms = options.job_timeout_ms;
    return {};
  }

  BuildSamples::Workers WorkersNow() {
    session::Status status;
    FillStatus(status);
    return {status.workers, status.busy_workers, backend_->WorkerPids()};
  }

  const Clock& clock_;
  Builds builds_;
  JobTally tally_;
  BuildSamples samples_{builds_, clock_};
  std::unique_ptr<compiler::Toolchains> toolchains_;
  compiler::UnrecordedToolchains unrecorded_{clock_};
  std::unique_ptr<scan::InputFinder> finder_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<files::DigestCache> digests_;
  std::unique_ptr<scan::DirectivesCache> directives_;  // null: its file can't be had
  std::unique_ptr<files::LiveTree> live_tree_;
  std::unique_ptr<scan::Closures> closures_;
  scan::SearchPaths search_paths_;
  // One core is for what all else waits for.
  Auditor auditor_{std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1)};
  ClosureCache closure_cache_;
  std::unique_ptr<LookupReports> reports_;
  std::unique_ptr<tree::LayerIndex> index_;
  std::unique_ptr<execute::TreeSync> sync_;
  std::unique_ptr<execute::ToolchainTrees> trees_;
  std::unique_ptr<ProgramTrees> programs_;
  std::unique_ptr<execute::FunctionExecutor> executor_;
  std::unique_ptr<BuildExecutors> executors_;
  Services services_;
  int ticks_ = 0;
};

}  // namespace

Result<PipelineOptions> PipelineOptionsFromEnvironment(const std::string& llama_dir) {
  PipelineOptions options;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    options.env.emplace_back(*entry);
  }
  BackendOptions& backend = options.backend;
  backend.llama_dir = llama_dir;
  ASSIGN_OR_RETURN(const std::string bin, ExecutableDir());
  backend.worker_program = JoinPath(bin, "llama-runtime");
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  ASSIGN_OR_RETURN(const int64_t workers, NumberFromEnvironment("LLAMA_WORKERS", 1, 1000, cores));
  backend.max_workers = static_cast<int>(workers);
  ASSIGN_OR_RETURN(const int64_t disk_gib, NumberFromEnvironment("LLAMA_DISK", 1, 1 << 20, 20));
  backend.max_disk_bytes = static_cast<uint64_t>(disk_gib) << 30;
  ASSIGN_OR_RETURN(const int64_t timeout_s,
                   NumberFromEnvironment("LLAMA_JOB_TIMEOUT", 1, 86'400, 900));
  options.job_timeout_ms = timeout_s * 1000;
  if (const char* launcher = std::getenv("LLAMA_WORKER_LAUNCHER");
      launcher != nullptr && *launcher != '\0') {
    backend.worker_launcher = {launcher};
  }
  return options;
}

Result<std::unique_ptr<Pipeline>> NewPipeline(const PipelineOptions& options, const Clock& clock) {
  return PipelineImpl::Open(options, clock);
}

}  // namespace llama::daemon
