// JobInputs: what one compile needs, as far as this machine alone can tell: the command understood,
// its remote form, and the local truth about every file it will read, as manifest entries.
//
// Errors of its steps are reasons for a local run (LocalReason). Used by one job thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "compiler/plan.h"
#include "compiler/toolchain.h"
#include "daemon/jobs/outputs.h"
#include "daemon/jobs/shared.h"
#include "execute/toolchain_tree.h"
#include "files/path_walker.h"
#include "job/job.h"
#include "scan/input_finder.h"
#include "session/session.h"
#include "trace/span.h"

namespace llama::daemon {

// Why a job is to run here: a stable word, which is counted, and what it was in this case.
Error LocalReason(std::string word, std::string_view detail = {});

// The value of a variable of the wrapper's environment; empty if it is not set.
std::string Variable(const std::vector<std::string>& env, std::string_view name);

class JobInputs {
 public:
  // Both outlive it.
  JobInputs(const Shared& shared, const session::Compile& request)
      : shared_(shared), request_(request) {}

  // Understands the command line, finds its toolchain and makes the plan.
  Result<void> Parse(trace::Span& root);
  // Finds the files that the compile will read and walks them all. May be called again when they
  // changed; then everything is looked at anew.
  Result<void> Scan(trace::Span& root, trace::Span& span, const std::function<bool()>& cancelled);

  // Compares the remote command's lookups with the local files (verify.h). False: they agree. True:
  // the manifest now holds what the view lacked, and the job must run again; `example` is a path of
  // it.
  Result<bool> Correct(const job::Answer& answer, std::string& example);

  // For the job: command, source, the directories and what stands where outputs will be.
  void FillJob(job::Job& job) const;

  const compiler::Command& command() const { return command_; }
  const compiler::Plan& plan() const { return plan_; }
  const OutputRules& rules() const { return rules_; }
  // What must be in the tree for this job alone, and for every job of its toolchain.
  const tree::Manifest& wanted() const { return wanted_; }
  const tree::Manifest& toolchain() const { return toolchain_tree_->manifest; }

 private:
  Result<void> FindToolchain();
  Result<void> Walk(const std::vector<std::string>& files);
  Result<void> WalkOutputs();
  Result<void> TakeSource();
  bool IsKnown(const std::string& path, const tree::Entry& entry) const;
  bool IsOwnOutput(const std::string& path) const;

  const Shared& shared_;
  const session::Compile& request_;

  std::shared_ptr<const compiler::Toolchain> toolchain_;
  std::shared_ptr<const execute::ToolchainTree> toolchain_tree_;
  compiler::Command command_;
  compiler::Plan plan_;
  std::unique_ptr<files::PathWalker> walker_;
  tree::Manifest wanted_;  // without the toolchain's, without the inline source
  OutputRules rules_;
  std::string source_path_;  // canonical
  job::JobFile source_;      // travels with the job; no path: it is in wanted_ like any other
};

}  // namespace llama::daemon
