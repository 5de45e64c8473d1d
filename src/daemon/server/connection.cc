#include "daemon/server/connection.h"

#include <sys/socket.h>

#include <cerrno>

namespace llama::daemon {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr uint32_t kMaxHelloBytes = 4 << 10;
// What a command may be given on its stdin (64 MiB), and twice what the kernel lets through as
// arguments and environment.
constexpr uint32_t kMaxRequestBytes = 80 << 20;

}  // namespace

bool Connection::Read() {
  const size_t used = input_.size();
  input_.resize(used + kReadBytes);
  ssize_t n = 0;
  do {
    n = recv(fd_.get(), input_.data() + used, kReadBytes, MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  const bool nothing_yet = n < 0 && errno == EAGAIN;
  input_.resize(used + (n > 0 ? static_cast<size_t>(n) : 0));
  if (input_.empty()) input_.shrink_to_fit();
  return n > 0 || nothing_yet;
}

Result<std::optional<session::Frame>> Connection::Next() {
  return session::TakeFrame(input_, state == State::kGreeting ? kMaxHelloBytes : kMaxRequestBytes);
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
