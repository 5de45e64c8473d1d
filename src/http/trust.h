// The certificates that a client trusts, of a PEM file, each read only when a chain needs it: of
// the hundred and more that a system brings along, all at once cost some 50 ms of processor, which
// is more than the rest of a worker's start.
#pragma once

#include <openssl/types.h>
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace llama::http {

// Immutable; must outlive every SSL_CTX, and every SSL of it, that AddTo was called for.
class TrustedCertificates {
 public:
  // kInvalid: unreadable, or no certificate in it.
  static Result<std::shared_ptr<const TrustedCertificates>> Read(const std::string& pem_file);

  // False: OpenSSL failed.
  bool AddTo(SSL_CTX* context) const;

 private:
  struct Free {
    void operator()(X509_LOOKUP_METHOD* method) const { X509_LOOKUP_meth_free(method); }
  };

  TrustedCertificates() = default;
  static int Find(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* subject,
                  X509_OBJECT* found);

  std::vector<std::string> der_;  // one each
  std::unique_ptr<X509_LOOKUP_METHOD, Free> method_;
};

}  // namespace llama::http
