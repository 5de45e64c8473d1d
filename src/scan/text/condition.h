// What a condition, or a macro that one may use, asks of the file system: __has_include and its
// like.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "scan/text/directives.h"

namespace llama::scan {

// __has_include and its like, which no macro can be named.
std::optional<ReferenceKind> HasIncludeKind(std::string_view word);

// A header name in its quotes, or what is to become one. Of kConditionCall: the call.
using FoundOperand = std::function<void(ReferenceKind, std::string_view)>;

// The operands of every __has_include(…) in `text`; true if there is such a word whose operand a
// macro's argument may be, or be a part of.
bool ReadHasInclude(std::string_view text, const FoundOperand& found);

// `line`: what follows #if or #elif. Every header name in parentheses counts, since a macro around
// __has_include may take it.
void ReadCondition(std::string_view line, const FoundOperand& found);

}  // namespace llama::scan
