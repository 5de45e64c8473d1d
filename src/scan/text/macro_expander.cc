#include "scan/text/macro_expander.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace llama::scan {
namespace {

// Arguments within arguments; cpp has no limit, and nobody comes near this one.
constexpr int kMaxDepth = 100;

// In steps: texts may double at every ## and #.
int64_t CostOf(const Token& token) { return 1 + static_cast<int64_t>(token.text.size() / 16); }

// # of it.
Token Stringified(const std::vector<Token>& argument) {
  std::string text = "\"";
  for (size_t i = 0; i < argument.size(); ++i) {
    if (argument[i].has_space && i > 0) text += ' ';
    for (const char c : argument[i].text) {
      const bool is_escaped = argument[i].kind == Token::Kind::kLiteral && (c == '"' || c == '\\');
      if (is_escaped) text += '\\';
      text += c;
    }
  }
  Token token;
  token.kind = Token::Kind::kLiteral;
  token.text = text + '"';
  return token;
}

// ## of the last of `out` and the first of `right`.
void Paste(std::vector<Token>& out, std::vector<Token> right) {
  if (right.empty()) return;
  if (out.empty()) {
    out = std::move(right);
    return;
  }
  Token left = std::move(out.back());
  out.pop_back();
  std::vector<Token> pasted = Tokenize(left.text + right.front().text);
  // An empty argument's place is held by a token without text.
  if (!pasted.empty()) {
    pasted.front().has_space = left.has_space;
    pasted.front().has_own_space = left.has_own_space;
  }
  if (pasted.empty()) pasted.push_back(left);
  out.insert(out.end(), pasted.begin(), pasted.end());
  out.insert(out.end(), right.begin() + 1, right.end());
}

// The body of __VA_OPT__( at body[at]: its end, past the parenthesis.
size_t EndOfVaOpt(const std::vector<Token>& body, size_t at) {
  size_t depth = 0;
  for (size_t i = at; i < body.size(); ++i) {
    if (body[i].Is("(")) ++depth;
    if (body[i].Is(")") && --depth == 0) return i + 1;
  }
  return body.size();
}

}  // namespace

std::vector<Token> MacroExpander::Expand(const std::vector<Token>& input) {
  active_.clear();
  return ExpandAt(input, 0);
}

std::vector<Token> MacroExpander::ExpandAt(const std::vector<Token>& input, int depth) {
  std::vector<Token> out;
  if (depth > kMaxDepth) {
    *steps_ = 0;
    return out;
  }
  std::vector<Pending> outer = std::exchange(pending_, {});
  Push(input, "");
  while (!pending_.empty() && *steps_ > 0) {
    --*steps_;
    Pending next = std::move(pending_.back());
    pending_.pop_back();
    if (!next.ended.empty()) {
      active_.erase(active_.find(next.ended));
    } else if (next.token.kind == Token::Kind::kName && !next.token.is_painted) {
      ExpandName(next.token, depth, out);
    } else if (!next.token.text.empty()) {
      out.push_back(std::move(next.token));
    }
  }
  pending_ = std::move(outer);
  return out;
}

void MacroExpander::ExpandName(const Token& name, int depth, std::vector<Token>& out) {
  out.push_back(name);
  if (active_.contains(name.text)) {
    out.back().is_painted = true;
    return;
  }
  const bool is_call = IsCall();
  const Definition* definition = choose_(name.text, is_call);
  if (definition == nullptr || (definition->is_function && !is_call)) return;
  Arguments arguments;
  if (definition->is_function && !TakeArguments(*definition, arguments)) return;
  out.pop_back();
  std::vector<Token> body = Substitute(*definition, arguments, depth);
  if (!body.empty()) {
    body.front().has_space = name.has_space;
    body.front().has_own_space = false;
  } else if (name.has_space) {
    // clang hands an empty macro's space on.
    for (size_t i = pending_.size(); i > 0; --i) {
      if (!pending_[i - 1].ended.empty()) continue;
      pending_[i - 1].token.has_space = true;
      break;
    }
  }
  Push(std::move(body), definition->name);
}

bool MacroExpander::IsCall() const {
  for (size_t i = pending_.size(); i > 0; --i) {
    if (pending_[i - 1].ended.empty()) return pending_[i - 1].token.Is("(");
  }
  return false;
}

// From the opening parenthesis on; false if the closing one isn't there.
bool MacroExpander::TakeArguments(const Definition& definition, Arguments& arguments) {
  size_t depth = 0;
  size_t i = pending_.size();
  arguments.emplace_back();
  for (; i > 0; --i) {
    const Pending& next = pending_[i - 1];
    if (!next.ended.empty()) continue;
    if (--*steps_ <= 0) return false;
    const Token& token = next.token;
    if (token.Is("(") && depth++ == 0) continue;
    if (token.Is(")") && --depth == 0) break;
    const bool is_rest = definition.is_variadic && arguments.size() >= definition.parameters.size();
    if (token.Is(",") && depth == 1 && !is_rest) {
      arguments.emplace_back();
    } else if (!token.text.empty()) {
      arguments.back().push_back(token);
    }
  }
  if (i == 0) return false;
  // Bodies that ended within the call have ended before it is replaced.
  for (size_t j = pending_.size(); j >= i; --j) {
    if (!pending_[j - 1].ended.empty()) active_.erase(active_.find(pending_[j - 1].ended));
  }
  pending_.resize(i - 1);
  arguments.resize(definition.parameters.size());
  return true;
}

std::vector<Token> MacroExpander::Substitute(const Definition& definition,
                                             const Arguments& arguments, int depth) {
  std::vector<Token> body = Tokenize(definition.body);
  const auto& parameters = definition.parameters;
  const auto parameter_of = [&](size_t at) {
    if (at >= body.size() || body[at].kind != Token::Kind::kName) return parameters.size();
    return static_cast<size_t>(std::find(parameters.begin(), parameters.end(), body[at].text) -
                               parameters.begin());
  };
  std::vector<Token> out;
  bool is_pasted = false;  // onto what went before
  const auto add = [&](std::vector<Token> tokens, const Token& place) {
    // What is empty still is something for ## to paste to.
    if (tokens.empty()) tokens.emplace_back();
    tokens.front().has_space = place.has_space;
    for (const Token& token : tokens) *steps_ -= CostOf(token);
    if (is_pasted) {
      Paste(out, std::move(tokens));
    } else {
      out.insert(out.end(), tokens.begin(), tokens.end());
    }
    is_pasted = false;
  };
  for (size_t i = 0; i < body.size() && *steps_ > 0; ++i) {
    --*steps_;
    const Token token = body[i];
    if (token.Is("##") && i > 0) {
      is_pasted = true;
      continue;
    }
    if (token.Is("#") && definition.is_function && parameter_of(i + 1) < parameters.size()) {
      add({Stringified(arguments[parameter_of(i + 1)])}, token);
      ++i;
      continue;
    }
    if (definition.is_variadic && token.text == "__VA_OPT__" && i + 1 < body.size() &&
        body[i + 1].Is("(")) {
      // Its parentheses go, and with no arguments all within them.
      const size_t end = EndOfVaOpt(body, i + 1);
      const bool is_kept = !arguments.back().empty();
      if (is_kept && end > i + 2) body.erase(body.begin() + static_cast<std::ptrdiff_t>(end - 1));
      const size_t erased = is_kept ? i + 2 : end;
      if (erased < body.size() && token.has_space) body[erased].has_space = true;
      body.erase(body.begin() + static_cast<std::ptrdiff_t>(i),
                 body.begin() + static_cast<std::ptrdiff_t>(erased));
      --i;
      continue;
    }
    const size_t parameter = parameter_of(i);
    if (parameter == parameters.size()) {
      add({token}, token);
      continue;
    }
    const bool is_operand = is_pasted || (i + 1 < body.size() && body[i + 1].Is("##"));
    // GNU: in `, ## __VA_ARGS__` the comma goes if there are none, and nothing is pasted.
    const bool is_comma_rule = is_pasted && definition.is_variadic &&
                               parameter + 1 == parameters.size() && !out.empty() &&
                               out.back().Is(",");
    if (is_comma_rule) {
      is_pasted = false;
      if (arguments[parameter].empty()) out.pop_back();
    }
    std::vector<Token> argument = arguments[parameter];
    if (!is_operand || is_comma_rule) argument = ExpandAt(argument, depth + 1);
    Token place = token;
    if (is_comma_rule && !argument.empty()) place.has_space = argument.front().has_space;
    add(std::move(argument), place);
  }
  // An empty argument leaves nothing, but its space may part what stands around it.
  std::vector<Token> kept;
  bool has_space = false;
  for (Token& token : out) {
    has_space = has_space || token.has_space;
    if (token.text.empty()) continue;
    token.has_space = std::exchange(has_space, false);
    kept.push_back(std::move(token));
  }
  return kept;
}

void MacroExpander::Push(std::vector<Token> tokens, std::string_view name) {
  if (!name.empty()) {
    active_.emplace(name);
    pending_.push_back({{}, std::string(name)});
  }
  for (size_t i = tokens.size(); i > 0; --i) pending_.push_back({std::move(tokens[i - 1]), ""});
}

}  // namespace llama::scan
