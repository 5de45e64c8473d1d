// LayerIndex: the client's persistent knowledge of which layers the store holds, and the choice of
// layers for a job.
//
// Every layer has a sequence number, in the order of creation. For each path the entry of the
// newest layer that has it is current, unless a newer layer made something of the path that cannot
// stand beside it (a file above it, or something below what was a file: rules V2 and V3 of
// docs/wire_format.md); then that layer supersedes it and no entry is current. Invariants:
//   1. A job's list is ordered by sequence number.
//   2. If a list holds a layer whose entry for a path is superseded, it also holds the layer that
//      superseded it: no stale version of any path can be seen through a list made now.
//   3. A layer is in the index only after the store confirmed its object.
//   4. A layer that nothing is current in and that supersedes nothing is dropped.
// A list that was handed out before stays valid for its job: the version of a header that a job was
// scanned with is the one that it compiles with, even if the header changed since.
//
// What changed locally is found by comparison: its entry is not equal to the current one, so
// Missing gives it. Of files that are gone the caller must say so, with a kAbsent entry in
// `wanted`.
//
// Lists grow with the number of small layers. A caller that gets a list longer than it likes
// (kLongList) repacks: Forget the small layers, then Missing, BuildLayer and Add as always.
//
// Thread-safe. Persistence: an append-only log of records in one file (docs/wire_format.md, "Layer
// index file"), rewritten when half of it is dead; a damaged tail is cut off and only costs
// uploads. A log that cannot be written any more is given up, with a warning.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "tree/view.h"

namespace llama::tree {

// A list of more layers than this is worth repacking: a cold worker fetches each.
inline constexpr size_t kLongList = 48;

class LayerIndex {
 public:
  // `path` empty: in memory only. `store_id` names the store; a file made for another is set aside.
  static Result<std::unique_ptr<LayerIndex>> Open(const std::string& path,
                                                  const std::string& store_id);
  ~LayerIndex();

  // Those of `wanted` that no layer holds as current with an equal entry. (kAbsent: those of which
  // some layer has something at or below the path.)
  Manifest Missing(const Manifest& wanted) const;
  // Records a layer that the store now holds.
  Result<void> Add(const LayerRef& layer, const Manifest& manifest);
  // The layers for a job that needs exactly `wanted`, as by the invariants; kNotFound naming a path
  // if an entry of `wanted` is not current.
  Result<std::vector<LayerRef>> Select(const Manifest& wanted) const;
  // Of `paths`, what a job that is given exactly `layers` sees there. What is only above what some
  // layer has is a kDir. What no layer says anything of is left out; where a layer beyond those
  // says something newer by now, or one of them is not known any more, it is kAbsent: not certain.
  Manifest Shown(const std::vector<LayerRef>& layers, const std::vector<std::string>& paths) const;
  // The object turned out to be lost or damaged: its entries are no longer held. Unknown keys: no
  // error.
  Result<void> Forget(const std::string& key);
  // Rises with every Add and Forget: what Missing and Select gave holds as long as it stands.
  uint64_t version() const;
  // Layers that some list may still hold: `llama daemon status`.
  size_t layer_count() const;

 private:
  class Impl;
  explicit LayerIndex(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::tree
