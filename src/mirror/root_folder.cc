#include "mirror/root_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "base/log.h"

namespace llama::mirror {
namespace {

int64_t MtimeNs(const struct stat& st) {
  return static_cast<int64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + st.st_mtim.tv_nsec;
}

Result<void> WriteFile(const std::string& path, std::string_view bytes, mode_t mode) {
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(WriteAll(fd.get(), bytes, path));
  if (fchmod(fd.get(), mode) != 0) return ErrnoError(errno, path);
  return {};
}

mode_t ModeOf(BlobForm form) { return form == BlobForm::kPlain ? 0444 : 0555; }

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
  if (placed.entry.type == tree::EntryType::kFile) {
    struct stat st {};
    if (lstat(Real(path).c_str(), &st) != 0) return ErrnoError(errno, Real(path));
    placed.inode = st.st_ino;
    placed.mtime_ns = MtimeNs(st);
    placed.mode = st.st_mode;
  }
  ++ChildrenOf(tree::ParentPath(path));
  placed_[path] = std::move(placed);
  return {};
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
  if (it->second.children > 0) {
    std::erase_if(placed_, [&](const auto& item) {
      if (!tree::IsBelow(item.first, path)) return false;
      if (item.second.is_linked) blobs_.DropUse(item.second.entry.digest, item.second.form);
      return true;
    });
  }
  if (it->second.is_linked) blobs_.DropUse(it->second.entry.digest, it->second.form);
  --ChildrenOf(tree::ParentPath(path));
  placed_.erase(it);
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
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(Real(dir)));
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
  const bool altered_blob = placed.is_linked && st.st_ino == placed.inode && S_ISREG(st.st_mode);
  TRY(Lose(path, lost));
  return altered_blob ? LoseContent(placed.entry, placed.form, lost) : Result<void>();
}

bool RootFolder::IsIntact(const std::string& path, const Placed& placed,
                          const struct stat& st) const {
  switch (placed.entry.type) {
    case tree::EntryType::kDir:
      return S_ISDIR(st.st_mode);
    case tree::EntryType::kSymlink: {
      const Result<std::string> target = ReadLink(Real(path));
      return target && *target == TargetOf(path, placed.entry.target);
    }
    case tree::EntryType::kFile:
      return st.st_ino == placed.inode && st.st_mode == placed.mode &&
             static_cast<uint64_t>(st.st_size) == placed.entry.size_bytes &&
             MtimeNs(st) == placed.mtime_ns;
    case tree::EntryType::kAbsent:
      break;
  }
  return false;
}

Result<void> RootFolder::Lose(const std::string& path, std::vector<std::string>& lost) {
  TRY(RemoveTree(Real(path)));
  lost.push_back(path);
  for (const auto& [other, placed] : placed_) {
    if (tree::IsBelow(other, path)) lost.push_back(other);
  }
  Forget(path);
  return {};
}

// A job wrote into a blob through one of its links: every other link shows the same wrong bytes.
Result<void> RootFolder::LoseContent(const tree::Entry& entry, BlobForm form,
                                     std::vector<std::string>& lost) {
  std::vector<std::string> paths;
  for (const auto& [path, placed] : placed_) {
    if (placed.is_linked && placed.form == form && placed.entry.digest == entry.digest) {
      paths.push_back(path);
    }
  }
  for (const std::string& path : paths) TRY(Lose(path, lost));
  blobs_.Discard(entry.digest, form);
  return {};
}

}  // namespace llama::mirror
