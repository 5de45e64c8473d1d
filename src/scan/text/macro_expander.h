// MacroExpander: every text that a piece of text may expand to as cpp does it, where a macro may
// have any of several definitions, or none.
//
// The expansion branches at each macro that has several; branches that come to the same again go on
// as one, so that Boost's ways around one preprocessor or another, which all end alike, do not
// multiply. An object-like macro means one thing in one expansion. One within a function-like one's
// body, or a function-like one itself, may mean another the next time, since to remember which one
// it was would keep the branches apart; but within a macro's body nothing is expanded that its own
// text excludes (Definition::Excludes). A macro that is a number, whichever one, does not branch:
// it is passed on as it is, and becomes each of its numbers where it is pasted, quoted, or part of
// a name (Boost's iterations have 257 for each depth, most for nothing). That makes texts too many,
// never too few. What calls a macro with a number of arguments that it does not take is an error to
// the compiler, and comes to nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scan/text/directives.h"
#include "scan/text/tokens.h"

namespace llama::scan {

class MacroExpander {
 public:
  // Every definition of a macro; the same object whenever a name is asked for again.
  using DefinitionsOf = std::function<const std::vector<Definition>&(std::string_view name)>;
  // An expansion; false: no more of them.
  using Found = std::function<bool(const std::vector<Token>&)>;

  MacroExpander();

  // Distinct ones. Some are missing once there are no more steps: they are counted down, a token
  // passed over or copied takes one. What it learned of macros' expansions is kept for the next
  // one, and with it the definitions, until they are to be forgotten.
  void Expand(const std::vector<Token>& input, const DefinitionsOf& definitions, int64_t& steps,
              const Found& found);
  // The macros with definitions that decided about the last expansion.
  std::vector<std::string> Met();
  // This macro's definitions are others now.
  void Forget(std::string_view name);
  // Rises when some name becomes a macro that was none when it was come upon.
  uint64_t generation() const { return generation_; }

 private:
  // A token, its text by number, or the end of a definition's body, the definition by number:
  // compared and copied often.
  using Id = uint32_t;
  using Ids = std::vector<Id>;
  using TextId = uint32_t;
  using BodyId = uint32_t;
  // What object-like macros were taken to be, by name: an index, or kNoMacro.
  using Choices = std::vector<std::pair<TextId, int>>;
  struct State {
    Ids out;
    Ids pending;  // the next one last
    Choices choices;
    std::vector<BodyId> active;  // those whose ends are pending, the next one last
  };
  struct Outcome {
    Ids out;
    Choices choices;
  };
  struct Macro {
    bool is_object = false;  // by every definition
    bool is_number = false;  // likewise, and each definition is one number
    const std::vector<Definition>* definitions = nullptr;
    uint64_t made = 0;  // another number each time that its definitions are others
    BodyId first = 0;   // of the first definition; the others follow
    std::vector<Ids> bodies;
    std::vector<std::vector<TextId>> parameters;
  };
  struct Call {
    const Definition* definition;
    const Ids* body;
    const std::vector<TextId>* parameters;
    std::vector<Ids> arguments;
  };
  struct Body {
    TextId name;
    const Definition* definition;
  };
  // Of what was expanded within a call, by its fingerprint: with what each macro that it came upon
  // was there (ViewOf), and what came of it.
  struct Known {
    std::vector<std::pair<TextId, uint64_t>> views;
    std::vector<Ids> outcomes;
    unsigned ends = 0;
  };
  // Names, and those that were added last perhaps once more.
  class Names {
   public:
    void Add(TextId name);
    void Add(const Names& names);
    const std::vector<TextId>& Distinct();

   private:
    std::vector<TextId> names_;
    size_t distinct_ = 0;  // the first ones, ascending
  };
  struct FirstOfTwo {
    size_t operator()(const std::pair<uint64_t, uint64_t>& two) const { return two.first; }
  };
  // How an expansion may go on in what follows it, by some branch.
  enum End : unsigned {
    kMayBeCalled = 1,  // its last token is a function-like macro's name
    kIsUnclosed = 2,   // it has a call's opening parenthesis and not the closing one
  };
  static constexpr int kNoMacro = -1;

  Id Encode(const Token& token);
  Token Decode(Id id) const;
  TextId TextOf(std::string_view text);
  Macro& MacroOf(TextId name);
  bool IsCall(const Ids& pending) const;
  static bool HasMore(const Ids& pending);
  // All that `active` and `choices` decide about a macro.
  uint64_t ViewOf(TextId name, const std::vector<BodyId>& active, const Choices& choices);
  const Known* FindKnown(const std::pair<uint64_t, uint64_t>& key,
                         const std::vector<BodyId>& active, const Choices& choices);
  std::vector<Outcome> ExpandArgument(const Ids& input, const Choices& choices,
                                      const std::vector<BodyId>& active, int depth, unsigned& ends);
  bool IsActive(TextId name, const std::vector<BodyId>& active) const;
  bool IsWithinCall(const std::vector<BodyId>& active) const;
  bool MustBeMacro(const Macro& macro, const std::vector<BodyId>& active) const;
  bool MayHoldIn(const Definition& definition, const std::vector<BodyId>& active) const;

  std::vector<Outcome> ExpandAll(const Ids& input, const Choices& choices,
                                 const std::vector<BodyId>& active, int depth, const Found* found);
  // Up to the first macro with several definitions, of which each is a new state. True: at the end.
  bool Advance(State& state, const std::vector<BodyId>& active, int depth,
               std::vector<State>& branches);
  void Replace(State state, Id name, size_t definition, const std::vector<BodyId>& active,
               int depth, std::vector<State>& out);
  void ReplaceCall(const State& state, Id name, BodyId body_id, const Call& call,
                   const std::vector<BodyId>& active, int depth, std::vector<State>& out);
  enum class Taken : unsigned char { kAll, kUnclosed, kWrongCount };
  Taken TakeArguments(const Definition& definition, State& state, std::vector<Ids>& arguments);
  bool IsExpandedIn(const Call& call, size_t parameter) const;
  // A token of the arguments that must be one of its numbers before they are put into the body; 0:
  // there is none.
  Id MustBeOneIn(const Call& call) const;
  // What a kOneOfSeveral may be: a number, or a name that is no macro.
  Ids Possible(Id several);
  // To `found`, with each of its numbers for what is part of a header name. False: no more of them.
  bool Tell(const Ids& ids, const Found& found);
  Ids Substitute(const Call& call, const std::vector<Ids>& expanded);
  Id Stringified(const Ids& argument);
  void Paste(Ids& out, Id right);

  // During an expansion.
  const DefinitionsOf* definitions_ = nullptr;
  int64_t* steps_ = nullptr;

  uint64_t made_ = 0;
  uint64_t generation_ = 0;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, TextId> text_ids_;
  std::vector<std::unique_ptr<Macro>> macros_;  // by name; null: not asked for yet
  std::vector<Body> bodies_;
  std::unordered_map<std::pair<uint64_t, uint64_t>, std::vector<Known>, FirstOfTwo> known_;
  std::vector<Names> met_ = {{}};     // the macros that each expansion under way came upon
  std::vector<unsigned> ends_ = {0};  // and how each may end

  TextId open_, close_, comma_, hash_, hash_hash_, va_opt_, less_, greater_;
};

}  // namespace llama::scan
