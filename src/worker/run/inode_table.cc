#include "worker/run/inode_table.h"

#include <cstdint>
#include <cstring>

#include "worker/preload/lookup_log.h"

namespace llama::worker {

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

}  // namespace llama::worker
