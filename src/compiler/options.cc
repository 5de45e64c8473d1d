#include "compiler/options.h"

#include <algorithm>
#include <array>

namespace llama::compiler {
namespace {

using enum Form;
using enum Effect;

// By subject; order does not matter, since the longest fitting name wins. The sources are gcc 12's
// common.opt, c.opt and i386.opt, its driver's specs, and clang 14's Options.td; where the two
// differ in form, the form here accepts both. -f options without an entry are looked up in
// harmless_flags.cc.
constexpr auto kOptions = std::to_array<Option>({
    // What to do.
    {"-c", kFlag, kCompile},
    {"-o", kJoinedOrSeparate, kOutput},
    {"-x", kJoinedOrSeparate, kLanguage},
    {"-E", kFlag, kLocalAction, "preprocess"},
    {"-S", kFlag, kLocalAction, "assembly"},
    {"-M", kFlag, kLocalAction, "dependencies"},
    {"-MM", kFlag, kLocalAction, "dependencies"},
    {"-MG", kFlag, kUnsafe},
    {"-MJ", kJoinedOrSeparate, kUnsafe},
    {"-fsyntax-only", kFlag, kLocalAction, "syntax-only"},
    {"--analyze", kFlag, kLocalAction, "analyze"},
    {"-emit-llvm", kFlag, kLocalAction, "emit-llvm"},
    {"-emit-ast", kFlag, kLocalAction, "emit-ast"},
    {"-###", kFlag, kLocalAction, "query"},
    {"-v", kFlag, kLocalAction, "query"},
    {"--verbose", kFlag, kLocalAction, "query"},
    {"--version", kFlag, kLocalAction, "query"},
    {"-V", kFlag, kLocalAction, "query"},
    {"-qversion", kFlag, kLocalAction, "query"},
    {"-version", kFlag, kLocalAction, "query"},
    {"--help", kJoined, kLocalAction, "query"},
    {"--target-help", kFlag, kLocalAction, "query"},
    {"-dumpversion", kFlag, kLocalAction, "query"},
    {"-dumpfullversion", kFlag, kLocalAction, "query"},
    {"-dumpmachine", kFlag, kLocalAction, "query"},
    {"-dumpspecs", kFlag, kLocalAction, "query"},
    {"-print-", kJoined, kLocalAction, "query"},
    {"--print-", kJoined, kLocalAction, "query"},

    // The preprocessor.
    {"-D", kJoinedOrSeparate, kPlain},
    {"-U", kJoinedOrSeparate, kPlain},
    {"-A", kJoinedOrSeparate, kPlain},
    {"-undef", kFlag, kPlain},
    {"-trigraphs", kFlag, kPlain},
    {"-traditional", kFlag, kPlain},
    {"-traditional-cpp", kFlag, kPlain},
    {"-remap", kFlag, kUnsafe},
    {"-I", kJoinedOrSeparate, kSearchDir},
    {"-I-", kFlag, kUnsafe},
    {"-iquote", kJoinedOrSeparate, kSearchDir},
    {"-isystem", kJoinedOrSeparate, kSearchDir},
    {"-idirafter", kJoinedOrSeparate, kSearchDir},
    {"-cxx-isystem", kJoinedOrSeparate, kSearchDir},
    {"-stdlib++-isystem", kJoinedOrSeparate, kSearchDir},
    {"-isystem-after", kJoinedOrSeparate, kSearchDir},
    {"-include", kJoinedOrSeparate, kPathIn},
    {"-imacros", kJoinedOrSeparate, kPathIn},
    {"-include-pch", kSeparate, kUnsafe},
    {"-iprefix", kJoinedOrSeparate, kUnsafe},
    {"-iwithprefix", kJoinedOrSeparate, kUnsafe},
    {"-iwithprefixbefore", kJoinedOrSeparate, kUnsafe},
    {"-nostdinc", kFlag, kPlain},
    {"-nostdinc++", kFlag, kPlain},
    {"-nostdlibinc", kFlag, kPlain},
    {"-nobuiltininc", kFlag, kPlain},
    {"-Wp,", kJoined, kPreprocessor},

    // Dependencies.
    {"-MD", kFlag, kDepfile},
    {"-MMD", kFlag, kDepfile},
    {"-MF", kJoinedOrSeparate, kDepfilePath},
    {"-MT", kJoinedOrSeparate, kDepTarget},
    {"-MQ", kJoinedOrSeparate, kDepTarget},
    {"-MP", kFlag, kDepFlag},

    // Language, warnings, code generation.
    {"-ansi", kFlag, kPlain},
    {"-std=", kJoined, kPlain},
    {"--std=", kJoined, kPlain},
    {"-stdlib=", kJoined, kPlain},
    {"-w", kFlag, kPlain},
    {"-W", kJoined, kPlain},
    {"-pedantic", kFlag, kPlain},
    {"-pedantic-errors", kFlag, kPlain},
    {"-O", kJoined, kPlain},
    {"-m", kJoined, kPlain},
    {"-march=native", kFlag, kNative},
    {"-mtune=native", kFlag, kNative},
    {"-mcpu=native", kFlag, kNative},
    {"-mllvm", kSeparate, kUnsafe},
    {"--param", kSeparate, kPlain},
    {"--param=", kJoined, kPlain},
    {"-p", kFlag, kPlain},
    {"-pg", kFlag, kPlain},
    {"-pipe", kFlag, kPlain},
    {"-pthread", kFlag, kPlain},
    {"-pthreads", kFlag, kPlain},
    {"-pass-exit-codes", kFlag, kPlain},
    {"-Qunused-arguments", kFlag, kPlain},
    {"-no-integrated-cpp", kFlag, kUnsafe},
    {"-no-canonical-prefixes", kFlag, kUnsafe},
    {"-no-integrated-as", kFlag, kUnsafe},
    {"-integrated-as", kFlag, kPlain},
    {"-Wa,", kJoined, kAssembler},

    // Debug information.
    {"-g", kFlag, kDebug},
    {"-g0", kFlag, kNoDebug},
    {"-g1", kFlag, kDebug},
    {"-g2", kFlag, kDebug},
    {"-g3", kFlag, kDebug},
    {"-ggdb", kFlag, kDebug},
    {"-ggdb0", kFlag, kNoDebug},
    {"-ggdb1", kFlag, kDebug},
    {"-ggdb2", kFlag, kDebug},
    {"-ggdb3", kFlag, kDebug},
    {"-gline-tables-only", kFlag, kDebug},
    {"-gline-directives-only", kFlag, kDebug},
    {"-gmlt", kFlag, kDebug},
    {"-gdwarf", kFlag, kDebug},
    {"-gdwarf-", kJoined, kDebug},
    {"-gdwarf32", kFlag, kDebug},
    {"-gdwarf64", kFlag, kDebug},
    {"-gas-loc-support", kFlag, kDebug},
    {"-gas-locview-support", kFlag, kDebug},
    {"-gcolumn-info", kFlag, kPlain},
    {"-gdescribe-dies", kFlag, kPlain},
    {"-ginline-points", kFlag, kPlain},
    {"-ginternal-reset-location-views", kFlag, kPlain},
    {"-gpubnames", kFlag, kPlain},
    {"-ggnu-pubnames", kFlag, kPlain},
    {"-gstatement-frontiers", kFlag, kPlain},
    {"-gstrict-dwarf", kFlag, kPlain},
    {"-gvariable-location-views", kJoined, kPlain},
    {"-ginline-subroutines", kFlag, kPlain},
    {"-gno-", kJoined, kPlain},
    {"-gz", kFlag, kPlain},
    {"-gz=", kJoined, kPlain},
    {"-gembed-source", kFlag, kPlain},
    {"-gsimple-template-names", kJoined, kPlain},
    {"-gsplit-dwarf", kFlag, kSplitDebug, ".dwo"},
    {"-gsplit-dwarf=", kJoined, kSplitDebug, ".dwo"},
    {"-gno-split-dwarf", kFlag, kPlain},
    {"-grecord-gcc-switches", kFlag, kRecordsCommand},
    {"-grecord-command-line", kFlag, kRecordsCommand},
    {"-frecord-command-line", kFlag, kRecordsCommand},
    {"-frecord-gcc-switches", kFlag, kRecordsCommand},
    {"-glldb", kFlag, kDebug},

    // Paths in the output.
    {"-ffile-prefix-map=", kJoined, kPlain},
    {"-fdebug-prefix-map=", kJoined, kPlain},
    {"-fmacro-prefix-map=", kJoined, kPlain},
    {"-fcoverage-prefix-map=", kJoined, kPlain},
    {"-fprofile-prefix-map=", kJoined, kPlain},
    {"-fdebug-compilation-dir=", kJoined, kPlain},
    {"-fdebug-compilation-dir", kSeparate, kPlain},
    {"-ffile-compilation-dir=", kJoined, kPlain},
    {"-fcoverage-compilation-dir=", kJoined, kPlain},

    // Diagnostics.
    {"-fdiagnostics-color", kFlag, kColor},
    {"-fdiagnostics-color=", kJoined, kColor},
    {"-fno-diagnostics-color", kFlag, kColor},
    {"-fcolor-diagnostics", kFlag, kColor},
    {"-fno-color-diagnostics", kFlag, kColor},
    {"-fdiagnostics-plain-output", kFlag, kColor},
    {"-fansi-escape-codes", kFlag, kPlain},
    {"-fdiagnostics-absolute-paths", kFlag, kPlain},
    {"-fshow-skipped-includes", kFlag, kPlain},
    {"-H", kFlag, kPlain},

    // Instrumentation.
    {"--coverage", kFlag, kSideFile, ".gcno"},
    {"-coverage", kFlag, kSideFile, ".gcno"},
    {"-ftest-coverage", kFlag, kSideFile, ".gcno"},
    {"-fprofile-arcs", kFlag, kPlain},
    {"-fprofile-generate", kFlag, kPlain},
    {"-fprofile-generate=", kJoined, kPlain},
    {"-fprofile-instr-generate", kFlag, kPlain},
    {"-fprofile-instr-generate=", kJoined, kPlain},
    {"-fcoverage-mapping", kFlag, kPlain},
    {"-fno-profile-arcs", kFlag, kPlain},
    {"-fno-test-coverage", kFlag, kPlain},
    {"-fno-profile-generate", kFlag, kPlain},
    {"-fno-profile-instr-generate", kFlag, kPlain},
    {"-fno-coverage-mapping", kFlag, kPlain},
    {"-fsanitize=", kJoined, kPlain},
    {"-fno-sanitize=", kJoined, kPlain},

    {"-flto", kFlag, kPlain},
    {"-flto=", kJoined, kPlain},
    {"-fno-lto", kFlag, kPlain},
    {"-ffat-lto-objects", kFlag, kPlain},
    {"-fno-fat-lto-objects", kFlag, kPlain},

    // Reports on the code that is made.
    {"-fstack-usage", kFlag, kSideFile, ".su"},
    {"-fcallgraph-info", kFlag, kSideFile, ".ci"},
    {"-fcallgraph-info=", kJoined, kSideFile, ".ci"},
    {"-fsave-optimization-record", kFlag, kSideFile, ".opt.yaml .opt-record.json.gz"},

    // Character sets other than UTF-8 need glibc's converters, which are not shipped.
    {"-finput-charset=", kJoined, kCharset},
    {"-fexec-charset=", kJoined, kCharset},
    {"-fwide-exec-charset=", kJoined, kUnsafe},

    // The toolchain itself.
    {"-B", kJoinedOrSeparate, kUnsafe},
    {"-specs", kSeparate, kUnsafe},
    {"-specs=", kJoined, kUnsafe},
    {"--specs=", kJoined, kUnsafe},
    {"-wrapper", kSeparate, kUnsafe},
    {"-fplugin=", kJoined, kUnsafe},
    {"-fintegrated-as", kFlag, kPlain},
    {"-fno-integrated-as", kFlag, kUnsafe},
    {"--sysroot", kSeparate, kUnsafe},
    {"--sysroot=", kJoined, kUnsafe},
    {"-isysroot", kJoinedOrSeparate, kUnsafe},
    {"-target", kSeparate, kUnsafe},
    {"--target=", kJoined, kUnsafe},
    {"--gcc-toolchain=", kJoined, kUnsafe},
    {"--config", kSeparate, kUnsafe},
    {"-Xclang", kSeparate, kUnsafe},
    {"-Xpreprocessor", kSeparate, kUnsafe},
    {"-Xassembler", kSeparate, kUnsafe},

    // Outputs beside the object, dumps, reports.
    {"-d", kJoined, kUnsafe},
    {"-save-temps", kFlag, kSaveTemps, ".i .ii .s .bc"},
    {"--save-temps", kFlag, kSaveTemps, ".i .ii .s .bc"},
    {"-save-temps=", kJoined, kSaveTemps, ".i .ii .s .bc"},
    {"--save-temps=", kJoined, kSaveTemps, ".i .ii .s .bc"},
    {"-aux-info", kSeparate, kUnsafe},
    {"-time", kFlag, kUnsafe},
    {"-time=", kJoined, kUnsafe},
    {"-Q", kFlag, kUnsafe},
    {"-C", kFlag, kUnsafe},
    {"-CC", kFlag, kUnsafe},
    {"-P", kFlag, kUnsafe},

    // For the linker: no part of a compile. -L travels unchanged, since nothing looks there.
    {"-L", kJoinedOrSeparate, kPlain},
    {"-l", kJoinedOrSeparate, kPlain},
    {"-T", kJoinedOrSeparate, kPlain},
    {"-u", kJoinedOrSeparate, kPlain},
    {"-z", kJoinedOrSeparate, kPlain},
    {"-s", kFlag, kPlain},
    {"-Wl,", kJoined, kPlain},
    {"-Xlinker", kSeparate, kPlain},
    {"-static", kFlag, kPlain},
    {"-static-pie", kFlag, kPlain},
    {"-static-libgcc", kFlag, kPlain},
    {"-static-libstdc++", kFlag, kPlain},
    {"-shared", kFlag, kPlain},
    {"-shared-libgcc", kFlag, kPlain},
    {"-pie", kFlag, kPlain},
    {"-no-pie", kFlag, kPlain},
    {"-nopie", kFlag, kPlain},
    {"-rdynamic", kFlag, kPlain},
    {"-symbolic", kFlag, kPlain},
    {"-nostdlib", kFlag, kPlain},
    {"-nostdlib++", kFlag, kPlain},
    {"-nodefaultlibs", kFlag, kPlain},
    {"-nostartfiles", kFlag, kPlain},
    {"-nolibc", kFlag, kPlain},
    {"-rtlib=", kJoined, kPlain},
    {"--rtlib=", kJoined, kPlain},
    {"-unwindlib=", kJoined, kPlain},
    {"-fuse-ld=", kJoined, kPlain},
});

// The harmless -f flags, as an option of this shape.
constexpr Option kHarmlessFlag{"-f", kJoined, kPlain};

bool Fits(const Option& option, std::string_view arg) {
  if (option.form == kFlag || option.form == kSeparate) return arg == option.name;
  return arg.starts_with(option.name);
}

bool IsHarmless(std::string_view arg) {
  arg.remove_prefix(2);
  if (arg.starts_with("no-")) arg.remove_prefix(3);
  const size_t equals = arg.find('=');
  return IsHarmlessFlag(equals == arg.npos ? arg : arg.substr(0, equals + 1));
}

}  // namespace

Match MatchOption(std::string_view arg) {
  Match match;
  for (const Option& option : kOptions) {
    if (!Fits(option, arg)) continue;
    if (match.option == nullptr || option.name.size() > match.option->name.size()) {
      match.option = &option;
    }
  }
  if (match.option == nullptr && arg.starts_with("-f") && IsHarmless(arg)) {
    match.option = &kHarmlessFlag;
  }
  if (match.option == nullptr) return match;
  const Option& option = *match.option;
  match.value_offset = option.name.size();
  match.value_in_next =
      option.form == kSeparate || (option.form == kJoinedOrSeparate && arg == option.name);
  return match;
}

}  // namespace llama::compiler
