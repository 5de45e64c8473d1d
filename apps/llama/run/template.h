// Template: the command line of `llama xargs`, with marks that stand for the item and for the files
// that a job reads and makes.
//
//   {}    the item            {#}   the job's number, from 1
//   {/}   its last component  {//}  its folder
//   {.}   without extension   {/.}  last component without extension
//   {i:BODY}  an input file   {o:BODY}  an output file, or with '/' at the end a folder of them
//
// BODY is text with marks. Where it is `f`, or begins with `f.` or `f/`, that f is the item: {i:f},
// {o:f.sum}; a file named f is {i:./f}. As the original had it: {{.Line}}, {{.Idx}} (from 0),
// {{.I X}}, {{.O X}}, where X is .Line, .Idx, "text" or (printf "%s.x" X...). Anything else in
// braces is text. A template without a mark gets the item as its last word.
//
// One word stays one word, whatever the item. In the script of a shell (`sh -c SCRIPT`) a mark
// becomes an expansion of a variable that holds the text, "${LLAMA_1}", so that nothing in an item
// is ever taken for code.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::app {

// A template filled in for one item.
struct Expansion {
  std::vector<std::string> argv;
  std::vector<std::string> shown;    // as one would type it, items in the place of variables
  std::vector<std::string> inputs;   // paths as the command sees them
  std::vector<std::string> outputs;  // with '/' at the end: a folder
  std::vector<std::string> env;      // "LLAMA_1=…"
};

class Template {
 public:
  // kInvalid: a mark that does not end or makes no sense, named.
  static Result<Template> Parse(const std::vector<std::string>& command);
  // `number` counts from 1. kInvalid: an empty name for a file.
  Result<Expansion> Expand(std::string_view item, size_t number) const;

 private:
  enum class Kind : unsigned char {
    kText,
    kItem,
    kBase,
    kFolder,
    kStem,
    kBaseStem,
    kNumber,
    kIndex,
    kInput,
    kOutput,
  };
  struct Part {
    Kind kind = Kind::kText;
    std::string text;         // kText
    std::vector<Part> inner;  // kInput, kOutput
  };
  struct Word {
    std::vector<Part> parts;
    bool is_script = false;
  };
  friend class TemplateParser;

  static std::string Fill(const Part& part, std::string_view item, size_t number);
  static Result<std::string> Place(const Part& part, std::string_view item, size_t number,
                                   Expansion& out);
  static Result<void> ExpandScript(const Word& word, std::string_view item, size_t number,
                                   Expansion& out);

  std::vector<Word> words_;
};

// For a shell: the text itself if it needs no quotes, otherwise in single quotes.
std::string ShellQuoted(std::string_view text);

}  // namespace llama::app
