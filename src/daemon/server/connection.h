// One wrapper's or one `llama`'s connection as the server's loop sees it: a non-blocking socket
// with what was read and is not yet a whole frame, what is yet to be written, and where in the
// session it is (session/session.h). The loop owns it; nothing here blocks.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "daemon/server/job.h"
#include "session/session.h"

namespace llama::daemon {

// A job while it is somebody's: the connection's, and of the job thread while it runs there.
struct RunningJob {
  std::unique_ptr<Job> job;  // set by the job thread; the loop's again when Run has returned
  std::atomic<bool> cancelled{false};
};

class Connection {
 public:
  enum class State : unsigned char {
    kGreeting,   // Hello is awaited
    kWelcomed,   // a request is awaited
    kRunning,    // its compile is on a job thread, or queued for one
    kWaiting,    // a local verdict: queued for a slot
    kLocal,      // holds a slot
    kDelivered,  // has its Result; Done or the hang-up is awaited
    kServed,     // another request of it is being answered
    kStopping,   // asked for the daemon's end and waits for it
    kRefused,    // closed as soon as all is written
  };

  Connection(Fd fd, int64_t now_ns) : since_ns(now_ns), fd_(std::move(fd)) {}

  // The loop's notes.
  State state = State::kGreeting;
  bool observer = false;    // may only ask for the status or the end
  bool is_scraper = false;  // speaks HTTP: one request, one answer
  bool has_ended = false;   // says no more
  uint32_t watched_events = EPOLLIN;
  int64_t since_ns;          // monotonic, of the accept
  int64_t last_sent_ns = 0;  // monotonic, for keep-alives
  std::shared_ptr<RunningJob> running;
  std::optional<session::Done> done;
  std::string build_id;  // begun on it and not ended; empty: none
  std::string pending;   // kWaiting: RunLocally, to be sent with the slot

  int fd() const { return fd_.get(); }

  // What was read and is no whole frame.
  std::string_view unread() const { return input_; }
  // Reads once what is there. False at the end of the stream or on an error.
  bool Read();
  // The next whole frame; kInvalid for one that is malformed or too long for the state.
  Result<std::optional<session::Frame>> Next();

  // Queues a frame (made by wire::EncodeFrame) and writes what goes. False on an error.
  bool Send(std::string frame);
  bool Flush();
  bool has_output() const { return written_ < output_.size(); }

 private:
  Fd fd_;
  std::string input_;                       // of a large frame: its body alone
  std::optional<session::FrameHead> head_;  // a large frame's that is under way
  std::string output_;
  size_t written_ = 0;
};

}  // namespace llama::daemon
