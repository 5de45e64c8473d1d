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

Result<void> WriteNew(const std::string& path, std::string_view bytes, mode_t mode) {
  TRY(RemoveTree(path));  // a command may have put something there
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

bool BlobCache::Holds(const store::Digest& digest) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return false;
  for (const BlobForm form : kForms) {
    const Form& state = it->second.form(form);
    if (!state.on_disk || state.uses != 0 || state.is_ours) continue;
    const Result<Fd> dir = OpenFile(dir_, O_RDONLY | O_DIRECTORY);
    if (!dir || !IsSound(dir->get(), digest, it->second, form)) {
      RemoveForm(digest, it->second, form);
    }
  }
  if (it->second.on_disk()) return true;
  blobs_.erase(it);
  return false;
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
  Touch(digest, blobs_[digest] = std::move(blob), BlobForm::kPlain);
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
    TRY(RemoveTree(target));
    if (rename(source.c_str(), target.c_str()) != 0) return ErrnoError(errno, source);
    blob.form(from) = Form{};
  } else {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(source));
    TRY(WriteNew(target, bytes, ModeOf(to)));
    total_bytes_ += blob.size_bytes;
  }
  blob.form(to).on_disk = true;
  Touch(digest, blob, to);

  Result<void> made;
  if (from == BlobForm::kPatched) made = Overwrite(target, blob.interp->offset, blob.overwritten);
  if (made && to == BlobForm::kPatched) {
    blob.overwritten = blob.interp->path.substr(0, interp.size() + 1);
    blob.overwritten.resize(interp.size() + 1, '\0');
    blob.patch = interp + '\0';
    made = Overwrite(target, blob.interp->offset, blob.patch);
  }
  if (made && chmod(target.c_str(), ModeOf(to)) != 0) made = ErrnoError(errno, target);
  // Half-made: nothing may find it.
  if (!made) RemoveForm(digest, blob, to);
  if (!blob.on_disk()) blobs_.erase(digest);
  return made;
}

void BlobCache::AddUse(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return;
  ++it->second.form(form).uses;
  Touch(digest, it->second, form);
}

void BlobCache::DropUse(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end() || it->second.form(form).uses == 0) return;
  --it->second.form(form).uses;
  it->second.last_used = ++uses_;
  Touch(digest, it->second, form);
}

void BlobCache::Discard(const store::Digest& digest, BlobForm form) {
  const auto it = blobs_.find(digest);
  if (it == blobs_.end()) return;
  RemoveForm(digest, it->second, form);
  if (!it->second.on_disk()) blobs_.erase(it);
}

void BlobCache::RemoveForm(const store::Digest& digest, Blob& blob, BlobForm form) {
  if (!blob.form(form).on_disk) return;
  (void)RemoveTree(PathOf(digest, form)).has_value();
  blob.form(form) = Form{false, blob.form(form).uses, {}, false, false};
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

// Making a link to a file and taking one away changes its ctime.
void BlobCache::Touch(const store::Digest& digest, Blob& blob, BlobForm form) {
  Form& state = blob.form(form);
  if (!state.on_disk || state.is_ours) return;
  state.is_ours = true;
  touched_.push_back({digest, form});
}

Result<void> BlobCache::Seal(int64_t now_ns) {
  struct stat st {};
  for (const BlobFile& file : touched_) {
    const auto it = blobs_.find(file.digest);
    if (it == blobs_.end() || !it->second.form(file.form).on_disk) continue;
    Form& state = it->second.form(file.form);
    const std::string path = PathOf(file.digest, file.form);
    if (lstat(path.c_str(), &st) != 0) return ErrnoError(errno, path);
    state.stamp = StampOf(st);
    state.is_doubtful = state.stamp.ctime_ns >= now_ns;
    state.is_ours = false;
  }
  touched_.clear();
  if (lstat(dir_.c_str(), &st) != 0) return ErrnoError(errno, dir_);
  dir_stamp_ = StampOf(st);
  dir_is_doubtful_ = dir_stamp_.ctime_ns >= now_ns;
  return {};
}

void BlobCache::Distrust() {
  for (const BlobFile& file : touched_) {
    const auto it = blobs_.find(file.digest);
    if (it == blobs_.end()) continue;
    Form& state = it->second.form(file.form);
    state.is_ours = false;
    state.is_doubtful = true;
  }
}

Result<std::vector<BlobFile>> BlobCache::FindAltered() {
  ASSIGN_OR_RETURN(const Fd dir, OpenFile(dir_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  struct stat st {};
  if (fstat(dir.get(), &st) != 0) return ErrnoError(errno, dir_);
  const FileStamp now = StampOf(st);
  if (now.device != dir_stamp_.device || now.inode != dir_stamp_.inode ||
      now.mode != dir_stamp_.mode) {
    return Error{Code::kInternal, dir_ + ": replaced by a command"};
  }
  std::vector<BlobFile> altered;
  for (auto& [digest, blob] : blobs_) {
    for (const BlobForm form : kForms) {
      const Form& state = blob.form(form);
      if (state.uses == 0 || !state.on_disk || state.is_ours) continue;
      if (!IsSound(dir.get(), digest, blob, form)) altered.push_back({digest, form});
    }
  }
  if (dir_is_doubtful_ || !(now == dir_stamp_)) TRY(RemoveForeignNames());
  return altered;
}

bool BlobCache::IsSound(int dir, const store::Digest& digest, Blob& blob, BlobForm form) {
  const Form& state = blob.form(form);
  struct stat st {};
  if (fstatat(dir, NameOf(digest, form).c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const FileStamp now = StampOf(st);
  if (now == state.stamp && !state.is_doubtful) return true;
  if (!now.LooksLike(state.stamp) || !HasContent(dir, digest, blob, form)) return false;
  Touch(digest, blob, form);
  return true;
}

bool BlobCache::HasContent(int dir, const store::Digest& digest, const Blob& blob,
                           BlobForm form) const {
  const std::string name = NameOf(digest, form);
  const Fd fd(openat(dir, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) return false;
  Result<std::string> bytes = ReadAll(fd.get(), blob.size_bytes, name);
  if (!bytes || bytes->size() != blob.size_bytes) return false;
  if (form == BlobForm::kPatched) {
    if (bytes->compare(blob.interp->offset, blob.patch.size(), blob.patch) != 0) return false;
    bytes->replace(blob.interp->offset, blob.overwritten.size(), blob.overwritten);
  }
  return store::Sha256(*bytes) == digest;
}

// What a command has put among the blobs would take room for ever.
Result<void> BlobCache::RemoveForeignNames() {
  std::unordered_set<std::string> ours;
  for (const auto& [digest, blob] : blobs_) {
    for (const BlobForm form : kForms) {
      if (blob.form(form).on_disk) ours.insert(NameOf(digest, form));
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(dir_));
  for (const std::string& name : names) {
    if (!ours.contains(name)) TRY(RemoveTree(dir_ + "/" + name));
  }
  return {};
}

std::string BlobCache::NameOf(const store::Digest& digest, BlobForm form) {
  std::string name = digest.Hex();
  if (form == BlobForm::kExecutable) name += "-x";
  if (form == BlobForm::kPatched) name += "-p";
  return name;
}

}  // namespace llama::mirror
