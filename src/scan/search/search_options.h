// What a command line says about where headers are sought: its -I and their like in the compiler's
// own order, the environment's, the files read before the source, and its macros.
//
// Pure reading: no file is looked at and no process run. The built-in folders, and which folders
// are the same one, are of scan/search_path.h.
//
// An option that changes the search in a way that is not modelled (-iprefix, header maps by
// -Xclang, -fmodules, -specs=, …) is an error, never a guess.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/command.h"
#include "compiler/toolchain.h"
#include "scan/search/command_line_macro.h"

namespace llama::scan {

// A file that is read before the source. One in quotes is sought in the working directory, then
// along the quote chain; it does not matter where the source lies.
struct ForcedInclude {
  std::string name;  // as given
  bool is_angled = false;
  bool is_optional = false;  // no error if it is nowhere
  bool operator==(const ForcedInclude&) const = default;
};

struct SearchOptions {
  // Folders, absolute, otherwise as spelt ("a/../b" stays): in the order of the search, the
  // environment's in their places, duplicates and missing ones included.
  std::vector<std::string> quote;   // -iquote; those before -I-
  std::vector<std::string> angle;   // -I, CPATH
  std::vector<std::string> system;  // -isystem; then the language's own: C_INCLUDE_PATH, …
  std::vector<std::string> language;
  std::vector<std::string> after;   // -idirafter
  std::vector<std::string> unused;  // clang: another language's, which it gets to know all the same
  bool skips_includer_dir = false;  // -I-

  std::vector<ForcedInclude> forced;      // in the order of reading
  std::vector<CommandLineMacro> defined;  // in order

  // Options that decide about the built-in folders, to ask the driver with; and whether their
  // meaning depends on the working directory.
  std::vector<std::string> built_in;
  bool depends_on_cwd = false;
};

// For commands of a language with #include. kInvalid: something that is not understood; the message
// names it. `command.local_reason` does not matter.
Result<SearchOptions> ReadSearchOptions(const compiler::Command& command,
                                        const compiler::Toolchain& toolchain,
                                        const std::vector<std::string>& env,
                                        const std::string& cwd);

// The name of a language for -x; empty: it has no #include.
std::string LanguageName(compiler::Language language);

}  // namespace llama::scan
