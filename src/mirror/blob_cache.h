// BlobCache: the contents that a mirror holds, as files named by digest, to be hard-linked into its
// root.
//
// One content can be needed in three forms, each a file (an inode) of its own, since mode and bytes
// differ: plain (0444), executable (0555), and patched (0555, with another ELF interpreter). A form
// that is not there is made from one that is: by altering that in place if nothing uses it, which
// is the usual case and costs no disk, otherwise by a copy.
//
// Has, Claim and Write may be called by several threads at once; the rest by one, while no other
// call is under way.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/mutex.h"
#include "base/result.h"
#include "mirror/elf_interp.h"
#include "store/digest.h"

namespace llama::mirror {

enum class BlobForm : unsigned char { kPlain = 0, kExecutable = 1, kPatched = 2 };

class BlobCache {
 public:
  // `dir` must exist and be empty.
  explicit BlobCache(std::string dir) : dir_(std::move(dir)) {}

  bool Has(const store::Digest& digest) const;
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

  // Removes what nothing uses and `keep` does not name, the longest unused first, until at most
  // `max_bytes` are left. Gives the bytes removed.
  uint64_t Evict(uint64_t max_bytes, const std::function<bool(const store::Digest&)>& keep);

 private:
  struct Form {
    bool on_disk = false;
    uint64_t uses = 0;
  };
  struct Blob {
    uint64_t size_bytes = 0;
    std::optional<ElfInterp> interp;
    std::string overwritten;  // what the patch replaced, once there is a patched form
    std::array<Form, 3> forms;
    uint64_t last_used = 0;
    Form& form(BlobForm f) { return forms[static_cast<size_t>(f)]; }
    const Form& form(BlobForm f) const { return forms[static_cast<size_t>(f)]; }
    bool on_disk() const { return forms[0].on_disk || forms[1].on_disk || forms[2].on_disk; }
  };

  std::string PathOf(const store::Digest& digest, BlobForm form) const;
  Result<void> Make(const store::Digest& digest, Blob& blob, BlobForm from, BlobForm to,
                    const std::string& interp);
  void RemoveForm(const store::Digest& digest, Blob& blob, BlobForm form);

  const std::string dir_;
  mutable Mutex mutex_;
  std::unordered_map<store::Digest, Blob, store::DigestHash> blobs_;  // guarded while fetching
  std::unordered_set<store::Digest, store::DigestHash> claimed_ GUARDED_BY(mutex_);
  uint64_t total_bytes_ = 0;
  uint64_t uses_ = 0;  // orders last_used
};

}  // namespace llama::mirror
