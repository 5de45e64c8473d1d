// View: what a job is to see of the tree. It travels with the job, and the worker's mirror is
// brought to it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tree/layer.h"

namespace llama::tree {

struct LayerRef {
  std::string key;
  uint64_t size_bytes = 0;  // of the object
  bool operator==(const LayerRef&) const = default;
};

// A file that travels with the job itself.
struct InlineFile {
  std::string path;  // canonical
  bool executable = false;
  std::string bytes;
  bool operator==(const InlineFile&) const = default;
};

struct View {
  std::vector<LayerRef> layers;   // a later one overrides an earlier one
  std::vector<InlineFile> files;  // override the layers
  Manifest extra;                 // directories and symlinks that override or add; no files
  bool operator==(const View&) const = default;
};

}  // namespace llama::tree
