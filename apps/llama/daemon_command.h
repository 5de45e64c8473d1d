// `llama daemon start|stop|status [--json]|restart|run [--ready-fd N]`.
#pragma once

#include <string>
#include <vector>

namespace llama {

// `args` is what follows `daemon`. The exit status: status exits with 1 if no daemon runs; 2 is for
// wrong usage.
int DaemonCommand(const std::vector<std::string>& args);

}  // namespace llama
