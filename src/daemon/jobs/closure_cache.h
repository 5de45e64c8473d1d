// ClosureCache: closures of the scan as the ones that actions share: without the source, which
// travels with each, and what comes with the toolchain. Made once for each closure. Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"
#include "execute/action.h"
#include "execute/reason.h"
#include "execute/toolchain_tree.h"
#include "scan/closure.h"

namespace llama::daemon {

// A source beyond this travels through the store, like any other input.
inline constexpr uint64_t kMaxInlineSourceBytes = 3 << 20;

class ClosureCache {
 public:
  static constexpr size_t kMost = 512;

  // `closures`, which outlives what is given, made `closure` for `request`.
  execute::OrReason<std::shared_ptr<const execute::Closure>> Get(
      const scan::ClosureRequest& request, const std::shared_ptr<const scan::Closure>& closure,
      const execute::ToolchainTree& tree, scan::Closures& closures);

 private:
  using Key = std::pair<uint64_t, const tree::Manifest*>;
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return key.first * 31 + reinterpret_cast<uintptr_t>(key.second);
    }
  };
  struct Known {
    std::shared_ptr<const execute::Closure> closure;
    std::list<Key>::iterator use;
  };

  Mutex mutex_;
  std::unordered_map<Key, Known, KeyHash> known_ GUARDED_BY(mutex_);
  std::list<Key> uses_ GUARDED_BY(mutex_);  // the last one first
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
};

}  // namespace llama::daemon
