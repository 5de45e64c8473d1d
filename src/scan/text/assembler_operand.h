// The file name after .incbin or .include: in assembler text it is a string; in C it stands within
// the string literals of an asm statement, which the preprocessor's macros may be among.
#pragma once

#include <string>
#include <string_view>

namespace llama::scan {

struct AssemblerOperand {
  bool is_computed = false;
  std::string text;  // the name; or, computed, string literals and macros as they stand in C
};

// What `rest`, the text after the word, names; empty: nothing.
AssemblerOperand ReadAssemblerOperand(std::string_view rest, bool is_in_string);

}  // namespace llama::scan
