#include "scan/search/search_table.h"

#include <array>

namespace llama::scan {
namespace {

using Effect = SearchEffect;

constexpr bool kJoined = true;
constexpr bool kExact = false;

// Every option that changes the search. The sources are gcc 12's
// c.opt, its driver's specs and incpath.c, and clang 14's Options.td and InitHeaderSearch.cpp.
constexpr auto kEntries = std::to_array<SearchOption>({
    {"-I", kJoined, Effect::kAngle},
    {"--include-directory=", kJoined, Effect::kAngle},
    {"--include-directory", kExact, Effect::kAngle},
    {"-iquote", kJoined, Effect::kQuote},
    {"-isystem", kJoined, Effect::kSystem},
    {"-cxx-isystem", kJoined, Effect::kCxxSystem},
    {"-idirafter", kJoined, Effect::kAfter},
    {"--include-directory-after=", kJoined, Effect::kAfter},
    {"--include-directory-after", kExact, Effect::kAfter},
    {"-include", kJoined, Effect::kInclude},
    {"--include=", kJoined, Effect::kInclude},
    {"--include", kExact, Effect::kInclude},
    {"-imacros", kJoined, Effect::kMacros},
    {"--imacros=", kJoined, Effect::kMacros},
    {"--imacros", kExact, Effect::kMacros},
    {"-D", kJoined, Effect::kDefine},
    {"--define-macro=", kJoined, Effect::kDefine},
    {"--define-macro", kExact, Effect::kDefine},
    {"-U", kJoined, Effect::kUndefine},
    {"--undefine-macro=", kJoined, Effect::kUndefine},
    {"--undefine-macro", kExact, Effect::kUndefine},
    {"-Wp,", kJoined, Effect::kPreprocessor},

    {"-fhosted", kExact, Effect::kHosted},
    {"-fno-freestanding", kExact, Effect::kHosted},
    {"-ffreestanding", kExact, Effect::kFreestanding},
    {"-fno-hosted", kExact, Effect::kFreestanding},
    {"-nostdinc", kExact, Effect::kNoStandard},
    {"-nostdinc++", kExact, Effect::kBuiltIn},
    {"-nostdlibinc", kExact, Effect::kBuiltIn},
    {"-nobuiltininc", kExact, Effect::kBuiltIn},
    {"-stdlib=", kJoined, Effect::kBuiltIn},
    {"-stdlib++-isystem", kJoined, Effect::kBuiltInPath},
    // Which of them choose a multilib is the target's own affair.
    {"-m", kJoined, Effect::kBuiltIn},
    {"-mllvm", kExact, Effect::kNone},
    // gcc that makes PIE by default takes no -mcmodel=kernel without one of these.
    {"-fPIC", kExact, Effect::kBuiltIn},
    {"-fPIE", kExact, Effect::kBuiltIn},
    {"-fpic", kExact, Effect::kBuiltIn},
    {"-fpie", kExact, Effect::kBuiltIn},
    {"-fno-PIC", kExact, Effect::kBuiltIn},
    {"-fno-PIE", kExact, Effect::kBuiltIn},
    {"-fno-pic", kExact, Effect::kBuiltIn},
    {"-fno-pie", kExact, Effect::kBuiltIn},
    {"-target", kExact, Effect::kTarget},
    {"--target=", kJoined, Effect::kTarget},
    {"--target", kExact, Effect::kTarget},
    {"-no-canonical-prefixes", kExact, Effect::kBuiltIn},
    {"-B", kJoined, Effect::kBuiltInPath},
    {"--prefix=", kJoined, Effect::kBuiltInPath},
    {"--gcc-toolchain=", kJoined, Effect::kBuiltInPath},
    {"--gcc-toolchain", kExact, Effect::kBuiltInPath},
    {"-gcc-toolchain", kExact, Effect::kBuiltInPath},
    {"-resource-dir", kExact, Effect::kBuiltInPath},
    {"-resource-dir=", kJoined, Effect::kBuiltInPath},
    {"--sysroot", kExact, Effect::kSysroot},
    {"--sysroot=", kJoined, Effect::kSysroot},
    {"-isysroot", kJoined, Effect::kSysroot},

    {"-integrated-as", kExact, Effect::kNone},
    {"-i", kJoined, Effect::kRefused},
    {"-include-pch", kJoined, Effect::kRefused},
    {"-isystem-after", kJoined, Effect::kRefused},
    {"-F", kJoined, Effect::kRefused},
    {"-iframework", kJoined, Effect::kRefused},
    {"-Xclang", kExact, Effect::kFrontEnd},
    {"-Xpreprocessor", kExact, Effect::kFrontEnd},
    {"-specs", kExact, Effect::kBuiltInPath},
    {"-specs=", kJoined, Effect::kBuiltInPath},
    {"--specs", kExact, Effect::kBuiltInPath},
    {"--specs=", kJoined, Effect::kBuiltInPath},
    {"--config", kExact, Effect::kBuiltInPath},
    {"--config=", kJoined, Effect::kBuiltInPath},
    {"--config-system-dir=", kJoined, Effect::kBuiltInPath},
    {"--config-user-dir=", kJoined, Effect::kBuiltInPath},
    {"--no-default-config", kExact, Effect::kBuiltIn},
    {"-remap", kExact, Effect::kRefused},
    {"-wrapper", kExact, Effect::kRefused},
    {"-fmodule", kJoined, Effect::kRefused},
    {"-fpreprocessed", kExact, Effect::kRefused},
    // As MSVC, it looks in the folders of all that include the one that includes.
    {"-fms-compatibility", kExact, Effect::kRefusedWithClang},
});

}  // namespace

const SearchOption* FindSearchOption(std::string_view word) {
  const SearchOption* best = nullptr;
  for (const SearchOption& entry : kEntries) {
    if (entry.is_joined ? !word.starts_with(entry.name) : word != entry.name) continue;
    if (best == nullptr || entry.name.size() > best->name.size()) best = &entry;
  }
  return best;
}

}  // namespace llama::scan
