// Directives: all in a source's text that can make a compiler (or the assembler behind it) open
// another file, and the macros that the text defines.
//
// It is a superset. No conditional is evaluated: what stands in any branch counts, since a
// reference too many costs a look at a file, and one too few costs a wrong closure. A text that
// different options make the compiler read differently is read in each of those ways (readings.h).
// Time is linear in the text's size. All functions are pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scan/text/branch_tracker.h"

namespace llama::scan {

enum class ReferenceKind : unsigned char {
  kInclude,
  kIncludeNext,
  kImport,  // #import, and C++20's import of a header
  kEmbed,
  kHasInclude,
  kHasIncludeNext,
  kHasEmbed,
  kDependency,        // #pragma GCC dependency, however it is written
  kIncbin,            // the assembler's .incbin
  kAssemblerInclude,  // the assembler's .include: the file is assembler text in its turn
  // A named module is imported or implemented: where it is found is told by no text. The name
  // stands as kComputed, since a macro may make a header name of it. In a file that is not compiled
  // with modules it means nothing.
  kModule,
  // A call in a condition, F(X), where F may be a macro around __has_include: to be expanded if
  // some text in sight `wraps_has_include`. Always kComputed.
  kConditionCall,
};

enum class Spelling : unsigned char { kQuoted, kAngled, kComputed };

struct Reference {
  ReferenceKind kind = ReferenceKind::kInclude;
  Spelling spelling = Spelling::kQuoted;
  // kComputed: the tokens' text, blanks collapsed. kIncbin and kAssemblerInclude are quoted or
  // computed, then of string literals and macros as they stand in C.
  std::string name;

  bool operator==(const Reference&) const = default;
};

struct Directives {
  std::vector<Reference> references;      // distinct, by first appearance
  std::vector<uint32_t> defined_names;    // HashName() of all that is #defined, ascending, distinct
  std::vector<uint32_t> undefined_names;  // likewise, of all that is #undefined
  std::vector<std::string> line_names;    // absolute names in #line and in linemarkers, distinct
  bool mentions_timestamp = false;        // __TIMESTAMP__, where it may be expanded
  bool wraps_has_include = false;         // in a macro, with what it looks for in an argument
  // Of all the above and of what the definitions say: an edit that leaves the directives as they
  // were keeps it.
  uint64_t hash = 0;
};

Directives ReadDirectives(std::string_view text);

uint32_t HashName(std::string_view name);

struct Definition {
  std::string name;
  bool is_function = false;
  bool is_variadic = false;             // the last parameter takes the rest
  std::vector<std::string> parameters;  // that of "..." is __VA_ARGS__
  std::string body;                     // comments are blanks, blanks one space
  // Where it stands: in which branches of conditionals (branch_tracker.h), after how many
  // directives at which macros may be expanded. Whoever has several texts numbers them in `text`,
  // and takes it all back if some text undefines the macro of `guard` (HashName; 0: there is none).
  bool is_placed = false;
  std::vector<Branch> branches = {};
  uint32_t place = 0;
  uint32_t guard = 0;
  uint64_t text = 0;
  bool is_undefined = false;  // somewhere: for the same one to say
  // Where one of these is defined in no text and not on the command line, this does not hold.
  std::vector<std::string> needed = {};

  // Wherever it stands.
  bool operator==(const Definition& other) const;
  // They stand in branches of which only one is taken.
  bool Excludes(const Definition& other) const;
  // Where the other holds, so does this one, or a later one of the same macro.
  bool HoldsWith(const Definition& other) const;
};

// Every definition in the text: any of several, whatever conditionals say. Distinct.
std::vector<Definition> ReadDefinitions(std::string_view text);

}  // namespace llama::scan
