// The word that was probably meant, for messages about unknown ones.
#pragma once

#include <span>
#include <string_view>

namespace llama {

// The one of `known` that is fewest edits away from `word`, or that `word` begins; empty if none is
// near.
std::string_view Closest(std::string_view word, std::span<const std::string_view> known);

}  // namespace llama
