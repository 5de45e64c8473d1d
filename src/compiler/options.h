// The option table: every gcc and clang option that llama understands, how its value is written,
// and what it means for a remote compile.
//
// Options match as the compilers' own tables match them, never by a loose prefix: the longest name
// whose form fits wins, so "-coverage" is not -c, "-nostdinc++" not -nostdinc and "-include-pch"
// not -include. What matches nothing is unknown, and an unknown option means a local run.
#pragma once

#include <string_view>

namespace llama::compiler {

enum class Form : unsigned char {
  kFlag,              // -c
  kJoined,            // -std=c99; the value may be empty
  kSeparate,          // -Xlinker x
  kJoinedOrSeparate,  // -Ifoo, -I foo
};

enum class Effect : unsigned char {
  kPlain,           // affects only the compile
  kCompile,         // -c
  kOutput,          // -o
  kLanguage,        // -x
  kSearchDir,       // -I
  kPathIn,          // -include
  kDepfile,         // -MD
  kDepfilePath,     // -MF
  kDepTarget,       // -MT
  kDepFlag,         // -MP
  kNative,          // -march=native
  kPreprocessor,    // -Wp,
  kAssembler,       // -Wa,
  kDebug,           // -g: plain, and there is debug information
  kNoDebug,         // -g0
  kSplitDebug,      // -gsplit-dwarf: kDebug, and kSideFile
  kSideFile,        // -fstack-usage: a file beside the object, with a suffix in `detail`
  kSaveTemps,       // -save-temps: kSideFile, in the working directory as well
  kColor,           // plain, and decides about colour
  kCharset,         // -finput-charset=: depends on the value
  kLocalAction,     // not a compile to an object: `detail` names what it is instead
  kUnsafe,          // "unsafe-option:" and the option
  kRecordsCommand,  // kPlain, but for colour, which is asked for by an option of ours
};

struct Option {
  std::string_view name;
  Form form = Form::kFlag;
  Effect effect = Effect::kPlain;
  // Of kLocalAction the reason, of side files their suffixes: ".s .i".
  std::string_view detail = {};
};

struct Match {
  const Option* option = nullptr;  // nullptr: unknown
  bool value_in_next = false;      // the value is the next argument
  size_t value_offset = 0;         // otherwise where it begins in this one
};

// `arg` begins with '-' and is longer than that.
Match MatchOption(std::string_view arg);

// Whether "-f<name>" or "-fno-<name>" is an option of gcc 12 or clang 14 (or of an older one) that
// affects nothing but the generated code and the diagnostics. `name` includes the '=' of options
// with a value, but not the value.
bool IsHarmlessFlag(std::string_view name);

}  // namespace llama::compiler
