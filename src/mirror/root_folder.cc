#include "mirror/root_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_set>

#include "base/file.h"
#include "base/log.h"

namespace llama::mirror {
namespace {

Result<void> WriteFile(const std::string& path, std::string_view bytes, mode_t mode) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(WriteAll(fd.get(), bytes, path));
  if (fchmod(fd.get(), mode) != 0) return ErrnoError(errno, path);
  return {};
}

}  // namespace

const Placed* RootFolder::Find(const std::string& path) const {
  const auto it = placed_.find(path);
  return it == placed_.end() ? nullptr : &it->second;
}

Result<void> RootFolder::PlaceDir(const std::string& path) {
  const std::string real = Real(path);
  if (mkdir(real.c_str(), 0755) != 0) {
    TRY(MakeRoom(path, errno));
    if (mkdir(real.c_str(), 0755) != 0) return ErrnoError(errno, real);
  }
  Placed placed;
  placed.entry.type = tree::EntryType::kDir;
  return Record(path, std::move(placed));
}

Result<void> RootFolder::PlaceSymlink(const std::string& path, const tree::Entry& entry) {
  const std::string real = Real(path);
  const std::string target = TargetOf(path, entry.target);
  if (symlink(target.c_str(), real.c_str()) != 0) {
    TRY(MakeRoom(path, errno));
    if (symlink(target.c_str(), real.c_str()) != 0) return ErrnoError(errno, real);
  }
  Placed placed;
  placed.entry = entry;
  return Record(path, std::move(placed));
}

Result<void> RootFolder::PlaceBlob(const std::string& path, const tree::Entry& entry,
                                   const FileForm& form) {
  ASSIGN_OR_RETURN(const std::string blob,
                   blobs_.FileOf(entry.digest, form.form, form.replacement));
  const std::string real = Real(path);
  bool linked = link(blob.c_str(), real.c_str()) == 0;
  if (!linked && errno == EEXIST) {
    TRY(MakeRoom(path, errno));
    linked = link(blob.c_str(), real.c_str()) == 0;
  }
  if (!linked && errno != EMLINK && errno != EPERM && errno != EXDEV && errno != ENOTSUP) {
    return ErrnoError(errno, real);
  }
  if (!linked) {
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(blob));
    return PlaceBytes(path, entry, form, bytes);
  }
  blobs_.AddUse(entry.digest, form.form);
  Placed placed;
  placed.entry = entry;
  placed.form = form.form;
  placed.interp = form.interp;
  placed.is_linked = true;
  return Record(path, std::move(placed));
}

Result<void> RootFolder::PlaceBytes(const std::string& path, const tree::Entry& entry,
                                    const FileForm& form, std::string_view bytes) {
  const std::string real = Real(path);
  struct stat st {};
  if (lstat(real.c_str(), &st) == 0) TRY(MakeRoom(path, EEXIST));
  if (Result<void> written = WriteFile(real, bytes, ModeOf(form.form)); !written) {
    unlink(real.c_str());
    return written;
  }
  Placed placed;
  placed.entry = entry;
  placed.form = form.form;
  placed.interp = form.interp;
  return Record(path, std::move(placed));
}

// A job left something where we place.
Result<void> RootFolder::MakeRoom(const std::string& path, int err) {
  const std::string real = Real(path);
  if (err != EEXIST) return ErrnoError(err, real);
  return RemoveTree(real);
}

Result<void> RootFolder::Record(const std::string& path, Placed placed) {
  struct stat st {};
  if (lstat(Real(path).c_str(), &st) != 0) return ErrnoError(errno, Real(path));
  placed.stamp = StampOf(st);
  if (placed.entry.type == tree::EntryType::kDir) {
    dirs_.insert(path);
    touched_.insert(path);
  } else if (placed.entry.type == tree::EntryType::kFile && !placed.is_linked) {
    own_.insert(path);
  }
  if (placed.entry.type != tree::EntryType::kFile || placed.is_linked) placed.stamp.ctime_ns = 0;
  ++ChildrenOf(tree::ParentPath(path));
  TouchParent(path);
  placed_[path] = std::move(placed);
  return {};
}

void RootFolder::TouchParent(const std::string& path) {
  const std::string_view parent = tree::ParentPath(path);
  touched_.emplace(parent.empty() ? "/" : parent);
}

uint64_t& RootFolder::ChildrenOf(std::string_view dir) {
  if (dir.empty()) return root_children_;
  const auto it = placed_.find(std::string(dir));
  CHECK(it != placed_.end());
  return it->second.children;
}

// Absolute targets lead into the root; relative ones stay as they are, unless they climb out of it:
// the real root's parent is itself.
std::string RootFolder::TargetOf(const std::string& path, const std::string& target) const {
  if (target.front() == '/') return root_ + target;
  auto depth = std::count(path.begin(), path.end(), '/') - 1;
  std::string_view rest = target;
  while (rest == ".." || rest.starts_with("../")) {
    rest.remove_prefix(std::min<size_t>(rest.size(), 3));
    if (--depth < 0) {
      while (rest.starts_with("../") || rest.starts_with('/') || rest == "..") {
        rest.remove_prefix(rest.starts_with('/') ? 1 : std::min<size_t>(rest.size(), 3));
      }
      return root_ + "/" + std::string(rest);
    }
    while (rest.starts_with('/')) rest.remove_prefix(1);
  }
  return target;
}

Result<void> RootFolder::Remove(const std::string& path) {
  const auto it = placed_.find(path);
  if (it == placed_.end()) return {};
  const std::string real = Real(path);
  if (it->second.entry.type == tree::EntryType::kDir) {
    if (it->second.children > 0 || rmdir(real.c_str()) != 0) TRY(RemoveTree(real));
  } else if (unlink(real.c_str()) != 0) {
    TRY(RemoveTree(real));
  }
  Forget(path);
  return {};
}

// Takes the path and all below it out of the record.
void RootFolder::Forget(const std::string& path) {
  const auto it = placed_.find(path);
  if (it == placed_.end()) return;
  const auto drop = [&](const std::string& gone, const Placed& placed) {
    if (placed.is_linked) blobs_.DropUse(placed.entry.digest, placed.form);
    dirs_.erase(gone);
    own_.erase(gone);
  };
  if (it->second.children > 0) {
    std::erase_if(placed_, [&](const auto& item) {
      if (!tree::IsBelow(item.first, path)) return false;
      drop(item.first, item.second);
      return true;
    });
  }
  drop(path, it->second);
  --ChildrenOf(tree::ParentPath(path));
  TouchParent(path);
  placed_.erase(it);
}

Result<void> RootFolder::Seal(int64_t now_ns) {
  struct stat st {};
  for (const std::string& dir : touched_) {
    const auto it = placed_.find(dir);
    if (dir != "/" && it == placed_.end()) continue;
    if (lstat(Real(dir).c_str(), &st) != 0) return ErrnoError(errno, Real(dir));
    FileStamp& stamp = dir == "/" ? top_ : it->second.stamp;
    stamp = StampOf(st);
    if (stamp.ctime_ns >= now_ns) stamp.ctime_ns = 0;
  }
  touched_.clear();
  for (const std::string& path : own_) {
    FileStamp& stamp = placed_.at(path).stamp;
    if (stamp.ctime_ns >= now_ns) stamp.ctime_ns = 0;
  }
  return {};
}

void RootFolder::Distrust() {
  blobs_.Distrust();
  for (const std::string& path : own_) placed_.at(path).stamp.ctime_ns = 0;
}

Result<void> RootFolder::Check(bool with_blobs, std::vector<std::string>& lost) {
  std::vector<BlobFile> altered;
  if (with_blobs) {
    ASSIGN_OR_RETURN(altered, blobs_.FindAltered());
  }
  TRY(CheckTop());
  struct stat st {};
  if (lstat(root_.c_str(), &st) != 0 || !(StampOf(st) == top_)) TRY(Inspect("/", lost));
  for (auto it = dirs_.begin(); it != dirs_.end();) {
    const std::string dir = *it;
    if (lstat(Real(dir).c_str(), &st) != 0 || !(StampOf(st) == Find(dir)->stamp)) {
      TRY(Inspect(dir, lost));
    }
    it = dirs_.upper_bound(dir);
  }
  for (auto it = own_.begin(); it != own_.end();) {
    const std::string path = *it;
    if (!IsOwnSound(path)) TRY(Lose(path, lost));
    it = own_.upper_bound(path);
  }
  return LoseBlobs(altered, lost);
}

// A file that uses no blob. Of a patched one the digest tells nothing.
bool RootFolder::IsOwnSound(const std::string& path) {
  Placed& placed = placed_.at(path);
  struct stat st {};
  if (lstat(Real(path).c_str(), &st) != 0) return false;
  const FileStamp now = StampOf(st);
  if (now == placed.stamp) return true;
  if (!now.LooksLike(placed.stamp) || placed.form == BlobForm::kPatched) return false;
  const Result<std::string> bytes = ReadFile(Real(path));
  if (!bytes || store::Sha256(*bytes) != placed.entry.digest) return false;
  placed.stamp = now;
  return true;
}

Result<void> RootFolder::CheckTop() {
  struct stat st {};
  if (lstat(root_.c_str(), &st) != 0) return ErrnoError(errno, root_);
  if (st.st_dev != top_.device || st.st_ino != top_.inode) {
    return Error{Code::kInternal, root_ + ": replaced by a command"};
  }
  if (st.st_mode != top_.mode && chmod(root_.c_str(), top_.mode & 07777) != 0) {
    return ErrnoError(errno, root_);
  }
  return {};
}

Result<void> RootFolder::Inspect(const std::string& dir, std::vector<std::string>& lost) {
  // From the top: a job may have put a link in the place of a directory above, and what that leads
  // to is not ours to touch.
  size_t end = 0;
  while (dir != "/" && end != std::string::npos) {
    end = dir.find('/', end + 1);
    const std::string above = dir.substr(0, end);
    if (Find(above) == nullptr) return RemoveTree(Real(above));
    TRY(InspectOne(above, lost));
    const Placed* placed = Find(above);
    if (placed == nullptr || placed->entry.type != tree::EntryType::kDir) return {};
  }
  return InspectContents(dir, lost);
}

Result<void> RootFolder::InspectContents(const std::string& dir, std::vector<std::string>& lost) {
  // A default ACL would give other modes to what is made here.
  (void)lremovexattr(Real(dir).c_str(), "system.posix_acl_default");
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(Real(dir)));
  touched_.insert(dir);
  const std::string prefix = dir == "/" ? dir : dir + "/";
  std::vector<std::string> present;
  for (const std::string& name : names) {
    if (Find(prefix + name) != nullptr) {
      present.push_back(prefix + name);
    } else {
      TRY(RemoveTree(Real(prefix + name)));
    }
  }
  // Only if something is gone is everything gone through, to find what.
  if (present.size() < (dir == "/" ? root_children_ : Find(dir)->children)) {
    std::vector<std::string> gone;
    for (const auto& [path, placed] : placed_) {
      if (tree::ParentPath(path) == std::string_view(prefix).substr(0, prefix.size() - 1) &&
          !std::binary_search(present.begin(), present.end(), path)) {
        gone.push_back(path);
      }
    }
    for (const std::string& path : gone) TRY(Lose(path, lost));
  }
  for (const std::string& path : present) TRY(InspectOne(path, lost));
  return {};
}

Result<void> RootFolder::InspectOne(const std::string& path, std::vector<std::string>& lost) {
  const Placed* found = Find(path);
  if (found == nullptr) return {};  // lost with something else
  const Placed placed = *found;
  struct stat st {};
  if (lstat(Real(path).c_str(), &st) != 0) return Lose(path, lost);
  if (IsIntact(path, placed, st)) return {};
  if (placed.entry.type == tree::EntryType::kDir && S_ISDIR(st.st_mode) &&
      chmod(Real(path).c_str(), placed.stamp.mode & 07777) == 0) {
    return {};
  }
  return Lose(path, lost);
}

bool RootFolder::IsIntact(const std::string& path, const Placed& placed,
                          const struct stat& st) const {
  switch (placed.entry.type) {
    case tree::EntryType::kDir:
      return st.st_mode == placed.stamp.mode;
    case tree::EntryType::kSymlink: {
      const Result<std::string> target = ReadLink(Real(path));
      return target && *target == TargetOf(path, placed.entry.target);
    }
    case tree::EntryType::kFile:
      return StampOf(st).LooksLike(placed.stamp);
    case tree::EntryType::kAbsent:
      break;
  }
  return false;
}

Result<void> RootFolder::Lose(const std::string& path, std::vector<std::string>& lost) {
  TRY(RemoveTree(Real(path)));
  lost.push_back(path);
  if (Find(path)->children > 0) {
    for (const auto& [other, placed] : placed_) {
      if (tree::IsBelow(other, path)) lost.push_back(other);
    }
  }
  Forget(path);
  return {};
}

// Written to through one of its links, a blob shows the wrong bytes at all of them.
Result<void> RootFolder::LoseBlobs(const std::vector<BlobFile>& altered,
                                   std::vector<std::string>& lost) {
  if (altered.empty()) return {};
  std::array<std::unordered_set<store::Digest, store::DigestHash>, kBlobForms> digests;
  for (const BlobFile& file : altered) digests[static_cast<size_t>(file.form)].insert(file.digest);
  std::vector<std::string> paths;
  for (const auto& [path, placed] : placed_) {
    if (placed.is_linked &&
        digests[static_cast<size_t>(placed.form)].contains(placed.entry.digest)) {
      paths.push_back(path);
    }
  }
  for (const std::string& path : paths) TRY(Lose(path, lost));
  for (const BlobFile& file : altered) blobs_.Discard(file.digest, file.form);
  LOG(kWarning, "a command altered " + std::to_string(altered.size()) + " files of the tree" +
                    (paths.empty() ? std::string() : ", " + paths.front() + " among them"));
  return {};
}

}  // namespace llama::mirror
