#include "daemon/server/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace llama::daemon {
namespace {

constexpr size_t kReadBytes = 16 << 10;
// Of a body larger than that, which is read for itself and handed on without a copy.
constexpr size_t kBodyReadBytes = 256 << 10;
constexpr uint32_t kMaxHelloBytes = 4 << 10;
// What a command may be given on its stdin (64 MiB), and twice what the kernel lets through as
// arguments and environment.
constexpr uint32_t kMaxRequestBytes = 80 << 20;

}  // namespace

bool Connection::Read() {
  const size_t used = input_.size();
  const size_t room = head_ ? std::min(head_->body_bytes - used, kBodyReadBytes) : kReadBytes;
  if (room == 0) return true;
  input_.resize(used + room);
  ssize_t n = 0;
  do {
    n = recv(fd_.get(), input_.data() + used, room, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  const bool nothing_yet = n < 0 && errno == EAGAIN;
  input_.resize(used + (n > 0 ? static_cast<size_t>(n) : 0));
  if (input_.empty()) input_.shrink_to_fit();
  return n > 0 || nothing_yet;
}

Result<std::optional<session::Frame>> Connection::Next() {
  const uint32_t max_bytes = state == State::kGreeting ? kMaxHelloBytes : kMaxRequestBytes;
  if (!head_) {
    ASSIGN_OR_RETURN(const std::optional<session::FrameHead> head,
                     session::ReadHead(input_, max_bytes));
    if (!head || head->body_bytes <= kReadBytes) return session::TakeFrame(input_, max_bytes);
    if (input_.size() - session::kFrameHeadBytes > head->body_bytes) {
      return session::TakeFrame(input_, max_bytes);  // came at once, and the next frame with it
    }
    head_ = head;
    input_.erase(0, session::kFrameHeadBytes);
  }
  if (input_.size() < head_->body_bytes) return std::optional<session::Frame>();
  session::Frame frame{head_->type, std::move(input_)};
  input_.clear();
  head_.reset();
  return std::optional(std::move(frame));
}

bool Connection::Send(std::string frame) {
  if (has_output()) {
    output_.append(frame);
  } else {
    output_ = std::move(frame);
    written_ = 0;
  }
  return Flush();
}

bool Connection::Flush() {
  while (has_output()) {
    const ssize_t n = send(fd_.get(), output_.data() + written_, output_.size() - written_,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      written_ += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  output_ = std::string();
  written_ = 0;
  return true;
}

}  // namespace llama::daemon
