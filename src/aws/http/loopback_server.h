// LoopbackServer: a TCP server for tests of the HTTP engine, whose connections are handled by a
// function over the bare socket, so that it can misbehave in any way a server can.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/fd.h"

namespace llama::aws {

class LoopbackServer {
 public:
  // `fd` is closed when the handler returns; `number` counts connections from 0.
  using Handler = std::function<void(int fd, int number)>;

  explicit LoopbackServer(Handler handler) : handler_(std::move(handler)) {
    listener_ = Fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    listen(listener_.get(), 1024);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Accept(); });
  }

  ~LoopbackServer() {
    stopping_ = true;
    shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : handlers_) thread.join();
  }

  std::string Url(std::string_view target = "/", std::string_view scheme = "http") const {
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port_) + std::string(target);
  }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Accept() {
    while (!stopping_) {
      const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = connections_++;
      const std::lock_guard<std::mutex> lock(mutex_);
      open_.push_back(fd);
      handlers_.emplace_back([this, fd, number] {
        // A TLS server's writes know no MSG_NOSIGNAL.
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        handler_(fd, number);
        const std::lock_guard<std::mutex> closing(mutex_);
        std::erase(open_, fd);
        close(fd);
      });
    }
  }

  Handler handler_;
  Fd listener_;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> handlers_;
  std::thread thread_;
};

// Reads one request: its head and, by its Content-Length, its body. Empty at the connection's end.
inline std::string ReadRequest(int fd) {
  std::string got;
  char buffer[65536];
  while (true) {
    const size_t head = got.find("\r\n\r\n");
    if (head != std::string::npos) {
      const size_t at = got.find("Content-Length: ");
      const size_t size = at < head ? std::stoul(got.substr(at + 16)) : 0;
      if (got.size() >= head + 4 + size) return got;
    }
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return "";
    got.append(buffer, static_cast<size_t>(n));
  }
}

inline void SendBytes(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

inline std::string AnswerOf(std::string_view body, std::string_view headers = "",
                            std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Until the other side has closed.
inline void AwaitHangUp(int fd) {
  char byte;
  while (read(fd, &byte, 1) > 0) {
  }
}

// Closes with RST instead of FIN.
inline void ResetOnClose(int fd) {
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace llama::aws
