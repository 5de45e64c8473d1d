#include "execute/toolchain_tree.h"

#include <algorithm>

#include "execute/shippable.h"
#include "files/path_walker.h"

namespace llama::execute {
namespace {

constexpr size_t kMaxLearned = 128;

Result<std::shared_ptr<const ToolchainTree>> Walk(const compiler::Toolchain& toolchain,
                                                  files::DigestCache& digests) {
  files::PathWalker walker(digests);
  auto tree = std::make_shared<ToolchainTree>();
  ASSIGN_OR_RETURN(tree->program, walker.Add(toolchain.driver));
  for (const auto* paths : {&toolchain.files, &toolchain.dirs}) {
    for (const std::string& path : *paths) {
      auto added = walker.Add(path);
      if (!added && added.error().code != Code::kNotFound) return std::move(added).error();
    }
  }
  tree->digest = store::Sha256(tree::EncodeManifest(walker.manifest()));
  tree->manifest = std::make_shared<const tree::Manifest>(walker.manifest());
  return std::shared_ptr<const ToolchainTree>(std::move(tree));
}

}  // namespace

ToolchainTrees::Known& ToolchainTrees::Find(
    const std::shared_ptr<const compiler::Toolchain>& toolchain) {
  std::erase_if(known_, [](const auto& item) { return item.second.alive.expired(); });
  Known& known = known_[toolchain.get()];
  known.alive = toolchain;
  return known;
}

Result<std::shared_ptr<const ToolchainTree>> ToolchainTrees::Get(
    const std::shared_ptr<const compiler::Toolchain>& toolchain) {
  // Held while walking: a cold build's first jobs all want the same walk, once.
  const MutexLock lock(mutex_);
  Known& known = Find(toolchain);
  if (!known.tree) {
    ASSIGN_OR_RETURN(known.tree, Walk(*toolchain, digests_));
  }
  return known.tree;
}

void ToolchainTrees::Learn(const std::shared_ptr<const compiler::Toolchain>& toolchain,
                           const tree::Manifest& news) {
  const MutexLock lock(mutex_);
  Known& known = Find(toolchain);
  for (const auto& [path, entry] : news) {
    if (known.learned.size() >= kMaxLearned) return;
    if (entry.type == tree::EntryType::kAbsent || !IsSystemPath(path)) continue;
    if (std::find(known.learned.begin(), known.learned.end(), path) == known.learned.end()) {
      known.learned.push_back(path);
    }
  }
}

std::vector<std::string> ToolchainTrees::Learned(
    const std::shared_ptr<const compiler::Toolchain>& toolchain) {
  const MutexLock lock(mutex_);
  return Find(toolchain).learned;
}

}  // namespace llama::execute
