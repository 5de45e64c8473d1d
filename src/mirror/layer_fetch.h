// Fetching layers from the store into a blob cache, several at once.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mirror/blob_cache.h"
#include "store/object_store.h"
#include "tree/layer_index.h"

namespace llama::mirror {

struct FetchedLayers {
  std::map<std::string, tree::Manifest> manifests;  // by key, of those that arrived whole
  std::vector<std::string> missing;                 // lost or damaged, sorted
  std::optional<Error> error;                       // the first of another kind
  bool disk_failed = false;                         // it was the disk, not the store
  uint64_t objects = 0;
  uint64_t bytes = 0;
  uint64_t retried_requests = 0;
  int64_t retried_ns =
      0;  // of the whole time: in which any of them failed, or waited to be repeated
};

// Every layer is tried, whatever becomes of the others, so that `missing` is complete. Blocks until
// all are done. The blobs are in `blobs` then, but for those that `blobs` had already.
FetchedLayers FetchLayers(store::ObjectStore& store, std::vector<tree::LayerRef> layers,
                          BlobCache& blobs, int parallel);

}  // namespace llama::mirror
