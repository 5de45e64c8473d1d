#include "http/dial.h"

#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>

namespace llama::http {
namespace {

constexpr int kBacklog = 1024;

void SendAtOnce(const Fd& fd) {
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<Fd> NewSocket(int family) {
  Fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return ErrnoError(errno, "socket");
  SendAtOnce(fd);
  return fd;
}

Result<Fd> ConnectTo(const Address& address, const std::string& name, const Clock& clock,
                     const Wait& wait) {
  ASSIGN_OR_RETURN(Fd fd, NewSocket(address.family()));
  const auto failed = [&](int err) {
    return Error{Code::kUnavailable, ErrnoError(err, "connect " + name).message};
  };
  if (connect(fd.get(), address.get(), address.size) == 0) return fd;
  if (errno != EINPROGRESS && errno != EINTR) return failed(errno);
  if (Result<void> ready = WaitUntilReady(fd.get(), POLLOUT, wait, clock); !ready) {
    return std::move(ready).error().With("connect " + name);
  }
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return failed(error);
  return fd;
}

}  // namespace

Result<Fd> Dial(const std::string& host, uint16_t port, const Clock& clock, const Wait& wait,
                const ResolverOptions& resolver) {
  ASSIGN_OR_RETURN(const std::vector<Address> addresses, Resolve(host, port, resolver));
  const std::string name = host + ":" + std::to_string(port);
  Error last{Code::kNotFound, name + ": no address"};
  for (size_t i = 0; i < addresses.size(); ++i) {
    // One that swallows packets must leave time for the others.
    Wait part = wait;
    if (wait.deadline_ns != 0) {
      const int64_t now_ns = clock.MonotonicNs();
      part.deadline_ns =
          now_ns + (wait.deadline_ns - now_ns) / static_cast<int64_t>(addresses.size() - i);
    }
    Result<Fd> fd = ConnectTo(addresses[i], name, clock, part);
    if (fd || fd.error().code == Code::kCancelled) return fd;
    last = std::move(fd).error();
  }
  return last;
}

Result<Listener> Listen(const std::string& host, uint16_t port) {
  const std::string name = host + ":" + std::to_string(port);
  const auto address = ParseAddress(host == "localhost" ? "127.0.0.1" : host, port);
  if (!address) return Error{Code::kInvalid, name + ": not an IP address"};
  Listener listener;
  ASSIGN_OR_RETURN(listener.fd, NewSocket(address->family()));
  const int on = 1;
  setsockopt(listener.fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener.fd.get(), address->get(), address->size) != 0 ||
      listen(listener.fd.get(), kBacklog) != 0) {
    const Code code = errno == EADDRINUSE ? Code::kUnavailable : Code::kInvalid;
    return Error{code, ErrnoError(errno, "listen at " + name).message};
  }
  Address bound;
  bound.size = sizeof bound.storage;
  if (getsockname(listener.fd.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) !=
      0) {
    return ErrnoError(errno, "getsockname");
  }
  // sin_port and sin6_port are at the same place.
  listener.port = ntohs(reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port);
  return listener;
}

Result<Fd> AcceptNext(const Listener& listener, const Clock& clock, const Wait& wait) {
  while (true) {
    Fd fd(accept4(listener.fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd.valid()) {
      SendAtOnce(fd);
      return fd;
    }
    if (errno != EAGAIN && errno != EINTR) {
      return Error{Code::kUnavailable, ErrnoError(errno, "accept").message};
    }
    TRY(WaitUntilReady(listener.fd.get(), POLLIN, wait, clock));
  }
}

}  // namespace llama::http
