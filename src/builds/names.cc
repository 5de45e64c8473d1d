#include "builds/names.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "base/text/closest.h"
#include "base/text/format.h"

namespace llama::builds {
namespace {

constexpr std::string_view kLatest = "latest";
constexpr size_t kMaxListed = 5;

enum class There { kNothing, kFile, kFolder };

There WhatIsAt(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return There::kNothing;
  return S_ISDIR(status.st_mode) ? There::kFolder : There::kFile;
}

// A folder of any kind is named by its path, but not by a word that may be a build's.
There WhatIsNamed(const std::string& word) {
  const There there = WhatIsAt(word);
  const bool is_build = there != There::kFolder || WhatIsAt(TracePath(word)) == There::kFile;
  return is_build ? there : There::kNothing;
}

// "a, b, c and 4 more"
std::string Listed(const std::vector<std::string_view>& words) {
  std::string text;
  for (size_t i = 0; i < std::min(words.size(), kMaxListed); ++i) {
    text.append(i == 0 ? "" : ", ").append(words[i]);
  }
  if (words.size() > kMaxListed) {
    text.append(" and ").append(FormatCount(words.size() - kMaxListed)).append(" more");
  }
  return text;
}

}  // namespace

bool IsPattern(std::string_view word) {
  return word.find_first_of("*?[") != std::string_view::npos;
}

Result<Names> Names::Of(const std::string& state_dir) {
  ASSIGN_OR_RETURN(std::vector<BuildRecord> builds, ListBuilds(state_dir));
  return Names(state_dir, std::move(builds));
}

Named Names::AsNamed(const BuildRecord& build) const {
  return {BuildDir(state_dir_, build.id), true, false};
}

std::vector<Named> Names::All() const {
  std::vector<Named> all;
  for (const BuildRecord& build : builds_) all.push_back(AsNamed(build));
  return all;
}

const BuildRecord* Names::Latest() const {
  const auto named = std::find_if(builds_.rbegin(), builds_.rend(),
                                  [](const BuildRecord& build) { return !build.unnamed; });
  if (named != builds_.rend()) return &*named;
  return builds_.empty() ? nullptr : &builds_.back();
}

const BuildRecord* Names::Exact(std::string_view word) const {
  if (word.empty() || word == kLatest) return Latest();
  const BuildRecord* found = nullptr;
  for (const BuildRecord& build : builds_) {
    if (build.id == word) return &build;
    if (build.name == word) found = &build;
  }
  return found;
}

Result<const BuildRecord*> Names::ByBeginning(std::string_view word) const {
  const BuildRecord* found = nullptr;
  std::vector<std::string_view> ids;
  for (const BuildRecord& build : builds_) {
    if (!build.id.starts_with(word)) continue;
    found = &build;
    ids.push_back(build.id);
  }
  if (ids.size() <= 1) return found;
  return Error{Code::kInvalid, "'" + std::string(word) + "' begins the ids of " +
                                   FormatCount(ids.size()) + " builds: " + Listed(ids)};
}

std::vector<const BuildRecord*> Names::Matching(std::string_view pattern) const {
  const std::string text(pattern);
  std::vector<const BuildRecord*> found;
  if (!IsPattern(pattern)) return found;
  for (const BuildRecord& build : builds_) {
    if (fnmatch(text.c_str(), build.id.c_str(), 0) == 0 ||
        fnmatch(text.c_str(), build.name.c_str(), 0) == 0) {
      found.push_back(&build);
    }
  }
  return found;
}

Error Names::NotFound(std::string_view word, bool or_file) const {
  if (word.empty() || word == kLatest) {
    return {Code::kNotFound, "no build is recorded in " + state_dir_};
  }
  std::vector<std::string_view> known = {kLatest};
  for (auto build = builds_.rbegin(); build != builds_.rend(); ++build) {
    if (!build->name.empty()) known.push_back(build->name);
    known.push_back(build->id);
  }
  std::string text = IsPattern(word) ? "no build is like '" : "no build '";
  text.append(word).append("' in ").append(state_dir_);
  if (or_file) text.append(", and no file of that name");
  const std::vector<std::string_view> near = Near(word, known, kMaxListed);
  if (!near.empty()) text.append("; near are: ").append(Listed(near));
  return {Code::kNotFound, text.append("; 'llama builds' lists all")};
}

Result<std::vector<Named>> Names::FindAll(std::string_view word) const {
  const std::string path(word);
  if (word == "-") return std::vector<Named>{{path, false, false}};
  const bool is_path = word.find('/') != std::string_view::npos;
  const There there = is_path ? WhatIsAt(path) : WhatIsNamed(path);
  const BuildRecord* build = Exact(word);
  if (build != nullptr && !(is_path && there != There::kNothing)) {
    Named named = AsNamed(*build);
    named.hides_file = there == There::kFile;
    return std::vector{named};
  }
  // Where a path leads nowhere, opening it says why.
  if (is_path || there != There::kNothing) {
    return std::vector<Named>{{path, there == There::kFolder, false}};
  }
  ASSIGN_OR_RETURN(build, ByBeginning(word));
  std::vector<Named> found;
  if (build != nullptr) found.push_back(AsNamed(*build));
  for (const BuildRecord* match : Matching(word)) found.push_back(AsNamed(*match));
  if (found.empty()) return NotFound(word, true);
  return found;
}

Result<Named> Names::Find(std::string_view word) const {
  ASSIGN_OR_RETURN(std::vector<Named> found, FindAll(word));
  if (found.size() == 1) return std::move(found[0]);
  std::vector<std::string_view> ids;
  for (const Named& named : found) ids.push_back(BaseName(named.path));
  return Error{Code::kInvalid, FormatCount(ids.size()) + " builds are like '" + std::string(word) +
                                   "', and one is wanted: " + Listed(ids)};
}

Result<std::vector<BuildRecord>> Names::FindToChange(std::string_view word) const {
  const BuildRecord* build = Exact(word);
  if (build == nullptr) {
    ASSIGN_OR_RETURN(build, ByBeginning(word));
  }
  std::vector<BuildRecord> found;
  if (build == nullptr) {
    for (const BuildRecord* match : Matching(word)) found.push_back(*match);
    if (found.empty()) return NotFound(word, false);
    return found;
  }
  std::vector<std::string_view> ids;
  for (const BuildRecord& other : builds_) {
    if (other.name == word) ids.push_back(other.id);
  }
  if (build->id == word || word == kLatest || ids.size() <= 1) return std::vector{*build};
  return Error{Code::kInvalid, FormatCount(ids.size()) + " builds are called '" +
                                   std::string(word) + "': " + Listed(ids) +
                                   "; say which by its id"};
}

}  // namespace llama::builds
