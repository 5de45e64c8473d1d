// Certificates for tests of TLS, made on the spot: an authority, and what it signs.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <string>

namespace llama::http {

class TestAuthority {
 public:
  // Its own certificate is `dir`/ca.pem.
  explicit TestAuthority(const std::string& dir) : dir_(dir), key_(NewKey()) {
    certificate_ = Sign("Test Authority", "", key_.get(), 3600, Issuer::kItself);
    Write(dir_ + "/ca.pem", certificate_.get(), nullptr);
  }

  std::string ca_file() const { return dir_ + "/ca.pem"; }

  struct Files {
    std::string certificate;
    std::string key;
  };
  // For `names`, as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1". Negative: expired.
  Files Issue(const std::string& names, long valid_s = 3600) {
    return MakeFiles(names, valid_s, Issuer::kAuthority);
  }
  // One that nobody vouches for but itself.
  Files SelfSigned(const std::string& names) { return MakeFiles(names, 3600, Issuer::kItself); }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  };
  using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
  using CertificatePtr = std::unique_ptr<X509, Free>;

  enum class Issuer : unsigned char { kItself, kAuthority };

  Files MakeFiles(const std::string& names, long valid_s, Issuer by) {
    const std::string stem = dir_ + "/" + std::to_string(++issued_);
    const KeyPtr key = NewKey();
    const CertificatePtr certificate = Sign("Test Server", names, key.get(), valid_s, by);
    Write(stem + ".pem", certificate.get(), nullptr);
    Write(stem + ".key", nullptr, key.get());
    return {stem + ".pem", stem + ".key"};
  }

  static KeyPtr NewKey() { return KeyPtr(EVP_EC_gen("P-256")); }

  CertificatePtr Sign(const std::string& subject, const std::string& names, EVP_PKEY* key,
                      long valid_s, Issuer by) {
    CertificatePtr certificate(X509_new());
    X509* x = certificate.get();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(x), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x), valid_s);
    X509_set_pubkey(x, key);
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1, 0);
    X509* issuer = by == Issuer::kAuthority ? certificate_.get() : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    if (names.empty()) {
      Extend(x, issuer, NID_basic_constraints, "critical,CA:TRUE");
    } else {
      Extend(x, issuer, NID_subject_alt_name, names);
    }
    X509_sign(x, by == Issuer::kAuthority ? key_.get() : key, EVP_sha256());
    return certificate;
  }

  static void Extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    X509_add_ext(certificate, extension.get(), -1);
  }

  static void Write(const std::string& path, X509* certificate, EVP_PKEY* key) {
    FILE* file = std::fopen(path.c_str(), "w");
    if (certificate != nullptr) PEM_write_X509(file, certificate);
    if (key != nullptr) PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
  }

  const std::string dir_;
  const KeyPtr key_;
  CertificatePtr certificate_;
  long serial_ = 0;
  int issued_ = 0;
};

}  // namespace llama::http
