#include "http/trust.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string_view>

#include "base/file.h"

namespace llama::http {
namespace {

constexpr uint64_t kMaxFileBytes = 16 << 20;
constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using CertificatePtr = std::unique_ptr<X509, FreeX509>;

struct FreeDecoder {
  void operator()(EVP_ENCODE_CTX* decoder) const { EVP_ENCODE_CTX_free(decoder); }
};

// Empty: not base64.
std::string FromBase64(std::string_view text) {
  const std::unique_ptr<EVP_ENCODE_CTX, FreeDecoder> decoder(EVP_ENCODE_CTX_new());
  std::string bytes(text.size(), '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  int size = 0, rest = 0;
  EVP_DecodeInit(decoder.get());
  if (EVP_DecodeUpdate(decoder.get(), to, &size,
                       reinterpret_cast<const unsigned char*>(text.data()),
                       static_cast<int>(text.size())) < 0 ||
      EVP_DecodeFinal(decoder.get(), to + size, &rest) < 0) {
    return "";
  }
  bytes.resize(static_cast<size_t>(size + rest));
  return bytes;
}

std::vector<std::string> CertificatesOf(std::string_view pem) {
  std::vector<std::string> certificates;
  while (true) {
    const size_t begin = pem.find(kBegin);
    const size_t end = begin == std::string_view::npos ? begin : pem.find(kEnd, begin);
    if (end == std::string_view::npos) return certificates;
    const size_t start = begin + kBegin.size();
    std::string der = FromBase64(pem.substr(start, end - start));
    if (!der.empty()) certificates.push_back(std::move(der));
    pem.remove_prefix(end + kEnd.size());
  }
}

std::string NameBytes(const X509_NAME* name) {
  const int size = i2d_X509_NAME(name, nullptr);
  if (size <= 0) return "";
  std::string bytes(static_cast<size_t>(size), '\0');
  auto* to = reinterpret_cast<unsigned char*>(bytes.data());
  i2d_X509_NAME(name, &to);
  return bytes;
}

CertificatePtr Parse(const std::string& der) {
  const auto* from = reinterpret_cast<const unsigned char*>(der.data());
  return CertificatePtr(d2i_X509(nullptr, &from, static_cast<long>(der.size())));
}

}  // namespace

Result<std::shared_ptr<const TrustedCertificates>> TrustedCertificates::Read(
    const std::string& pem_file) {
  const Result<std::string> pem = ReadFile(pem_file, kMaxFileBytes);
  if (!pem) return Error{Code::kInvalid, pem.error().message};
  const std::shared_ptr<TrustedCertificates> trusted(new TrustedCertificates());
  trusted->der_ = CertificatesOf(*pem);
  if (trusted->der_.empty()) return Error{Code::kInvalid, pem_file + ": no CA certificates in it"};
  trusted->method_.reset(X509_LOOKUP_meth_new("certificates on demand"));
  if (!trusted->method_) return Error{Code::kInternal, "TLS: out of memory"};
  X509_LOOKUP_meth_set_get_by_subject(
      trusted->method_.get(),
      [](X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* subject, X509_OBJECT* found) {
        return Find(lookup, type, subject, found);
      });
  return std::shared_ptr<const TrustedCertificates>(trusted);
}

bool TrustedCertificates::AddTo(SSL_CTX* context) const {
  X509_LOOKUP* lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(context), method_.get());
  if (lookup == nullptr) return false;
  return X509_LOOKUP_set_method_data(lookup, const_cast<TrustedCertificates*>(this)) == 1;
}

// As OpenSSL's own lookup in a directory does: what is found goes into the store and is taken out
// of it again, since another thread may have been faster.
int TrustedCertificates::Find(X509_LOOKUP* lookup, X509_LOOKUP_TYPE type, const X509_NAME* subject,
                              X509_OBJECT* found) {
  if (type != X509_LU_X509) return 0;
  const auto* self = static_cast<const TrustedCertificates*>(X509_LOOKUP_get_method_data(lookup));
  X509_STORE* store = X509_LOOKUP_get_store(lookup);
  const std::string name = NameBytes(subject);
  if (name.empty()) return 0;
  for (const std::string& der : self->der_) {
    // Its subject or its issuer: the bytes that are looked for are somewhere in it.
    if (der.find(name) == std::string::npos) continue;
    const CertificatePtr certificate = Parse(der);
    if (certificate && X509_NAME_cmp(X509_get_subject_name(certificate.get()), subject) == 0) {
      X509_STORE_add_cert(store, certificate.get());
    }
  }
  X509_STORE_lock(store);
  X509_OBJECT* kept =
      X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, subject);
  X509* certificate = kept == nullptr ? nullptr : X509_OBJECT_get0_X509(kept);
  const bool is_set = certificate != nullptr && X509_OBJECT_set1_X509(found, certificate) == 1;
  // The caller takes a reference of its own to what `found` names, and never gives up this one; the
  // store keeps the certificate as long as it lives.
  if (is_set) X509_free(certificate);
  X509_STORE_unlock(store);
  return is_set ? 1 : 0;
}

}  // namespace llama::http
