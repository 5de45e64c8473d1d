#include "worker/run/inode_table.h"

#include <cstdint>
#include <cstring>

#include "base/file.h"
#include "tree/layer.h"
#include "worker/preload/lookup_log.h"

namespace llama::worker {

Result<void> CheckInodes(const std::vector<tree::Inode>& inodes) {
  for (size_t i = 0; i < inodes.size(); ++i) {
    if (!tree::IsCanonicalPath(inodes[i].path) || (i > 0 && inodes[i].path <= inodes[i - 1].path)) {
      return Error{Code::kInvalid, "inode: not canonical or out of order: " + inodes[i].path};
    }
  }
  return {};
}

std::string EncodeInodeTable(const std::vector<tree::Inode>& inodes) {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const InodeTable head = {static_cast<uint32_t>(inodes.size()), 0};
  const size_t names_at = sizeof head + inodes.size() * sizeof(InodeEntry);
  std::string names;
  std::string out(names_at, '\0');
  std::memcpy(out.data(), &head, sizeof head);
  size_t at = sizeof head;
  for (const tree::Inode& inode : inodes) {
    const int64_t part_ns = (inode.mtime_ns % kSecondNs + kSecondNs) % kSecondNs;
    const InodeEntry entry = {inode.number, (inode.mtime_ns - part_ns) / kSecondNs,
                              static_cast<uint32_t>(part_ns),
                              static_cast<uint32_t>(names_at + names.size())};
    std::memcpy(out.data() + at, &entry, sizeof entry);
    at += sizeof entry;
    names.append(inode.path).push_back('\0');
  }
  return out + names;
}

Result<void> ShowInodes(const std::vector<tree::Inode>& inodes, const std::string& path,
                        std::vector<std::string>& env) {
  if (inodes.empty()) return {};
  TRY(WriteFileAtomic(path, EncodeInodeTable(inodes), 0400));
  env.push_back(LLAMA_INODES_ENV "=" + path);
  return {};
}

}  // namespace llama::worker
