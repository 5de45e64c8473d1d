// CommandInputs: what one command of any kind needs, as far as this machine can tell: its program's
// tree, the files that its user named, its arguments and environment as they are to be there.
//
// Errors say why it can't be run remotely, for its user. Used by one job thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/jobs/program_tree.h"
#include "daemon/jobs/shared.h"
#include "files/path_walker.h"
#include "job/job.h"
#include "session/session.h"
#include "trace/span.h"

namespace llama::daemon {

class CommandInputs {
 public:
  // Both outlive it.
  CommandInputs(const Shared& shared, const session::RunCommand& request);

  // The program's tree and the named files. May be called again: everything is looked at anew.
  Result<void> Walk(trace::Span& span, const std::function<bool()>& cancelled);
  // False: the command found all that is here. True: it must run again, with what was learned.
  bool Correct(const job::Answer& answer);
  void FillJob(job::Job& job) const;

  const ProgramQuery& query() const { return query_; }
  // What must be in the tree for this job alone, and for every job of its program.
  const tree::Manifest& wanted() const { return wanted_; }
  const tree::Manifest& shared_entries() const { return tree_->system; }
  // What the command looked up, is here, and is not sent. For its user's eyes only.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  Result<void> WalkProgram();
  Result<void> TakeInput(const session::CommandInput& input);
  Result<void> TakeFolder(const session::CommandInput& input, int depth);
  Result<void> TakeFile(const session::CommandInput& input, uint64_t size_bytes, bool executable);
  std::string Rooted(const std::string& argument) const;
  bool IsShipped(const std::string& path) const;
  std::vector<std::string> Environment() const;
  std::vector<std::string> LibraryPath() const;

  const Shared& shared_;
  const session::RunCommand& request_;
  ProgramQuery query_;
  std::shared_ptr<const ProgramTree> tree_;
  std::unique_ptr<files::PathWalker> walker_;
  tree::Manifest wanted_;
  std::vector<job::JobFile> files_;
  std::vector<job::JobLink> links_;
  uint64_t inline_bytes_ = 0;
  size_t file_count_ = 0;
  std::vector<std::string> refused_;
};

}  // namespace llama::daemon
