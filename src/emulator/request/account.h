// The account that everything in the emulator belongs to.
#pragma once

#include <string_view>

namespace llama::emulator {

inline constexpr std::string_view kAccountId = "000000000000";

}  // namespace llama::emulator
