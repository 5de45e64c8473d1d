#include "execute/shown.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/file.h"

namespace llama::execute {
namespace {

constexpr int kMaxSymlinks = 40;  // as the kernel has it

bool HasBelow(const tree::Manifest& manifest, const std::string& path) {
  for (auto it = manifest.upper_bound(path); it != manifest.end(); ++it) {
    if (!it->first.starts_with(path)) return false;
    if (tree::IsBelow(it->first, path) && it->second.type != tree::EntryType::kAbsent) return true;
    // Names such as "inc-old" stand between "inc" and "inc/a.h".
    if (it->first[path.size()] > '/') return false;
  }
  return false;
}

class Resolver {
 public:
  Resolver(const Action& action, const std::vector<tree::LayerRef>& layers,
           const tree::LayerIndex& index)
      : action_(action), layers_(layers), index_(index) {}

  void Add(const std::string& path) {
    const size_t slash = path.rfind('/');
    if (slash == path.npos) return;
    // Found paths are sorted, and share few folders.
    const std::string dir = path.substr(0, slash);
    auto known = folders_.find(dir);
    if (known == folders_.end()) known = folders_.emplace(dir, Walk("", dir)).first;
    if (known->second) Walk(*known->second, path.substr(slash + 1));
  }
  tree::Manifest Take() { return std::move(shown_); }

 private:
  // From a folder on. Gives the folder that it leads to, if it is one.
  std::optional<std::string> Walk(std::string at, const std::string& path) {
    std::vector<std::string> left;
    Push(left, path);
    int links = 0;
    bool is_folder = true;
    while (!left.empty()) {
      const std::string name = std::move(left.back());
      left.pop_back();
      if (!is_folder) return std::nullopt;
      if (name == ".") continue;
      if (name == "..") {
        at = std::string(tree::ParentPath(at));
        continue;
      }
      std::string next = at + "/" + name;
      const tree::Entry* entry = At(next);
      if (entry == nullptr || entry->type == tree::EntryType::kAbsent) return std::nullopt;
      if (entry->type == tree::EntryType::kSymlink) {
        if (++links > kMaxSymlinks) return std::nullopt;
        if (entry->target.starts_with('/')) at.clear();
        Push(left, entry->target);
        continue;
      }
      is_folder = entry->type == tree::EntryType::kDir;
      at = std::move(next);
    }
    return is_folder ? std::optional(at) : std::nullopt;
  }

  static void Push(std::vector<std::string>& left, std::string_view path) {
    while (!path.empty()) {
      const size_t slash = path.rfind('/');
      const std::string_view name = path.substr(slash + 1);
      if (!name.empty()) left.emplace_back(name);
      path = slash == path.npos ? std::string_view() : path.substr(0, slash);
    }
  }

  // What the view has there; null: nobody knows of anything.
  const tree::Entry* At(const std::string& path) {
    const auto known = known_.find(path);
    if (known != known_.end()) return known->second;
    return known_[path] = Look(path);
  }

  const tree::Entry* Look(const std::string& path) {
    static const tree::Entry kFolder{tree::EntryType::kDir, false, 0, {}, {}};
    static const tree::Entry kFile;
    const Closure& closure = *action_.closure;
    if (const tree::Entry* entry = closure.Find(path)) return entry;
    if (action_.TravelsWith(path)) return &kFile;
    for (const tree::Manifest* part :
         {&closure.own, &closure.common_entries(), &closure.inline_links}) {
      if (HasBelow(*part, path)) return &kFolder;
    }
    for (const tree::InlineFile& file : action_.inline_files) {
      if (tree::IsBelow(file.path, path)) return &kFolder;
    }
    tree::Manifest shown = index_.Shown(layers_, {path});
    if (shown.empty()) return nullptr;
    return &shown_.insert_or_assign(path, std::move(shown.begin()->second)).first->second;
  }

  const Action& action_;
  const std::vector<tree::LayerRef>& layers_;
  const tree::LayerIndex& index_;
  std::unordered_map<std::string, std::optional<std::string>> folders_;
  std::unordered_map<std::string, const tree::Entry*> known_;
  tree::Manifest shown_;
};

}  // namespace

tree::Manifest ShownBeyond(const Action& action, const std::vector<tree::LayerRef>& layers,
                           const tree::LayerIndex& index, const std::vector<std::string>& found) {
  Resolver resolver(action, layers, index);
  for (const std::string& path : found) {
    const tree::Entry* entry = action.closure->Find(path);
    // What the closure has is as it says, and so is all above it.
    if (entry != nullptr && entry->type != tree::EntryType::kSymlink) continue;
    if (!action.TravelsWith(path)) resolver.Add(path);
  }
  return resolver.Take();
}

}  // namespace llama::execute
