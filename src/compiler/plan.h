// The remote form of a command: its arguments as they are, since a worker shows it the paths that
// it would see here (worker/preload/view.c); its environment; what must be there, what may come
// back.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/root_mark.h"
#include "compiler/command.h"
#include "compiler/toolchain.h"

namespace llama::compiler {

struct PlanRequest {
  const Command* command = nullptr;
  const Toolchain* toolchain = nullptr;
  Toolchains* toolchains = nullptr;  // for ExpandNative
  std::vector<std::string> env;      // the wrapper's
  std::string cwd;                   // physical
  std::string pwd;                   // $PWD if it is the same folder, otherwise cwd
  // Of the standard streams that are terminals: "0=80x24:2=80x24", columns and rows.
  std::string terminals;
};

struct Plan {
  std::string local_reason;  // not empty: it can't be done remotely after all
  std::vector<std::string> argv;
  std::vector<std::string> env;  // kRootMark for the worker's root, where only libc looks
  std::string cwd;
  // Local paths (absolute, not yet canonical) that must be in the tree besides the scanned inputs:
  // search dirs, files named by options (-include is scanned, but specs, sysroot dirs, … are not).
  std::vector<std::string> paths;
  // Absolute local directories in which outputs appear, and names of those expected.
  std::vector<std::string> output_dirs;
  std::string object;                   // absolute
  std::string depfile;                  // absolute; empty: none
  std::vector<std::string> side_paths;  // absolute: what else options name to be written
  // What else the options make the compiler write, in `output_dirs`: a stem and a suffix (".dwo").
  std::vector<std::string> output_stems;
  std::vector<std::string> output_suffixes;
  // Diagnostics may be in a language that the worker does not have (LC_MESSAGES is neither C nor
  // English): if the compiler prints any, the job runs again here.
  bool translated_messages = false;
};

Plan MakePlan(const PlanRequest& request);

// The arguments (without argv[0]) that make the driver print its dependencies (`-M`) for this
// command on stdout and nothing else: no output files, no warnings.
std::vector<std::string> DependencyArgs(const Command& command);

// The paths in a make rule: everything after the first "target:", unescaped, in order.
Result<std::vector<std::string>> ParseDepfile(std::string_view rule);

// Takes the root off wherever it stands in text (diagnostics).
std::string MapText(std::string_view text, std::string_view root);

// Whether something is at a path, from the working directory on.
using IsThere = std::function<bool(const std::string& path)>;

// Whether a failed command's diagnostics speak of the machine rather than of the code (internal
// compiler error, killed, out of memory or disk, missing program): then only a local run can tell.
bool IsMachineFailure(int wait_status, std::string_view err, const IsThere& is_there);

}  // namespace llama::compiler
