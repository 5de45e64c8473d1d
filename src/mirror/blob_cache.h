// BlobCache: the contents that a mirror holds, as files named by digest, to be hard-linked into its
// root.
//
// One content can be needed in three forms, each a file (an inode) of its own, since mode and bytes
// differ: plain (0444), executable (0555), and patched (0555, with another ELF interpreter). A form
// that is not there is made from one that is: by altering that in place if nothing uses it, which
// is the usual case and costs no disk, otherwise by a copy.
//
// Commands can reach these files: through their links in the root, and here. Before a command runs,
// Seal takes down what the files are; after it, FindAltered finds those in use that are not so any
// more, and Holds does for one that nothing uses, before it is used again: there may be many.
//
// Claim and Write may be called by several threads at once; the rest by one, while no other
// call is under way.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "mirror/elf_interp.h"
#include "mirror/file_stamp.h"
#include "store/digest.h"

namespace llama::mirror {

enum class BlobForm : unsigned char { kPlain = 0, kExecutable = 1, kPatched = 2 };
inline constexpr size_t kBlobForms = 3;
constexpr mode_t ModeOf(BlobForm form) { return form == BlobForm::kPlain ? 0444 : 0555; }

struct BlobFile {
  store::Digest digest;
  BlobForm form = BlobForm::kPlain;
  bool operator==(const BlobFile&) const = default;
};

class BlobCache {
 public:
  // `dir` must exist and be empty.
  explicit BlobCache(std::string dir) : dir_(std::move(dir)) {}

  // Whether the content is there and sound: a form that was altered while nothing used it goes.
  // Not while others call Claim or Write.
  bool Holds(const store::Digest& digest);
  // Whether the caller is to Write this content: true for the first who asks, if it isn't there.
  // Claims last until EndClaims.
  bool Claim(const store::Digest& digest);
  Result<void> Write(const store::Digest& digest, std::string_view bytes);
  void EndClaims();

  // The interpreter that the content asks for, if it is an ELF program.
  const ElfInterp* InterpOf(const store::Digest& digest) const;
  // The file of this form, made if need be. `interp` is for kPatched only and must be the same at
  // every call for a digest; it must not be longer than the original. The content must be there.
  Result<std::string> FileOf(const store::Digest& digest, BlobForm form, const std::string& interp);

  // A form that is used by something is neither altered nor evicted.
  void AddUse(const store::Digest& digest, BlobForm form);
  void DropUse(const store::Digest& digest, BlobForm form);
  // The file of a form was found to be altered: it goes at once. Its uses must be dropped, too.
  void Discard(const store::Digest& digest, BlobForm form);

  // A command is about to run; `now_ns` is the file system's time.
  Result<void> Seal(int64_t now_ns);
  // Somebody may have been here since we last touched them, though no command was sealed for: of
  // what is ours no stamp tells anything.
  void Distrust();
  // What a command has done to the forms in use since Seal. What only may have been altered is
  // read: a link made to it or taken from it changes a file's ctime as a write does. An error if
  // the folder itself is not the same. Nothing is changed but names in the folder that are not
  // ours, which go.
  Result<std::vector<BlobFile>> FindAltered();

  // Removes what nothing uses and `keep` does not name, the longest unused first, until at most
  // `max_bytes` are left. Gives the bytes removed.
  uint64_t Evict(uint64_t max_bytes, const std::function<bool(const store::Digest&)>& keep);

 private:
  struct Form {
    bool on_disk = false;
    uint64_t uses = 0;
    FileStamp stamp;       // as of the Seal after we last touched it
    bool is_ours = false;  // no command has run since we touched it
    // Touched within the tick of the seal, or after it: the stamp alone proves nothing.
    bool is_doubtful = false;
  };
  struct Blob {
    uint64_t size_bytes = 0;
    std::optional<ElfInterp> interp;
    std::string overwritten;  // what the patch replaced, once there is a patched form
    std::string patch;        // and by what
    std::array<Form, kBlobForms> forms;
    uint64_t last_used = 0;
    Form& form(BlobForm f) { return forms[static_cast<size_t>(f)]; }
    const Form& form(BlobForm f) const { return forms[static_cast<size_t>(f)]; }
    bool on_disk() const { return forms[0].on_disk || forms[1].on_disk || forms[2].on_disk; }
  };

  static std::string NameOf(const store::Digest& digest, BlobForm form);
  std::string PathOf(const store::Digest& digest, BlobForm form) const {
    return dir_ + "/" + NameOf(digest, form);
  }
  void Touch(const store::Digest& digest, Blob& blob, BlobForm form);
  bool IsSound(int dir, const store::Digest& digest, Blob& blob, BlobForm form);
  bool HasContent(int dir, const store::Digest& digest, const Blob& blob, BlobForm form) const;
  Result<void> RemoveForeignNames();
  Result<void> Make(const store::Digest& digest, Blob& blob, BlobForm from, BlobForm to,
                    const std::string& interp);
  void RemoveForm(const store::Digest& digest, Blob& blob, BlobForm form);

  const std::string dir_;
  mutable Mutex mutex_;
  std::unordered_map<store::Digest, Blob, store::DigestHash> blobs_;  // guarded while fetching
  std::unordered_set<store::Digest, store::DigestHash> claimed_ GUARDED_BY(mutex_);
  std::vector<BlobFile> touched_;  // what is_ours; guarded while fetching
  FileStamp dir_stamp_;            // as of the last Seal
  bool dir_is_doubtful_ = true;
  uint64_t total_bytes_ = 0;
  uint64_t uses_ = 0;  // orders last_used
};

}  // namespace llama::mirror
