#include "execute/verify.h"

#include <sys/stat.h>

#include <cerrno>

#include "base/file.h"

namespace llama::execute {
namespace {

// The local truth about one path, as the walker sees it. Entries that the walk added are compared
// by the caller, so here only a path's absence is noted.
Result<void> AddTruth(const std::string& path, files::PathWalker& walker, tree::Manifest& gone) {
  auto added = walker.Add(path);
  if (added) return {};
  if (added.error().code != Code::kNotFound) return std::move(added).error();
  auto parent = walker.Add(std::string(DirName(path)));
  // With its folder gone too, nothing at the canonical path can be told apart from absence.
  if (parent) {
    gone.emplace(JoinPath(*parent, BaseName(path)),
                 tree::Entry{tree::EntryType::kAbsent, false, 0, {}, {}});
  }
  return {};
}

void AddNew(const tree::Manifest& all, const tree::Manifest& before, tree::Manifest& out) {
  for (const auto& [path, entry] : all) {
    if (!before.contains(path)) out.emplace(path, entry);
  }
}

}  // namespace

Result<Verification> Verify(
    const Lookups& lookups, files::PathWalker& walker,
    const std::function<bool(const std::string&, const tree::Entry&)>& known,
    const std::function<bool(const std::string&)>& ignore) {
  Verification out;
  tree::Manifest gone;
  const tree::Manifest before = walker.manifest();
  for (const std::string& path : *lookups.absent) {
    struct stat st {};
    if (ignore(path) || lstat(path.c_str(), &st) != 0) continue;
    // Sockets, devices and the like are not shipped; a compiler that opens one is no job of ours.
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode)) continue;
    TRY(AddTruth(path, walker, gone));
    if (out.example.empty()) out.example = path;
  }
  // The worker missed these, whatever the index holds: its view did not have them.
  AddNew(walker.manifest(), before, out.news);
  if (out.news.empty()) out.example.clear();

  const tree::Manifest with_absent = walker.manifest();
  for (const std::string& path : *lookups.found) {
    if (with_absent.contains(path) || ignore(path)) continue;
    struct stat st {};
    if (lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) continue;
    TRY(AddTruth(path, walker, gone));
  }
  // What led to a file that was found was there too; the file's content is what may be old.
  tree::Manifest truth = std::move(gone);
  AddNew(walker.manifest(), with_absent, truth);
  for (const auto& [path, entry] : truth) {
    const bool matters =
        entry.type == tree::EntryType::kFile || entry.type == tree::EntryType::kAbsent;
    if (!matters || known(path, entry)) continue;
    if (out.example.empty()) out.example = path;
    out.news.emplace(path, entry);
  }
  return out;
}

}  // namespace llama::execute
