// OutputWatch: what a build says of itself while its output passes by: its first error, what make
// or ninja could not make, and that nothing was to be done.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace llama::app {

class OutputWatch {
 public:
  enum class Stream : uint8_t { kOut, kErr };  // a terminal is both: kErr

  // What came, in its order, broken anywhere.
  void Add(Stream stream, std::string_view bytes);
  // No more comes.
  void End();

  // Of the first command that failed: its first error and what follows it, without escapes, at most
  // diagnostics::kMaxExcerptBytes; or else the last that was said before make told of the failure.
  // make does not tell what a command wrote: of several errors it is the first in a source of the
  // target's name, or else the first.
  // Of output without a failure it may be anything.
  std::string Diagnostic() const;
  const std::string& failed_target() const { return failed_target_; }
  // How many commands make or ninja said to have failed.
  uint64_t failures() const { return failures_; }
  // That nothing was to be done. One make of many says so of its own part: then nothing else may
  // have been said.
  bool says_up_to_date() const {
    return ninja_is_up_to_date_ || (a_make_is_up_to_date_ && !says_more_);
  }

 private:
  static constexpr size_t kNowhere = SIZE_MAX;
  struct Line {
    std::string text;         // not ended yet
    std::string last_said;    // the last line before it, but make's own
    std::string includer;     // the source that includes what the next error is in
    size_t found = kNowhere;  // the one of found_ that its lines belong to
  };
  // An error, and what follows it in its stream.
  struct Found {
    std::string source;  // whose compile it is of, without folder and extension; may be empty
    std::string text;
    size_t lines = 0;
  };

  void EndLine(Stream stream);
  void TakeLine(Line& of, const std::string& line);
  bool TakeFailure(const Line& of, const std::string& line);
  void TakeError(Line& of, const std::string& line);
  void ForgetFound();

  std::array<Line, 2> lines_;
  std::vector<Found> found_;
  std::string fallback_;  // where none was recognised
  std::string failed_target_;
  // Of ninja's first failure: the command's line is next, then what it wrote.
  enum class Ninja : uint8_t { kNone, kCommand, kOutput } ninja_ = Ninja::kNone;
  uint64_t failures_ = 0;
  bool is_over_ = false;  // the first failure has been told
  bool ninja_is_up_to_date_ = false;
  bool a_make_is_up_to_date_ = false;
  bool says_more_ = false;  // than make does that goes through folders
};

}  // namespace llama::app
