// MacroExpander's calls: their arguments taken, and put into the body.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "scan/text/macro_expander.h"
#include "scan/text/macro_ids.h"

namespace llama::scan {

// From the opening parenthesis on.
MacroExpander::Taken MacroExpander::TakeArguments(const Definition& definition, State& state,
                                                  std::vector<Ids>& arguments) {
  Ids& pending = state.pending;
  size_t depth = 0;
  size_t i = pending.size();
  arguments.emplace_back();
  for (; i > 0; --i) {
    const Id id = pending[i - 1];
    if (IsEnd(id)) continue;
    if (--*steps_ <= 0) return Taken::kUnclosed;
    if (IsOther(id, open_) && depth++ == 0) continue;
    if (IsOther(id, close_) && --depth == 0) break;
    const bool is_rest = definition.is_variadic && arguments.size() >= definition.parameters.size();
    if (IsOther(id, comma_) && depth == 1 && !is_rest) {
      arguments.emplace_back();
    } else if (TextIn(id) != 0) {
      arguments.back().push_back(id);
    }
  }
  if (i == 0) return Taken::kUnclosed;
  // Bodies that end within the call have ended before it is replaced.
  for (size_t j = pending.size(); j >= i; --j) {
    if (IsEnd(pending[j - 1])) state.active.pop_back();
  }
  pending.resize(i - 1);
  const size_t wanted = definition.parameters.size();
  const bool is_none = arguments.size() == 1 && arguments[0].empty();
  const bool fits = arguments.size() == wanted || (wanted == 0 && is_none) ||
                    (definition.is_variadic && arguments.size() + 1 == wanted);
  if (!fits) return Taken::kWrongCount;
  arguments.resize(wanted);
  return Taken::kAll;
}

// Whether the argument is anywhere in the body other than beside # and ##.
bool MacroExpander::IsExpandedIn(const Call& call, size_t parameter) const {
  const Ids& body = *call.body;
  for (size_t i = 0; i < body.size(); ++i) {
    if (KindOf(body[i]) != kName || TextIn(body[i]) != (*call.parameters)[parameter]) continue;
    const bool is_last = parameter + 1 == call.parameters->size();
    if (call.definition->is_variadic && is_last) return true;
    const bool is_pasted = i > 0 && IsOther(body[i - 1], hash_hash_);
    const bool is_quoted = i > 0 && IsOther(body[i - 1], hash_);
    if (!is_pasted && !is_quoted && !(i + 1 < body.size() && IsOther(body[i + 1], hash_hash_))) {
      return true;
    }
  }
  return false;
}

MacroExpander::Id MacroExpander::MustBeOneIn(const Call& call) const {
  const Ids& body = *call.body;
  for (size_t i = 0; i < body.size(); ++i) {
    if (KindOf(body[i]) != kName) continue;
    const auto parameter =
        std::find(call.parameters->begin(), call.parameters->end(), TextIn(body[i]));
    if (parameter == call.parameters->end()) continue;
    const Ids& argument = call.arguments[static_cast<size_t>(parameter - call.parameters->begin())];
    if (argument.empty()) continue;
    if (i > 0 && IsOther(body[i - 1], hash_)) {
      const auto several = std::find_if(argument.begin(), argument.end(), IsSeveral);
      if (several != argument.end()) return *several;
    }
    const bool is_pasted = i > 0 && IsOther(body[i - 1], hash_hash_);
    if (is_pasted && IsSeveral(argument.front())) return argument.front();
    const bool is_pasted_to = i + 1 < body.size() && IsOther(body[i + 1], hash_hash_);
    if (is_pasted_to && IsSeveral(argument.back())) return argument.back();
  }
  return 0;
}

MacroExpander::Ids MacroExpander::Possible(Id several) {
  Ids out = {several & ~kOneOfSeveral};
  for (const Ids& body : MacroOf(TextIn(several)).bodies) out.push_back(body[0]);
  return out;
}

bool MacroExpander::Tell(const Ids& ids, const Found& found) {
  *steps_ -= static_cast<int64_t>(ids.size());
  bool is_within = false;
  for (const Id id : ids) {
    if (IsOther(id, less_)) is_within = true;
    if (IsOther(id, greater_)) is_within = false;
    if (!is_within || !IsSeveral(id)) continue;
    for (const Id one : Possible(id)) {
      Ids each = ids;
      BecomeOne(each, id, one);
      if (*steps_ <= 0 || !Tell(each, found)) return false;
    }
    return true;
  }
  std::vector<Token> tokens;
  for (const Id id : ids) tokens.push_back(Decode(id));
  return found(tokens);
}

MacroExpander::Ids MacroExpander::Substitute(const Call& call, const std::vector<Ids>& expanded) {
  const Definition& definition = *call.definition;
  const std::vector<TextId>& parameters = *call.parameters;
  Ids body = *call.body;
  const auto parameter_of = [&](size_t at) {
    if (at >= body.size() || KindOf(body[at]) != kName) return parameters.size();
    return static_cast<size_t>(std::find(parameters.begin(), parameters.end(), TextIn(body[at])) -
                               parameters.begin());
  };
  Ids out;
  bool is_pasted = false;  // onto what went before
  const auto add = [&](const Id* ids, size_t count, Id place) {
    // What is empty still is something for ## to paste to.
    const Id first = WithSpace(count == 0 ? kOther : ids[0], (place & kSpace) != 0);
    *steps_ -= static_cast<int64_t>(std::max<size_t>(count, 1));
    if (is_pasted) {
      Paste(out, first);
    } else {
      out.push_back(first);
    }
    if (count > 1) out.insert(out.end(), ids + 1, ids + count);
    is_pasted = false;
  };
  for (size_t i = 0; i < body.size() && *steps_ > 0; ++i) {
    --*steps_;
    const Id id = body[i];
    if (IsOther(id, hash_hash_) && i > 0) {
      is_pasted = true;
      continue;
    }
    if (IsOther(id, hash_) && definition.is_function && parameter_of(i + 1) < parameters.size()) {
      const Id quoted = Stringified(call.arguments[parameter_of(i + 1)]);
      add(&quoted, 1, id);
      ++i;
      continue;
    }
    if (definition.is_variadic && TextIn(id) == va_opt_ && i + 1 < body.size() &&
        IsOther(body[i + 1], open_)) {
      // Its parentheses go, and with no arguments all within them.
      size_t end = i + 1;
      for (size_t depth = 0; end < body.size();) {
        if (IsOther(body[end], open_)) ++depth;
        if (IsOther(body[end++], close_) && --depth == 0) break;
      }
      const bool is_kept = !call.arguments.back().empty();
      if (is_kept && end > i + 2) body.erase(body.begin() + static_cast<std::ptrdiff_t>(end - 1));
      const size_t erased = is_kept ? i + 2 : end;
      if (erased < body.size() && (id & kSpace) != 0) body[erased] |= kSpace;
      body.erase(body.begin() + static_cast<std::ptrdiff_t>(i),
                 body.begin() + static_cast<std::ptrdiff_t>(erased));
      --i;
      continue;
    }
    const size_t parameter = parameter_of(i);
    if (parameter == parameters.size()) {
      add(&id, 1, id);
      continue;
    }
    const bool is_operand = is_pasted || (i + 1 < body.size() && IsOther(body[i + 1], hash_hash_));
    // GNU: in `, ## __VA_ARGS__` the comma goes if there are none, and nothing is pasted.
    const bool is_comma_rule = is_pasted && definition.is_variadic &&
                               parameter + 1 == parameters.size() && !out.empty() &&
                               IsOther(out.back(), comma_);
    if (is_comma_rule) {
      is_pasted = false;
      if (call.arguments[parameter].empty()) out.pop_back();
    }
    const bool is_raw = is_operand && !is_comma_rule;
    const Ids& argument = is_raw ? call.arguments[parameter] : expanded[parameter];
    Id place = id;
    if (is_comma_rule && !argument.empty()) place = WithSpace(place, (argument[0] & kSpace) != 0);
    add(argument.data(), argument.size(), place);
  }
  // An empty argument leaves nothing, but its space may part what stands around it.
  Ids kept;
  bool has_space = false;
  for (const Id id : out) {
    has_space = has_space || (id & kSpace) != 0;
    if (TextIn(id) != 0) kept.push_back(WithSpace(id, std::exchange(has_space, false)));
  }
  return kept;
}

// # of it.
MacroExpander::Id MacroExpander::Stringified(const Ids& argument) {
  Token token;
  token.kind = Token::Kind::kLiteral;
  token.text = "\"";
  for (size_t i = 0; i < argument.size(); ++i) {
    if ((argument[i] & kSpace) != 0 && i > 0) token.text += ' ';
    for (const char c : texts_[TextIn(argument[i])]) {
      const bool is_escaped = KindOf(argument[i]) == kLiteral && (c == '"' || c == '\\');
      if (is_escaped) token.text += '\\';
      token.text += c;
    }
  }
  token.text += '"';
  return Encode(token);
}

// ## of the last of `out` and `right`.
void MacroExpander::Paste(Ids& out, Id right) {
  if (out.empty()) {
    out.push_back(right);
    return;
  }
  const Id left = out.back();
  out.pop_back();
  std::vector<Token> pasted = Tokenize(texts_[TextIn(left)] + texts_[TextIn(right)]);
  // An empty argument's place is held by a token without text.
  if (pasted.empty()) out.push_back(left);
  for (size_t i = 0; i < pasted.size(); ++i) {
    const Id id = Encode(pasted[i]);
    out.push_back(i > 0 ? id : (id & ~(kSpace | kOwnSpace)) | (left & (kSpace | kOwnSpace)));
  }
}

}  // namespace llama::scan
