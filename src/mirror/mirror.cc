#include "mirror/mirror.h"

#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/file.h"
#include "mirror/blob_cache.h"
#include "mirror/file_stamp.h"
#include "mirror/interpreters.h"
#include "mirror/layer_fetch.h"
#include "mirror/merged_tree.h"
#include "mirror/root_folder.h"

namespace llama::mirror {
namespace {

// Manifests that are kept in memory beside those of the current list: some 100 MB.
constexpr size_t kMaxIdleEntries = 500'000;

struct LayerState {
  tree::Manifest manifest;
  uint64_t last_used = 0;
};

}  // namespace

// The course of a Prepare: Check, Learn (what the view is), FetchContents, Apply, Seal. Until Learn
// nothing has changed. A failure after it leaves `settled_` false, and the next Prepare compares
// everything instead of the difference between two jobs.
class Mirror::Impl {
 public:
  Impl(const MirrorOptions& options, const std::string& dir, FileClock clock,
       store::ObjectStore& store)
      : options_(options),
        clock_(std::move(clock)),
        store_(store),
        blobs_(dir + "/blobs"),
        root_(dir + "/root", blobs_),
        interps_(dir + "/ld", dir + "/root") {}

  Result<PrepareStats> Prepare(const tree::View& view);
  const std::vector<std::string>& missing() const { return missing_; }
  const std::string& root() const { return root_.path(); }
  const tree::Entry* Find(const std::string& path) const;
  Result<void> Check(Reach reach);
  void Distrust();
  Result<void> EnsureDir(const std::string& path);
  std::vector<std::pair<int, int>> keep_fds() const { return interps_.keep_fds(); }

 private:
  Result<void> Take(const tree::View& view);
  Result<void> Bring(const tree::View& view);
  Result<void> Fetch(const std::vector<tree::LayerRef>& layers);
  Result<void> FetchManifests(const tree::View& view);
  void Learn(const tree::View& view);
  Result<void> FetchContents(const tree::View& view);
  Result<void> RemoveStale();
  Result<void> Apply();
  Result<void> PlaceOne(const std::string& path, const tree::Entry& entry);
  void Settled(const tree::View& view);
  Result<void> Seal();

  FileForm FormOf(const tree::Entry& entry, const std::string& interp);
  bool IsInPlace(const std::string& path, const tree::Entry& entry);
  void MakeRoomOnDisk(const tree::View& view);
  void ForgetIdleLayers();

  const MirrorOptions options_;
  FileClock clock_;
  store::ObjectStore& store_;
  BlobCache blobs_;
  RootFolder root_;
  Interpreters interps_;
  const ViewLookup lookup_ = [this](const std::string& path) { return Find(path); };

  std::unordered_map<std::string, LayerState> layers_;
  uint64_t prepares_ = 0;

  // The view: the layers, and on top of them what the job brings itself.
  std::vector<std::string> base_keys_;
  MergedTree base_;  // of base_keys_
  tree::Manifest own_;
  std::unordered_map<std::string, const tree::InlineFile*> inline_files_;  // during Prepare
  MergedTree top_;                                                         // of own_ alone
  bool is_combined_ = false;  // own_ clashes with the layers: combined_ holds, not base_ and top_
  MergedTree combined_;

  bool settled_ = true;
  std::vector<std::string> changes_;    // paths to look at, sorted
  std::vector<std::string> job_paths_;  // what the last job brought: to be looked at again
  bool check_due_ = false;              // a command may have run since the last Check
  std::vector<std::string> lost_;       // found missing or altered by Check
  std::vector<std::string> missing_;
  bool disk_failed_ = false;
  PrepareStats stats_;
};

Result<PrepareStats> Mirror::Impl::Prepare(const tree::View& view) {
  stats_ = {};
  missing_.clear();
  ++prepares_;
  TRY(Check(Reach::kEverything));
  TRY(Take(view));
  Result<void> brought = Bring(view);
  if (!brought && disk_failed_) {
    MakeRoomOnDisk(view);
    brought = Bring(view);
  }
  inline_files_.clear();
  if (!brought) {
    if (!disk_failed_) return std::move(brought).error();
    return Error{Code::kUnavailable, brought.error().message};
  }
  stats_.evicted_bytes +=
      blobs_.Evict(options_.max_bytes, [](const store::Digest&) { return false; });
  ForgetIdleLayers();
  TRY(Seal());
  return stats_;
}

// From here on a command may run.
Result<void> Mirror::Impl::Seal() {
  ASSIGN_OR_RETURN(const int64_t now_ns, clock_.NowNs());
  TRY(blobs_.Seal(now_ns));
  TRY(root_.Seal(now_ns));
  check_due_ = true;
  return {};
}

// Checks the job's own part and turns it into a manifest.
Result<void> Mirror::Impl::Take(const tree::View& view) {
  tree::Manifest own = view.extra;
  for (const auto& [path, entry] : view.extra) {
    if (entry.type == tree::EntryType::kFile) {
      return Error{Code::kInvalid, path + ": a file without content"};
    }
  }
  std::unordered_map<std::string, const tree::InlineFile*> files;
  for (const tree::InlineFile& file : view.files) {
    tree::Entry& entry = own[file.path];
    entry = tree::Entry{tree::EntryType::kFile, file.executable, file.bytes.size(), {}, {}};
    entry.digest = store::Sha256(file.bytes);
    files[file.path] = &file;
  }
  TRY(tree::CheckManifest(own));
  settled_ = settled_ && !is_combined_;
  top_.Clear();
  combined_.Clear();
  is_combined_ = false;
  own_ = std::move(own);
  top_.Apply(own_);
  inline_files_ = std::move(files);
  return {};
}

Result<void> Mirror::Impl::Bring(const tree::View& view) {
  disk_failed_ = false;
  TRY(FetchManifests(view));
  Learn(view);
  TRY(FetchContents(view));
  TRY(RemoveStale());
  TRY(Apply());
  TRY(interps_.Settle());
  Settled(view);
  return {};
}

Result<void> Mirror::Impl::Check(Reach reach) {
  if (!check_due_) return {};
  interps_.Check();
  TRY(root_.Check(reach == Reach::kEverything, lost_));
  check_due_ = false;
  return {};
}

void Mirror::Impl::Distrust() {
  check_due_ = prepares_ > 0;
  root_.Distrust();
}

Result<void> Mirror::Impl::Fetch(const std::vector<tree::LayerRef>& layers) {
  if (layers.empty()) return {};
  FetchedLayers fetched = FetchLayers(store_, layers, blobs_, options_.parallel_fetches);
  stats_.fetched_objects += fetched.objects;
  stats_.fetched_bytes += fetched.bytes;
  stats_.retried_requests += fetched.retried_requests;
  stats_.retried_ns += fetched.retried_ns;
  for (auto& [key, manifest] : fetched.manifests) {
    // A layer that is fetched again is one whose blobs were evicted; base_ points into it.
    layers_.try_emplace(key, LayerState{std::move(manifest), prepares_});
  }
  missing_.insert(missing_.end(), fetched.missing.begin(), fetched.missing.end());
  if (!missing_.empty()) {
    return Error{Code::kNotFound, "the store has lost " + missing_.front() + " and " +
                                      std::to_string(missing_.size() - 1) + " more"};
  }
  if (!fetched.error) return {};
  disk_failed_ = fetched.disk_failed;
  return *std::move(fetched.error);
}

Result<void> Mirror::Impl::FetchManifests(const tree::View& view) {
  std::vector<tree::LayerRef> unknown;
  std::unordered_set<std::string> seen;
  for (const tree::LayerRef& layer : view.layers) {
    const auto it = layers_.find(layer.key);
    if (it != layers_.end()) {
      it->second.last_used = prepares_;
    } else if (seen.insert(layer.key).second) {
      unknown.push_back(layer);
    }
  }
  return Fetch(unknown);
}

// Works out the view, and in `changes_` what has to be looked at.
void Mirror::Impl::Learn(const tree::View& view) {
  std::vector<std::string_view> touched;
  const auto same = std::mismatch(
      base_keys_.begin(), base_keys_.end(), view.layers.begin(), view.layers.end(),
      [](const std::string& key, const tree::LayerRef& layer) { return key == layer.key; });
  if (same.first != base_keys_.end()) {
    base_.Clear();
    base_keys_.clear();
    settled_ = false;
  }
  for (size_t i = base_keys_.size(); i < view.layers.size(); ++i) {
    const std::string& key = view.layers[i].key;
    base_.Apply(layers_.at(key).manifest, &touched);
    base_keys_.push_back(key);
  }
  if (base_.Clashes(own_)) {
    combined_ = base_;
    combined_.Apply(own_);
    is_combined_ = true;
    settled_ = false;
  }
  if (interps_.Follow(lookup_)) settled_ = false;

  changes_ = lost_;
  const auto add = [&](std::string_view path, const auto&) { changes_.emplace_back(path); };
  if (settled_) {
    changes_.insert(changes_.end(), touched.begin(), touched.end());
    changes_.insert(changes_.end(), job_paths_.begin(), job_paths_.end());
    top_.ForEach(add);
  } else {
    root_.ForEach(add);
    if (is_combined_) {
      combined_.ForEach(add);
    } else {
      base_.ForEach(add);
      top_.ForEach(add);
    }
  }
  settled_ = false;
  std::sort(changes_.begin(), changes_.end());
  changes_.erase(std::unique(changes_.begin(), changes_.end()), changes_.end());
}

const tree::Entry* Mirror::Impl::Find(const std::string& path) const {
  if (is_combined_) return combined_.Find(path);
  const auto own = own_.find(path);
  if (own != own_.end()) return &own->second;
  const tree::Entry* below = base_.Find(path);
  return below != nullptr ? below : top_.Find(path);
}

// Layers whose manifests are known may have lost contents to eviction.
Result<void> Mirror::Impl::FetchContents(const tree::View& view) {
  std::vector<tree::LayerRef> again;
  std::unordered_set<std::string> keys;
  std::unordered_set<store::Digest, store::DigestHash> wanted;
  for (const std::string& path : changes_) {
    const tree::Entry* entry = Find(path);
    if (entry == nullptr || entry->type != tree::EntryType::kFile || inline_files_.contains(path)) {
      continue;
    }
    if (blobs_.Holds(entry->digest) || wanted.contains(entry->digest)) continue;
    if (IsInPlace(path, *entry)) continue;
    wanted.insert(entry->digest);
    for (size_t i = view.layers.size(); i-- > 0;) {
      const tree::Manifest& manifest = layers_.at(view.layers[i].key).manifest;
      const auto it = manifest.find(path);
      if (it == manifest.end() || !(it->second == *entry)) continue;
      if (keys.insert(view.layers[i].key).second) again.push_back(view.layers[i]);
      break;
    }
  }
  return Fetch(again);
}

FileForm Mirror::Impl::FormOf(const tree::Entry& entry, const std::string& interp) {
  if (!entry.executable) return {};
  if (interp.empty()) return {BlobForm::kExecutable, {}, {}};
  std::string replacement = interps_.ReplacementOf(interp, lookup_);
  const BlobForm form = replacement.empty() ? BlobForm::kExecutable : BlobForm::kPatched;
  return {form, interp, std::move(replacement)};
}

bool Mirror::Impl::IsInPlace(const std::string& path, const tree::Entry& entry) {
  const Placed* placed = root_.Find(path);
  if (placed == nullptr || !(placed->entry == entry)) return false;
  return entry.type != tree::EntryType::kFile || placed->form == FormOf(entry, placed->interp).form;
}

// Children before their directory.
Result<void> Mirror::Impl::RemoveStale() {
  for (auto it = changes_.rbegin(); it != changes_.rend(); ++it) {
    if (root_.Find(*it) == nullptr) continue;
    const tree::Entry* entry = Find(*it);
    if (entry != nullptr && IsInPlace(*it, *entry)) continue;
    TRY(root_.Remove(*it));
    ++stats_.files_removed;
  }
  return {};
}

// Directories before what is in them.
Result<void> Mirror::Impl::Apply() {
  for (const std::string& path : changes_) {
    const tree::Entry* entry = Find(path);
    if (entry == nullptr || root_.Find(path) != nullptr) continue;
    if (Result<void> placed = PlaceOne(path, *entry); !placed) {
      disk_failed_ = placed.error().code == Code::kUnavailable;
      return placed;
    }
    ++stats_.files_written;
  }
  return {};
}

Result<void> Mirror::Impl::PlaceOne(const std::string& path, const tree::Entry& entry) {
  if (entry.type == tree::EntryType::kDir) return root_.PlaceDir(path);
  if (entry.type == tree::EntryType::kSymlink) return root_.PlaceSymlink(path, entry);
  const auto own = inline_files_.find(path);
  if (own == inline_files_.end()) {
    const ElfInterp* interp = blobs_.InterpOf(entry.digest);
    return root_.PlaceBlob(path, entry, FormOf(entry, interp == nullptr ? "" : interp->path));
  }
  const std::string& bytes = own->second->bytes;
  const std::optional<ElfInterp> interp = FindElfInterp(bytes);
  const FileForm form = FormOf(entry, interp ? interp->path : "");
  if (form.form != BlobForm::kPatched) return root_.PlaceBytes(path, entry, form, bytes);
  std::string patched = bytes;
  patched.replace(interp->offset, form.replacement.size() + 1, form.replacement + '\0');
  return root_.PlaceBytes(path, entry, form, patched);
}

void Mirror::Impl::Settled(const tree::View& view) {
  job_paths_.clear();
  top_.ForEach([&](std::string_view path, const tree::Entry&) { job_paths_.emplace_back(path); });
  lost_.clear();
  settled_ = view.layers.size() == base_keys_.size();
}

Result<void> Mirror::Impl::EnsureDir(const std::string& path) {
  if (path == "/") return {};
  if (!tree::IsCanonicalPath(path))
    return Error{Code::kInvalid, "'" + path + "': not a canonical path"};
  size_t end = 0;
  while (end != std::string::npos) {
    end = path.find('/', end + 1);
    const std::string dir = path.substr(0, end);
    const Placed* placed = root_.Find(dir);
    if (placed == nullptr) {
      TRY(root_.PlaceDir(dir));
      job_paths_.push_back(dir);
    } else if (placed->entry.type != tree::EntryType::kDir) {
      return Error{Code::kInvalid, dir + ": not a directory in the tree"};
    }
  }
  return {};
}

// The disk is full. What only the last view uses goes from the root, then every blob that the new
// one does not use. If some of its layers are not known yet, that is judged by those that are.
void Mirror::Impl::MakeRoomOnDisk(const tree::View& view) {
  std::unordered_set<store::Digest, store::DigestHash> keep;
  MergedTree known;
  for (const tree::LayerRef& layer : view.layers) {
    const auto it = layers_.find(layer.key);
    if (it != layers_.end()) known.Apply(it->second.manifest);
  }
  known.ForEach([&](std::string_view, const tree::Entry& entry) {
    if (entry.type == tree::EntryType::kFile) keep.insert(entry.digest);
  });
  std::vector<std::string> stale;
  root_.ForEach([&](const std::string& path, const Placed& placed) {
    const tree::Entry* entry = known.Find(path);
    if (entry == nullptr || !(*entry == placed.entry)) stale.push_back(path);
  });
  settled_ = false;
  std::sort(stale.rbegin(), stale.rend());
  for (const std::string& path : stale) {
    if (!root_.Remove(path)) return;
    ++stats_.files_removed;
  }
  stats_.evicted_bytes +=
      blobs_.Evict(0, [&](const store::Digest& digest) { return keep.contains(digest); });
}

void Mirror::Impl::ForgetIdleLayers() {
  size_t entries = 0;
  std::vector<std::pair<uint64_t, std::string>> idle;
  for (const auto& [key, layer] : layers_) {
    if (layer.last_used == prepares_) continue;
    entries += layer.manifest.size();
    idle.emplace_back(layer.last_used, key);
  }
  if (entries <= kMaxIdleEntries) return;
  std::sort(idle.begin(), idle.end());
  for (const auto& [age, key] : idle) {
    if (entries <= kMaxIdleEntries / 2) return;
    entries -= layers_.at(key).manifest.size();
    layers_.erase(key);
  }
}

Mirror::Mirror(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Mirror::~Mirror() = default;

Result<PrepareStats> Mirror::Prepare(const tree::View& view) { return impl_->Prepare(view); }
const std::vector<std::string>& Mirror::missing() const { return impl_->missing(); }
const std::string& Mirror::root() const { return impl_->root(); }
const tree::Entry* Mirror::Find(const std::string& path) const { return impl_->Find(path); }
Result<void> Mirror::Check(Reach reach) { return impl_->Check(reach); }
void Mirror::Distrust() { impl_->Distrust(); }
Result<void> Mirror::EnsureDir(const std::string& path) { return impl_->EnsureDir(path); }
std::vector<std::pair<int, int>> Mirror::keep_fds() const { return impl_->keep_fds(); }

Result<std::unique_ptr<Mirror>> Mirror::Open(const MirrorOptions& options,
                                             store::ObjectStore& store) {
  TRY(MakeDirs(options.dir, 0700));
  ASSIGN_OR_RETURN(const std::string dir, RealPath(options.dir));
  for (const char* name : {"root", "blobs", "ld"}) {
    const std::string path = JoinPath(dir, name);
    TRY(RemoveTree(path));
    TRY(MakeDirs(path, 0755));
  }
  ASSIGN_OR_RETURN(FileClock clock, FileClock::Open(dir));
  return std::unique_ptr<Mirror>(
      new Mirror(std::make_unique<Impl>(options, dir, std::move(clock), store)));
}

}  // namespace llama::mirror
