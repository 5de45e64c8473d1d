#include "emulator/emulator.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "emulator/admin.h"
#include "emulator/emulator_files.h"
#include "emulator/iam/front.h"
#include "emulator/iam/logs_front.h"
#include "emulator/lambda/front.h"
#include "emulator/s3/front.h"
#include "emulator/s3/storage.h"
#include "emulator/server/certificate.h"
#include "emulator/server/server.h"

namespace llama::emulator {
namespace {

std::string Endpoint(const EmulatorOptions& options, uint16_t port) {
  std::string host = options.address;
  if (host == "0.0.0.0" || host == "::") host = "127.0.0.1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return (options.tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

}  // namespace

Result<std::unique_ptr<Emulator>> Emulator::Start(const EmulatorOptions& options,
                                                  const Clock& clock) {
  std::unique_ptr<Emulator> emulator(new Emulator(options, clock));
  TRY(emulator->Open());
  return emulator;
}

Emulator::Emulator(const EmulatorOptions& options, const Clock& clock)
    : options_(options), clock_(clock), model_(options.model), authority_(options.region, clock) {}

Emulator::~Emulator() {
  if (lambda_) lambda_->Stop();
}

void Emulator::Run() { server_->Run(); }

void Emulator::Stop() {
  lambda_->Stop();
  server_->Stop();
}

uint16_t Emulator::port() const { return server_->port(); }

std::string Emulator::endpoint() const { return Endpoint(options_, server_->port()); }

std::string Emulator::ca_file() const { return options_.tls ? certificate_file_ : ""; }

std::string Emulator::confinement() const { return lambda_->Confinement(); }

Result<void> Emulator::Open() {
  TRY(MakeDirs(options_.dir, 0700));
  TRY(TakeLock());
  TRY(log_.Open(options_.dir + "/requests.ndjson"));
  TRY(LoadKeys());
  ASSIGN_OR_RETURN(s3_storage_, S3Storage::Open(options_.dir + "/s3", clock_));
  s3_ = std::make_unique<S3Front>(*s3_storage_, authority_, model_, options_.max_object_bytes);
  TRY(Listen());
  TRY(OpenLambda());
  router_.Add("s3", *s3_);
  router_.Add("lambda", *lambda_);
  router_.Add("iam", *iam_);
  router_.Add("sts", *iam_);
  router_.Add("logs", *logs_);
  router_.Add("emulator", *admin_);
  return WriteEnvFile(options_.dir + "/env", {endpoint(), options_.region, ca_file(), keys_, token_,
                                              options_.expire_after_s > 0});
}

Result<void> Emulator::TakeLock() {
  const std::string path = options_.dir + "/lock";
  ASSIGN_OR_RETURN(lock_, OpenFile(path, O_RDWR | O_CREAT, 0600));
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return ErrnoError(errno, path);
  return Error{Code::kUnavailable, options_.dir + ": another emulator uses this folder"};
}

Result<void> Emulator::LoadKeys() {
  for (const signing::Keys& keys : options_.keys) authority_.Add(keys);
  if (options_.keys.empty()) {
    ASSIGN_OR_RETURN(keys_, LoadOrMakeKeys(options_.dir + "/credentials"));
    authority_.Add(keys_);
  } else {
    keys_ = options_.keys[0];
  }
  ASSIGN_OR_RETURN(token_, LoadOrMakeToken(options_.dir + "/token"));
  const int64_t lifetime_s = options_.expire_after_s > 0 ? options_.expire_after_s : 3600;
  admin_ = std::make_unique<Admin>(Admin::Options{token_, lifetime_s}, model_, authority_, log_);
  return {};
}

Result<void> Emulator::Listen() {
  ServerOptions server;
  server.address = options_.address;
  server.port = options_.port;
  // Lambda's are larger than a small limit for objects; each front minds its own.
  server.max_body_bytes = std::max(options_.max_object_bytes, kMaxControlBytes);
  if (options_.tls) {
    certificate_file_ = options_.certificate_file;
    server.key_file = options_.key_file;
    if (certificate_file_.empty()) {
      TRY(MakeDirs(options_.dir + "/tls", 0700));
      certificate_file_ = options_.dir + "/tls/certificate.pem";
      server.key_file = options_.dir + "/tls/key.pem";
      TRY(MakeCertificate(certificate_file_, server.key_file, options_.address));
    }
    server.certificate_file = certificate_file_;
  }
  ASSIGN_OR_RETURN(server_, Server::Listen(server, router_, &model_, &log_, clock_));
  return {};
}

Result<void> Emulator::OpenLambda() {
  LambdaOptions lambda;
  lambda.dir = options_.dir + "/lambda";
  lambda.bare_root = options_.bare_root;
  lambda.idle_ms = options_.function_idle_ms;
  lambda.endpoint = endpoint();
  if (options_.tls) {
    ASSIGN_OR_RETURN(lambda.ca_pem, ReadFile(certificate_file_, 1 << 20));
  }
  TRY(MakeDirs(lambda.dir, 0700));
  const auto fetch = [this](const std::string& bucket, const std::string& key) {
    return ReadObject(*s3_storage_, bucket, key);
  };
  ASSIGN_OR_RETURN(lambda_, LambdaFront::Open(lambda, fetch, authority_, model_, log_, clock_));
  ASSIGN_OR_RETURN(iam_, IamFront::Open(lambda.dir + "/roles.json", authority_, clock_));
  authority_.Enforce([this](const std::string& arn) { return iam_->RoleOf(arn); });
  logs_ = std::make_unique<LogsFront>(authority_, lambda_->logs());
  return {};
}

}  // namespace llama::emulator
