// OutputTaps: lets an OutputWatch see what a command writes where its output goes to a pipe or a
// file. A terminal is a Relay's.
//
// A pipe is reached through one of our own, byte for byte: tee(2) hands the pages on and never
// waits, so that whoever reads slowly holds up the command and nothing else. The command's two
// outputs share one if they did, so their order stays. A file is written by the command itself, and
// read when that has ended.
#pragma once

#include <poll.h>

#include <array>
#include <climits>

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
  // Passes on what can be without waiting.
  void Pump();
  // The command has ended: what is in the pipes now is all that it wrote.
  void CommandEnded();
  // Whether some of that is still to be passed on.
  bool HasMore() const;
  // A process of our own passes on the rest, and what is still written in the background.
  void Finish();

 private:
  struct Tap {
    int target = -1;  // where it leads; −1: no tap
    OutputWatch::Stream stream = OutputWatch::Stream::kOut;
    Fd own_end;
    Fd command_end;
    bool is_target_full = false;
    int last_bytes = INT_MAX;  // to come of the command itself
  };
  // A file, and how long it was when the command began.
  struct Written {
    int fd = -1;
    OutputWatch::Stream stream = OutputWatch::Stream::kOut;
    off_t from = 0;
  };

  void OpenTap(int target, OutputWatch::Stream stream, Tap& tap) const;
  void PumpTap(Tap& tap);
  static void LeaveCopier(Tap& tap);
  void ReadBack(const Written& file);

  OutputWatch& watch_;
  std::array<Tap, 2> taps_;
  std::array<Written, 2> files_;
  bool shared_ = false;  // both outputs lead into the first tap
};

}  // namespace llama::app
