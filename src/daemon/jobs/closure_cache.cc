#include "daemon/jobs/closure_cache.h"

namespace llama::daemon {

execute::OrReason<std::shared_ptr<const execute::Closure>> ClosureCache::Get(
    const scan::ClosureRequest& request, const std::shared_ptr<const scan::Closure>& closure,
    const execute::ToolchainTree& tree, scan::Closures& closures) {
  const Key key(closure->id, tree.manifest.get());
  {
    const MutexLock lock(mutex_);
    const auto known = known_.find(key);
    if (known != known_.end()) {
      uses_.splice(uses_.begin(), uses_, known->second.use);
      return known->second.closure;
    }
  }
  auto made = std::make_shared<execute::Closure>();
  made->common = tree.manifest;
  made->common_digest = tree.digest;
  made->newest_ns = closure->newest_ns;
  made->first_change = [&closures, request, closure] {
    return closures.FirstChange(request, *closure);
  };
  const tree::Manifest& common = *tree.manifest;
  for (const auto& [path, entry] : closure->manifest) {
    if (path == closure->source && entry.size_bytes <= kMaxInlineSourceBytes) continue;
    const auto same = common.find(path);
    if (same != common.end() && same->second == entry) continue;
    made->own.emplace_hint(made->own.end(), path, entry);
  }
  const MutexLock lock(mutex_);
  made->id = next_id_++;
  uses_.push_front(key);
  known_.insert_or_assign(key, Known{made, uses_.begin()});
  if (uses_.size() > kMost) {
    known_.erase(uses_.back());
    uses_.pop_back();
  }
  return std::shared_ptr<const execute::Closure>(std::move(made));
}

}  // namespace llama::daemon
