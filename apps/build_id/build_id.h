// The id of the build that this program is of (apps/build_id/CMakeLists.txt): it changes whenever
// any source does, so programs with equal ids speak the same protocol and agree on every format.
#pragma once

#include <string_view>

namespace llama {

std::string_view BuildId();  // 32 hex digits

}  // namespace llama
