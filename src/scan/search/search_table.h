// The options that change where headers are sought, and how.
//
// compiler/options.h tells what is known at all and how values are written; an option that is known
// there and not here does not change the search.
#pragma once

#include <string_view>

namespace llama::scan {

enum class SearchEffect : unsigned char {
  kNone,
  kQuote,
  kAngle,
  kSystem,
  kCxxSystem,
  kAfter,
  kInclude,
  kMacros,
  kDefine,
  kUndefine,
  kPreprocessor,  // -Wp,
  kHosted,
  kFreestanding,
  kNoStandard,   // -nostdinc
  kBuiltIn,      // decides about the built-in folders
  kBuiltInPath,  // the same, and its value is a path
  kTarget,       // the same
  kSysroot,      // the same, and what "=" stands for
  kFrontEnd,     // -Xclang: depends on the value
  kRefused,
  kRefusedWithClang,
};

struct SearchOption {
  std::string_view name;
  bool is_joined = false;  // the value, or any ending, may follow in the same word
  SearchEffect effect = SearchEffect::kNone;
};

// The longest name that fits wins. nullptr: no such option.
const SearchOption* FindSearchOption(std::string_view word);

}  // namespace llama::scan
