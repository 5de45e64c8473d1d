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

// Records in `root` what the build's graph needs to know of the command, wherever it will run. If
// that is here, `refused` (if not null) becomes the command as far as it was understood.
execute::OrReason<ParsedCompile> ParseCompile(const session::Compile& request,
                                              compiler::Toolchains& toolchains, trace::Span& root,
                                              compiler::Command* refused = nullptr);

execute::OrReason<compiler::Plan> PlanCompile(const session::Compile& request,
                                              const ParsedCompile& parsed,
                                              compiler::Toolchains& toolchains);

}  // namespace llama::daemon
