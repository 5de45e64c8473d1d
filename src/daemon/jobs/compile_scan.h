// The scan of a compile: which files it will read, what each of them is now, and the action that
// this makes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "compiler/plan.h"
#include "daemon/jobs/compile_parse.h"
#include "daemon/jobs/services.h"
#include "execute/action.h"
#include "execute/check.h"
#include "execute/reason.h"
#include "execute/shippable.h"
#include "files/path_walker.h"
#include "session/session.h"
#include "trace/span.h"

namespace llama::daemon {

struct ScannedCompile {
  execute::Action action;
  std::shared_ptr<const compiler::Toolchain> toolchain;
  std::string rung;  // of the ladder that found the inputs
  // What the closure was made with, for the check.
  std::unique_ptr<files::PathWalker> walker;
  bool is_live = false;  // the closure is a live tree's
  // Not empty: part of the closure is what was learned before. To be called in the end if something
  // of it was lacked.
  std::function<void()> unlearn;
  bool has_lacked = false;
  execute::Shippable shippable;
};

struct CompileScan {
  const session::Compile* request = nullptr;
  const ParsedCompile* parsed = nullptr;
  const compiler::Plan* plan = nullptr;
  const Services* services = nullptr;
  std::function<bool()> cancelled;
};

execute::OrReason<ScannedCompile> ScanCompile(const CompileScan& scan, trace::Span& span);

// The same action with a closure that holds what the view lacked.
void AddToClosure(execute::Lacked lacked, const FileSystem& file_system, ScannedCompile& scanned);

}  // namespace llama::daemon
