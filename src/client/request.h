// What a wrapper asks a daemon to do, of a command and of the process that was to run it.
#pragma once

#include <array>
#include <string>

#include "client/invocation.h"
#include "session/session.h"

namespace llama::client {

// `closed`: which standard streams were closed when this process began. Times are the caller's to
// set.
session::Compile RequestFor(const Invocation& invocation, const std::string& cwd,
                            const std::array<bool, 3>& closed);

}  // namespace llama::client
