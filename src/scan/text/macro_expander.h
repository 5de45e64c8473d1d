// MacroExpander: one expansion of a piece of text, as cpp does it; which definition a macro has is
// asked for whenever it matters.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scan/text/directives.h"
#include "scan/text/tokens.h"

namespace llama::scan {

class MacroExpander {
 public:
  // The definition of `name`; null if it is none. `is_call`: an opening parenthesis follows.
  using Choose = std::function<const Definition*(std::string_view name, bool is_call)>;

  // `steps` are counted down, a step a token.
  MacroExpander(Choose choose, int64_t* steps) : choose_(std::move(choose)), steps_(steps) {}

  // Meaningless once there are no more steps.
  std::vector<Token> Expand(const std::vector<Token>& input);

 private:
  struct Pending {
    Token token;
    std::string ended;  // not empty: the macro whose body ended here, instead of a token
  };
  using Arguments = std::vector<std::vector<Token>>;

  std::vector<Token> ExpandAt(const std::vector<Token>& input, int depth);
  void ExpandName(const Token& name, int depth, std::vector<Token>& out);
  bool IsCall() const;
  bool TakeArguments(const Definition& definition, Arguments& arguments);
  std::vector<Token> Substitute(const Definition& definition, const Arguments& arguments,
                                int depth);
  void Push(std::vector<Token> tokens, std::string_view name);

  Choose choose_;
  int64_t* steps_;
  std::vector<Pending> pending_;  // the next one last
  std::multiset<std::string, std::less<>> active_;
};

}  // namespace llama::scan
