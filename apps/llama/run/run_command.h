// Running the build's own command: in the foreground, in our process group, with our descriptors,
// as if the shell had run it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace llama::app {

class OutputTaps;
class Relay;

struct RunOptions {
  std::vector<std::string> command;  // searched in the PATH of `env`
  std::vector<std::string> env;      // "K=V"; all of it
  Relay* relay = nullptr;      // if set, takes the place of stdout and stderr that are terminals
  OutputTaps* taps = nullptr;  // if set, stand before stdout and stderr that are none
  int64_t tick_ms = 1000;
  std::function<void()> tick;         // called about that often while the command runs
  std::function<void()> interrupted;  // called when a signal came that ends commands
};

// The status as waitpid gives it. Signals that are sent to us are passed on to the command; those
// that the terminal sends reach it by themselves. Must be called with one thread running. kNotFound
// if there is no such command, another code if it can't be executed.
Result<int> RunCommand(const RunOptions& options);

// From here on signals wait, so that an impatient second Ctrl-C does not cost an interrupted build
// its record.
void HoldSignals();

// Ends this process as the command ended, by the same signal if it was one; gives the exit status
// where that did not end it.
int EndLike(int status);

}  // namespace llama::app
