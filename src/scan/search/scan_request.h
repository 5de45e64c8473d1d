// ScanRequest: the compile whose inputs are sought.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "compiler/command.h"
#include "compiler/toolchain.h"

namespace llama::scan {

struct ScanRequest {
  const compiler::Command* command = nullptr;
  const compiler::Toolchain* toolchain = nullptr;
  std::string argv0;
  std::vector<std::string> env;
  std::string cwd;
  std::function<bool()> cancelled;
};

}  // namespace llama::scan
