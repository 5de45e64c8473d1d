#include "session/environment.h"

#include <algorithm>
#include <array>

namespace llama::session {
namespace {

// Sorted, for the binary search.
constexpr auto kNames = std::to_array<std::string_view>({
    "COLORTERM",
    "COLUMNS",
    "COMPILER_PATH",
    "CPATH",
    "DEPENDENCIES_OUTPUT",
    "FORCE_SOURCE_DATE",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LIBRARY_PATH",
    "LOCPATH",
    "MAKELEVEL",
    "NLSPATH",
    "NO_COLOR",
    "OUTPUT_CHARSET",
    "PATH",
    "POSIXLY_CORRECT",
    "PWD",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
    "SUNPRO_DEPENDENCIES",
    "TEMP",
    "TERM",
    "TERM_URLS",
    "TMP",
    "TMPDIR",
    "TRACEPARENT",
    "TRACESTATE",
    "TZ",
});

// LC_*: messages and character sets; GCC_*, CCC_*, CLANG_*: the drivers' own switches; LLAMA*:
// ours, LLAMACC_* with them.
constexpr auto kPrefixes =
    std::to_array<std::string_view>({"CCC_", "CLANG_", "CLICOLOR", "GCC_", "LC_", "LLAMA"});

// C_, CPLUS_, OBJC_ and OBJCPLUS_INCLUDE_PATH.
constexpr std::string_view kSuffix = "_INCLUDE_PATH";

static_assert(std::is_sorted(kNames.begin(), kNames.end()));

}  // namespace

bool IsRelevantVariable(std::string_view name) {
  if (std::binary_search(kNames.begin(), kNames.end(), name)) return true;
  if (name.ends_with(kSuffix)) return true;
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> RelevantEnvironment(const char* const* environ) {
  std::vector<std::string> relevant;
  for (; environ != nullptr && *environ != nullptr; ++environ) {
    const std::string_view entry = *environ;
    const size_t equals = entry.find('=');
    if (equals == std::string_view::npos) continue;
    if (IsRelevantVariable(entry.substr(0, equals))) relevant.emplace_back(entry);
  }
  return relevant;
}

}  // namespace llama::session
