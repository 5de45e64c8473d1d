// OutputTaps: lets an OutputWatch see what a command writes where its output goes to a pipe or a
// file. A terminal is a Relay's.
//
// A pipe is reached through one of our own, byte for byte; the command's two outputs share one if
// they did, so their order stays. A file is written by the command itself, and read when that has
// ended.
#pragma once

#include <poll.h>

#include <array>
#include <optional>
#include <string>

#include "base/fd.h"
#include "llama/build/output_watch.h"

namespace llama::app {

class OutputTaps {
 public:
  // Of our own standard output and error.
  explicit OutputTaps(OutputWatch& watch);

  // In the command's process: its outputs to our pipes.
  void TakeInCommand() const;
  void CloseCommandEnds();  // in this one, after the fork

  // To be polled; fd −1 where nothing is to be waited for.
  std::array<pollfd, 2> Waiting() const;
  // Passes on what can be without waiting. False if that was nothing.
  bool Pump();
  // When the command has ended: all that it wrote has been passed on and seen. What it left behind
  // in the background may write on: a process of our own passes that on.
  void Finish();

 private:
  struct Tap {
    int target = -1;  // where it leads; −1: no tap
    OutputWatch::Stream stream = OutputWatch::Stream::kOut;
    Fd own_end;
    Fd command_end;
    std::string pending;  // read, not written yet
  };
  // A file, and how long it was when the command began.
  struct Written {
    int fd = -1;
    OutputWatch::Stream stream = OutputWatch::Stream::kOut;
    off_t from = 0;
  };

  void OpenTap(int target, OutputWatch::Stream stream, Tap& tap) const;
  bool PumpTap(Tap& tap);
  static void LeaveCopier(Tap& tap);
  void ReadBack(const Written& file);

  OutputWatch& watch_;
  std::array<Tap, 2> taps_;
  std::array<Written, 2> files_;
  bool shared_ = false;  // both outputs lead into the first tap
};

}  // namespace llama::app
