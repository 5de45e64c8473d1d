// RootFolder: what stands under a mirror's root/, and the single place where it is changed.
//
// It knows every path that it has placed there, and what it has placed. Before a command runs, Seal
// takes down the stamps of the directories; after it, Check finds what it did: names that came,
// went or now mean something else change their directory's ctime, and what was written into a file,
// the file's (of blobs, BlobCache takes those down). At every moment, also after a failure, its
// record is what is on disk, jobs' doings apart. Not thread-safe.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "mirror/blob_cache.h"
#include "mirror/file_stamp.h"
#include "tree/layer.h"

namespace llama::mirror {

// How a file is to stand in the root.
struct FileForm {
  BlobForm form = BlobForm::kPlain;
  std::string interp;       // of ELF programs: the interpreter asked for
  std::string replacement;  // of kPatched: the one to have instead
};

struct Placed {
  tree::Entry entry;
  BlobForm form = BlobForm::kPlain;  // of files
  std::string interp;                // of ELF programs: the interpreter asked for
  bool is_linked = false;            // a file that uses a blob, not one with bytes of its own
  uint64_t children = 0;             // placed directly below it
  // What lstat gave for it: of files when they were placed, of directories at the last Seal. The
  // ctime of a linked file is that of its blob, which changes with every link to it; here it is 0.
  // Of another file or a directory, 0 says that something could have been done to it unseen.
  FileStamp stamp;
};

class RootFolder {
 public:
  // `root` must exist and be empty; `blobs` must outlive this.
  RootFolder(std::string root, BlobCache& blobs) : root_(std::move(root)), blobs_(blobs) {}

  const std::string& path() const { return root_; }
  const Placed* Find(const std::string& path) const;
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const auto& [path, placed] : placed_) visit(path, placed);
  }

  // The path must not be placed, and its parent must be (or be the root). Whatever a job left there
  // is removed.
  Result<void> PlaceDir(const std::string& path);
  Result<void> PlaceSymlink(const std::string& path, const tree::Entry& entry);
  Result<void> PlaceBlob(const std::string& path, const tree::Entry& entry, const FileForm& form);
  // `bytes` are in that form already.
  Result<void> PlaceBytes(const std::string& path, const tree::Entry& entry, const FileForm& form,
                          std::string_view bytes);
  // Removes it and all below it. Not placed: no error.
  Result<void> Remove(const std::string& path);

  // A command is about to run; `now_ns` is the file system's time.
  Result<void> Seal(int64_t now_ns);
  // Somebody may have been here since the last Check, which found all of it sound.
  void Distrust();
  // Undoes what a command has done since Seal: removes what was not placed, and takes what is gone
  // or altered out of the record (and off the disk). Appends the paths that it took out to `lost`.
  // An error if that can't be done, or if the root itself is not the same: it is not to be used
  // again. Without `with_blobs` the command is known to write into no file that was there.
  Result<void> Check(bool with_blobs, std::vector<std::string>& lost);

 private:
  std::string Real(const std::string& path) const { return path == "/" ? root_ : root_ + path; }
  std::string TargetOf(const std::string& path, const std::string& target) const;
  Result<void> MakeRoom(const std::string& path, int err);
  Result<void> Record(const std::string& path, Placed placed);
  Result<void> CheckTop();
  bool IsOwnSound(const std::string& path);
  Result<void> Inspect(const std::string& dir, std::vector<std::string>& lost);
  Result<void> InspectContents(const std::string& dir, std::vector<std::string>& lost);
  Result<void> InspectOne(const std::string& path, std::vector<std::string>& lost);
  bool IsIntact(const std::string& path, const Placed& placed, const struct stat& st) const;
  Result<void> Lose(const std::string& path, std::vector<std::string>& lost);
  Result<void> LoseBlobs(const std::vector<BlobFile>& altered, std::vector<std::string>& lost);
  void Forget(const std::string& path);
  void TouchParent(const std::string& path);
  uint64_t& ChildrenOf(std::string_view dir);

  const std::string root_;
  BlobCache& blobs_;
  std::unordered_map<std::string, Placed> placed_;
  uint64_t root_children_ = 0;
  FileStamp top_;                          // of the root itself
  std::set<std::string> dirs_;             // placed; what is above comes first
  std::set<std::string> own_;              // placed files that use no blob
  std::set<std::string> touched_ = {"/"};  // directories to be sealed anew
};

}  // namespace llama::mirror
