// Errors in what compilers, assemblers, linkers and build tools print, told in short. What is read
// here is for people: a line that is not understood is no error, and one that only looks like an
// error is taken for one.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llama::diagnostics {

struct ToolError {
  std::string place;    // "null.cpp:11"; of a linker the object or source; empty if none is named
  std::string message;  // "expected ')' before ';' token"
};

// Of one line, without its end: gcc's, clang's and cmake's "error:", the assembler's "Error:", what
// linkers say of symbols and libraries that they lack.
std::optional<ToolError> ParseToolError(std::string_view line);
// "a.o" of make's "make[1]: *** [Makefile:7: a.o] Error 1" and of ninja's "FAILED: a.o".
std::optional<std::string> ParseFailedTarget(std::string_view line);
// What make says where it has no target to name: "No rule to make target 'b.c', needed by 'b.o'".
std::optional<std::string> ParseMakeError(std::string_view line);
// Whether make or ninja says in it that nothing was to be done.
bool SaysUpToDate(std::string_view line);
// Whether it is make's or ninja's own and no error: steps, folders, what they do next.
bool IsProgress(std::string_view line);

// Without colours and whatever else a terminal would obey, without '\r'.
std::string WithoutEscapes(std::string_view line);

inline constexpr size_t kMaxExcerptBytes = 1024;
// Of an output its first error and the lines behind it, or its beginning where none is in it; at
// most kMaxExcerptBytes, in whole characters.
std::string ErrorExcerpt(std::string_view output);

}  // namespace llama::diagnostics
