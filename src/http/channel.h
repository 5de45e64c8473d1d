// Channel: the bytes below a stream: a connected socket, plain or with TLS over it (http/tls.h).
// It never waits: what would wait says for what. Used by one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace llama::http {

class Channel {
 public:
  struct Moved {
    size_t bytes = 0;    // > 0: done, perhaps in part
    short wait_for = 0;  // POLLIN or POLLOUT: try again when the socket is ready for that
    // kNotFound: the other side ended the stream in order; kUnavailable: it broke off.
    std::optional<Error> error;
  };

  virtual ~Channel() = default;
  virtual Moved Receive(char* to, size_t size) = 0;
  virtual Moved Send(std::string_view bytes) = 0;
  // Whether bytes are waiting that poll() does not see, because they were read already.
  virtual bool HasBuffered() const = 0;
  virtual int fd() const = 0;
};

std::unique_ptr<Channel> NewSocketChannel(Fd socket);

}  // namespace llama::http
