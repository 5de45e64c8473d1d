// Closures::Walk: a closure in the making, for the sources of Closures.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "scan/closure.h"
#include "scan/text/macro_expander.h"

namespace llama::scan {

// Of all computed names of a compile together: some 400 ms.
inline constexpr int64_t kMaxSteps = 8'000'000;
// What took more is not done again as long as what it came to holds.
inline constexpr int64_t kMostStepsAgain = 500'000;

// A closure in the making.
struct Closures::Walk {
  std::vector<Node> nodes;  // in the order in which they were found: the source first
  std::unordered_set<uint64_t> seen;
  size_t expanded = 0;                // of `nodes`
  std::vector<files::EntryId> texts;  // of the expanded ones, each once
  std::unordered_set<files::EntryId> seen_texts;
  std::unordered_set<uint32_t> undefined;  // HashName() of all that these undefine
  std::map<std::string, Macro, std::less<>> macros;
  struct Defined {
    bool is_defined = false;
    size_t texts_seen = 0;
  };
  std::map<std::string, Defined> defined;  // of what definitions need
  // What a computed name came to, and with which versions of which macros.
  struct Expanded {
    std::vector<std::pair<std::string, uint64_t>> macros;
    PossibleNames possible;
    uint64_t generation = 0;  // the expander's
    bool is_known = false;
  };
  std::map<std::pair<ReferenceKind, std::string>, Expanded> computed;
  std::unique_ptr<MacroExpander> expander = std::make_unique<MacroExpander>();
  int64_t steps_left = kMaxSteps;
  files::FolderId cwd = files::kRootFolder;
  std::vector<files::LookupId> ways;  // lookups by way of links or "..", whether they led somewhere
  std::unordered_set<files::LookupId> seen_ways;
  std::vector<files::LookupId> others;  // of what is named besides, there or not
  size_t named = 0;                     // of these: the request's own, which come first
  std::vector<files::EntryId> other_files;
  std::set<files::FolderId> folders;
  std::vector<uint64_t> versions;
  bool needs_look = false;
  std::string special;                                // Closure::special
  const std::vector<std::string>* learned = nullptr;  // null: nothing
  std::set<files::EntryId> costly;                    // to which costly names led
  bool used_learned = false;

  void Add(const Node& node) {
    if (seen.insert(node.key()).second) nodes.push_back(node);
  }
  void AddWay(files::LookupId lookup) {
    if (seen_ways.insert(lookup).second) ways.push_back(lookup);
  }
};

}  // namespace llama::scan
