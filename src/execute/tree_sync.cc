#include "execute/tree_sync.h"

#include <algorithm>

#include "base/log.h"

namespace llama::execute {
namespace {

// What one job may carry inline, and what may be under way inline before it is worth an object. A
// request of 64 KiB costs a 100 Mbit/s uplink 5 ms, about as long as a store round trip.
constexpr uint64_t kMaxInlineJobBytes = 64 << 10;
constexpr uint64_t kMaxInlineTotalBytes = 256 << 10;
// A file that so many jobs needed will be needed by more.
constexpr int kMaxInlineUses = 16;
constexpr int kMaxAttempts = 16;

uint64_t FileBytes(const tree::Manifest& manifest) {
  uint64_t bytes = 0;
  for (const auto& [path, entry] : manifest) {
    if (entry.type == tree::EntryType::kFile) bytes += entry.size_bytes;
  }
  return bytes;
}

bool HasFiles(const tree::Manifest& manifest) {
  for (const auto& [path, entry] : manifest) {
    if (entry.type == tree::EntryType::kFile || entry.type == tree::EntryType::kAbsent) return true;
  }
  return false;
}

// Only files and their disappearance need layers; directories and links are a few bytes in the job.
tree::Manifest Without(const tree::Manifest& all, const tree::Manifest& gone) {
  tree::Manifest out;
  for (const auto& [path, entry] : all) {
    if (!gone.contains(path)) out.emplace_hint(out.end(), path, entry);
  }
  return out;
}

}  // namespace

Result<bool> TreeSync::TakeInline(const tree::Manifest& missing, Synced& out) {
  const uint64_t bytes = FileBytes(missing);
  {
    const MutexLock lock(mutex_);
    if (bytes > kMaxInlineJobBytes || inline_bytes_ + bytes > kMaxInlineTotalBytes) return false;
    for (const auto& [path, entry] : missing) {
      // A path that is gone hides an older layer's entry: only a layer can say so to everyone.
      if (entry.type == tree::EntryType::kAbsent) return false;
      if (entry.type != tree::EntryType::kFile) continue;
      const auto uses = inline_uses_.find(path);
      if (uses != inline_uses_.end() && uses->second >= kMaxInlineUses) return false;
    }
    inline_bytes_ += bytes;
    for (const auto& [path, entry] : missing) {
      if (entry.type == tree::EntryType::kFile) ++inline_uses_[path];
      inline_entries_.insert_or_assign(path, entry);
    }
  }
  const auto files = tree::NewLocalFileSource();
  for (const auto& [path, entry] : missing) {
    if (entry.type != tree::EntryType::kFile) continue;
    ASSIGN_OR_RETURN(std::string content, files->Read(path, entry));
    out.inline_contents.emplace_back(path, std::move(content));
  }
  return true;
}

Result<Synced> TreeSync::EnsureShared(uint64_t closure_id, const tree::Manifest& wanted,
                                      const tree::Manifest& shared,
                                      const std::function<bool()>& cancelled,
                                      const UploadQueue::Leaves& leaves) {
  const uint64_t version = index_.version();
  {
    const MutexLock lock(memory_mutex_);
    const auto known = remembered_.find(closure_id);
    if (known != remembered_.end() && known->second.index_version == version) {
      return known->second.synced;
    }
  }
  ASSIGN_OR_RETURN(Synced synced, Ensure(wanted, shared, cancelled, leaves));
  // What was sent on this job's account, or travels with it, is not the next one's.
  if (index_.version() != version || !synced.inline_contents.empty()) return synced;
  const MutexLock lock(memory_mutex_);
  if (remembered_.size() >= kMostRemembered) remembered_.clear();
  remembered_[closure_id] = {version, synced};
  return synced;
}

Result<Synced> TreeSync::Ensure(const tree::Manifest& wanted, const tree::Manifest& shared,
                                const std::function<bool()>& cancelled,
                                const UploadQueue::Leaves& leaves) {
  Synced out;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    if (cancelled && cancelled()) return Error{Code::kCancelled, "sync"};
    const tree::Manifest shared_missing = index_.Missing(shared);
    const tree::Manifest missing = index_.Missing(wanted);
    bool carried = !HasFiles(missing);
    if (!carried && !HasFiles(shared_missing)) {
      ASSIGN_OR_RETURN(carried, TakeInline(missing, out));
    }
    if (!carried || HasFiles(shared_missing)) {
      tree::Manifest needed = missing;
      needed.insert(shared_missing.begin(), shared_missing.end());
      TRY(Upload({.wanted = std::move(needed)}, out, cancelled, leaves));
      continue;  // another thread's layer may have changed the picture: look again
    }
    out.inline_entries = missing;
    out.inline_entries.insert(shared_missing.begin(), shared_missing.end());
    tree::Manifest held = Without(wanted, missing);
    const tree::Manifest held_shared = Without(shared, shared_missing);
    held.insert(held_shared.begin(), held_shared.end());
    auto layers = index_.Select(held);
    if (!layers) {
      out.inline_contents.clear();
      continue;  // overtaken by a newer version between Missing and Select
    }
    if (layers->size() > tree::kLongList) {
      LOG(kInfo, "sync: repacking " + std::to_string(layers->size()) + " layers");
      out.inline_contents.clear();
      TRY(Upload({.wanted = std::move(held), .repack = true}, out, cancelled, leaves));
      continue;
    }
    out.layers = std::move(*layers);
    return out;
  }
  return Error{Code::kUnavailable, "files keep changing while they are sent"};
}

Result<void> TreeSync::Upload(UploadQueue::Request request, Synced& out,
                              const std::function<bool()>& cancelled,
                              const UploadQueue::Leaves& leaves) {
  ASSIGN_OR_RETURN(const UploadQueue::Cost cost,
                   uploads_.Upload(std::move(request), cancelled, leaves));
  out.store_requests += cost.store_requests;
  out.uploaded_objects += cost.uploaded_objects;
  out.uploaded_bytes += cost.uploaded_bytes;
  out.store_ns += cost.store_ns;
  out.retried_requests += cost.retried_requests;
  out.retried_ns += cost.retried_ns;
  return {};
}

// One layer for all of them, and for what travelled inline. Of what is beside a request's own some
// may no longer be on disk: then each gets a layer of its own.
void TreeSync::SendBatch(UploadQueue::Batch& batch) {
  tree::Manifest all;
  for (const auto& request : batch) {
    if (request->repack) {
      request->ended = UploadLayer(request->wanted);
      continue;
    }
    for (const auto& [path, entry] : request->wanted) all.insert_or_assign(path, entry);
  }
  // Who waited for the batch before may have got all that it needs by that.
  all = index_.Missing(all);
  const size_t asked = all.size();
  if (asked == 0) {
    for (const auto& request : batch) {
      if (!request->ended) request->ended = UploadQueue::Cost{};
    }
    return;
  }
  {
    const MutexLock lock(mutex_);
    all.merge(inline_entries_);
    inline_entries_.clear();
  }
  siblings_.AddTo(all);
  Result<UploadQueue::Cost> sent = UploadLayer(index_.Missing(all));
  const bool own_only = batch.size() == 1 && all.size() == asked;
  const bool again = !sent && sent.error().code == Code::kUnavailable && !own_only;
  for (const auto& request : batch) {
    if (request->ended) continue;
    request->ended = again ? UploadLayer(index_.Missing(request->wanted)) : sent;
    // It is charged to one of them.
    if (sent) sent = UploadQueue::Cost{};
  }
  const MutexLock lock(mutex_);
  inline_bytes_ = 0;
  inline_uses_.clear();
  inline_entries_.clear();
}

Result<UploadQueue::Cost> TreeSync::UploadLayer(const tree::Manifest& entries) {
  UploadQueue::Cost cost;
  if (entries.empty()) return cost;
  // To pack a toolchain takes a core for seconds.
  if (const auto room = store_.HasRoomFor(FileBytes(entries)); !room) {
    return Error{Code::kRemoteFailed, room.error().message};
  }
  const auto files = tree::NewLocalFileSource();
  Result<tree::LayerObject> object = tree::BuildLayer(entries, *files);
  if (!object) return Error{Code::kUnavailable, std::move(object).error().message};
  store::PutOptions options;
  {
    const MutexLock lock(mutex_);
    options.if_absent = !lost_.contains(object->key);
  }
  options.cancelled = [this] { return uploads_.stopping(); };
  options.on_progress = [this](uint64_t bytes) { uploads_.HasSent(bytes); };
  store::Retries retries;
  options.retries = &retries;
  const int64_t put_ns = clock_.MonotonicNs();
  uploads_.BeginsPut(object->bytes.size(), retries);
  const Result<bool> written = store_.Put(object->key, object->bytes, options);
  uploads_.EndsPut();
  if (!written) return Error{Code::kRemoteFailed, written.error().message};
  cost.store_ns = clock_.MonotonicNs() - put_ns;
  cost.retried_requests = retries.requests();
  cost.retried_ns = std::min(retries.ns(), cost.store_ns);
  cost.store_requests = 1;
  if (*written) {
    cost.uploaded_objects = 1;
    cost.uploaded_bytes = object->bytes.size();
  }
  {
    const MutexLock lock(mutex_);
    lost_.erase(object->key);
    sent_ns_[object->key] = clock_.MonotonicNs();
  }
  LOG(kInfo, "sync: layer of " + std::to_string(entries.size()) + " entries, " +
                 std::to_string(object->bytes.size()) + " bytes");
  if (auto added = index_.Add({object->key, object->bytes.size()}, entries); !added) {
    return Error{Code::kRemoteFailed, std::move(added).error().message};
  }
  return cost;
}

void TreeSync::Lost(const std::vector<std::string>& keys, int64_t since_ns) {
  for (const std::string& key : keys) {
    {
      const MutexLock lock(mutex_);
      const auto sent = sent_ns_.find(key);
      if (sent != sent_ns_.end() && sent->second > since_ns) continue;
      lost_.insert(key);
    }
    LOG(kWarning, "store: lost or damaged: " + key);
    if (const auto forgotten = index_.Forget(key); !forgotten) {
      LOG(kError, "index: " + forgotten.error().message);
    }
  }
}

}  // namespace llama::execute
