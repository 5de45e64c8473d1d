// ObjectStore: immutable objects by key; the seam to S3. Keys are made of [0-9a-zA-Z._/-], do not
// begin with '/', and have no empty, "." or ".." part; anything else is kInvalid.
//
// Invariant for every implementation: a Get sees either nothing or the whole of what one Put gave,
// whatever fails in between. Every implementation is thread-safe and passes
// store/object_store_conformance.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/retries.h"

namespace llama::store {

struct PutOptions {
  // Leave an object that is there already alone (S3's If-None-Match: *). False replaces it: for an
  // object that was found to be damaged.
  bool if_absent = true;
  // Polled where a Put goes over a network; true ends it. May be empty.
  std::function<bool()> cancelled = {};
  // Told there how many bytes have arrived so far, on any thread. Quick; may be empty.
  std::function<void(uint64_t bytes)> on_progress = {};
  Retries* retries = nullptr;  // gets what had to be asked again
};

struct GetOptions {
  std::function<bool()> cancelled = {};  // as a Put's
  Retries* retries = nullptr;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  // True: written. False: was there already (only with if_absent).
  virtual Result<bool> Put(const std::string& key, std::string_view bytes,
                           const PutOptions& options = {}) = 0;
  // kNotFound if there is none.
  virtual Result<std::string> Get(const std::string& key) = 0;
  // The same where it may take a while, over a network.
  virtual Result<std::string> GetWith(const std::string& key, const GetOptions& /*options*/) {
    return Get(key);
  }
  virtual Result<bool> Exists(const std::string& key) = 0;
  virtual Result<void> Delete(const std::string& key) = 0;  // absent: no error
  // Why files of so many bytes together have no place there now, asked at next to no cost by who
  // would have to pack them first. A folder's are unpacked on the same disk by whoever needs them.
  virtual Result<void> HasRoomFor(uint64_t /*bytes*/) { return {}; }
};

// Also: at most 1,024 bytes, a part at most 250.
bool IsValidKey(std::string_view key);
// The same as a Result that names the key.
Result<void> CheckKey(std::string_view key);

// In memory, for tests.
std::unique_ptr<ObjectStore> NewMemoryStore();

// A folder: the object "a/b" is the file `root`/a/b~ (`root` is 0700, made if absent). No key holds
// a '~', so an object "a" and an object "a/b" don't meet. Writes go to a temporary name in `root`/~
// and are renamed or linked from there; leftovers of killed writers are removed on open when older
// than an hour. Nothing is synced to disk: after a power cut an object may be damaged, and its
// readers, who know its digest, find out.
//
// Bounded if asked: when the objects of `prefix` have more than `max_bytes` in sum, those that were
// put or got least recently are removed, until nine tenths of that are left. For objects that their
// readers can do without, since whoever put them does so again.
struct FolderBound {
  std::string prefix;  // "layers/"
  uint64_t max_bytes = UINT64_MAX;
};
Result<std::unique_ptr<ObjectStore>> OpenFolderStore(const std::string& root,
                                                     const FolderBound& bound = {});

}  // namespace llama::store
