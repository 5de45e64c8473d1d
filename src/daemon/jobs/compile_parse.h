// The first steps of a compile: its command line understood, its compiler known, its remote form
// made. Each gives a value for the next, or the reason why it runs here.
#pragma once

#include <memory>

#include "compiler/command.h"
#include "compiler/plan.h"
#include "compiler/toolchain.h"
#include "execute/reason.h"
#include "execute/toolchain_tree.h"
#include "session/session.h"
#include "trace/span.h"

namespace llama::daemon {

struct ParsedCompile {
  compiler::Command command;
  std::shared_ptr<const compiler::Toolchain> toolchain;
};

// Records in `root` what the build's graph needs to know of the command, wherever it will run.
execute::OrReason<ParsedCompile> ParseCompile(const session::Compile& request,
                                              compiler::Toolchains& toolchains, trace::Span& root);

execute::OrReason<compiler::Plan> PlanCompile(const session::Compile& request,
                                              const ParsedCompile& parsed,
                                              compiler::Toolchains& toolchains);

// $PWD if it names the working directory, as compilers take it for DW_AT_comp_dir.
std::string LogicalCwd(const session::Compile& request);
// The same as a path that the tree can have: each process has its own /proc/self.
std::string ShippedCwd(const session::Compile& request);

}  // namespace llama::daemon
