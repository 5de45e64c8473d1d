#include "emulator/server/certificate.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>

#include "base/file.h"

namespace llama::emulator {
namespace {

constexpr long kValidS = 10L * 365 * 24 * 3600;

struct Closer {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(BIO* bio) const { BIO_free(bio); }
};
template <typename T>
using Owned = std::unique_ptr<T, Closer>;

Error Failed(const char* what) {
  return Error{Code::kInternal, std::string("certificate: ") + what + " failed"};
}

Result<void> AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Failed(OBJ_nid2sn(nid));
  }
  return {};
}

Result<void> SetSubject(X509* certificate, EVP_PKEY* key) {
  uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) {
    return Failed("RAND_bytes");
  }
  X509_set_version(certificate, 2);
  // A browser or a client that has seen an older one must not take it for that.
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), kValidS);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("llama emulator");
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) != 1 ||
      X509_set_issuer_name(certificate, name) != 1) {
    return Failed("naming it");
  }
  return {};
}

Result<std::string> PemText(BIO* bio, bool written) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  if (!written || size <= 0) return Failed("writing PEM");
  return std::string(text, static_cast<size_t>(size));
}

}  // namespace

Result<void> MakeCertificate(const std::string& certificate_file, const std::string& key_file,
                             const std::string& address) {
  if (ReadFile(certificate_file) && ReadFile(key_file)) return {};
  const Owned<EVP_PKEY> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const Owned<X509> certificate(X509_new());
  if (!key || !certificate) return Failed("making a key");
  TRY(SetSubject(certificate.get(), key.get()));
  std::string names = "DNS:localhost,DNS:*.localhost,DNS:*.s3.localhost,IP:127.0.0.1,IP:::1";
  if (address != "127.0.0.1" && address != "::1") names += ",IP:" + address;
  TRY(AddExtension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE"));
  TRY(AddExtension(certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign"));
  TRY(AddExtension(certificate.get(), NID_ext_key_usage, "serverAuth"));
  TRY(AddExtension(certificate.get(), NID_subject_key_identifier, "hash"));
  TRY(AddExtension(certificate.get(), NID_subject_alt_name, names));
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0) return Failed("signing it");

  const Owned<BIO> key_bio(BIO_new(BIO_s_mem()));
  const Owned<BIO> certificate_bio(BIO_new(BIO_s_mem()));
  if (!key_bio || !certificate_bio) return Failed("BIO_new");
  const bool wrote_key = PEM_write_bio_PrivateKey(key_bio.get(), key.get(), nullptr, nullptr, 0,
                                                  nullptr, nullptr) == 1;
  ASSIGN_OR_RETURN(const std::string key_pem, PemText(key_bio.get(), wrote_key));
  const bool wrote = PEM_write_bio_X509(certificate_bio.get(), certificate.get()) == 1;
  ASSIGN_OR_RETURN(const std::string pem, PemText(certificate_bio.get(), wrote));
  TRY(WriteFileAtomic(key_file, key_pem, 0600));
  return WriteFileAtomic(certificate_file, pem, 0644);
}

}  // namespace llama::emulator
