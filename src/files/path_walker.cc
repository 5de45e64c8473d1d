#include "files/path_walker.h"

#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/file.h"

namespace llama::files {
namespace {

// As the kernel has it (path_resolution(7)).
constexpr int kMaxSymlinks = 40;

// What a canonical path was found to be.
enum class Kind : unsigned char { kDir, kSymlink, kFile };

struct Found {
  Kind kind = Kind::kDir;
  std::string target;  // of symlinks
};

class CachingPathWalker final : public PathWalker {
 public:
  explicit CachingPathWalker(DigestCache& digests) : digests_(digests) {}

  Result<std::string> Add(const std::string& path) override {
    ASSIGN_OR_RETURN(const Place place, Resolve(path));
    if (place.kind == Kind::kDir) {
      AddDir(place.path);
    } else {
      TRY(AddFile(place));
    }
    return place.path.empty() ? "/" : place.path;
  }

  Result<std::string> AddParents(const std::string& path) override {
    ASSIGN_OR_RETURN(const std::string dir, Add(std::string(DirName(path))));
    return JoinPath(dir, BaseName(path));
  }

  const tree::Manifest& manifest() const override { return manifest_; }
  unsigned text_flags() const override { return text_flags_; }

 private:
  // Where a path leads. `path` is canonical; the root is empty.
  struct Place {
    std::string path;
    Kind kind = Kind::kDir;
    struct stat st {};  // of a file that was looked at just now; st_nlink 0: it was not
  };

  // The components that remain to be walked, last one first.
  using Stack = std::vector<std::string>;

  static void Push(Stack& stack, std::string_view path) {
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

  Result<Place> Resolve(const std::string& path) {
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

  Result<void> Walk(Stack& stack, Place& place, int& symlinks, const std::string& whole) {
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
  Result<const Found*> Look(const std::string& path, struct stat& st, const std::string& whole) {
    st.st_nlink = 0;
    const auto known = found_.find(path);
    if (known != found_.end()) return &known->second;
    if (lstat(path.c_str(), &st) != 0) {
      // A name that no directory can hold is not there.
      return ErrnoError(errno == ENAMETOOLONG ? ENOENT : errno, whole);
    }
    Found found;
    if (S_ISLNK(st.st_mode)) {
      found.kind = Kind::kSymlink;
      ASSIGN_OR_RETURN(found.target, ReadLink(path));
      tree::Entry entry;
      entry.type = tree::EntryType::kSymlink;
      entry.target = found.target;
      manifest_[path] = entry;
    } else if (S_ISREG(st.st_mode)) {
      found.kind = Kind::kFile;
    } else if (!S_ISDIR(st.st_mode)) {
      return Error{Code::kInvalid, whole + ": neither file nor directory"};
    }
    return &found_.emplace(path, std::move(found)).first->second;
  }

  void AddDir(const std::string& path) {
    if (path.empty()) return;
    tree::Entry entry;
    entry.type = tree::EntryType::kDir;
    manifest_.try_emplace(path, entry);
  }

  Result<void> AddFile(const Place& place) {
    const auto at = manifest_.lower_bound(place.path);
    if (at != manifest_.end() && at->first == place.path) return {};
    Result<FileDigest> digest =
        place.st.st_nlink > 0 ? digests_.Get(place.path, place.st) : digests_.Get(place.path);
    if (!digest) return std::move(digest).error();
    tree::Entry entry;
    entry.executable = digest->executable;
    entry.size_bytes = digest->size_bytes;
    entry.digest = digest->digest;
    text_flags_ |= digest->text_flags;
    manifest_.emplace_hint(at, place.path, entry);
    return {};
  }

  DigestCache& digests_;
  tree::Manifest manifest_;
  unsigned text_flags_ = 0;
  std::unordered_map<std::string, Found> found_;           // by canonical path
  std::unordered_map<std::string, std::string> resolved_;  // directory as spelt → canonical
};

}  // namespace

std::unique_ptr<PathWalker> PathWalker::Create(DigestCache& digests) {
  return std::make_unique<CachingPathWalker>(digests);
}

}  // namespace llama::files
