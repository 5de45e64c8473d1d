// TLS for streams, either side, by OpenSSL: TLS 1.2 and later.
//
// A client verifies the other side's certificate, for a name or an IP address, against the CA
// certificates of one file; there is no way to leave that out. OpenSSL is not touched (nor its
// configuration read) before the first context is made: a worker that needs none starts faster.
//
// A context is immutable and may be shared by threads.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "http/stream.h"
#include "http/wait.h"

namespace llama::http {

class TlsContext {
 public:
  // Certificates that are trusted, PEM. kInvalid: unreadable, or none in it.
  static Result<std::shared_ptr<const TlsContext>> ForClients(const std::string& ca_file);
  // A certificate (chain) and its key, PEM.
  static Result<std::shared_ptr<const TlsContext>> ForServers(const std::string& certificate_file,
                                                              const std::string& key_file);
  virtual ~TlsContext() = default;

  // Handshakes over a connected socket. kInvalid: the certificate is not to be trusted, or not for
  // `host`; kUnavailable: the other side broke off or talks something else; kDeadline, kCancelled.
  // The stream does not need the context any more.
  virtual Result<Stream> Connect(Fd socket, const std::string& host, const Clock& clock,
                                 const Wait& wait) const = 0;
  virtual Result<Stream> Accept(Fd socket, const Clock& clock, const Wait& wait) const = 0;
};

}  // namespace llama::http
