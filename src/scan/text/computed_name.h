// Computed names: what a reference that is written with macros may come to.
//
//   #include TRACE_INCLUDE(TRACE_INCLUDE_FILE)     #include BOOST_PP_ITERATE()
//
// Which of a macro's definitions holds at that place is not known, so each is tried
// (macro_expander.h). It may also be that a macro isn't defined there, or no longer: a name stays
// itself then.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/text/directives.h"

namespace llama::scan {

class MacroExpander;

// All definitions of a name in all texts in sight and on the command line; stays valid until
// ExpandReference() returns. It is asked for names that ## makes as well.
using DefinitionsOf = std::function<const std::vector<Definition>&(std::string_view name)>;

struct PossibleNames {
  // None is kComputed. Of the reference's kind, but for what a kConditionCall or a kModule became.
  // Distinct.
  std::vector<Reference> names;
  // False: there are too many, or (.incbin) some are beyond the preprocessor; ask the compiler.
  bool is_complete = true;
  int64_t steps = 0;                // that it took
  std::vector<std::string> macros;  // those that decided about it, perhaps some of them twice
};

// Some 50 ns each; Boost's iteration takes some 100,000 for each file that is iterated over, of up
// to 40.
inline constexpr int64_t kMaxExpansionSteps = 5'000'000;

// `reference` is kComputed. What takes more than `max_steps` is incomplete.
PossibleNames ExpandReference(const Reference& reference, const DefinitionsOf& definitions,
                              MacroExpander& expander, int64_t max_steps = kMaxExpansionSteps);

// The names in `text`, distinct, in order, that may be macros.
std::vector<std::string> NamesIn(std::string_view text);

}  // namespace llama::scan
