// ToolchainTrees: the manifest of each toolchain, walked once for as long as the toolchain is the
// same, and what its jobs were found to look up of the system besides (check.h), so that this is
// only learned once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "compiler/toolchain.h"
#include "files/digest_cache.h"
#include "store/digest.h"
#include "tree/layer.h"

namespace llama::execute {

struct ToolchainTree {
  std::shared_ptr<const tree::Manifest> manifest;
  store::Digest digest;  // of the manifest
  std::string program;   // canonical path of the driver
};

class ToolchainTrees {
 public:
  explicit ToolchainTrees(files::DigestCache& digests) : digests_(digests) {}

  // Thread-safe. Toolchains come from compiler::Toolchains, which gives the same object until the
  // compiler changes.
  Result<std::shared_ptr<const ToolchainTree>> Get(
      const std::shared_ptr<const compiler::Toolchain>& toolchain);

  // Paths that a job of this toolchain looked up and that were not in its view. Only what comes
  // with the system is remembered: a project's files are nobody else's. Bounded.
  void Learn(const std::shared_ptr<const compiler::Toolchain>& toolchain,
             const tree::Manifest& news);
  std::vector<std::string> Learned(const std::shared_ptr<const compiler::Toolchain>& toolchain);

 private:
  struct Known {
    std::weak_ptr<const compiler::Toolchain> alive;
    std::shared_ptr<const ToolchainTree> tree;
    std::vector<std::string> learned;
  };
  Known& Find(const std::shared_ptr<const compiler::Toolchain>& toolchain) REQUIRES(mutex_);

  files::DigestCache& digests_;
  Mutex mutex_;
  std::map<const compiler::Toolchain*, Known> known_ GUARDED_BY(mutex_);
};

}  // namespace llama::execute
