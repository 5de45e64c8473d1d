// Closures' computed names: what macros may be in a closure, and what that makes of its includes.
#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "scan/closure_walk.h"

namespace llama::scan {
namespace {

using files::EntryId;

// What takes more is expanded after all else, since what that brings may have it expanded again.
constexpr int64_t kCheapSteps = 20'000;

Definition AsDefinition(const CommandLineMacro& macro) {
  Definition definition;
  definition.name = macro.name;
  definition.is_function = macro.is_function;
  definition.body = macro.body;
  for (size_t at = 0; macro.is_function && at <= macro.parameters.size();) {
    const size_t comma = std::min(macro.parameters.find(',', at), macro.parameters.size());
    if (comma > at) definition.parameters.push_back(macro.parameters.substr(at, comma - at));
    at = comma + 1;
  }
  if (!definition.parameters.empty() && definition.parameters.back().ends_with("...")) {
    definition.is_variadic = true;
    if (definition.parameters.back() == "...") definition.parameters.back() = "__VA_ARGS__";
  }
  return definition;
}

}  // namespace

// By some text of those that were walked, or by the command line.
bool Closures::IsDefined(const ClosureRequest& request, Walk& walk, const std::string& name) {
  const auto [it, is_new] = walk.defined.try_emplace(name);
  Walk::Defined& known = it->second;
  const std::vector<CommandLineMacro>& macros = request.preprocessing.defined;
  if (is_new) {
    known.is_defined = std::any_of(
        macros.begin(), macros.end(),
        [&](const CommandLineMacro& macro) { return macro.name == name && !macro.is_undefined; });
  }
  const uint32_t hash = HashName(name);
  for (; !known.is_defined && known.texts_seen < walk.texts.size(); ++known.texts_seen) {
    const std::vector<uint32_t>& names =
        texts_.LastRead(walk.texts[known.texts_seen])->defined_names;
    known.is_defined = std::binary_search(names.begin(), names.end(), hash);
  }
  return known.is_defined;
}

// Every definition of a macro that the compile may have, each once: every further one multiplies
// the ways in which a name can be read.
Result<const Closures::Macro*> Closures::MacroOf(const ClosureRequest& request, Walk& walk,
                                                 const std::string& name) {
  const auto [it, is_new] = walk.macros.try_emplace(name);
  Macro& macro = it->second;
  const auto add = [&](Definition definition) {
    const auto same = std::find(macro.definitions.begin(), macro.definitions.end(), definition);
    if (same == macro.definitions.end()) {
      macro.definitions.push_back(std::move(definition));
      ++macro.version;
    } else if (same->is_placed) {
      // In several places, so in none.
      same->is_placed = false;
      ++macro.version;
    }
  };
  if (is_new) {
    for (const CommandLineMacro& defined : request.preprocessing.defined) {
      if (defined.name == name && !defined.is_undefined) add(AsDefinition(defined));
    }
  }
  const uint32_t hash = HashName(name);
  // Not of those that are new in this round, or it would matter which ones happen to be known.
  for (; macro.texts_seen < walk.texts.size(); ++macro.texts_seen) {
    const EntryId entry = walk.texts[macro.texts_seen];
    const std::vector<uint32_t>& names = texts_.LastRead(entry)->defined_names;
    if (!std::binary_search(names.begin(), names.end(), hash)) continue;
    ASSIGN_OR_RETURN(const std::span<const Definition> found,
                     texts_.DefinitionsOf(tree_, entry, name));
    macro.waiting.insert(macro.waiting.end(), found.begin(), found.end());
  }
  const auto waits = [&](const Definition& definition) NO_THREAD_SAFETY_ANALYSIS {
    return !std::all_of(definition.needed.begin(), definition.needed.end(),
                        [&](const std::string& needed)
                            NO_THREAD_SAFETY_ANALYSIS { return IsDefined(request, walk, needed); });
  };
  const auto ready = std::stable_partition(macro.waiting.begin(), macro.waiting.end(), waits);
  if (ready != macro.waiting.end()) macro.undefined_seen = 0;
  std::for_each(std::make_move_iterator(ready), std::make_move_iterator(macro.waiting.end()), add);
  macro.waiting.erase(ready, macro.waiting.end());
  if (macro.undefined_seen == walk.undefined.size()) return &macro;
  macro.undefined_seen = walk.undefined.size();
  for (Definition& definition : macro.definitions) {
    // Branches say nothing of a text that is passed through again.
    const bool is_repeated = definition.guard != 0 && walk.undefined.contains(definition.guard);
    const bool is_placed = definition.is_placed && !is_repeated;
    const bool is_undefined = walk.undefined.contains(hash);
    if (is_placed == definition.is_placed && is_undefined == definition.is_undefined) continue;
    definition.is_placed = is_placed;
    definition.is_undefined = is_undefined;
    ++macro.version;
  }
  return &macro;
}

void Closures::NoteCostly(const Sought& sought, Walk& walk) {
  for (const files::LookupId lookup : {sought.first, sought.second}) {
    if (lookup == kNone) continue;
    for (const files::Found& found : tree_.Results(lookup)) {
      if (tree_.KindOf(found.entry) == files::EntryKind::kFile) walk.costly.insert(found.entry);
    }
  }
}

Result<void> Closures::FollowLearned(Walk& walk) {
  if (std::exchange(walk.used_learned, true)) return {};
  for (const std::string& path : *walk.learned) {
    TRY(Follow({tree_.Find(files::kRootFolder, path), kNone, false}, walk));
  }
  return {};
}

// Looks up what the names that are macros may be. False: nothing new.
Result<bool> Closures::AddComputed(const ClosureRequest& request, Search& search, Walk& walk) {
  const size_t before = walk.nodes.size();
  std::optional<Error> error;
  std::map<std::string, uint64_t, std::less<>> asked;
  const auto definitions = [&](std::string_view name)
                               NO_THREAD_SAFETY_ANALYSIS -> const std::vector<Definition>& {
    static const std::vector<Definition> kNoDefinitions;
    const auto found = MacroOf(request, walk, std::string(name));
    if (!found) error = found.error();
    if (found) asked.emplace(name, (*found)->version);
    return found ? (*found)->definitions : kNoDefinitions;
  };
  for (auto& [name, macro] : walk.macros) {
    const uint64_t version = macro.version;
    ASSIGN_OR_RETURN([[maybe_unused]] const Macro* const now, MacroOf(request, walk, name));
    if (macro.version != version) walk.expander->Forget(name);
  }
  const auto read_of = [&](const Node& node) NO_THREAD_SAFETY_ANALYSIS -> const Directives& {
    return *texts_.LastRead(node.entry);
  };
  const bool has_wrappers = std::any_of(walk.nodes.begin(), walk.nodes.end(), [&](const Node& n) {
    return read_of(n).wraps_has_include;
  });
  const auto look_up = [&](const Node& node, const Reference& reference, bool is_costly)
                           NO_THREAD_SAFETY_ANALYSIS -> Result<void> {
    Walk::Expanded& expanded = walk.computed[{reference.kind, reference.name}];
    if ((expanded.possible.steps > kCheapSteps) != is_costly) return {};
    bool is_as_before = expanded.is_known && expanded.generation == walk.expander->generation();
    for (const auto& [name, version] : expanded.macros) {
      if (!is_as_before) break;
      ASSIGN_OR_RETURN(const Macro* const macro, MacroOf(request, walk, name));
      is_as_before = macro->version == version;
    }
    if (!is_as_before) {
      asked.clear();
      const int64_t most =
          std::min(walk.steps_left, walk.learned != nullptr ? kCheapSteps : kMaxExpansionSteps);
      expanded.possible = ExpandReference(reference, definitions, *walk.expander, most);
      if (error) return *error;
      walk.steps_left -= expanded.possible.steps;
      for (const std::string& name : expanded.possible.macros) {
        ASSIGN_OR_RETURN(const Macro* const macro, MacroOf(request, walk, name));
        asked.emplace(name, macro->version);
      }
      expanded.generation = walk.expander->generation();
      expanded.macros.assign(asked.begin(), asked.end());
      expanded.is_known = true;
    }
    if (!expanded.possible.is_complete && walk.learned != nullptr) return FollowLearned(walk);
    if (!expanded.possible.is_complete) {
      return Error{Code::kInvalid,
                   tree_.PathOf(node.entry) + ": computed include: " + reference.name};
    }
    for (const Reference& name : expanded.possible.names) {
      const Sought sought = Seek(search, name, node.folder, walk.cwd);
      TRY(Follow(sought, walk));
      if (expanded.possible.steps > kCheapSteps) NoteCostly(sought, walk);
    }
    return {};
  };
  for (const bool is_costly : {false, true}) {
    for (size_t i = 0; i < before; ++i) {
      const Node node = walk.nodes[i];
      const Directives* const directives = texts_.LastRead(node.entry);
      for (const Reference& reference : directives->references) {
        if (reference.spelling != Spelling::kComputed) continue;
        if (reference.kind == ReferenceKind::kModule) continue;
        if (reference.kind == ReferenceKind::kConditionCall && !has_wrappers) continue;
        TRY(look_up(node, reference, is_costly));
        if (is_costly && walk.nodes.size() > before) return true;
      }
    }
    if (walk.nodes.size() > before) return true;
  }
  return false;
}

}  // namespace llama::scan
