// A note, in the daemon's folder, that the daemon was seen to hang (stopped, or swapped out): it
// took a connection and said nothing for as long as one is willing to wait. Who comes next reads
// the note instead of waiting as long again.
//
// The file holds the monotonic time at which that was seen. It goes when the daemon is seen to
// serve again: by the daemon itself, which removes it about once a second, or by the one process
// that, when the note is old, tries again (and holds a lock on it meanwhile).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace llama::client {

class HungNote {
 public:
  explicit HungNote(const std::string& run_dir);

  enum class Advice : unsigned char {
    kAsk,    // nothing is known against it
    kProbe,  // this process alone is to try, and to Write or Remove the note afterwards
    kLeave,  // it hangs, or another process is trying
  };
  Advice Read(int64_t hold_ms);
  // Whether there is a note of not long ago.
  bool IsFresh(int64_t hold_ms) const;
  void Write() const;
  void Remove() const;

 private:
  const std::string path_;
  Fd probe_;  // locked while this process tries
};

// The time that the file at `fd` was last given by WriteMonotonicTime, if that was less than
// `hold_ms` ago. A time to come is another boot's.
bool IsRecent(int fd, int64_t hold_ms);
// A line of words about it may follow, which WordAt gives back.
void WriteMonotonicTime(int fd, std::string_view word = "");
std::string WordAt(int fd);

}  // namespace llama::client
