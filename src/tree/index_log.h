// The layer index's file (docs/wire_format.md, "Layer index file"). Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "tree/layer_index.h"

namespace llama::tree {

struct IndexRecord {
  bool held = true;  // false: the layer was forgotten, and only its key is of meaning
  LayerRef layer;
  Manifest manifest;
};

// One record as it stands in the file.
std::string EncodeIndexRecord(const LayerRef& layer, const Manifest& manifest);
std::string EncodeForgetRecord(const std::string& key);

class IndexLog {
 public:
  // Opens or creates the file and gives its records up to the first damaged one, where it cuts the
  // file off. A file for another store or of another version is set aside as `path`.old.
  static Result<std::pair<IndexLog, std::vector<IndexRecord>>> Open(const std::string& path,
                                                                    const std::string& store_id);
  Result<void> Append(const std::string& record);
  // Replaces all records, atomically.
  Result<void> Rewrite(const std::vector<std::string>& records);
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  IndexLog(std::string path, std::string head, Fd fd, uint64_t size_bytes)
      : path_(std::move(path)),
        head_(std::move(head)),
        fd_(std::move(fd)),
        size_bytes_(size_bytes) {}

  std::string path_;
  std::string head_;
  Fd fd_;
  uint64_t size_bytes_;
};

}  // namespace llama::tree
