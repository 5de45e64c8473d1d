// Layers: the pieces of the remote tree (docs/wire_format.md, "Tree, layers, packs").
//
// The tree is a map from absolute local paths to entries. A layer is a set of path → entry,
// together with the contents of its files, in one immutable object of the store: a canonical
// manifest, then a zstd-compressed pack of the distinct blobs. A job names an ordered list of
// layers; a later layer's entry overrides an earlier one's. The view so made is always a subset of
// the local file system at the time when the job was made, at the same paths.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/digest.h"

namespace llama::tree {

enum class EntryType : unsigned char {
  kFile = 0,
  kSymlink = 1,
  kDir = 2,
  kAbsent = 3,  // the path was there in an earlier layer and is gone
};

struct Entry {
  EntryType type = EntryType::kFile;
  bool executable = false;  // of files: mode 0755 or 0644; nothing else of a mode can matter
  uint64_t size_bytes = 0;  // of files
  store::Digest digest;     // of files: of the content
  std::string target;       // of symlinks, as the local readlink gives it
  bool operator==(const Entry&) const = default;
};

// Canonical absolute paths: no "//", ".", "..", no trailing slash; no component is a symlink in the
// same tree. Sorted by bytes.
using Manifest = std::map<std::string, Entry>;

// As an entry's path: the root itself ("/") is none.
bool IsCanonicalPath(std::string_view path);

// The directories above a canonical path, nearest first: of "/a/b/c" they are "/a/b" and "/a".
// Gives the next one, or an empty view after the last.
std::string_view ParentPath(std::string_view path);

// Whether `path` lies below `dir` ("/a/b" is below "/a" and below "/", not below itself).
bool IsBelow(std::string_view path, std::string_view dir);

// Limits of one layer (docs/wire_format.md, M6): what a hostile object may cost its reader.
inline constexpr uint64_t kMaxEntries = 1'000'000;
inline constexpr uint64_t kMaxPathBytes = uint64_t{256} << 20;
inline constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
inline constexpr uint64_t kMaxPackBytes = uint64_t{4} << 30;

// Whether the manifest may be encoded: invariants M1 to M6 of docs/wire_format.md. kInvalid names
// the path.
Result<void> CheckManifest(const Manifest& manifest);

// The canonical encoding: equal manifests give equal bytes. Decode refuses whatever Encode would
// not have written (order, duplicates, paths, types), and what CheckManifest refuses.
std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view bytes);

// The distinct contents of a manifest, in the order of the pack, each with a path that has it.
struct BlobRef {
  store::Digest digest;
  uint64_t size_bytes = 0;
  const std::string* path = nullptr;  // both point into the manifest
  const Entry* entry = nullptr;
};
std::vector<BlobRef> DistinctBlobs(const Manifest& manifest);

// One layer as it is in the store. `key` is "layers/<sha256 of the object's bytes>".
struct LayerObject {
  std::string key;
  std::string bytes;
};

// Builds the object. `content` gives the bytes of a blob; each distinct digest is asked for once
// and its bytes are checked against the digest and size: a file that changed in between is
// kUnavailable.
class BlobSource {
 public:
  virtual ~BlobSource() = default;
  virtual Result<std::string> Read(const std::string& path, const Entry& entry) = 0;
};
// The local files at the entries' own paths.
std::unique_ptr<BlobSource> NewLocalFileSource();
Result<LayerObject> BuildLayer(const Manifest& manifest, BlobSource& source);

// Reads an object back: checks the key's digest, the manifest, and gives `sink` each distinct blob
// that it wants once, with verified bytes, in the pack's order. Nothing is trusted; any violation
// is kInvalid. An error of the sink ends it, as it is.
class BlobSink {
 public:
  virtual ~BlobSink() = default;
  // False: the content isn't wanted (already held) and may be skipped.
  virtual bool Wants(const store::Digest& digest) = 0;
  virtual Result<void> Put(const store::Digest& digest, std::string_view bytes) = 0;
};
Result<Manifest> ReadLayer(const std::string& key, std::string_view bytes, BlobSink& sink);

}  // namespace llama::tree
