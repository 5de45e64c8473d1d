// MergedTree: what a list of layers amounts to (docs/wire_format.md, "How layers combine", V1 to
// V4). It knows every path that exists, directories without an entry of their own included.
//
// It points into the manifests that were applied: they must stay, unaltered, as long as it is used.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tree/layer.h"

namespace llama::mirror {

class MergedTree {
 public:
  // Puts a manifest on top. `touched`, if given, gets every path whose Find may have changed
  // (possibly more than once).
  void Apply(const tree::Manifest& manifest, std::vector<std::string_view>* touched = nullptr);

  // What is at the path; null: nothing. For a directory that is there only because something is
  // below it, an entry of type kDir.
  const tree::Entry* Find(std::string_view path) const;

  // Whether applying the manifest would change paths other than its own and those of missing
  // directories above them.
  bool Clashes(const tree::Manifest& manifest) const;

  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [path, node] : nodes_) visit(path, Shown(node));
  }
  void Clear() { nodes_.clear(); }

 private:
  // Invariant: a node has an entry or children or both; an entry that is no directory has none.
  struct Node {
    const tree::Entry* entry = nullptr;
    uint64_t children = 0;
  };

  static const tree::Entry& Shown(const Node& node);
  void Put(std::string_view path, const tree::Entry& entry, std::vector<std::string_view>* touched);
  void MakeParents(std::string_view path, std::vector<std::string_view>* touched);
  void RemoveBelow(std::string_view dir, std::vector<std::string_view>* touched);
  void Remove(std::string_view path, std::vector<std::string_view>* touched);
  void DropParents(std::string_view path, std::vector<std::string_view>* touched);

  std::unordered_map<std::string_view, Node> nodes_;
};

}  // namespace llama::mirror
