#include "files/path_walker.h"

#include <cerrno>
#include <utility>

#include "base/file.h"

namespace llama::files {

Result<std::string> PathWalker::Add(const std::string& path) {
  ASSIGN_OR_RETURN(const Place place, Resolve(path));
  if (place.kind == Kind::kDir) {
    AddDir(place.path);
  } else {
    TRY(AddFile(place));
  }
  return place.path.empty() ? "/" : place.path;
}

Result<std::string> PathWalker::AddParents(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string dir, Add(std::string(DirName(path))));
  return JoinPath(dir, BaseName(path));
}

Result<std::string> PathWalker::Canonical(const std::string& path) {
  ASSIGN_OR_RETURN(const Place place, Resolve(path));
  return place.path.empty() ? "/" : place.path;
}

void PathWalker::Push(Stack& stack, std::string_view path) {
  // A slash at the end asks for a directory, as "." does.
  std::vector<std::string_view> names;
  if (path.ends_with('/')) names.push_back(".");
  while (!path.empty()) {
    const size_t slash = path.rfind('/');
    const std::string_view name = path.substr(slash + 1);
    if (!name.empty()) names.push_back(name);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
  }
  stack.insert(stack.end(), names.begin(), names.end());
}

Result<PathWalker::Place> PathWalker::Resolve(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos) {
    return Error{Code::kInvalid, "'" + path + "': not an absolute path"};
  }
  // Most paths of a job share few directories: their walk is done once, by its spelling.
  const size_t slash = path.rfind('/');
  const std::string dir = path.substr(0, slash);
  Place place;
  int symlinks = 0;
  const auto known = resolved_.find(dir);
  if (known != resolved_.end()) {
    place.path = known->second;
  } else {
    Stack stack;
    Push(stack, dir);
    TRY(Walk(stack, place, symlinks, path));
    if (place.kind != Kind::kDir) return ErrnoError(ENOTDIR, path);
    resolved_.emplace(dir, place.path);
  }
  Stack last;
  Push(last, std::string_view(path).substr(slash));
  TRY(Walk(last, place, symlinks, path));
  return place;
}

Result<void> PathWalker::Walk(Stack& stack, Place& place, int& symlinks, const std::string& whole) {
  while (!stack.empty()) {
    const std::string name = std::move(stack.back());
    stack.pop_back();
    if (place.kind != Kind::kDir) return ErrnoError(ENOTDIR, whole);
    if (name == ".") continue;
    if (name == "..") {
      AddDir(place.path);
      place.path = std::string(tree::ParentPath(place.path));
      continue;
    }
    std::string next = place.path + "/" + name;
    ASSIGN_OR_RETURN(const Found* found, Look(next, place.st, whole));
    if (found->kind != Kind::kSymlink) {
      place.path = std::move(next);
      place.kind = found->kind;
      continue;
    }
    if (++symlinks > kMaxSymlinks) {
      return Error{Code::kInvalid, whole + ": too many symbolic links"};
    }
    if (found->target.starts_with('/')) place.path.clear();
    Push(stack, found->target);
  }
  return {};
}

// What stands at a canonical path; at most one lstat and readlink each per walker.
Result<const PathWalker::Found*> PathWalker::Look(const std::string& path, struct stat& st,
                                                  const std::string& whole) {
  st.st_nlink = 0;
  const auto known = found_.find(path);
  if (known != found_.end()) return &known->second;
  if (const int error = file_system_.Lstat(path, st); error != 0) {
    // A name that no directory can hold is not there.
    return ErrnoError(error == ENAMETOOLONG ? ENOENT : error, whole);
  }
  Found found;
  if (S_ISLNK(st.st_mode)) {
    found.kind = Kind::kSymlink;
    ASSIGN_OR_RETURN(found.target, file_system_.ReadLink(path));
    tree::Entry entry;
    entry.type = tree::EntryType::kSymlink;
    entry.target = found.target;
    stamps_[path] = IdentityOf(st);
    Put(path, std::move(entry));
  } else if (S_ISREG(st.st_mode)) {
    found.kind = Kind::kFile;
    stamps_[path] = IdentityOf(st);
  } else if (!S_ISDIR(st.st_mode)) {
    return Error{Code::kInvalid, whole + ": neither file nor directory"};
  }
  return &found_.emplace(path, std::move(found)).first->second;
}

void PathWalker::Put(const std::string& path, tree::Entry entry) {
  if (manifest_.insert_or_assign(path, std::move(entry)).second) order_.push_back(path);
}

void PathWalker::AddDir(const std::string& path) {
  if (path.empty() || manifest_.contains(path)) return;
  tree::Entry entry;
  entry.type = tree::EntryType::kDir;
  Put(path, std::move(entry));
}

Result<void> PathWalker::AddFile(const Place& place) {
  const auto at = manifest_.lower_bound(place.path);
  if (at != manifest_.end() && at->first == place.path) return {};
  Result<FileDigest> digest =
      place.st.st_nlink > 0 ? digests_.Get(place.path, place.st) : digests_.Get(place.path);
  if (!digest) return std::move(digest).error();
  tree::Entry entry;
  entry.executable = digest->executable;
  entry.size_bytes = digest->size_bytes;
  entry.digest = digest->digest;
  manifest_.emplace_hint(at, place.path, std::move(entry));
  order_.push_back(place.path);
  return {};
}

}  // namespace llama::files
