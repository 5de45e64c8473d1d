// The option table: every gcc and clang option that llama understands, how its value is written,
// and what it means for a remote compile. The rows are in option_table.cc.
//
// Options match as the compilers' own tables match them, never by a loose prefix: the longest name
// whose form fits wins, so "-coverage" is not -c, "-nostdinc++" not -nostdinc and "-include-pch"
// not -include. What matches nothing is unknown, and an unknown option means a local run: nobody
// can say whether the next word is its value.
//
// Families (-f, -m, -W, -O, -g, --param=) are rows like others, for what has no row of its own. An
// option of them takes its value in the same word; what it reads, a compiler that sees its own
// paths reads there as well, and a worker reports it; what it writes is not announced, and makes
// the job run here. So whatever a newer compiler adds to them is tried remotely.
#pragma once

#include <span>
#include <string_view>

namespace llama::compiler {

enum class Form : unsigned char {
  kFlag,              // -c
  kJoined,            // -std=c99; the value may be empty
  kSeparate,          // -Xlinker x
  kJoinedOrSeparate,  // -Ifoo, -I foo
  kEqualsOrSeparate,  // --output=x, --output x
};

enum class Effect : unsigned char {
  kPlain,            // affects only the compile
  kCompile,          // -c
  kAssembly,         // -S
  kPreprocess,       // -E
  kEmitLlvm,         // -emit-llvm
  kOutput,           // -o
  kLanguage,         // -x
  kSearchDir,        // -I
  kPathIn,           // -include, -fprofile-use=: a file or folder that is read
  kProgramIn,        // -fplugin=: a library that is loaded, with its own libraries
  kSelect,           // --target=: decides which programs and folders are the compiler's
  kSelectPath,       // -B: the same, and its value is a path
  kDepfile,          // -MD
  kDepfilePath,      // -MF
  kDepTarget,        // -MT
  kDepFlag,          // -MP
  kNative,           // -march=native
  kPreprocessor,     // -Wp,
  kAssembler,        // -Wa,
  kXPreprocessor,    // -Xpreprocessor: a word of -Wp,
  kXAssembler,       // -Xassembler: a word of -Wa,
  kFrontEnd,         // -Xclang: a word for clang's own front end
  kPreprocessed,     // -fpreprocessed: what the source's suffix may not say
  kDebug,            // -g: plain, and there is debug information
  kNoDebug,          // -g0
  kSplitDebug,       // -gsplit-dwarf: kDebug, and kSideFile
  kSideFile,         // -fstack-usage: a file beside the object, with a suffix in `detail`
  kSideFileOfValue,  // -fdiagnostics-format=: kSideFile, if the value ends with "-file"
  kSidePath,         // -foptimization-record-file=: names a file that is written
  kSidePathInValue,  // -fopt-info-vec=file: the same behind '=', if there is one
  kSaveTemps,        // -save-temps: kSideFile, in the working directory as well
  kColor,            // plain, and decides about colour
  kCharset,          // -finput-charset=: depends on the value
  kLocalAction,      // not a compile to an object: `detail` names what it is instead
  kUnsafe,           // "unsafe-option:" and the option
  kRecordsCommand,   // kPlain, but for colour, which is asked for by an option of ours
};

struct Option {
  std::string_view name;
  Form form = Form::kFlag;
  Effect effect = Effect::kPlain;
  // Of kLocalAction the reason, of side files their suffixes: ".s .i"; of kUnsafe why it is.
  std::string_view detail = {};
};

// Ascending by name; no two have the same.
std::span<const Option> OptionTable();

struct Match {
  const Option* option = nullptr;  // nullptr: unknown
  bool value_in_next = false;      // the value is the next argument
  size_t value_offset = 0;         // otherwise where it begins in this one
};

// `arg` begins with '-' and is longer than that.
Match MatchOption(std::string_view arg);

}  // namespace llama::compiler
