#include "daemon/jobs/compile_job.h"

#include <sys/stat.h>

#include <optional>
#include <utility>
#include <variant>

#include "base/environment.h"
#include "base/file.h"
#include "base/log.h"
#include "compiler/plan.h"
#include "daemon/jobs/audit.h"
#include "daemon/jobs/compile_parse.h"
#include "daemon/jobs/compile_scan.h"
#include "daemon/jobs/job_record.h"
#include "daemon/jobs/lookup_reports.h"
#include "execute/check.h"
#include "execute/write.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

using execute::OrReason;
using execute::Outcome;
using execute::Reason;

// A chain of __has_include finds one more level each time.
constexpr int kMaxCorrections = 8;
// How long a compile waits for an upload while a core here is idle. A toolchain is up within that
// over 50 Mbit/s.
constexpr int64_t kPatienceMs = 5'000;
// Files may change under way, as in any build; after this many scans it is given up.
constexpr int kMaxScans = 3;

class CompileJob final : public Job {
 public:
  CompileJob(const Services& services, session::Compile request, int64_t received_ns)
      : services_(services),
        request_(std::move(request)),
        record_(services, {.name = trace::span::kLlamacc,
                           .build_id = VariableOr(request_.env, "LLAMACC_BUILD_ID", ""),
                           .traceparent = VariableOr(request_.env, "TRACEPARENT", ""),
                           .start_ns = request_.start_ns,
                           .start_monotonic_ns = request_.start_monotonic_ns,
                           .received_ns = received_ns,
                           .pid = request_.pid}) {
    executor_ = services_.executors->For(record_.build_id());
    record_.root().Set(trace::field::kCompiler, request_.compiler);
  }

  Verdict Run(const std::function<bool()>& cancelled) override {
    record_.CountStart();
    execute::Execution execution{
        .clock = *services_.clock,
        .phases = record_.phases(),
        .cancelled = cancelled,
        .deadline_ns = services_.clock->MonotonicNs() + services_.job_timeout_ms * 1'000'000,
        .allowance = execute::Allowance(services_.allowance_ms),
        .function = std::string(VariableOr(request_.env, "LLAMACC_FUNCTION", "")),
        .rather_here = [this](int64_t waited_ms) {
          return waited_ms >= kPatienceMs && services_.cpu != nullptr &&
                 services_.cpu->ClaimIdle(services_.clock->MonotonicNs());
        }};
    auto result = Compile(execution);
    record_.Charge(execution);
    if (result) {
      record_.phases().Begin(trace::span::kReply);
      record_.CountRemote(result->status, result->err);
      return std::move(*result);
    }
    const Reason reason = cancelled && cancelled() ? Reason{"cancelled", {}, Code::kCancelled}
                                                   : std::move(result).error();
    LOG(kDebug, "local: " + reason.Text());
    record_.CountLocal(reason);
    record_.phases().Begin(trace::span::kQueue);
    return RunHere{reason.Text()};
  }
  void SlotGranted(int64_t now_ns) override { record_.SlotGranted(now_ns); }
  void Finished(const std::optional<session::Done>& done, int64_t now_ns) override {
    record_.Finish(done, now_ns);
  }

 private:
  using Scanned = OrReason<ScannedCompile>;

  // The whole way. A reason that comes up in any step is a local run.
  OrReason<session::CompileResult> Compile(execute::Execution& execution) {
    record_.phases().Begin(trace::span::kParse);
    TRY(CheckCaller());
    ASSIGN_OR_RETURN(const ParsedCompile parsed,
                     ParseCompile(request_, *services_.toolchains, record_.root()));
    ASSIGN_OR_RETURN(const compiler::Plan plan,
                     PlanCompile(request_, parsed, *services_.toolchains));
    if (services_.unrecorded->ShouldAvoid(parsed.toolchain)) {
      return Reason{"lookups-unrecorded", parsed.toolchain->driver + ": as before"};
    }
    for (int scans = 1;; ++scans) {
      ASSIGN_OR_RETURN(ScannedCompile scanned, Scan(parsed, plan, execution));
      if (scanned.is_live && scans == 1) {
        scanned.action.foretold = services_.reports->Of(scanned.action);
      }
      auto outcome = ExecuteAndCheck(scanned, execution);
      if (outcome) outcome = Acceptable(plan, std::move(*outcome));
      auto result = outcome ? Deliver(scanned.action, *std::move(outcome), execution)
                            : OrReason<session::CompileResult>(outcome.error());
      if (scanned.has_lacked && scanned.unlearn) scanned.unlearn();
      // Inputs that changed under way are looked at again.
      if (result || result.error().code != Code::kUnavailable || scans == kMaxScans) return result;
      ++execution.charges.retries;
    }
  }

  // What this process can't do for that one.
  OrReason<void> CheckCaller() const {
    if (request_.file_namespace != services_.file_namespace) return Reason{"other-file-system", {}};
    if (request_.group != services_.group) return Reason{"other-group", {}};
    // What it opens first takes their numbers, and then what it prints.
    const auto is_closed = [](const session::StandardStream& stream) {
      return stream.kind == session::StreamKind::kClosed;
    };
    if (is_closed(request_.streams[1]) || is_closed(request_.streams[2])) {
      return Reason{"closed-descriptor", {}};
    }
    return {};
  }

  // What makes an outcome that is right the compile's result.
  OrReason<session::CompileResult> Deliver(const execute::Action& action, Outcome outcome,
                                           execute::Execution& execution) {
    if (auto audited = Audit(action, outcome, execution)) return *std::move(audited);
    TRY(Write(action, outcome, execution));
    session::CompileResult result{outcome.wait_status, std::move(outcome.out),
                                  std::move(outcome.err)};
    if (result.out.empty() && result.err.empty()) return result;
    for (execute::OutputFile& file : outcome.files) result.written.push_back(std::move(file.path));
    return result;
  }

  Scanned Scan(const ParsedCompile& parsed, const compiler::Plan& plan,
               execute::Execution& execution) {
    trace::Span& span = record_.phases().Begin(trace::span::kScan);
    auto scanned = ScanCompile(
        {&request_, &parsed, &plan, &services_, [&] { return execution.is_over(); }}, span);
    if (scanned) record_.root().Set(trace::field::kRung, scanned->rung);
    if (execution.is_over()) return execution.WhyOver();
    return scanned;
  }

  OrReason<Outcome> ExecuteAndCheck(ScannedCompile& scanned, execute::Execution& execution) {
    for (int corrections = 0;; ++corrections) {
      ASSIGN_OR_RETURN(Outcome outcome, executor_->Execute(scanned.action, execution));
      services_.unrecorded->Learn(scanned.toolchain, outcome.lookups.complete);
      trace::Span& span = record_.phases().Begin(trace::span::kVerify);
      span.Set(trace::field::kLookups,
               outcome.lookups.found.size() + outcome.lookups.absent.size());
      span.Set(trace::field::kForetold, trace::Value(outcome.lookups.foretold.has_value()));
      ASSIGN_OR_RETURN(execute::Finding finding, CheckOutcome(scanned, outcome));
      if (std::holds_alternative<execute::Agrees>(finding)) return outcome;
      auto& lacked = std::get<execute::Lacked>(finding);
      span.Set(trace::field::kCorrected, lacked.example);
      if (corrections == kMaxCorrections) return Reason{"lookups", lacked.example};
      ++execution.charges.retries;
      services_.toolchain_trees->Learn(scanned.toolchain, lacked.news);
      scanned.action.foretold.clear();
      scanned.has_lacked = true;
      AddToClosure(std::move(lacked), *services_.file_system, scanned);
    }
  }

  OrReason<execute::Finding> CheckOutcome(ScannedCompile& scanned, const Outcome& outcome) const {
    const execute::Action& action = scanned.action;
    execute::CheckRequest check{&action, &outcome, scanned.walker.get(), services_.file_system,
                                &scanned.shippable};
    scan::Closures::WatchedNames watched;
    if (scanned.is_live) {
      check.canonical = [&](const std::vector<std::string>& paths) {
        const auto is_input = [&](const std::string& path, const std::string& canonical) {
          return !execute::IsAllowed(action.outputs, path) &&
                 !execute::IsAllowed(action.outputs, canonical);
        };
        return services_.closures->CanonicalOf(paths, is_input, watched);
      };
      check.still_agrees = [&](const store::Digest& report) {
        return services_.reports->StillAgrees(action, report);
      };
    }
    auto finding = execute::Check(check);
    const auto* agrees = finding ? std::get_if<execute::Agrees>(&*finding) : nullptr;
    if (agrees != nullptr && agrees->by_names && outcome.lookups.report) {
      services_.reports->Remember(action, *outcome.lookups.report, std::move(watched));
    }
    return finding;
  }

  // The result of the local run, if there was one to compare with.
  std::optional<session::CompileResult> Audit(const execute::Action& action, const Outcome& outcome,
                                              execute::Execution& execution) {
    const double share = services_.executors->AuditShare(record_.build_id());
    if (share <= 0) return std::nullopt;
    if (!Auditor::Picks(share, record_.build_id(), action.outputs.object)) return std::nullopt;
    trace::Span& span = record_.phases().Begin(trace::span::kAudit);
    auto audited = services_.auditor->Run(request_, action.outputs, outcome, services_, execution);
    if (!audited) {
      span.Set(trace::field::kError, audited.error().message);
      return std::nullopt;
    }
    record_.root().Set(trace::field::kAudited, trace::Value(audited->difference.empty()));
    if (!audited->difference.empty()) {
      LOG(kWarning, "audit: " + action.outputs.object + ": differs: " + audited->difference);
      record_.root().Set(trace::field::kAuditDifference, audited->difference);
    }
    return std::move(audited->result);
  }

  // What only a local run can tell.
  OrReason<Outcome> Acceptable(const compiler::Plan& plan, Outcome outcome) const {
    const auto is_there = [&](const std::string& path) {
      struct stat st {};
      return services_.file_system->Lstat(JoinPath(request_.cwd, path), st) == 0;
    };
    if (compiler::IsMachineFailure(outcome.wait_status, outcome.err, is_there)) {
      return Reason{"remote-compiler-failed", {}};
    }
    if (plan.translated_messages && !(outcome.err.empty() && outcome.out.empty())) {
      return Reason{"translated-diagnostics", {}};
    }
    return outcome;
  }

  OrReason<void> Write(const execute::Action& action, const Outcome& outcome,
                       const execute::Execution& execution) {
    trace::Span& span = record_.phases().Begin(trace::span::kWrite);
    ASSIGN_OR_RETURN(
        const execute::Written written,
        execute::Write({&action, &outcome, &execution, services_.digests, services_.file_system}));
    span.Set(trace::field::kOutputFiles, written.files);
    span.Set(trace::field::kOutputBytes, written.bytes);
    return {};
  }

  const Services& services_;
  const session::Compile request_;
  JobRecord record_;
  std::shared_ptr<execute::Executor> executor_;
};

}  // namespace

std::unique_ptr<Job> NewCompileJob(const Services& services, session::Compile request,
                                   int64_t received_ns) {
  return std::make_unique<CompileJob>(services, std::move(request), received_ns);
}

}  // namespace llama::daemon
