#include "emulator/server/server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "emulator/request/lines.h"
#include "emulator/server/connection.h"
#include "http/tls.h"

namespace llama::emulator {
namespace {

constexpr int64_t kDrainMs = 5'000;
constexpr int kHandshakeMs = 10'000;

Result<Fd> NewEvent() {
  Fd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd.valid()) return ErrnoError(errno, "eventfd");
  return fd;
}

void Raise(int fd) {
  const uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);
}

struct AddressCloser {
  void operator()(addrinfo* info) const { freeaddrinfo(info); }
};

Result<Fd> ListenOn(const std::string& address, uint16_t port, int backlog) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string where = address + ":" + std::to_string(port);
  if (const int failed = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
      failed != 0) {
    return Error{Code::kInvalid, where + ": " + gai_strerror(failed)};
  }
  const std::unique_ptr<addrinfo, AddressCloser> info(found);
  Fd fd(socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, where);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd.get(), info->ai_addr, info->ai_addrlen) != 0 || listen(fd.get(), backlog) != 0) {
    return ErrnoError(errno, where);
  }
  return fd;
}

Result<uint16_t> PortOf(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return ErrnoError(errno, "getsockname");
  }
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

std::string Peer(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(),
                  port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return std::string(host.data()) + ":" + port.data();
}

}  // namespace

struct Server::Tls {
  std::shared_ptr<const http::TlsContext> context;
};

Server::Server(ServerOptions options, Handler& handler, Model* model, RequestLog* log,
               const Clock& clock)
    : options_(std::move(options)),
      handler_(handler),
      log_(log),
      clock_(clock),
      room_(options_.body_room_bytes) {
  if (model != nullptr) lines_ = std::make_unique<Lines>(*model);
}

Server::~Server() {
  Stop();
  if (stop_fd_.valid()) Raise(stop_fd_.get());
  const MutexLock lock(mutex_);
  while (connections_ > 0) ended_.Wait(mutex_);
}

Result<std::unique_ptr<Server>> Server::Listen(const ServerOptions& options, Handler& handler,
                                               Model* model, RequestLog* log, const Clock& clock) {
  std::unique_ptr<Server> server(new Server(options, handler, model, log, clock));
  TRY(server->Open());
  return server;
}

Result<void> Server::Open() {
  ASSIGN_OR_RETURN(drain_fd_, NewEvent());
  ASSIGN_OR_RETURN(stop_fd_, NewEvent());
  if (!options_.certificate_file.empty()) {
    tls_ = std::make_unique<Tls>();
    ASSIGN_OR_RETURN(tls_->context,
                     http::TlsContext::ForServers(options_.certificate_file, options_.key_file));
  }
  ASSIGN_OR_RETURN(listener_, ListenOn(options_.address, options_.port, options_.max_connections));
  // A line of limited bandwidth is to be felt by who writes to it, not swallowed by the kernel.
  if (lines_ != nullptr && lines_->IsLimited(Direction::kUp)) {
    const int buffer = 64 << 10;
    setsockopt(listener_.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  }
  ASSIGN_OR_RETURN(port_, PortOf(listener_.get()));
  return {};
}

void Server::Stop() {
  if (drain_fd_.valid()) Raise(drain_fd_.get());
}

void Server::Run() {
  while (true) {
    std::array<pollfd, 2> waiting = {{{listener_.get(), POLLIN, 0}, {drain_fd_.get(), POLLIN, 0}}};
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
    if (waiting[1].revents != 0) break;
    if (waiting[0].revents != 0) Accept();
  }
  listener_.Reset();
  const int64_t end_ns = clock_.MonotonicNs() + kDrainMs * 1'000'000;
  {
    const MutexLock lock(mutex_);
    while (connections_ > 0 && clock_.MonotonicNs() < end_ns) ended_.WaitFor(mutex_, 100);
  }
  Raise(stop_fd_.get());
}

void Server::Accept() {
  {
    // More than that wait in the kernel's queue until a connection ends.
    const MutexLock lock(mutex_);
    if (connections_ >= options_.max_connections) {
      ended_.WaitFor(mutex_, 50);
      return;
    }
  }
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Fd socket(accept4(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                    SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket.valid()) {
    // Out of descriptors: wait for one to come free rather than spin.
    if (errno == EMFILE || errno == ENFILE) poll(nullptr, 0, 20);
    return;
  }
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  {
    const MutexLock lock(mutex_);
    ++connections_;
  }
  auto serve = [this, socket = std::make_shared<Fd>(std::move(socket)),
                peer = Peer(address, size)]() mutable {
    Serve(std::move(*socket), std::move(peer));
    // Notified under the lock: with it released the server may be gone.
    const MutexLock lock(mutex_);
    --connections_;
    ended_.NotifyAll();
  };
  // std::thread throws where pthread_create fails; a connection is dropped then, not the server.
  try {
    std::thread(std::move(serve)).detach();
  } catch (const std::system_error& error) {
    LOG(kWarning, std::string("no thread for a connection: ") + error.what());
    const MutexLock lock(mutex_);
    --connections_;
  }
}

void Server::Serve(Fd socket, std::string peer) {
  const Connection::World world = {options_, handler_, lines_.get(),    log_,          room_,
                                   clock_,   next_id_, drain_fd_.get(), stop_fd_.get()};
  if (tls_ == nullptr) {
    Connection(world, http::Stream(std::move(socket), clock_), std::move(peer)).Run();
    return;
  }
  http::Wait wait;
  wait.deadline_ns = clock_.MonotonicNs() + int64_t{kHandshakeMs} * 1'000'000;
  wait.stop_fd = stop_fd_.get();
  Result<http::Stream> stream = tls_->context->Accept(std::move(socket), clock_, wait);
  if (!stream) {
    LOG(kInfo, peer + ": " + stream.error().message);
    return;
  }
  Connection(world, std::move(*stream), std::move(peer)).Run();
}

}  // namespace llama::emulator
