#include "tree/layer_index.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "base/mutex.h"
#include "tree/index_log.h"

namespace llama::tree {
namespace {

// A log smaller than this is not worth rewriting.
constexpr uint64_t kRewriteSlackBytes = 64 << 10;

struct Layer;

// What the index knows of one path.
struct Node {
  Layer* holder = nullptr;       // the newest layer that says anything of the path
  const Entry* entry = nullptr;  // what it says; null: only that earlier entries are superseded
};
using NodeMap = std::unordered_map<std::string, Node>;

struct Held {
  NodeMap::value_type* node;
  Entry entry;
};

struct Layer {
  LayerRef ref;
  uint64_t sequence = 0;
  std::vector<Held> held;          // sorted by path
  size_t live = 0;                 // nodes whose holder it is
  std::set<uint64_t> superseders;  // invariant 2, one step
  uint64_t record_bytes = 0;       // in the log
  uint64_t visited = 0;            // the last Select that took it
};

bool IsDirectory(const Entry& entry) { return entry.type == EntryType::kDir; }
bool IsAbsent(const Entry& entry) { return entry.type == EntryType::kAbsent; }

}  // namespace

class LayerIndex::Impl {
 public:
  Result<void> Load(const std::string& path, const std::string& store_id) {
    ASSIGN_OR_RETURN(auto opened, IndexLog::Open(path, store_id));
    const MutexLock lock(mutex_);
    for (const IndexRecord& record : opened.second) {
      if (record.held) {
        Insert(record.layer, record.manifest);
      } else {
        Erase(record.layer.key);
      }
    }
    log_.emplace(std::move(opened.first));
    return {};
  }

  Manifest Missing(const Manifest& wanted) const {
    const MutexLock lock(mutex_);
    Manifest missing;
    for (const auto& [path, entry] : wanted) {
      if (!IsHeld(path, entry)) missing.emplace_hint(missing.end(), path, entry);
    }
    return missing;
  }

  Result<void> Add(const LayerRef& layer, const Manifest& manifest) {
    TRY(CheckManifest(manifest));
    const MutexLock lock(mutex_);
    // Two jobs may have built the same layer at once.
    if (IsWhollyCurrent(layer.key)) return {};
    ++version_;
    if (Erase(layer.key)) Log(EncodeForgetRecord(layer.key));
    Insert(layer, manifest);
    Log(EncodeIndexRecord(layer, manifest));
    CompactLog();
    return {};
  }

  Result<std::vector<LayerRef>> Select(const Manifest& wanted) const {
    const MutexLock lock(mutex_);
    const auto visit = ++visit_;
    std::vector<Layer*> taken;
    const auto take = [&](Layer* layer) {
      if (layer->visited == visit) return;
      layer->visited = visit;
      taken.push_back(layer);
    };
    for (const auto& [path, entry] : wanted) {
      if (!IsHeld(path, entry)) return Error{Code::kNotFound, path + ": not in any layer"};
      // An absent path needs no layer of its own: whoever shows it brings along what removes it.
      if (!IsAbsent(entry)) take(nodes_.find(path)->second.holder);
    }
    for (size_t i = 0; i < taken.size(); ++i) {
      for (const uint64_t sequence : taken[i]->superseders) take(layers_.at(sequence).get());
    }
    std::sort(taken.begin(), taken.end(),
              [](const Layer* a, const Layer* b) { return a->sequence < b->sequence; });
    std::vector<LayerRef> refs;
    refs.reserve(taken.size());
    for (const Layer* layer : taken) refs.push_back(layer->ref);
    return refs;
  }

  Manifest Shown(const std::vector<LayerRef>& layers, const std::vector<std::string>& paths) const {
    const MutexLock lock(mutex_);
    std::unordered_set<const Layer*> given;
    for (const LayerRef& ref : layers) {
      const auto it = by_key_.find(ref.key);
      if (it != by_key_.end()) given.insert(it->second);
    }
    const Entry not_certain{EntryType::kAbsent, false, 0, {}, {}};
    const Entry folder{EntryType::kDir, false, 0, {}, {}};
    // Of a layer that was lost meanwhile, nothing is known any more.
    const bool knows_all = !has_forgotten_ || given.size() == layers.size();
    Manifest shown;
    for (const std::string& path : paths) {
      const auto it = nodes_.find(path);
      const bool is_certain = it == nodes_.end() ? knows_all : given.contains(it->second.holder);
      if (!is_certain) {
        shown.emplace(path, not_certain);
      } else if (it != nodes_.end() && it->second.entry != nullptr) {
        shown.emplace(path, *it->second.entry);
      } else if (parents_.contains(path)) {
        shown.emplace(path, folder);
      }
    }
    return shown;
  }

  Result<void> Forget(const std::string& key) {
    const MutexLock lock(mutex_);
    if (!Erase(key)) return {};
    has_forgotten_ = true;
    ++version_;
    Log(EncodeForgetRecord(key));
    CompactLog();
    return {};
  }

  uint64_t version() const { return version_.load(); }

  size_t layer_count() const {
    const MutexLock lock(mutex_);
    return layers_.size();
  }

 private:
  bool IsHeld(const std::string& path, const Entry& entry) const REQUIRES(mutex_) {
    const auto it = nodes_.find(path);
    const Entry* current = it == nodes_.end() ? nullptr : it->second.entry;
    if (current != nullptr) return *current == entry;
    return IsAbsent(entry) && !parents_.contains(path);
  }

  bool IsWhollyCurrent(const std::string& key) const REQUIRES(mutex_) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return false;
    const Layer& layer = *it->second;
    return std::all_of(layer.held.begin(), layer.held.end(),
                       [](const Held& held) { return held.node->second.entry == &held.entry; });
  }

  void Insert(const LayerRef& ref, const Manifest& manifest) REQUIRES(mutex_) {
    if (by_key_.contains(ref.key)) Erase(ref.key);
    auto owned = std::make_unique<Layer>();
    Layer* layer = owned.get();
    layer->ref = ref;
    layer->sequence = next_sequence_++;
    layer->record_bytes = EncodeIndexRecord(ref, manifest).size();
    layer->held.reserve(manifest.size());
    for (const auto& [path, entry] : manifest) {
      layer->held.push_back({&*nodes_.try_emplace(path).first, entry});
    }
    live_bytes_ += layer->record_bytes;
    by_key_[ref.key] = layer;
    layers_.emplace(layer->sequence, std::move(owned));
    DropDead(Apply(*layer));
  }

  // Makes the layer the newest. Gives the layers that it took something from, and itself.
  std::set<Layer*> Apply(Layer& layer) REQUIRES(mutex_) {
    std::set<Layer*> touched{&layer};
    for (const Held& held : layer.held) {
      const std::string& path = held.node->first;
      Take(held.node->second, layer, &held.entry, touched);
      if (!IsDirectory(held.entry)) SupersedeBelow(path, layer, touched);
      if (!IsAbsent(held.entry)) SupersedeAbove(path, layer, touched);
    }
    return touched;
  }

  static void Take(Node& node, Layer& layer, const Entry* entry, std::set<Layer*>& touched) {
    if (node.holder != &layer) {
      if (node.holder != nullptr) {
        node.holder->superseders.insert(layer.sequence);
        --node.holder->live;
        touched.insert(node.holder);
      }
      ++layer.live;
    }
    node.holder = &layer;
    node.entry = entry;
  }

  // Rule V2: nothing of an earlier layer is below a path that is no directory.
  void SupersedeBelow(const std::string& dir, Layer& layer, std::set<Layer*>& touched)
      REQUIRES(mutex_) {
    if (!parents_.contains(dir)) return;
    for (auto& [path, node] : nodes_) {
      if (node.holder != nullptr && node.holder != &layer && IsBelow(path, dir)) {
        Take(node, layer, nullptr, touched);
      }
    }
    std::erase_if(parents_,
                  [&](const std::string& path) { return path == dir || IsBelow(path, dir); });
  }

  // Rule V3: what is above a present path is a directory. `parents_` holds the paths of which that
  // is known, so that a layer's walk up ends at the first that a neighbour has come by.
  void SupersedeAbove(const std::string& path, Layer& layer, std::set<Layer*>& touched)
      REQUIRES(mutex_) {
    for (std::string_view above = ParentPath(path); !above.empty(); above = ParentPath(above)) {
      const auto [known, is_new] = parents_.emplace(above);
      if (!is_new) return;
      const auto it = nodes_.find(*known);
      if (it == nodes_.end() || it->second.entry == nullptr) continue;
      if (!IsDirectory(*it->second.entry)) Take(it->second, layer, nullptr, touched);
    }
  }

  // Invariant 4. Whoever needed a dropped layer for what superseded it needs its superseders now.
  void DropDead(const std::set<Layer*>& candidates) REQUIRES(mutex_) {
    for (Layer* dead : candidates) {
      if (dead->live > 0) continue;
      for (auto& [sequence, layer] : layers_) {
        if (layer->superseders.erase(dead->sequence) > 0) {
          layer->superseders.insert(dead->superseders.begin(), dead->superseders.end());
        }
      }
      live_bytes_ -= dead->record_bytes;
      by_key_.erase(dead->ref.key);
      layers_.erase(dead->sequence);
    }
  }

  // Takes a layer out and works out anew what is current: rare, and a few milliseconds for a
  // hundred thousand paths. False: no such layer.
  bool Erase(const std::string& key) REQUIRES(mutex_) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return false;
    live_bytes_ -= it->second->record_bytes;
    layers_.erase(it->second->sequence);
    by_key_.erase(it);
    parents_.clear();
    for (auto& [path, node] : nodes_) node = Node{};
    for (auto& [sequence, layer] : layers_) {
      layer->live = 0;
      layer->superseders.clear();
    }
    std::set<Layer*> all;
    for (auto& [sequence, layer] : layers_) {
      Apply(*layer);
      all.insert(layer.get());
    }
    DropDead(all);
    std::erase_if(nodes_, [](const auto& item) { return item.second.holder == nullptr; });
    return true;
  }

  void Log(const std::string& record) REQUIRES(mutex_) {
    if (log_) GiveUpOn(log_->Append(record));
  }

  void CompactLog() REQUIRES(mutex_) {
    if (!log_ || log_->size_bytes() <= 2 * live_bytes_ + kRewriteSlackBytes) return;
    std::vector<std::string> records;
    records.reserve(layers_.size());
    for (const auto& [sequence, layer] : layers_) {
      Manifest manifest;
      for (const Held& held : layer->held) manifest.emplace(held.node->first, held.entry);
      records.push_back(EncodeIndexRecord(layer->ref, manifest));
    }
    GiveUpOn(log_->Rewrite(records));
  }

  void GiveUpOn(const Result<void>& written) REQUIRES(mutex_) {
    if (written) return;
    LOG(kWarning, "layer index is no longer written: " + written.error().message);
    log_.reset();
  }

  std::atomic<uint64_t> version_{0};
  mutable Mutex mutex_;
  NodeMap nodes_ GUARDED_BY(mutex_);
  std::unordered_set<std::string> parents_ GUARDED_BY(mutex_);
  std::map<uint64_t, std::unique_ptr<Layer>> layers_ GUARDED_BY(mutex_);
  std::unordered_map<std::string, Layer*> by_key_ GUARDED_BY(mutex_);
  uint64_t next_sequence_ GUARDED_BY(mutex_) = 1;
  bool has_forgotten_ GUARDED_BY(mutex_) = false;
  uint64_t live_bytes_ GUARDED_BY(mutex_) = 0;
  mutable uint64_t visit_ GUARDED_BY(mutex_) = 0;
  std::optional<IndexLog> log_ GUARDED_BY(mutex_);
};

LayerIndex::LayerIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LayerIndex::~LayerIndex() = default;

Manifest LayerIndex::Missing(const Manifest& wanted) const { return impl_->Missing(wanted); }
Result<void> LayerIndex::Add(const LayerRef& layer, const Manifest& manifest) {
  return impl_->Add(layer, manifest);
}
Result<std::vector<LayerRef>> LayerIndex::Select(const Manifest& wanted) const {
  return impl_->Select(wanted);
}
Manifest LayerIndex::Shown(const std::vector<LayerRef>& layers,
                           const std::vector<std::string>& paths) const {
  return impl_->Shown(layers, paths);
}
Result<void> LayerIndex::Forget(const std::string& key) { return impl_->Forget(key); }
uint64_t LayerIndex::version() const { return impl_->version(); }
size_t LayerIndex::layer_count() const { return impl_->layer_count(); }

Result<std::unique_ptr<LayerIndex>> LayerIndex::Open(const std::string& path,
                                                     const std::string& store_id) {
  auto index = std::make_unique<Impl>();
  if (!path.empty()) TRY(index->Load(path, store_id));
  return std::unique_ptr<LayerIndex>(new LayerIndex(std::move(index)));
}

}  // namespace llama::tree
