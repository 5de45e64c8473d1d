// Standard descriptors that are closed when a program starts.
#pragma once

#include <array>

namespace llama::client {

// Each is held by something that fails every read and write as a closed one does, and that exec
// closes: else what is opened next, like a socket, would be taken for standard error. Gives those
// that are.
std::array<bool, 3> HoldClosedDescriptors();

}  // namespace llama::client
