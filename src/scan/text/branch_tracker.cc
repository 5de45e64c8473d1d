#include "scan/text/branch_tracker.h"

#include <algorithm>
#include <cstddef>

#include "scan/text/characters.h"

namespace llama::scan {
namespace {

bool Skip(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  while (text.starts_with(' ')) text.remove_prefix(1);
  return true;
}

// Compilers predefine reserved names, some without an underscore (unix, IBOutlet), and clang's
// OBJC_NEW_PROPERTIES; of OpenCL's, which it takes from a header of its own, most have one. What
// has two is a project's.
bool IsNeverPredefined(std::string_view name) {
  return !name.empty() && name[0] != '_' && std::count(name.begin(), name.end(), '_') >= 2 &&
         !name.starts_with("OBJC_");
}

}  // namespace

void BranchTracker::If(std::string_view guard, std::string_view needed) {
  open_.push_back({static_cast<uint32_t>(groups_.size()), 0});
  groups_.push_back({std::string(guard), false, {std::string(needed)}});
}

void BranchTracker::Else(std::string_view needed) {
  if (open_.empty()) {
    is_broken_ = true;
  } else {
    ++open_.back().branch;
    groups_[open_.back().group].needed.emplace_back(needed);
  }
}

void BranchTracker::Endif() {
  if (open_.empty()) {
    is_broken_ = true;
  } else {
    open_.pop_back();
  }
}

void BranchTracker::Define(std::string_view name) {
  if (open_.empty() || open_.back().branch != 0) return;
  Group& group = groups_[open_.back().group];
  if (group.guard == name) group.defines_guard = true;
}

void BranchTracker::PragmaOnce() {
  if (open_.empty()) is_once_ = true;
}

BranchTracker::Settled BranchTracker::Settle(const std::vector<Branch>& open) const {
  if (is_broken_ || !open_.empty()) return {};
  if (is_once_) return {true, open, {}};
  for (size_t i = 0; i < open.size(); ++i) {
    const Group& group = groups_[open[i].group];
    if (open[i].branch != 0 || !group.defines_guard) continue;
    return {true, {open.begin() + static_cast<std::ptrdiff_t>(i) + 1, open.end()}, group.guard};
  }
  return {};
}

std::vector<std::string> BranchTracker::NeededIn(const std::vector<Branch>& open) const {
  std::vector<std::string> out;
  if (is_broken_ || !open_.empty()) return out;
  for (const Branch& branch : open) {
    const std::string& needed = groups_[branch.group].needed[branch.branch];
    if (IsNeverPredefined(needed)) out.push_back(needed);
  }
  return out;
}

std::string_view GuardOf(std::string_view condition) {
  return Skip(condition, "!") ? NeededBy(condition) : std::string_view();
}

std::string_view NeededBy(std::string_view condition) {
  if (!Skip(condition, "defined")) return {};
  const bool is_parenthesized = Skip(condition, "(");
  size_t end = 0;
  while (end < condition.size() && IsNameCharacter(condition[end])) ++end;
  const std::string_view name = condition.substr(0, end);
  condition.remove_prefix(end);
  while (condition.starts_with(' ')) condition.remove_prefix(1);
  if (is_parenthesized && !Skip(condition, ")")) return {};
  return condition.empty() ? name : std::string_view();
}

}  // namespace llama::scan
