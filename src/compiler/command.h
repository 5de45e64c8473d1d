// Command lines: what a compiler invocation asks for, and whether it can run remotely.
//
// Parse() classifies every argument by the option table (compiler/options.h). A command that is not
// one single-source compile (`-c` or `-S`), or holds an option that the table does not know or
// marks unsafe, is local with a reason that names the option. Remote commands carry what the rest
// needs to know of them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::compiler {

enum class Language : unsigned char {
  kC,
  kCxx,
  kPreprocessedC,
  kPreprocessedCxx,
  kAssembler,
  kAssemblerWithCpp,
  kOther
};

// One argument (or an option with its separate value) after @file expansion.
enum class ArgKind : unsigned char {
  kPlain,      // affects only the compile; travels as it is
  kPathIn,     // names an existing file or folder that the compiler reads
  kSearchDir,  // -I and its like
  kPathOut,    // names an output (-o, -MF, …)
  kSource,
  kDependency,  // -MD, -MT, … that don't name a path
  kHostNative,  // -march=native: must be expanded here
  kSplitPath,   // a path inside a comma list: -Wp,-MMD,path
};

struct Arg {
  ArgKind kind = ArgKind::kPlain;
  // The argument's words as given: one ("-Ifoo"), or two ("-I", "foo").
  std::vector<std::string> words;
  // For path classes: the path, and where it is: words[word].substr(offset) begins with it.
  std::string path;
  size_t word = 0;
  size_t offset = 0;
};

// What of a command decides which programs, libraries and folders are the compiler's.
struct Selection {
  std::vector<std::string> options;   // -B, --target=, -specs=, …: to ask the driver with
  std::vector<std::string> programs;  // that the front end loads: absolute
  std::string cwd;  // that the options' paths are relative to; empty: they are not
  bool operator==(const Selection&) const = default;
};

struct Command {
  // Empty: may run remotely. Otherwise why not: a stable word, and what it is about:
  // "link", "preprocess", "several-sources", "stdin", "unknown-option:-fbar",
  // "unsafe-option:-fplugin", …
  std::string local_reason;
  // What options say against a remote run, in their order: "unsafe-option:-B".
  std::vector<std::string> option_reasons;

  std::vector<Arg> args;  // without argv[0], @files expanded
  Language language = Language::kOther;
  std::string source;  // as given
  std::string object;  // as given by -o, or derived
  bool object_given = false;
  std::string depfile;                  // the user's, as given or derived; empty: none
  std::vector<std::string> side_paths;  // other files that options name to be written, as given
  Selection selection;
  bool has_debug_info = false;
  // What is written beside the object, and in the working directory as well, by its suffix: ".dwo".
  std::vector<std::string> side_suffixes;
  bool has_sides_in_cwd = false;
  bool records_command = false;  // the object holds the command line
};

struct ParseOptions {
  std::string cwd;  // for @files and for looking at what an argument is
  bool is_clang = false;
  bool is_cxx_driver = false;   // g++, clang++, c++: what a .c source is taken as
  bool remote_assemble = true;  // LLAMACC_REMOTE_ASSEMBLE
};

// `args` is argv without argv[0]. Never fails: what it can't make sense of is local.
Command Parse(const std::vector<std::string>& args, const ParseOptions& options);

}  // namespace llama::compiler
