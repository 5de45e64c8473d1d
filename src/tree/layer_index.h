// LayerIndex: the client's persistent knowledge of which layers the store holds, and the choice of
// layers for a job.
//
// Every layer has a sequence number, in the order of creation. For each path the entry of the
// newest layer that has it is current. Invariants:
//   1. A job's list is ordered by sequence number.
//   2. If a list holds a layer with a path p that is not the newest to hold p, it also holds the
//   newest:
//      no stale version of any path can be seen through a list made now.
//   3. A layer is in the index only after the store confirmed its object.
// A list that was handed out before stays valid for its job: the version of a header that a job was
// scanned with is the one that it compiles with, even if the header changed since.
//
// Thread-safe. Persistence: an append-only log of records in one file (docs/wire_format.md),
// rewritten when half of it is dead; a damaged tail is cut off and only costs uploads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tree/layer.h"

namespace llama::tree {

struct LayerRef {
  std::string key;
  uint64_t size_bytes = 0;  // of the object
  bool operator==(const LayerRef&) const = default;
};

class LayerIndex {
 public:
  // `path` empty: in memory only. `store_id` names the store; a file made for another is set aside.
  static Result<std::unique_ptr<LayerIndex>> Open(const std::string& path,
                                                  const std::string& store_id);
  virtual ~LayerIndex() = default;

  // Those of `wanted` that no current layer holds with an equal entry.
  virtual Manifest Missing(const Manifest& wanted) const = 0;
  // Records a layer that the store now holds.
  virtual Result<void> Add(const LayerRef& layer, const Manifest& manifest) = 0;
  // The layers for a job that needs exactly `wanted`, as by the invariants; kNotFound naming a path
  // if an entry of `wanted` is not current.
  virtual Result<std::vector<LayerRef>> Select(const Manifest& wanted) const = 0;
  // The object turned out to be lost or damaged: its entries are no longer held. Unknown keys: no
  // error.
  virtual Result<void> Forget(const std::string& key) = 0;
  // Entries current in the index at or below nothing in particular: for tests and `llama doctor`.
  virtual size_t layer_count() const = 0;
};

}  // namespace llama::tree
