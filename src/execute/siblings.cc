#include "execute/siblings.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"

namespace llama::execute {
namespace {

// A folder with more than this is a collection (/usr/include, a generated tree), not a unit's
// neighbourhood: most of it would never be used. Both bounds hold redis, LLVM's and the kernel's
// folders.
constexpr size_t kMaxNames = 400;
constexpr uint64_t kMaxBytes = 1 << 20;
// Of folders remembered as seen; past it the memory starts anew, which only costs a look.
constexpr size_t kMaxSeen = 100'000;

bool IsHeaderName(std::string_view name) {
  constexpr std::array<std::string_view, 9> kSuffixes = {".h",   ".hh",  ".hpp", ".hxx", ".inc",
                                                         ".inl", ".ipp", ".tcc", ".def"};
  return std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.ends_with(suffix);
  });
}

}  // namespace

void Siblings::AddTo(tree::Manifest& manifest) {
  std::set<std::string> dirs;
  for (const auto& [path, entry] : manifest) {
    if (entry.type == tree::EntryType::kFile && IsHeaderName(path)) {
      dirs.insert(std::string(DirName(path)));
    }
  }
  if (seen_.size() + dirs.size() > kMaxSeen) seen_.clear();
  for (const std::string& dir : dirs) {
    if (seen_.insert(dir).second) AddFolder(dir, manifest);
  }
}

void Siblings::AddFolder(const std::string& dir, tree::Manifest& manifest) {
  const auto names = ListDir(dir);
  if (!names || names->size() > kMaxNames) return;
  std::vector<std::string> paths;
  uint64_t bytes = 0;
  for (const std::string& name : *names) {
    std::string path = JoinPath(dir, name);
    struct stat st {};
    if (!IsHeaderName(name) || manifest.contains(path)) continue;
    if (lstat(path.c_str(), &st) != 0 || !S_ISREG(st.st_mode)) continue;
    bytes += static_cast<uint64_t>(st.st_size);
    if (bytes > kMaxBytes) return;
    paths.push_back(std::move(path));
  }
  for (std::string& path : paths) {
    const auto digest = digests_.Get(path);
    if (!digest) continue;
    tree::Entry entry;
    entry.executable = digest->executable;
    entry.size_bytes = digest->size_bytes;
    entry.digest = digest->digest;
    manifest.emplace(std::move(path), entry);
  }
}

}  // namespace llama::execute
