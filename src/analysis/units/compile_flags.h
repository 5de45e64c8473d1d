// CompileFlags: which options a build's compiles were made with, by the field `flags` of their
// spans, so that two builds can be told apart by them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::analysis {

// ("flag -O2", "all compiles") or "some compiles" of those whose flags are recorded; by the flag's
// bytes. Beyond the first kMaxFlags distinct ones nothing is listed: no build has so many.
inline constexpr size_t kMaxFlags = 10'000;
std::vector<std::pair<std::string, std::string>> CompileFlags(const traces::Columns& trace);

}  // namespace llama::analysis
