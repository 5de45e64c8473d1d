// The wrapper's life: hand the command to the daemon, print what comes back, or become the
// compiler.
//
// Nothing that goes wrong between wrapper and daemon is ever seen by the build: the real compiler
// runs instead. Nothing of ours is written unless LLAMACC_VERBOSE is set.
#pragma once

#include <string>

namespace llama::client {

// Environment variables that steer it.
inline constexpr char kLocalVariable[] = "LLAMACC_LOCAL";      // set, not 0: never ask the daemon
inline constexpr char kVerboseVariable[] = "LLAMACC_VERBOSE";  // set, not 0: say what happens
// In the environment of a compiler that runs on a local slot: wrappers below it run their compiler
// at once, since waiting for a second slot while holding one can block for ever.
inline constexpr char kSlotVariable[] = "LLAMACC_SLOT";

// Returns the exit status, dies of the compiler's signal, or becomes the compiler.
int RunWrapper(int argc, char** argv, const std::string& build_id);

}  // namespace llama::client
