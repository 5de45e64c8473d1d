#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>

#include "aws/http/engine.h"
#include "aws/http/loopback_server.h"
#include "base/file.h"

namespace llama::aws {
namespace {

template <typename T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL, SSL_free>>;

struct Identity {
  Key key;
  Certificate certificate;
};

// Self-signed, for `name` ("IP:127.0.0.1", "DNS:other.test"), valid from now on for `valid_s`.
Identity NewIdentity(const char* name, long valid_s) {
  Identity out;
  out.key.reset(EVP_EC_gen("P-256"));
  out.certificate.reset(X509_new());
  X509* x509 = out.certificate.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -7'200);
  X509_gmtime_adj(X509_getm_notAfter(x509), valid_s);
  X509_set_pubkey(x509, out.key.get());
  X509_NAME* subject = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("llama test"), -1, -1, 0);
  X509_set_issuer_name(x509, subject);
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, nullptr, nullptr, 0);
  const std::pair<int, const char*> kExtensions[] = {{NID_basic_constraints, "CA:TRUE"},
                                                     {NID_subject_alt_name, name}};
  for (const auto& [id, value] : kExtensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(x509, out.key.get(), EVP_sha256());
  return out;
}

std::string Pem(const Identity& identity) {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, identity.certificate.get());
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  std::string out(bytes, static_cast<size_t>(size));
  BIO_free(bio);
  return out;
}

class HttpEngineTls : public testing::Test {
 protected:
  HttpEngineTls() : dir_(*TempDir::Create()) {}

  // Answers each request by its body.
  std::unique_ptr<LoopbackServer> Serve(const Identity& identity) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), identity.key.get());
    return std::make_unique<LoopbackServer>([this](int fd, int) {
      const Session ssl(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), fd);
      if (SSL_accept(ssl.get()) != 1) return;
      resumed_ += SSL_session_reused(ssl.get());
      char buffer[4096];
      int got = 0;
      while ((got = SSL_read(ssl.get(), buffer, sizeof buffer)) > 0) {
        ++requests_;
        const std::string answer = AnswerOf("over TLS", closes_ ? "Connection: close\r\n" : "");
        SSL_write(ssl.get(), answer.data(), static_cast<int>(answer.size()));
        if (closes_) break;
      }
      SSL_shutdown(ssl.get());
    });
  }

  std::unique_ptr<HttpSender> EngineThatTrusts(const std::string& pem) {
    EngineOptions options;
    options.ca_file = dir_.path() + "/ca.pem";
    EXPECT_TRUE(WriteFileAtomic(options.ca_file, pem, 0644));
    return *StartHttpEngine(options);
  }

  static HttpRequest Get(const LoopbackServer& server) {
    HttpRequest request;
    request.url = server.Url("/", "https");
    return request;
  }

  TempDir dir_;
  Context context_;
  std::atomic<int> requests_{0};
  std::atomic<int> resumed_{0};
  std::atomic<bool> closes_{false};
};

TEST_F(HttpEngineTls, SpeaksToAServerWhoseCertificateIsTrusted) {
  const Identity identity = NewIdentity("IP:127.0.0.1", 3'600);
  const auto server = Serve(identity);
  const auto engine = EngineThatTrusts(Pem(identity));
  for (int i = 0; i < 3; ++i) {
    const auto answer = engine->Send(Get(*server));
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->body, "over TLS");
  }
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(HttpEngineTls, ResumesSessionsOnNewConnections) {
  const Identity identity = NewIdentity("IP:127.0.0.1", 3'600);
  const auto server = Serve(identity);
  const auto engine = EngineThatTrusts(Pem(identity));
  closes_ = true;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(engine->Send(Get(*server)));
  EXPECT_EQ(server->connections(), 3);
  EXPECT_GE(resumed_, 1);
}

TEST_F(HttpEngineTls, RefusesCertificatesThatAreNotRight) {
  struct Case {
    const char* what;
    const char* name;
    long valid_s;
    bool trusted;
  };
  for (const Case& c : {Case{"unknown issuer", "IP:127.0.0.1", 3'600, false},
                        Case{"another name", "DNS:other.test", 3'600, true},
                        Case{"expired", "IP:127.0.0.1", -3'600, true}}) {
    const Identity identity = NewIdentity(c.name, c.valid_s);
    const Identity stranger = NewIdentity("IP:127.0.0.1", 3'600);
    const auto server = Serve(identity);
    const auto engine = EngineThatTrusts(Pem(c.trusted ? identity : stranger));
    const auto answer = engine->Send(Get(*server));
    ASSERT_FALSE(answer) << c.what;
    EXPECT_EQ(answer.error().code, Code::kInvalid) << c.what << ": " << answer.error().message;
  }
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpEngineTls, AHandshakeThatHangsOrBreaksEnds) {
  LoopbackServer silent([](int fd, int) { AwaitHangUp(fd); });
  LoopbackServer plain([](int fd, int) { SendBytes(fd, "HTTP/1.1 400 Bad Request\r\n\r\n"); });
  const Identity identity = NewIdentity("IP:127.0.0.1", 3'600);
  const auto engine = EngineThatTrusts(Pem(identity));
  HttpRequest request = Get(silent);
  request.deadlines.connect_ms = 200;
  const auto hangs = engine->Send(request);
  ASSERT_FALSE(hangs);
  EXPECT_EQ(hangs.error().code, Code::kDeadline) << hangs.error().message;
  const auto breaks = engine->Send(Get(plain));
  ASSERT_FALSE(breaks);
  EXPECT_EQ(breaks.error().code, Code::kUnavailable) << breaks.error().message;
}

}  // namespace
}  // namespace llama::aws
