// The word that was probably meant, for messages about unknown ones.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace llama {

// The one of `known` that is fewest edits away from `word`, or that `word` begins; empty if none is
// near.
std::string_view Closest(std::string_view word, std::span<const std::string_view> known);
// All that are near, the nearest first, each once and at most `max`.
std::vector<std::string_view> Near(std::string_view word, std::span<const std::string_view> known,
                                   size_t max);

}  // namespace llama
