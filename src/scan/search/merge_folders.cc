#include "scan/search/merge_folders.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <string_view>
#include <utility>

namespace llama::scan {
namespace {

bool IsIn(const Folder& folder, const std::vector<Folder>& folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](const Folder& other) { return folder.IsSameAs(other); });
}

std::vector<Folder> LookAtAll(const FileSystem& files, const std::vector<std::string>& chain) {
  std::vector<Folder> out;
  out.reserve(chain.size());
  for (const std::string& path : chain) out.push_back(LookAt(files, path));
  return out;
}

std::vector<std::string> PathsOf(std::vector<Folder>& folders) {
  std::vector<std::string> out;
  out.reserve(folders.size());
  for (Folder& folder : folders) out.push_back(std::move(folder.path));
  return out;
}

// Adds those of `chain` that are neither in `others` nor there already.
void AddUnique(const std::vector<Folder>& chain, const std::vector<Folder>& others,
               std::vector<Folder>& out) {
  for (const Folder& folder : chain) {
    if (!IsIn(folder, others) && !IsIn(folder, out)) out.push_back(folder);
  }
}

// What a command line and a compiler name, as it is now.
struct Chains {
  std::vector<Folder> quote, angle, system, language, built_in, after, unused;
};

Result<void> RefuseWhatIsNoFolder(const Chains& chains, bool is_clang) {
  for (const auto* chain : {&chains.quote, &chains.angle, &chains.system, &chains.language,
                            &chains.after, &chains.unused}) {
    for (const Folder& folder : *chain) {
      if (is_clang && folder.is_file) {
        return Error{Code::kInvalid, "not understood by the scan: a header map? " + folder.path};
      }
      // gcc's remove_duplicates.
      const bool is_missing = folder.error == ENOENT || folder.error == EPERM;
      if (!is_clang && folder.error != 0 && !is_missing) {
        return Error{Code::kInvalid, "not understood by the scan: no folder: " + folder.path};
      }
    }
  }
  return {};
}

// clang up to 16 calls a folder by the first name that it got to know it by, in this order.
constexpr int kAsSpeltSinceClang = 17;
void SpellAsFirstSeen(Chains& chains, bool is_cxx) {
  std::vector<const Folder*> seen;
  for (auto* chain : {&chains.angle, &chains.after, &chains.quote, &chains.system,
                      is_cxx ? &chains.unused : &chains.language,
                      is_cxx ? &chains.language : &chains.unused, &chains.built_in}) {
    for (Folder& folder : *chain) {
      const auto first = std::find_if(seen.begin(), seen.end(),
                                      [&](const Folder* other) { return other->IsSameAs(folder); });
      if (first == seen.end()) {
        seen.push_back(&folder);
      } else {
        folder.path = (*first)->path;
      }
    }
  }
}

// gcc's merge_include_chains and clang's InitHeaderSearch::Realize. Both keep the first of
// duplicates, but a folder of -I that is a system one as well has its place among those. gcc takes
// out of -iquote too what is a system folder, and clang nothing that comes later.
MergedFolders MergeChains(Chains chains, bool is_clang) {
  std::vector<Folder> system, angle, quote;
  for (const auto* chain : {&chains.system, &chains.language, &chains.built_in, &chains.after}) {
    AddUnique(*chain, {}, system);
  }
  AddUnique(chains.angle, system, angle);
  AddUnique(chains.quote, is_clang ? std::vector<Folder>() : system, quote);
  angle.insert(angle.end(), system.begin(), system.end());
  if (!is_clang && !quote.empty()) {
    // gcc's check for a duplicate at the seam looks at the last one that was given.
    const Folder& last = chains.quote.back();
    const auto is_last = [&](const Folder& folder) { return folder.IsSameAs(last); };
    const auto first =
        std::find_if(angle.begin(), angle.end(), [](const Folder& f) { return f.is_there; });
    if (first != angle.end() && is_last(*first) && is_last(quote.back()) &&
        std::count_if(chains.quote.begin(), chains.quote.end(), is_last) == 1) {
      quote.pop_back();
    }
  }
  const bool has_angle =
      std::any_of(angle.begin(), angle.end(), [](const Folder& f) { return f.is_there; });
  return {PathsOf(quote), PathsOf(angle), !is_clang && !has_angle, {}};
}

// Of all that are named, those that are not in `merged`.
std::vector<std::string> LeftOut(const SearchOptions& options,
                                 const std::vector<std::string>& built_in,
                                 const MergedFolders& merged) {
  std::set<std::string_view> known(merged.quote.begin(), merged.quote.end());
  known.insert(merged.angle.begin(), merged.angle.end());
  std::vector<std::string> out;
  for (const auto* chain : {&options.quote, &options.angle, &options.system, &options.language,
                            &options.unused, &built_in, &options.after}) {
    for (const std::string& folder : *chain) {
      if (known.insert(folder).second) out.push_back(folder);
    }
  }
  return out;
}

}  // namespace

Folder LookAt(const FileSystem& files, std::string path) {
  struct stat st {};
  Folder folder{std::move(path)};
  folder.error = files.Stat(folder.path, st);
  if (folder.error != 0) return folder;
  folder.is_there = S_ISDIR(st.st_mode);
  folder.is_file = !folder.is_there;
  folder.device = st.st_dev;
  folder.inode = st.st_ino;
  return folder;
}

Result<MergedFolders> MergeFolders(const FileSystem& files, const SearchOptions& options,
                                   const std::vector<std::string>& built_in,
                                   const compiler::Toolchain& toolchain, bool is_cxx) {
  const bool is_clang = toolchain.family == compiler::Family::kClang;
  Chains chains{LookAtAll(files, options.quote),  LookAtAll(files, options.angle),
                LookAtAll(files, options.system), LookAtAll(files, options.language),
                LookAtAll(files, built_in),       LookAtAll(files, options.after),
                LookAtAll(files, options.unused)};
  TRY(RefuseWhatIsNoFolder(chains, is_clang));
  if (is_clang && toolchain.major < kAsSpeltSinceClang) SpellAsFirstSeen(chains, is_cxx);
  MergedFolders merged = MergeChains(std::move(chains), is_clang);
  merged.left_out = LeftOut(options, built_in, merged);
  return merged;
}

}  // namespace llama::scan
