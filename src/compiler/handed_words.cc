#include "compiler/handed_words.h"

#include <algorithm>
#include <array>

namespace llama::compiler {
namespace {

constexpr auto kFrontEndPins = std::to_array<std::string_view>({"-E", "-S", "-o", "-x"});
constexpr auto kFrontEndPinPrefixes = std::to_array<std::string_view>(
    {"-M",           "-analyz",      "-arcmt",          "-ast-",
     "-code-compl",  "-coverage-",   "-dependency",     "-dump",
     "-emit-",       "-fdump",       "-fmodule",        "-ftime",
     "-header-incl", "-include-pch", "-internal-",      "-isysroot",
     "-ivfs",        "-iw",          "-main-file-name", "-objcmt",
     "-opt-record",  "-print",       "-resource-dir",   "-rewrite",
     "-serialize",   "-show-stats",  "-split-dwarf",    "-stack-usage-file",
     "-stats",       "-token-cache", "-triple",         "-working-directory"});
constexpr auto kFrontEndValues = std::to_array<std::string_view>(
    {"-load", "-include", "-imacros", "-plugin", "-add-plugin", "-mllvm", "-target-feature",
     "-target-cpu", "-tune-cpu", "-mrelocation-model"});

// A listing names its input, which is a temporary file.
constexpr auto kAssemblerPins =
    std::to_array<std::string_view>({"-a", "-o", "--MD", "--statistics", "@"});

constexpr auto kPreprocessorWords = std::to_array<std::string_view>({"-D", "-U", "-W", "-w", "-f"});

template <size_t N>
bool BeginsWithAny(std::string_view text, const std::array<std::string_view, N>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

template <size_t N>
bool IsAny(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

}  // namespace

bool PinsFrontEnd(std::string_view word) {
  return IsAny(word, kFrontEndPins) || BeginsWithAny(word, kFrontEndPinPrefixes);
}

bool FrontEndTakesValue(std::string_view word) {
  return IsAny(word, kFrontEndValues) || word.starts_with("-plugin-arg-");
}

bool PinsAssembler(std::string_view word) { return BeginsWithAny(word, kAssemblerPins); }

bool IsPreprocessorWord(std::string_view word) { return BeginsWithAny(word, kPreprocessorWords); }

}  // namespace llama::compiler
