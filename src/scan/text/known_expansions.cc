// MacroExpander's memory: which macros decided about what was expanded, and whether they still are
// what they were.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "scan/text/macro_expander.h"

namespace llama::scan {

void MacroExpander::Names::Add(TextId name) {
  if (!names_.empty() && names_.back() == name) return;
  names_.push_back(name);
  if (names_.size() > 2 * distinct_ + 64) Distinct();
}

void MacroExpander::Names::Add(const Names& names) {
  names_.insert(names_.end(), names.names_.begin(), names.names_.end());
  if (names_.size() > 2 * distinct_ + 64) Distinct();
}

const std::vector<MacroExpander::TextId>& MacroExpander::Names::Distinct() {
  std::sort(names_.begin(), names_.end());
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  distinct_ = names_.size();
  return names_;
}

std::vector<std::string> MacroExpander::Met() {
  std::vector<std::string> out;
  for (const TextId name : met_.front().Distinct()) out.push_back(texts_[name]);
  return out;
}

void MacroExpander::Forget(std::string_view name) {
  const auto it = text_ids_.find(std::string(name));
  if (it == text_ids_.end() || it->second >= macros_.size() || !macros_[it->second]) return;
  if (macros_[it->second]->bodies.empty()) {
    // Nobody noted that it was come upon.
    known_.clear();
    ++generation_;
  }
  macros_[it->second].reset();
}

const MacroExpander::Known* MacroExpander::FindKnown(const std::pair<uint64_t, uint64_t>& key,
                                                     const std::vector<BodyId>& active,
                                                     const Choices& choices) {
  const auto it = known_.find(key);
  if (it == known_.end()) return nullptr;
  for (const Known& known : it->second) {
    *steps_ -= static_cast<int64_t>(known.views.size());
    const bool is_same = std::all_of(known.views.begin(), known.views.end(), [&](const auto& view) {
      return ViewOf(view.first, active, choices) == view.second;
    });
    if (is_same) return &known;
  }
  return nullptr;
}

uint64_t MacroExpander::ViewOf(TextId name, const std::vector<BodyId>& active,
                               const Choices& choices) {
  const Macro& macro = MacroOf(name);
  uint64_t view = (IsActive(name, active) ? 1u : 0u) | (MustBeMacro(macro, active) ? 2u : 0u);
  const auto add = [&view](uint64_t what) { view = (view ^ what) * 0x9e3779b97f4a7c15; };
  for (const auto& [chosen, choice] : choices) {
    if (chosen == name) add(static_cast<uint64_t>(choice) + 2);
  }
  uint64_t bits = 1;
  for (const Definition& definition : *macro.definitions) {
    bits = bits << 1 | (MayHoldIn(definition, active) ? 1u : 0u);
    if (bits >> 62 != 0) add(std::exchange(bits, 1) << 1);
    view = view << 7 | view >> 57;
  }
  add(bits);
  add(macro.made);
  return view;
}

}  // namespace llama::scan
