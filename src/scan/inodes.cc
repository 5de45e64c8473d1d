#include "scan/inodes.h"

#include <algorithm>
#include <map>
#include <unordered_set>
#include <utility>

#include "base/file.h"

namespace llama::scan {
namespace {

// A text that can't be read may ask for anything.
bool MayAskForOnce(const std::string& path) {
  constexpr uint64_t kMostBytes = 16 << 20;
  const Result<std::string> text = ReadFile(path, kMostBytes);
  return !text || text->find("once") != text->npos;
}

}  // namespace

void Inodes::Add(std::string path, const store::Digest& digest, const FileIdentity& identity) {
  has_twins_ |= ++counts_[digest] > 1;
  files_.push_back({std::move(path), digest, identity});
}

tree::Inodes Inodes::Take(Seen& seen) const {
  if (!has_twins_ && !seen.times) return nullptr;
  auto out = std::make_shared<std::vector<tree::Inode>>();
  std::map<std::pair<dev_t, ino_t>, uint64_t> numbers;
  std::unordered_set<store::Digest, store::DigestHash> asked;
  for (const File& file : files_) {
    const bool is_twin = counts_.at(file.digest) > 1;
    if (!is_twin && !seen.times) continue;
    if (is_twin && !seen.once && asked.insert(file.digest).second) {
      seen.once = MayAskForOnce(file.path);
    }
    const auto number =
        numbers.emplace(std::pair(file.identity.device, file.identity.inode), numbers.size() + 1);
    out->push_back({file.path, file.identity.mtime_ns, number.first->second});
  }
  std::sort(out->begin(), out->end(),
            [](const tree::Inode& a, const tree::Inode& b) { return a.path < b.path; });
  return out;
}

}  // namespace llama::scan
