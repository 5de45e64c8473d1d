// Macros of the command line. Only includes whose name is a macro depend on them.
#pragma once

#include <string>
#include <string_view>

namespace llama::scan {

struct CommandLineMacro {
  std::string name;
  std::string parameters;  // of F(x,y): "x,y"
  std::string body;
  bool is_function = false;
  bool is_undefined = false;  // -U: only the name counts
  bool operator==(const CommandLineMacro&) const = default;
};

// `text` is the value of a -D. As the compilers do it: the first '=' becomes a space, and what that
// is as a #define counts.
CommandLineMacro ParseCommandLineMacro(std::string_view text);

}  // namespace llama::scan
