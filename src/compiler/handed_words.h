// Words that a driver hands to one of its programs as they are: -Xclang, -Wa,, -Xpreprocessor.
#pragma once

#include <string_view>

namespace llama::compiler {

// Whether a word for clang's own front end keeps a command here: it writes where nobody foresees
// it, makes it do something else, or changes what paths mean.
bool PinsFrontEnd(std::string_view word);
// Whether its value is the next word.
bool FrontEndTakesValue(std::string_view word);

// Whether a word for the assembler does: it writes or prints what is not the object.
bool PinsAssembler(std::string_view word);

// Whether a word for the preprocessor is one of those that don't.
bool IsPreprocessorWord(std::string_view word);

}  // namespace llama::compiler
