#include "mirror/merged_tree.h"

namespace llama::mirror {
namespace {

void Note(std::vector<std::string_view>* touched, std::string_view path) {
  if (touched != nullptr) touched->push_back(path);
}

}  // namespace

const tree::Entry& MergedTree::Shown(const Node& node) {
  static const tree::Entry kDirectory{tree::EntryType::kDir, false, 0, {}, {}};
  return node.entry != nullptr ? *node.entry : kDirectory;
}

void MergedTree::Apply(const tree::Manifest& manifest, std::vector<std::string_view>* touched) {
  for (const auto& [path, entry] : manifest) {
    if (entry.type != tree::EntryType::kDir) RemoveBelow(path, touched);
    if (entry.type == tree::EntryType::kAbsent) {
      Remove(path, touched);
    } else {
      Put(path, entry, touched);
    }
  }
}

const tree::Entry* MergedTree::Find(std::string_view path) const {
  const auto it = nodes_.find(path);
  return it == nodes_.end() ? nullptr : &Shown(it->second);
}

bool MergedTree::Clashes(const tree::Manifest& manifest) const {
  for (const auto& [path, entry] : manifest) {
    if (entry.type == tree::EntryType::kAbsent) return true;
    const auto it = nodes_.find(path);
    if (it != nodes_.end() && it->second.children > 0 && entry.type != tree::EntryType::kDir)
      return true;
    for (std::string_view above = tree::ParentPath(path); !above.empty();
         above = tree::ParentPath(above)) {
      const auto parent = nodes_.find(above);
      if (parent == nodes_.end()) continue;
      if (Shown(parent->second).type != tree::EntryType::kDir) return true;
      break;
    }
  }
  return false;
}

void MergedTree::Put(std::string_view path, const tree::Entry& entry,
                     std::vector<std::string_view>* touched) {
  const auto [it, is_new] = nodes_.try_emplace(path);
  it->second.entry = &entry;
  if (is_new) MakeParents(path, touched);
  Note(touched, path);
}

// For a node that is new: counts it in its parent, which is made if need be.
void MergedTree::MakeParents(std::string_view path, std::vector<std::string_view>* touched) {
  for (std::string_view above = tree::ParentPath(path); !above.empty();
       above = tree::ParentPath(above)) {
    const auto [it, is_new] = nodes_.try_emplace(above);
    Node& parent = it->second;
    ++parent.children;
    if (is_new) {
      Note(touched, above);
      continue;
    }
    if (parent.entry != nullptr && parent.entry->type != tree::EntryType::kDir) {
      parent.entry = nullptr;
      Note(touched, above);
    }
    return;
  }
}

void MergedTree::RemoveBelow(std::string_view dir, std::vector<std::string_view>* touched) {
  const auto it = nodes_.find(dir);
  if (it == nodes_.end() || it->second.children == 0) return;
  std::erase_if(nodes_, [&](const auto& item) {
    if (!tree::IsBelow(item.first, dir)) return false;
    Note(touched, item.first);
    return true;
  });
  it->second.children = 0;
}

void MergedTree::Remove(std::string_view path, std::vector<std::string_view>* touched) {
  if (nodes_.erase(path) == 0) return;
  Note(touched, path);
  DropParents(path, touched);
}

// For a node that is gone: directories that were there only for it go as well.
void MergedTree::DropParents(std::string_view path, std::vector<std::string_view>* touched) {
  for (std::string_view above = tree::ParentPath(path); !above.empty();
       above = tree::ParentPath(above)) {
    const auto it = nodes_.find(above);
    if (--it->second.children > 0 || it->second.entry != nullptr) return;
    nodes_.erase(it);
    Note(touched, above);
  }
}

}  // namespace llama::mirror
