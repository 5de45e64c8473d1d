#include "execute/tree_sync.h"

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
constexpr int64_t kUploadPollMs = 100;

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
                                      const std::function<bool()>& cancelled) {
  const uint64_t version = index_.version();
  {
    const MutexLock lock(memory_mutex_);
    const auto known = remembered_.find(closure_id);
    if (known != remembered_.end() && known->second.index_version == version) {
      return known->second.synced;
    }
  }
  ASSIGN_OR_RETURN(Synced synced, Ensure(wanted, shared, cancelled));
  // What was sent on this job's account, or travels with it, is not the next one's.
  if (index_.version() != version || !synced.inline_contents.empty()) return synced;
  const MutexLock lock(memory_mutex_);
  if (remembered_.size() >= kMostRemembered) remembered_.clear();
  remembered_[closure_id] = {version, synced};
  return synced;
}

Result<Synced> TreeSync::Ensure(const tree::Manifest& wanted, const tree::Manifest& shared,
                                const std::function<bool()>& cancelled) {
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
      TRY(Upload(needed, out, cancelled));
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
      TRY(UploadLayer(held, out));
      continue;
    }
    out.layers = std::move(*layers);
    return out;
  }
  return Error{Code::kUnavailable, "files keep changing while they are sent"};
}

Result<void> TreeSync::Upload(const tree::Manifest& missing, Synced& out,
                              const std::function<bool()>& cancelled) {
  tree::Manifest batch;
  {
    const MutexLock lock(mutex_);
    for (const auto& [path, entry] : missing) pending_.insert_or_assign(path, entry);
    bool waited = false;
    while (uploading_) {
      if (cancelled && cancelled()) return Error{Code::kCancelled, "sync"};
      uploaded_.WaitFor(mutex_, kUploadPollMs);
      waited = true;
    }
    // Whoever was waiting may find all that it needs in what was just sent; it looks first.
    if (waited && !pending_.empty() && index_.Missing(missing).empty()) return {};
    batch = std::move(pending_);
    pending_.clear();
    if (batch.empty()) return {};
    batch.merge(inline_entries_);
    inline_entries_.clear();
    uploading_ = true;
  }
  // What others left pending may be held by now, or no longer be on disk; only our own must
  // succeed.
  const size_t asked = batch.size();
  siblings_.AddTo(batch);
  Result<void> sent = UploadLayer(index_.Missing(batch), out);
  if (!sent && (asked != missing.size() || batch.size() != asked)) {
    sent = UploadLayer(index_.Missing(missing), out);
  }
  {
    const MutexLock lock(mutex_);
    uploading_ = false;
    inline_bytes_ = 0;
    inline_uses_.clear();
    inline_entries_.clear();
  }
  uploaded_.NotifyAll();
  return sent;
}

Result<void> TreeSync::UploadLayer(const tree::Manifest& entries, Synced& out) {
  if (entries.empty()) return {};
  const auto files = tree::NewLocalFileSource();
  ASSIGN_OR_RETURN(const tree::LayerObject object, tree::BuildLayer(entries, *files));
  bool lost = false;
  {
    const MutexLock lock(mutex_);
    lost = lost_.contains(object.key);
  }
  store::PutOptions options;
  options.if_absent = !lost;
  const int64_t put_ns = clock_.MonotonicNs();
  ASSIGN_OR_RETURN(const bool written, store_.Put(object.key, object.bytes, options));
  out.store_ns += clock_.MonotonicNs() - put_ns;
  ++out.store_requests;
  if (written) {
    ++out.uploaded_objects;
    out.uploaded_bytes += object.bytes.size();
  }
  {
    const MutexLock lock(mutex_);
    lost_.erase(object.key);
    sent_ns_[object.key] = clock_.MonotonicNs();
  }
  LOG(kInfo, "sync: layer of " + std::to_string(entries.size()) + " entries, " +
                 std::to_string(object.bytes.size()) + " bytes");
  return index_.Add({object.key, object.bytes.size()}, entries);
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
