// Connecting to a service, and listening as one.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "http/resolve.h"
#include "http/wait.h"

namespace llama::http {

// A TCP connection (TCP_NODELAY, close-on-exec, non-blocking) to the first of the host's addresses
// that takes one. kUnavailable: none does, with the last one's reason; kNotFound: no such host;
// kDeadline, kCancelled.
Result<Fd> Dial(const std::string& host, uint16_t port, const Clock& clock, const Wait& wait,
                const ResolverOptions& resolver = {});

struct Listener {
  Fd fd;  // non-blocking, close-on-exec
  uint16_t port = 0;
};

// At an IP address or "localhost" (IPv4); port 0: one that is free. kInvalid: not an address;
// kUnavailable: taken.
Result<Listener> Listen(const std::string& host, uint16_t port);

// The next connection, non-blocking and TCP_NODELAY. kUnavailable: no descriptors left, or the
// other side gave up already: try again.
Result<Fd> AcceptNext(const Listener& listener, const Clock& clock, const Wait& wait);

}  // namespace llama::http
