// SourceLexer: one reading of a C or C++ source or of an assembler source with directives; finds
// the lines that matter to an include scanner, in order, and passes over the rest as fast as it can
// without losing its place: comments, literals and raw strings are told apart, nothing else is.
// Conditionals are not evaluated: the lines of every branch are found.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace llama::scan {

class SourceLexer {
 public:
  enum class Found : unsigned char {
    kEnd,
    kDirective,   // one of those below
    kModuleLine,  // a line that begins with import, export or module
    kWord,        // one of the words, outside of comments
  };
  // Those that matter; all others are passed over.
  enum class Directive : unsigned char {
    kInclude,
    kIncludeNext,
    kImport,
    kEmbed,
    kDefine,
    kIf,
    kPragma,
    kLine,
    kUndef,
    // Told only if conditionals are asked for; otherwise #elif is kIf.
    kIfdef,
    kIfndef,
    kElif,
    kElse,  // #elifdef and #elifndef as well
    kEndif,
  };

  // `text` as ForEachReading() gives it. Both must outlive the lexer. `words`: positions of words
  // to be reported, ascending.
  SourceLexer(std::string_view text, unsigned reading, const std::vector<size_t>& words,
              bool finds_conditionals = false);

  Found Next();

  Directive directive() const { return directive_; }
  // What follows the directive's name, or the whole of a module line: comments are blanks, blanks
  // are one space, none at the ends; header names and literals as they are. Valid until Next().
  std::string_view line() const { return line_; }
  struct Word {
    size_t at = 0;
    bool is_in_string = false;  // an ordinary string literal, where \" is a quote
  };
  Word word() const { return word_; }

  // The Doubts that mattered so far.
  unsigned doubts() const { return doubts_; }

 private:
  bool SkipBlanks();  // at a line's start, comments too; false at the end of the text
  bool ReadDirective();
  bool ReadModuleLine();
  void SkipLine();
  void SkipMessage();
  void ReadLine(bool is_header_name_first, bool has_header_names);
  bool IsSpliced(size_t newline) const;
  size_t EndOfSplice(size_t at) const;
  void AddBlank();
  void AddJoined(size_t from, size_t to);
  bool SkipComment();  // at a slash; false: there is none
  void SkipLiteral();  // at a quote
  void SkipString(char quote);
  bool SkipRawString();
  bool SkipDigitSeparator();
  bool IsRawStringPrefix() const;
  size_t EndOfAngled() const;
  void PassWords(size_t to, bool is_in_string = false);

  std::string_view text_;
  unsigned reading_;
  const std::vector<size_t>& words_;
  const bool finds_conditionals_;
  size_t at_ = 0;
  size_t next_word_ = 0;      // of words_, the first that was not passed
  std::vector<Word> passed_;  // outside of comments
  size_t next_passed_ = 0;    // to be reported
  bool in_directive_ = false;
  // No > stands between here and the line's end: looked for once a line, lest a line be quadratic.
  mutable size_t no_angle_before_ = 0;
  unsigned doubts_ = 0;
  Directive directive_ = Directive::kIf;
  std::string line_;
  Word word_;
};

}  // namespace llama::scan
