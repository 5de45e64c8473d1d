// The scan of a command of any kind: its program's tree, the files that its user named, its
// arguments and environment as they are to be there; and the action that all this makes.
//
// Reasons are for its user.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/jobs/program_tree.h"
#include "daemon/jobs/services.h"
#include "execute/action.h"
#include "execute/reason.h"
#include "session/session.h"
#include "trace/span.h"

namespace llama::daemon {

struct ScannedCommand {
  execute::Action action;
  std::shared_ptr<const ProgramTree> tree;
};

// What the user's variables make of the program that is asked for.
ProgramQuery QueryOf(const session::RunCommand& request);

// All is looked at anew in each call.
execute::OrReason<ScannedCommand> ScanCommand(const session::RunCommand& request,
                                              const ProgramQuery& query, const Services& services,
                                              const std::function<bool()>& cancelled,
                                              trace::Span& span);

// Whether it must run again, with what was learned of its lookups. `refused` gets what it looked
// up, is here, and is not sent.
bool LearnFrom(const session::RunCommand& request, const ProgramQuery& query,
               const ScannedCommand& scanned, const execute::Lookups& lookups,
               ProgramTrees& programs, std::vector<std::string>& refused);

}  // namespace llama::daemon
