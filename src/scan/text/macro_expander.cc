#include "scan/text/macro_expander.h"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "base/hash.h"
#include "scan/text/condition.h"
#include "scan/text/macro_ids.h"

namespace llama::scan {
namespace {

// Arguments within arguments; cpp has no limit, and nobody comes near this one.
constexpr int kMaxDepth = 100;

// By which equal ones are known. That two others have the same would take 2^64 of them.
class Fingerprint {
 public:
  Fingerprint& Add(const std::vector<uint32_t>& numbers) {
    return Add(numbers.data(), numbers.size() * sizeof(uint32_t));
  }
  Fingerprint& Add(const std::vector<std::pair<uint32_t, int>>& choices) {
    static_assert(sizeof(choices[0]) == sizeof(uint32_t) + sizeof(int));
    return Add(choices.data(), choices.size() * sizeof choices[0]);
  }
  std::pair<uint64_t, uint64_t> value() const { return {first_, second_}; }

 private:
  Fingerprint& Add(const void* bytes, size_t size) {
    const std::string_view view(static_cast<const char*>(bytes), size);
    first_ = Hash(view, first_ + size + 1);
    second_ = Hash(view, second_ ^ (size + 1));
    return *this;
  }

  uint64_t first_ = 1;
  uint64_t second_ = 0x9e3779b97f4a7c15;
};

// Mostly of one or two.
class FingerprintSet {
 public:
  // False: it is there already.
  bool Insert(const std::pair<uint64_t, uint64_t>& value) {
    if (!many_.empty()) return many_.insert(value).second;
    if (std::find(few_.begin(), few_.end(), value) != few_.end()) return false;
    few_.push_back(value);
    if (few_.size() == 16) many_.insert(few_.begin(), few_.end());
    return true;
  }

 private:
  std::vector<std::pair<uint64_t, uint64_t>> few_;
  std::set<std::pair<uint64_t, uint64_t>> many_;
};

}  // namespace

MacroExpander::MacroExpander() {
  int64_t steps = 0;
  steps_ = &steps;
  TextOf("");  // is number 0
  open_ = TextOf("(");
  close_ = TextOf(")");
  comma_ = TextOf(",");
  hash_ = TextOf("#");
  hash_hash_ = TextOf("##");
  va_opt_ = TextOf("__VA_OPT__");
  less_ = TextOf("<");
  greater_ = TextOf(">");
  steps_ = nullptr;
}

MacroExpander::TextId MacroExpander::TextOf(std::string_view text) {
  const auto [it, is_new] =
      text_ids_.try_emplace(std::string(text), static_cast<TextId>(texts_.size()));
  if (is_new) {
    texts_.emplace_back(text);
    // They may double at every ## and #.
    *steps_ -= static_cast<int64_t>(text.size() / 16);
  }
  return it->second;
}

MacroExpander::Id MacroExpander::Encode(const Token& token) {
  return TextOf(token.text) << kTextShift | static_cast<uint32_t>(token.kind) |
         (token.is_painted ? kPainted : 0) | (token.has_space ? kSpace : 0) |
         (token.has_own_space ? kOwnSpace : 0);
}

Token MacroExpander::Decode(Id id) const {
  Token token;
  token.kind = static_cast<Token::Kind>(KindOf(id));
  token.is_painted = (id & kPainted) != 0;
  token.has_space = (id & kSpace) != 0;
  token.has_own_space = (id & kOwnSpace) != 0;
  token.text = texts_[TextIn(id)];
  return token;
}

MacroExpander::Macro& MacroExpander::MacroOf(TextId name) {
  if (name < macros_.size() && macros_[name] != nullptr) return *macros_[name];
  if (name >= macros_.size()) macros_.resize(std::max<size_t>(name + 1, 2 * macros_.size()));
  macros_[name] = std::make_unique<Macro>();
  Macro& macro = *macros_[name];
  const std::string text = texts_[name];
  if (HasIncludeKind(text)) return macro;
  macro.definitions = &(*definitions_)(text);
  macro.made = ++made_;
  macro.is_object = true;
  macro.first = static_cast<BodyId>(bodies_.size());
  for (const Definition& definition : *macro.definitions) {
    if (definition.is_function) macro.is_object = false;
    bodies_.push_back({name, &definition});
    Ids& body = macro.bodies.emplace_back();
    for (const Token& token : Tokenize(definition.body)) body.push_back(Encode(token));
    std::vector<TextId>& parameters = macro.parameters.emplace_back();
    for (const std::string& parameter : definition.parameters) {
      parameters.push_back(TextOf(parameter));
    }
  }
  macro.is_number =
      macro.is_object && std::all_of(macro.bodies.begin(), macro.bodies.end(), [](const Ids& body) {
        return body.size() == 1 && KindOf(body[0]) == kNumber;
      });
  return macro;
}

void MacroExpander::Expand(const std::vector<Token>& input, const DefinitionsOf& definitions,
                           int64_t& steps, const Found& found) {
  definitions_ = &definitions;
  steps_ = &steps;
  met_ = {{}};
  ends_ = {0};
  Ids ids;
  for (const Token& token : input) ids.push_back(Encode(token));
  ExpandAll(ids, {}, {}, 0, &found);
}

// `active`: the bodies within which this is, ascending. With `found` they are told instead of
// given.
std::vector<MacroExpander::Outcome> MacroExpander::ExpandAll(const Ids& input,
                                                             const Choices& choices,
                                                             const std::vector<BodyId>& active,
                                                             int depth, const Found* found) {
  if (depth > kMaxDepth) *steps_ = 0;
  std::vector<Outcome> out;
  FingerprintSet seen;
  FingerprintSet ended;
  std::vector<State> states = {{{}, Ids(input.rbegin(), input.rend()), choices, {}}};
  std::vector<State> branches;
  while (!states.empty() && *steps_ > 0) {
    State state = std::move(states.back());
    states.pop_back();
    branches.clear();
    if (Advance(state, active, depth, branches)) {
      const bool is_new =
          ended.Insert(Fingerprint().Add(state.out).Add(found ? Choices() : state.choices).value());
      if (!is_new) continue;
      if (found == nullptr) {
        out.push_back({std::move(state.out), std::move(state.choices)});
        continue;
      }
      if (!Tell(state.out, *found)) return out;
    }
    // The first one is gone on with first.
    for (size_t i = branches.size(); i > 0; --i) {
      State& branch = branches[i - 1];
      *steps_ -= static_cast<int64_t>(branch.pending.size() + branch.out.size());
      if (branches.size() == 1 ||
          seen.Insert(
              Fingerprint().Add(branch.out).Add(branch.pending).Add(branch.choices).value())) {
        states.push_back(std::move(branch));
      }
    }
  }
  return out;
}

// Within a call no choice is added: what comes of an argument depends on the macros that it meets,
// and on what they are there. Boost's machinery expands the same ones over and over.
std::vector<MacroExpander::Outcome> MacroExpander::ExpandArgument(const Ids& input,
                                                                  const Choices& choices,
                                                                  const std::vector<BodyId>& active,
                                                                  int depth, unsigned& ends) {
  if (!IsWithinCall(active)) {
    ends_.push_back(0);
    std::vector<Outcome> out = ExpandAll(input, choices, active, depth, nullptr);
    ends = ends_.back();
    ends_.pop_back();
    return out;
  }
  const std::pair<uint64_t, uint64_t> key = Fingerprint().Add(input).value();
  const Known* known = FindKnown(key, active, choices);
  std::vector<Outcome> out;
  if (known != nullptr) {
    for (const Ids& outcome : known->outcomes) out.push_back({outcome, choices});
    ends = known->ends;
    for (const auto& [name, view] : known->views) met_.back().Add(name);
    return out;
  }
  met_.emplace_back();
  ends_.push_back(0);
  out = ExpandAll(input, choices, active, depth, nullptr);
  Names met = std::move(met_.back());
  met_.pop_back();
  ends = ends_.back();
  ends_.pop_back();
  met_.back().Add(met);
  if (*steps_ <= 0) return out;
  Known& made = known_[key].emplace_back();
  made.ends = ends;
  for (const TextId name : met.Distinct())
    made.views.emplace_back(name, ViewOf(name, active, choices));
  for (const Outcome& outcome : out) made.outcomes.push_back(outcome.out);
  return out;
}

bool MacroExpander::Advance(State& state, const std::vector<BodyId>& active, int depth,
                            std::vector<State>& branches) {
  while (!state.pending.empty()) {
    if (--*steps_ <= 0) return false;
    const Id id = state.pending.back();
    state.pending.pop_back();
    if (IsEnd(id)) state.active.pop_back();
    if (IsEnd(id) || TextIn(id) == 0) continue;
    const TextId name = TextIn(id);
    if (KindOf(id) != kName || (id & kPainted) != 0) {
      state.out.push_back(id);
      continue;
    }
    const Macro& macro = MacroOf(name);
    if (macro.bodies.empty()) {
      state.out.push_back(id);
      continue;
    }
    met_.back().Add(name);
    if (IsActive(name, active) || IsActive(name, state.active)) {
      state.out.push_back(id | kPainted);
      continue;
    }
    const bool is_call = IsCall(state.pending);
    if (!is_call && !macro.is_object && !HasMore(state.pending)) ends_.back() |= kMayBeCalled;
    const auto made = std::find_if(state.choices.begin(), state.choices.end(),
                                   [&](const auto& choice) { return choice.first == name; });
    if (made != state.choices.end()) {
      if (made->second == kNoMacro) {
        state.out.push_back(id);
        continue;
      }
      const auto chosen = static_cast<size_t>(made->second);
      Replace(std::move(state), id, chosen, active, depth, branches);
      return false;
    }
    if (macro.is_number && (macro.bodies.size() > 1 ||
                            !(MustBeMacro(macro, active) || MustBeMacro(macro, state.active)))) {
      state.out.push_back(id | kPainted | kOneOfSeveral);
      continue;
    }
    const bool is_remembered = macro.is_object && macro.bodies.size() + (is_call ? 0 : 1) > 1 &&
                               !IsWithinCall(active) && !IsWithinCall(state.active);
    std::vector<size_t> holding;
    for (size_t i = 0; i < macro.bodies.size(); ++i) {
      const Definition& definition = (*macro.definitions)[i];
      if (definition.is_function && !is_call) continue;
      if (MayHoldIn(definition, active) && MayHoldIn(definition, state.active)) {
        holding.push_back(i);
      }
    }
    // It may also be no macro at that place; not one that is called, or nothing would come of it.
    const bool must_hold = !holding.empty() && (is_call || MustBeMacro(macro, active) ||
                                                MustBeMacro(macro, state.active));
    for (const size_t i : holding) {
      State branch = must_hold && i == holding.back() ? std::move(state) : state;
      if (is_remembered) {
        const std::pair<TextId, int> choice = {name, static_cast<int>(i)};
        branch.choices.insert(
            std::upper_bound(branch.choices.begin(), branch.choices.end(), choice), choice);
      }
      Replace(std::move(branch), id, i, active, depth, branches);
    }
    if (must_hold) return false;
    if (is_remembered) {
      const std::pair<TextId, int> choice = {name, kNoMacro};
      state.choices.insert(std::upper_bound(state.choices.begin(), state.choices.end(), choice),
                           choice);
    }
    state.out.push_back(id);
    branches.push_back(std::move(state));
    return false;
  }
  return true;
}

bool MacroExpander::HasMore(const Ids& pending) {
  return std::any_of(pending.begin(), pending.end(), [](Id id) { return !IsEnd(id); });
}

bool MacroExpander::IsActive(TextId name, const std::vector<BodyId>& active) const {
  return std::any_of(active.begin(), active.end(),
                     [&](BodyId body) { return bodies_[body].name == name; });
}

bool MacroExpander::MayHoldIn(const Definition& definition,
                              const std::vector<BodyId>& active) const {
  if (!definition.is_placed) return true;
  return std::none_of(active.begin(), active.end(),
                      [&](BodyId body) { return bodies_[body].definition->Excludes(definition); });
}

bool MacroExpander::IsWithinCall(const std::vector<BodyId>& active) const {
  return std::any_of(active.begin(), active.end(),
                     [&](BodyId body) { return bodies_[body].definition->is_function; });
}

// Where a body is expanded, what must hold along with it does.
bool MacroExpander::MustBeMacro(const Macro& macro, const std::vector<BodyId>& active) const {
  return std::any_of(macro.definitions->begin(), macro.definitions->end(),
                     [&](const Definition& definition) {
                       return std::any_of(active.begin(), active.end(), [&](BodyId body) {
                         return definition.HoldsWith(*bodies_[body].definition);
                       });
                     });
}

bool MacroExpander::IsCall(const Ids& pending) const {
  for (size_t i = pending.size(); i > 0; --i) {
    if (!IsEnd(pending[i - 1])) return IsOther(pending[i - 1], open_);
  }
  return false;
}

void MacroExpander::Replace(State state, Id name, size_t definition,
                            const std::vector<BodyId>& active, int depth, std::vector<State>& out) {
  const Macro& macro = MacroOf(TextIn(name));
  const auto body_id = static_cast<BodyId>(macro.first + definition);
  Call call{&(*macro.definitions)[definition],
            &macro.bodies[definition],
            &macro.parameters[definition],
            {}};
  if (call.definition->is_function) {
    switch (TakeArguments(*call.definition, state, call.arguments)) {
      case Taken::kAll:
        break;
      case Taken::kUnclosed:
        ends_.back() |= kIsUnclosed;
        state.out.push_back(name);
        out.push_back(std::move(state));
        return;
      case Taken::kWrongCount:
        return;
    }
  }
  ReplaceCall(state, name, body_id, call, active, depth, out);
}

void MacroExpander::ReplaceCall(const State& state, Id name, BodyId body_id, const Call& call,
                                const std::vector<BodyId>& active, int depth,
                                std::vector<State>& out) {
  if (const Id several = MustBeOneIn(call); several != 0) {
    for (const Id one : Possible(several)) {
      Call each = call;
      for (Ids& argument : each.arguments) {
        *steps_ -= static_cast<int64_t>(argument.size());
        BecomeOne(argument, several, one);
      }
      if (*steps_ <= 0) return;
      ReplaceCall(state, name, body_id, each, active, depth, out);
    }
    return;
  }
  // Every way in which the arguments may expand, one after the other.
  struct Bound {
    std::vector<Ids> expanded;
    Choices choices;
  };
  std::vector<Bound> bound = {{std::vector<Ids>(call.arguments.size()), state.choices}};
  std::vector<BodyId> inner = active;
  inner.insert(inner.end(), state.active.begin(), state.active.end());
  std::sort(inner.begin(), inner.end());
  inner.erase(std::unique(inner.begin(), inner.end()), inner.end());
  for (size_t i = 0; i < call.arguments.size() && *steps_ > 0; ++i) {
    if (call.arguments[i].empty() || !IsExpandedIn(call, i)) continue;
    std::vector<Bound> next;
    unsigned ends = 0;
    for (Bound& before : bound) {
      std::vector<Outcome> outcomes =
          ExpandArgument(call.arguments[i], before.choices, inner, depth + 1, ends);
      for (Outcome& outcome : outcomes) {
        *steps_ -= static_cast<int64_t>(1 + outcome.out.size());
        Bound after = &outcome == &outcomes.back() ? std::move(before) : before;
        after.expanded[i] = std::move(outcome.out);
        after.choices = std::move(outcome.choices);
        next.push_back(std::move(after));
        if (*steps_ <= 0) return;
      }
    }
    bound = std::move(next);
  }
  for (Bound& each : bound) {
    State after;
    after.out = state.out;
    after.pending = state.pending;
    after.active = state.active;
    after.active.push_back(body_id);
    after.choices = std::move(each.choices);
    Ids body = Substitute(call, each.expanded);
    const bool has_space = (name & kSpace) != 0;
    if (!body.empty()) {
      body.front() = WithSpace(body.front(), has_space) & ~kOwnSpace;
    } else if (has_space) {
      // clang hands an empty macro's space on.
      const auto next = std::find_if(after.pending.rbegin(), after.pending.rend(),
                                     [](Id id) { return !IsEnd(id); });
      if (next != after.pending.rend()) *next |= kSpace;
    }
    // The body by itself, if nothing that follows can be part of a call in it: ways that end alike
    // go on as one from here.
    if (call.definition->is_function && !body.empty()) {
      std::vector<BodyId> within = inner;
      within.insert(std::upper_bound(within.begin(), within.end(), body_id), body_id);
      unsigned ends = 0;
      const std::vector<Outcome> outcomes =
          ExpandArgument(body, after.choices, within, depth + 1, ends);
      const bool has_more = HasMore(after.pending);
      const bool is_apart = !has_more || ((ends & kIsUnclosed) == 0 &&
                                          ((ends & kMayBeCalled) == 0 || !IsCall(after.pending)));
      if (is_apart) {
        if (!has_more) ends_.back() |= ends;
        for (const Outcome& outcome : outcomes) {
          State next = after;
          next.active.pop_back();
          next.out.insert(next.out.end(), outcome.out.begin(), outcome.out.end());
          *steps_ -= static_cast<int64_t>(outcome.out.size());
          out.push_back(std::move(next));
          if (*steps_ <= 0) return;
        }
        continue;
      }
    }
    after.pending.push_back(body_id << kTextShift | kEndOfBody);
    after.pending.insert(after.pending.end(), body.rbegin(), body.rend());
    out.push_back(std::move(after));
    if (*steps_ <= 0) return;
  }
}

}  // namespace llama::scan
