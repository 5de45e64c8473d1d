#include "http/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace llama::http {
namespace {

class SocketChannel final : public Channel {
 public:
  explicit SocketChannel(Fd socket) : socket_(std::move(socket)) {}

  Moved Receive(char* to, size_t size) override {
    while (true) {
      const ssize_t n = recv(socket_.get(), to, size, MSG_DONTWAIT);
      if (n > 0) return {static_cast<size_t>(n), 0, std::nullopt};
      if (n == 0) return {0, 0, Error{Code::kNotFound, "HTTP: connection closed"}};
      if (errno == EAGAIN) return {0, POLLIN, std::nullopt};
      if (errno != EINTR) return {0, 0, Broken("receive")};
    }
  }

  Moved Send(std::string_view bytes) override {
    while (true) {
      const ssize_t n =
          send(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n > 0) return {static_cast<size_t>(n), 0, std::nullopt};
      if (n < 0 && errno == EAGAIN) return {0, POLLOUT, std::nullopt};
      if (n == 0 || errno != EINTR) return {0, 0, Broken("send")};
    }
  }

  bool HasBuffered() const override { return false; }
  int fd() const override { return socket_.get(); }

 private:
  static Error Broken(std::string_view what) {
    return Error{Code::kUnavailable, "HTTP: " + ErrnoError(errno, what).message};
  }

  const Fd socket_;
};

}  // namespace

std::unique_ptr<Channel> NewSocketChannel(Fd socket) {
  return std::make_unique<SocketChannel>(std::move(socket));
}

}  // namespace llama::http
