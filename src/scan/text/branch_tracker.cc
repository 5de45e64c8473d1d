#include "scan/text/branch_tracker.h"

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

}  // namespace

void BranchTracker::If(std::string_view guard) {
  open_.push_back({static_cast<uint32_t>(groups_.size()), 0});
  groups_.push_back({std::string(guard), false});
}

void BranchTracker::Else() {
  if (open_.empty()) {
    is_broken_ = true;
  } else {
    ++open_.back().branch;
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

std::string_view GuardOf(std::string_view condition) {
  if (!Skip(condition, "!") || !Skip(condition, "defined")) return {};
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
