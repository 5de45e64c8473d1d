#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <utility>

#include "http/trust.h"

namespace llama::http {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
  void operator()(BIO_METHOD* method) const { BIO_meth_free(method); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, Free>;
using SessionPtr = std::unique_ptr<SSL, Free>;
using MethodPtr = std::unique_ptr<BIO_METHOD, Free>;

// The last thing that OpenSSL complained of, which is taken off its list.
std::string Complaint() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "the connection broke off";
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "error " + std::to_string(code);
}

int SocketOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

// OpenSSL's own socket BIO needs O_NONBLOCK and raises SIGPIPE; this one passes flags instead.
int BioWrite(BIO* bio, const char* bytes, int size) {
  const ssize_t n =
      send(SocketOf(bio), bytes, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int BioRead(BIO* bio, char* to, int size) {
  const ssize_t n = recv(SocketOf(bio), to, static_cast<size_t>(size), MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}

long BioControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return 0;
}

MethodPtr NewBioMethod() {
  MethodPtr method(BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "llama socket"));
  if (!method) return method;
  BIO_meth_set_write(method.get(), BioWrite);
  BIO_meth_set_read(method.get(), BioRead);
  BIO_meth_set_ctrl(method.get(), BioControl);
  return method;
}

// What OpenSSL's objects point to without owning it: it must outlive them.
struct Foundation {
  MethodPtr bio_method = NewBioMethod();
  std::shared_ptr<const TrustedCertificates> trusted;  // of clients
};
using FoundationPtr = std::shared_ptr<const Foundation>;

class TlsChannel final : public Channel {
 public:
  TlsChannel(Fd socket, SessionPtr session, FoundationPtr foundation)
      : socket_(std::move(socket)),
        foundation_(std::move(foundation)),
        session_(std::move(session)) {}

  // Tells the other side that the stream is whole, if that can be done without waiting.
  ~TlsChannel() override {
    if (!broken_) SSL_shutdown(session_.get());
    ERR_clear_error();
  }

  Moved Handshake() { return Step(SSL_do_handshake(session_.get())); }

  Moved Receive(char* to, size_t size) override {
    return Step(SSL_read(session_.get(), to, Bounded(size)));
  }

  Moved Send(std::string_view bytes) override {
    return Step(SSL_write(session_.get(), bytes.data(), Bounded(bytes.size())));
  }

  bool HasBuffered() const override { return SSL_has_pending(session_.get()) != 0; }
  int fd() const override { return socket_.get(); }

 private:
  static int Bounded(size_t size) { return static_cast<int>(std::min<size_t>(size, INT_MAX)); }

  Moved Step(int n) {
    if (n > 0) return {static_cast<size_t>(n), 0, std::nullopt};
    switch (SSL_get_error(session_.get(), n)) {
      case SSL_ERROR_WANT_READ:
        return {0, POLLIN, std::nullopt};
      case SSL_ERROR_WANT_WRITE:
        return {0, POLLOUT, std::nullopt};
      case SSL_ERROR_ZERO_RETURN:
        return {0, 0, Error{Code::kNotFound, "HTTP: connection closed"}};
      default:
        broken_ = true;
        return {0, 0, Failure()};
    }
  }

  Error Failure() const {
    const long verified = SSL_get_verify_result(session_.get());
    if (SSL_is_init_finished(session_.get()) == 0 && verified != X509_V_OK) {
      ERR_clear_error();
      return {Code::kInvalid,
              std::string("TLS: certificate: ") + X509_verify_cert_error_string(verified)};
    }
    return {Code::kUnavailable, "TLS: " + Complaint()};
  }

  const Fd socket_;
  const FoundationPtr foundation_;
  const SessionPtr session_;
  bool broken_ = false;  // nothing may be sent any more
};

bool IsIpAddress(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

// What the other side's certificate must be for.
bool ExpectHost(SSL* session, const std::string& host) {
  if (IsIpAddress(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  }
  return !host.empty() && SSL_set1_host(session, host.c_str()) == 1 &&
         // SSL_set_tlsext_host_name, without the cast that its macro makes.
         SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  std::string(host).data()) == 1;
}

class OpenSslContext final : public TlsContext {
 public:
  OpenSslContext(ContextPtr context, FoundationPtr foundation)
      : foundation_(std::move(foundation)), context_(std::move(context)) {}

  Result<Stream> Connect(Fd socket, const std::string& host, const Clock& clock,
                         const Wait& wait) const override {
    SessionPtr session(SSL_new(context_.get()));
    if (!session || !ExpectHost(session.get(), host)) {
      return Error{Code::kInvalid, "TLS: " + host + ": " + Complaint()};
    }
    SSL_set_connect_state(session.get());
    Result<Stream> stream = Handshake(std::move(socket), std::move(session), clock, wait);
    if (!stream) return std::move(stream).error().With(host);
    return stream;
  }

  Result<Stream> Accept(Fd socket, const Clock& clock, const Wait& wait) const override {
    SessionPtr session(SSL_new(context_.get()));
    if (!session) return Error{Code::kInternal, "TLS: " + Complaint()};
    SSL_set_accept_state(session.get());
    return Handshake(std::move(socket), std::move(session), clock, wait);
  }

 private:
  Result<Stream> Handshake(Fd socket, SessionPtr session, const Clock& clock,
                           const Wait& wait) const {
    BIO* bio = BIO_new(foundation_->bio_method.get());
    if (bio == nullptr) return Error{Code::kInternal, "TLS: " + Complaint()};
    BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(socket.get())));
    BIO_set_init(bio, 1);
    SSL_set_bio(session.get(), bio, bio);
    auto channel = std::make_unique<TlsChannel>(std::move(socket), std::move(session), foundation_);
    while (true) {
      Channel::Moved moved = channel->Handshake();
      if (moved.error && moved.error->code != Code::kNotFound) return *std::move(moved.error);
      if (moved.error) return Error{Code::kUnavailable, "TLS: the other side hung up"};
      if (moved.bytes > 0) return Stream(std::move(channel), clock);
      TRY(WaitUntilReady(channel->fd(), moved.wait_for, wait, clock));
    }
  }

  const FoundationPtr foundation_;
  const ContextPtr context_;
};

Result<ContextPtr> NewContext(const SSL_METHOD* method) {
  // A static program must not have a configuration file tell it to load shared objects.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1) {
    return Error{Code::kInternal, "TLS: " + Complaint()};
  }
  // A writer goes on with what is left of its bytes, wherever they lie by then.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Result<std::shared_ptr<const TlsContext>> Share(
    ContextPtr context, std::shared_ptr<const TrustedCertificates> trusted = nullptr) {
  auto foundation = std::make_shared<Foundation>();
  if (!foundation->bio_method) return Error{Code::kInternal, "TLS: " + Complaint()};
  foundation->trusted = std::move(trusted);
  return std::shared_ptr<const TlsContext>(
      std::make_shared<OpenSslContext>(std::move(context), std::move(foundation)));
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::ForClients(const std::string& ca_file) {
  ASSIGN_OR_RETURN(ContextPtr context, NewContext(TLS_client_method()));
  ASSIGN_OR_RETURN(std::shared_ptr<const TrustedCertificates> trusted,
                   TrustedCertificates::Read(ca_file));
  if (!trusted->AddTo(context.get())) return Error{Code::kInternal, "TLS: " + Complaint()};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return Share(std::move(context), std::move(trusted));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::ForServers(
    const std::string& certificate_file, const std::string& key_file) {
  ASSIGN_OR_RETURN(ContextPtr context, NewContext(TLS_server_method()));
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return Error{Code::kInvalid, certificate_file + ": no certificate: " + Complaint()};
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Error{Code::kInvalid, key_file + ": not the certificate's key: " + Complaint()};
  }
  return Share(std::move(context));
}

}  // namespace llama::http
