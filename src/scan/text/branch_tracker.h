// BranchTracker: in which branches of a text's conditionals something stands, as far as that says
// what may hold along with it.
//
// Of two branches of one conditional only one is taken, if the text is passed through but once in a
// compile: after a #pragma once, or between an #ifndef X and its #endif where X is defined (and
// never undefined: the caller's to know). Then what stands in the one and what stands in the other
// never hold together. And what stands in a branch for which some X must be defined does not hold
// at all where nothing defines X.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llama::scan {

struct Branch {
  uint32_t group = 0;  // the conditional, counted through the text
  uint32_t branch = 0;
  bool operator==(const Branch&) const = default;
};

class BranchTracker {
 public:
  // The directives, in order; `guard`: X of #ifndef X or #if !defined(X), otherwise empty;
  // `needed`: X of #ifdef X or #if defined(X), and of #elif likewise.
  void If(std::string_view guard, std::string_view needed = {});
  void Else(std::string_view needed = {});  // #elif as well
  void Endif();
  void Define(std::string_view name);
  void PragmaOnce();

  // All open ones, for Settle() once the text is at its end.
  const std::vector<Branch>& open() const { return open_; }

  struct Settled {
    bool is_known = false;
    std::vector<Branch> branches;  // outermost first
    std::string guard;             // all this holds while it is never undefined; empty: always
  };
  Settled Settle(const std::vector<Branch>& open) const;
  // All that must be defined, as some text or the command line would have to say, where these
  // branches are taken; whether the text is passed through once or not.
  std::vector<std::string> NeededIn(const std::vector<Branch>& open) const;

 private:
  struct Group {
    std::string guard;
    bool defines_guard = false;
    std::vector<std::string> needed;  // by branch
  };
  std::vector<Group> groups_;
  std::vector<Branch> open_;
  bool is_once_ = false;
  bool is_broken_ = false;
};

// X of "!defined(X)", however it is spaced; empty: the condition is another.
std::string_view GuardOf(std::string_view condition);

// X of "defined(X)", likewise.
std::string_view NeededBy(std::string_view condition);

}  // namespace llama::scan
