// Asks one driver what it is and what it needs. Costs a dozen processes; Toolchains remembers the
// answer.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/toolchain.h"

namespace llama::compiler {

// Errors as of Toolchains::Get; kUnavailable and kDeadline say nothing about the driver. `seen` is
// what was found out, up to the error if there is one.
Result<Toolchain> Discover(const std::string& driver, const std::vector<std::string>& env,
                           Toolchain& seen);

// Runs the driver in `cwd` (empty: in the top folder) and gives stdout and stderr, in the C locale.
// An unsuccessful exit is kInvalid.
struct DriverOutput {
  std::string out;
  std::string err;
};
Result<DriverOutput> RunDriver(const std::string& driver, const std::vector<std::string>& args,
                               const std::vector<std::string>& env, const std::string& cwd = {});

// The words of the cc1 command line in what `-###` printed; quotes taken off. Empty: there is none.
std::vector<std::string> FrontEndWords(std::string_view trace);

}  // namespace llama::compiler
