// Manifests: paths, the canonical encoding and its checks.
#include <algorithm>
#include <unordered_map>

#include "base/codec.h"
#include "tree/layer.h"

namespace llama::tree {
namespace {

constexpr size_t kMaxPathLength = 4095;
constexpr size_t kMaxNameLength = 255;
// A shared length, an empty rest and a tag: no entry is shorter.
constexpr uint64_t kMinEntryBytes = 3;

enum Tag : uint64_t { kPlain = 0, kExecutable = 1, kLink = 2, kDirectory = 3, kGone = 4 };

Tag TagOf(const Entry& entry) {
  switch (entry.type) {
    case EntryType::kFile:
      return entry.executable ? kExecutable : kPlain;
    case EntryType::kSymlink:
      return kLink;
    case EntryType::kDir:
      return kDirectory;
    case EntryType::kAbsent:
      break;
  }
  return kGone;
}

size_t SharedPrefix(std::string_view a, std::string_view b) {
  const size_t end = std::min(a.size(), b.size());
  size_t i = 0;
  while (i < end && a[i] == b[i]) ++i;
  return i;
}

bool IsValidTarget(std::string_view target) {
  return !target.empty() && target.size() <= kMaxPathLength &&
         target.find('\0') == std::string_view::npos;
}

Entry DecodeEntry(Decoder& in) {
  Entry entry;
  switch (in.Uint()) {
    case kExecutable:
      entry.executable = true;
      [[fallthrough]];
    case kPlain: {
      entry.size_bytes = in.Uint();
      if (const auto digest = store::Digest::FromBytes(in.Raw(32))) {
        entry.digest = *digest;
      } else {
        in.Fail();
      }
      break;
    }
    case kLink:
      entry.type = EntryType::kSymlink;
      entry.target = in.String();
      break;
    case kDirectory:
      entry.type = EntryType::kDir;
      break;
    case kGone:
      entry.type = EntryType::kAbsent;
      break;
    default:
      in.Fail();
  }
  return entry;
}

Error Bad(const std::string& path, std::string_view what) {
  return Error{Code::kInvalid, "manifest: " + path + ": " + std::string(what)};
}

// M3, for one entry that is no directory.
Result<void> CheckNothingBelow(const Manifest& manifest, const std::string& path) {
  const std::string prefix = path + "/";
  for (auto it = manifest.lower_bound(prefix);
       it != manifest.end() && it->first.starts_with(prefix); ++it) {
    if (it->second.type != EntryType::kAbsent) return Bad(it->first, "lies below no directory");
  }
  return {};
}

}  // namespace

bool IsCanonicalPath(std::string_view path) {
  if (path.size() < 2 || path.size() > kMaxPathLength || path.front() != '/') return false;
  if (path.find('\0') != std::string_view::npos) return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name.size() > kMaxNameLength || name == "." || name == "..") return false;
    path.remove_prefix(slash);
  }
  return true;
}

std::string_view ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

bool IsBelow(std::string_view path, std::string_view dir) {
  if (dir == "/") return path.size() > 1;
  return path.size() > dir.size() && path[dir.size()] == '/' && path.starts_with(dir);
}

Result<void> CheckManifest(const Manifest& manifest) {
  if (manifest.size() > kMaxEntries) return Error{Code::kInvalid, "manifest: too many entries"};
  std::unordered_map<store::Digest, uint64_t, store::DigestHash> sizes;
  uint64_t path_bytes = 0;
  uint64_t pack_bytes = 0;
  for (const auto& [path, entry] : manifest) {
    if (!IsCanonicalPath(path)) return Bad(path, "not a canonical path");
    path_bytes += path.size();
    if (path_bytes > kMaxPathBytes) return Bad(path, "too many bytes of paths");
    if (entry.type != EntryType::kDir) TRY(CheckNothingBelow(manifest, path));
    if (entry.type == EntryType::kSymlink && !IsValidTarget(entry.target)) {
      return Bad(path, "bad symlink target");
    }
    if (entry.type != EntryType::kFile) continue;
    if (entry.size_bytes > kMaxFileBytes) return Bad(path, "file too large");
    const auto [it, is_new] = sizes.emplace(entry.digest, entry.size_bytes);
    if (it->second != entry.size_bytes) return Bad(path, "two sizes for one digest");
    if (is_new) pack_bytes += entry.size_bytes;
    if (pack_bytes > kMaxPackBytes) return Bad(path, "too much content");
  }
  return {};
}

std::string EncodeManifest(const Manifest& manifest) {
  Encoder out;
  out.Uint(manifest.size());
  std::string_view before;
  for (const auto& [path, entry] : manifest) {
    const size_t shared = SharedPrefix(before, path);
    out.Uint(shared);
    out.Bytes(std::string_view(path).substr(shared));
    out.Uint(TagOf(entry));
    if (entry.type == EntryType::kFile) {
      out.Uint(entry.size_bytes);
      out.Raw(entry.digest.view());
    } else if (entry.type == EntryType::kSymlink) {
      out.Bytes(entry.target);
    }
    before = path;
  }
  return out.Take();
}

Result<Manifest> DecodeManifest(std::string_view bytes) {
  Decoder in(bytes);
  Manifest manifest;
  const uint64_t count = in.Count(kMinEntryBytes);
  if (count > kMaxEntries) in.Fail();
  std::string path;
  uint64_t path_bytes = 0;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const uint64_t shared = in.Uint();
    const std::string_view rest = in.Bytes();
    // Checked while it grows: four bytes of input can stand for a path of four thousand.
    if (shared > path.size() || shared + rest.size() > kMaxPathLength) in.Fail();
    if (!in.ok()) break;
    path.resize(shared);
    path.append(rest);
    path_bytes += path.size();
    if (path_bytes > kMaxPathBytes) in.Fail();
    manifest.emplace_hint(manifest.end(), path, DecodeEntry(in));
  }
  if (!in.Done()) return Error{Code::kInvalid, "manifest: damaged"};
  TRY(CheckManifest(manifest));
  if (EncodeManifest(manifest) != bytes) {
    return Error{Code::kInvalid, "manifest: not in canonical form"};
  }
  return manifest;
}

std::vector<BlobRef> DistinctBlobs(const Manifest& manifest) {
  std::vector<BlobRef> blobs;
  std::unordered_map<store::Digest, bool, store::DigestHash> seen;
  for (const auto& [path, entry] : manifest) {
    if (entry.type != EntryType::kFile || !seen.emplace(entry.digest, true).second) continue;
    blobs.push_back({entry.digest, entry.size_bytes, &path, &entry});
  }
  return blobs;
}

}  // namespace llama::tree
