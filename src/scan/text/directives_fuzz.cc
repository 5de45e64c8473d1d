// Sources: what is read of one must be of it, must not depend on what follows the directives, and
// each of its computed names must come to an end.
#include <algorithm>
#include <map>

#include "base/fuzz.h"
#include "scan/text/computed_name.h"
#include "scan/text/directives.h"
#include "scan/text/macro_expander.h"

namespace llama::scan {
namespace {

bool Holds(const std::vector<Reference>& all, const Reference& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void CheckExpansions(std::string_view text, const Directives& directives) {
  const std::vector<Definition> all = ReadDefinitions(text);
  std::map<std::string, std::vector<Definition>, std::less<>> known;
  const auto definitions = [&](std::string_view name) -> const std::vector<Definition>& {
    const auto [found, is_new] = known.try_emplace(std::string(name));
    if (is_new) {
      found->second = all;
      std::erase_if(found->second, [&](const Definition& one) { return one.name != name; });
    }
    const bool is_hashed = std::binary_search(directives.defined_names.begin(),
                                              directives.defined_names.end(), HashName(name));
    CHECK(is_hashed || found->second.empty());
    return found->second;
  };
  int expanded = 0;
  MacroExpander expander;
  for (const Reference& reference : directives.references) {
    if (reference.spelling != Spelling::kComputed || ++expanded > 8) continue;
    for (const Reference& name : ExpandReference(reference, definitions, expander).names) {
      CHECK(name.spelling != Spelling::kComputed && !name.name.empty());
    }
  }
}

}  // namespace

FUZZ_TARGET(text) {
  const Directives directives = ReadDirectives(text);
  for (const Reference& reference : directives.references) {
    CHECK(reference.name.size() <= text.size() + 2);
  }
  CHECK(std::is_sorted(directives.defined_names.begin(), directives.defined_names.end()));
  // A directive before everything else changes nothing of the rest.
  const bool has_mark = text.starts_with("\xEF\xBB\xBF");
  const Directives more = ReadDirectives("#include <first>\n" + std::string(text));
  CHECK(Holds(more.references, {ReferenceKind::kInclude, Spelling::kAngled, "first"}));
  CHECK(more.hash != directives.hash);
  for (const Reference& reference : directives.references) {
    CHECK(has_mark || Holds(more.references, reference));
  }
  CheckExpansions(text, directives);
}

}  // namespace llama::scan
