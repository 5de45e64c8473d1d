// __TIMESTAMP__, and the parts of it that macros paste together: of two parts, or three, one has
// five characters or more.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace llama::scan {

// One of these stands in each part.
inline constexpr std::array<std::string_view, 9> kTimestampParts = {
    "__TIM", "_TIME", "TIMES", "IMEST", "MESTA", "ESTAM", "STAMP", "TAMP_", "AMP__"};

// Whether the name that goes through `at` is __TIMESTAMP__ or such a part.
bool IsTimestampPart(std::string_view text, size_t at);
// Whether one stands anywhere.
bool HasTimestampPart(std::string_view text);

}  // namespace llama::scan
