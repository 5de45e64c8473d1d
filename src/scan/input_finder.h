// InputFinder: which files a compile will read. The ladder's rungs implement it; for now `cc -M`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "scan/search/scan_request.h"

namespace llama::scan {

struct Inputs {
  std::string rung;  // "cc-M"
  std::vector<std::string>
      files;  // as the compiler names them: absolute, or relative to cwd; source first
};

class InputFinder {
 public:
  virtual ~InputFinder() = default;
  // Thread-safe. kRemoteFailed: the preprocessor found an error in the code (it is the local
  // compiler's to report). Others: the scan itself failed.
  virtual Result<Inputs> Find(const ScanRequest& request) = 0;
};

// Runs `driver <args> -M`: exact, and slow.
std::unique_ptr<InputFinder> NewDependencyRunFinder();

}  // namespace llama::scan
