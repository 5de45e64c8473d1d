#include "mirror/blob_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/file.h"

namespace llama::mirror {
namespace {

constexpr BlobForm kForms[] = {BlobForm::kPlain, BlobForm::kExecutable, BlobForm::kPatched};

mode_t ModeOf(BlobForm form) { return form == BlobForm::kPlain ? 0444 : 0555; }

Result<void> WriteNew(const std::string& path, std::string_view bytes, mode_t mode) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  Result<void> written = WriteAll(fd.get(), bytes, path);
  if (written && fchmod(fd.get(), mode) != 0) written = ErrnoError(errno, path);
  if (!written) unlink(path.c_str());
  return written;
}

// Overwrites bytes of a file whose mode does not allow it.
Result<void> Overwrite(const std::string& path, uint64_t offset, std::string_view bytes) {
  if (chmod(path.c_str(), 0600) != 0) return ErrnoError(errno, path);
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_WRONLY));
  const ssize_t n = pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (n < 0) return ErrnoError(errno, path);
  if (static_cast<size_t>(n) != bytes.size()) return ErrnoError(ENOSPC, path);
  return {};
}

}  // namespace

bool BlobCache::Has(const store::Digest& digest) const {
  const MutexLock lock(mutex_);
  return blobs_.contains(digest);
}

bool BlobCache::Claim(const store::Digest& digest) {
  const MutexLock lock(mutex_);
  return !blobs_.contains(digest) && claimed_.insert(digest).second;
}

void BlobCache::EndClaims() {
  const MutexLock lock(mutex_);
  claimed_.clear();
}

Result<void> BlobCache::Write(const store::Digest& digest, std::string_view bytes) {
  TRY(WriteNew(PathOf(digest, BlobForm::kPlain), bytes, ModeOf(BlobForm::kPlain)));
  Blob blob;
  blob.size_bytes = bytes.size();
  blob.interp = FindElfInterp(bytes);
  blob.form(BlobForm::kPlain).on_disk = true;
  const MutexLock lock(mutex_);
  blob.last_used = ++uses_;
  total_bytes_ += blob.size_bytes;
  blobs_[digest] = std::move(blob);
  return {};
}

const ElfInterp* BlobCache::InterpOf(const store::Digest& digest) const {
  const auto it = blobs_.find(digest);
  return it == blobs_.end() || !it->second.interp ? nullptr : &*it->second.interp;
}

Result<std::string> BlobCache::FileOf(const store::Digest& digest, BlobForm form,
                                      const std::string& interp) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return Error{Code::kNotFound, "blob " + digest.Hex()};
  Blob& blob = it->second;
  blob.last_used = ++uses_;
  if (!blob.form(form).on_disk) {
    for (const BlobForm from : kForms) {
      if (!blob.form(from).on_disk) continue;
      TRY(Make(digest, blob, from, form, interp));
      break;
    }
  }
  return PathOf(digest, form);
}

Result<void> BlobCache::Make(const store::Digest& digest, Blob& blob, BlobForm from, BlobForm to,
                             const std::string& interp) {
  const std::string source = PathOf(digest, from);
  const std::string target = PathOf(digest, to);
  const bool in_place = blob.form(from).uses == 0;
  if (in_place) {
    if (rename(source.c_str(), target.c_str()) != 0) return ErrnoError(errno, source);
    blob.form(from).on_disk = false;
  } else {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(source));
    TRY(WriteNew(target, bytes, ModeOf(to)));
    total_bytes_ += blob.size_bytes;
  }
  blob.form(to).on_disk = true;

  Result<void> made;
  if (from == BlobForm::kPatched) made = Overwrite(target, blob.interp->offset, blob.overwritten);
  if (made && to == BlobForm::kPatched) {
    blob.overwritten = blob.interp->path.substr(0, interp.size() + 1);
    blob.overwritten.resize(interp.size() + 1, '\0');
    made = Overwrite(target, blob.interp->offset, interp + '\0');
  }
  if (made && chmod(target.c_str(), ModeOf(to)) != 0) made = ErrnoError(errno, target);
  // Half-made: nothing may find it.
  if (!made) RemoveForm(digest, blob, to);
  if (!blob.on_disk()) blobs_.erase(digest);
  return made;
}

void BlobCache::AddUse(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it != blobs_.end()) ++it->second.form(form).uses;
}

void BlobCache::DropUse(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end() || it->second.form(form).uses == 0) return;
  --it->second.form(form).uses;
  it->second.last_used = ++uses_;
}

void BlobCache::Discard(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return;
  RemoveForm(digest, it->second, form);
  if (!it->second.on_disk()) blobs_.erase(it);
}

void BlobCache::RemoveForm(const store::Digest& digest, Blob& blob, BlobForm form) {
  if (!blob.form(form).on_disk) return;
  unlink(PathOf(digest, form).c_str());
  blob.form(form).on_disk = false;
  total_bytes_ -= blob.size_bytes;
}

uint64_t BlobCache::Evict(uint64_t max_bytes,
                          const std::function<bool(const store::Digest&)>& keep) {
  if (total_bytes_ <= max_bytes) return 0;
  std::vector<std::pair<uint64_t, store::Digest>> by_age;
  for (const auto& [digest, blob] : blobs_) {
    if (!keep(digest)) by_age.emplace_back(blob.last_used, digest);
  }
  std::sort(by_age.begin(), by_age.end());
  const uint64_t before = total_bytes_;
  for (const auto& [age, digest] : by_age) {
    if (total_bytes_ <= max_bytes) break;
    const auto it = blobs_.find(digest);
    for (const BlobForm form : kForms) {
      if (it->second.form(form).uses == 0) RemoveForm(digest, it->second, form);
    }
    if (!it->second.on_disk()) blobs_.erase(it);
  }
  return before - total_bytes_;
}

std::string BlobCache::PathOf(const store::Digest& digest, BlobForm form) const {
  std::string path = dir_ + "/" + digest.Hex();
  if (form == BlobForm::kExecutable) path += "-x";
  if (form == BlobForm::kPatched) path += "-p";
  return path;
}

}  // namespace llama::mirror
