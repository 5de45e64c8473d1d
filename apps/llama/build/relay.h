// Relay: stands between a command's output and the terminal, so that a status line can be kept
// below it without either garbling the other. The command writes to a terminal of its own (a pty of
// the same size); what it writes goes to the real one byte for byte, and the status line is erased
// before and drawn again behind a line's end.
//
// A command that overprints a status line of its own (ninja: "\r[3/9] ...", never a line's end)
// keeps it, and ours is drawn in the line below. There it stays while only that one line changes.
//
// The command keeps its controlling terminal, standard input and process group, so Ctrl-C and
// Ctrl-Z reach it as without this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "llama/build/output_watch.h"

namespace llama::app {

class Relay {
 public:
  // `terminal` is a descriptor of the real one; it stays the caller's. `watch`, if it is one, sees
  // what the command writes.
  static Result<Relay> Open(int terminal, OutputWatch* watch = nullptr);

  // For the command's stdout and stderr; closed in this process by CloseCommandEnd, after the fork.
  int command_end() const { return command_end_.get(); }
  void CloseCommandEnd() { command_end_.Reset(); }
  // To be polled for POLLIN; -1 once all writers are gone.
  int fd() const { return own_end_.get(); }

  // Passes on what is there. False if nothing was.
  bool Pump();
  // Draws `line`, which fits into columns(), unless the cursor stands inside a line of the
  // command's that it does not overprint, or the command has taken the screen.
  void Draw(std::string_view line);
  void Erase();
  size_t columns() const { return columns_; }
  void FollowSize();  // after SIGWINCH

 private:
  Relay(int terminal, OutputWatch* watch, Fd own_end, Fd command_end);
  enum class Drawn : unsigned char { kNothing, kHere, kBelow };

  void Write(std::string_view bytes);
  void DrawBelow();
  bool StaysInLine(std::string_view bytes) const;
  void Follow(std::string_view bytes);

  int terminal_;
  OutputWatch* watch_;
  Fd own_end_;
  Fd command_end_;
  size_t columns_ = 80;
  bool at_line_start_ = true;
  bool overprints_ = false;  // the line that the cursor is in
  size_t line_bytes_ = 0;    // in it, since it was begun or overprinted: no fewer than columns
  Drawn drawn_ = Drawn::kNothing;
  std::string below_;  // what is drawn there
  bool screen_taken_ = false;
};

}  // namespace llama::app
