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
#include "daemon/program_tree.h"
#include "daemon/shared.h"
#include "trace/span.h"
#include "tree/path_walker.h"
#include "wire/job.h"
#include "wire/session.h"

namespace llama::daemon {

class CommandInputs {
 public:
  // Both outlive it.
  CommandInputs(const Shared& shared, const wire::RunCommand& request);

  // The program's tree and the named files. May be called again: everything is looked at anew.
  Result<void> Walk(trace::Span& span, const std::function<bool()>& cancelled);
  // False: the command found all that is here. True: it must run again, with what was learned.
  bool Correct(const wire::Answer& answer);
  void FillJob(wire::Job& job) const;

  const ProgramQuery& query() const { return query_; }
  // What must be in the tree for this job alone, and for every job of its program.
  const tree::Manifest& wanted() const { return wanted_; }
  const tree::Manifest& shared_entries() const { return tree_->system; }
  // What the command looked up, is here, and is not sent. For its user's eyes only.
  const std::vector<std::string>& refused() const { return refused_; }

 private:
  Result<void> WalkProgram();
  Result<void> TakeInput(const wire::CommandInput& input);
  Result<void> TakeFolder(const wire::CommandInput& input, int depth);
  Result<void> TakeFile(const wire::CommandInput& input, uint64_t size_bytes, bool executable);
  std::string Rooted(const std::string& argument) const;
  bool IsShipped(const std::string& path) const;
  std::vector<std::string> Environment() const;
  std::vector<std::string> LibraryPath() const;

  const Shared& shared_;
  const wire::RunCommand& request_;
  ProgramQuery query_;
  std::shared_ptr<const ProgramTree> tree_;
  std::unique_ptr<tree::PathWalker> walker_;
  tree::Manifest wanted_;
  std::vector<wire::JobFile> files_;
  std::vector<wire::JobLink> links_;
  uint64_t inline_bytes_ = 0;
  size_t file_count_ = 0;
  std::vector<std::string> refused_;
};

}  // namespace llama::daemon
