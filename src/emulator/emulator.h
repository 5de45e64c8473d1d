// The emulator as a whole: both fronts, the server before them, and the folder that holds what they
// keep.
//
//   credentials    the access key that was made for it, as AWS's shared credentials file; 0600
//   token          what /_emulator/ wants; 0600
//   env            what a shell has to source to use it; 0600
//   tls/           certificate.pem, key.pem: with --tls
//   requests.ndjson
//   s3/  lambda/   what the fronts keep
//   lock           held while it runs: one emulator per folder
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "emulator/request/authority.h"
#include "emulator/request/model.h"
#include "emulator/request/router.h"
#include "emulator/server/request_log.h"
#include "signing/sigv4.h"

namespace llama::emulator {

struct EmulatorOptions {
  std::string dir;
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: a free one
  bool tls = false;
  std::string certificate_file;  // with its key; empty: one is made
  std::string key_file;
  std::string region = "us-east-1";
  std::vector<signing::Keys> keys;  // empty: one is made, and kept
  int64_t expire_after_s = 0;       // not 0: `env` names a source of keys that last that long
  uint64_t max_object_bytes = uint64_t{512} << 20;
  bool bare_root = false;  // functions see nothing of this machine's programs
  int64_t function_idle_ms = 300'000;
  ModelSettings model;
};

class Admin;
class IamFront;
class LambdaFront;
class LogsFront;
class S3Front;
class S3Storage;
class Server;

class Emulator {
 public:
  // Listens already. kUnavailable: another one uses the folder; kInvalid: see its message.
  static Result<std::unique_ptr<Emulator>> Start(const EmulatorOptions& options,
                                                 const Clock& clock);
  ~Emulator();

  // Serves until Stop, which any thread may call.
  void Run();
  void Stop();

  uint16_t port() const;
  std::string endpoint() const;                                   // "http://127.0.0.1:4566"
  std::string env_file() const { return options_.dir + "/env"; }  // to be sourced
  std::string ca_file() const;                                    // empty: no TLS
  std::string confinement() const;  // how functions are kept apart here

 private:
  Emulator(const EmulatorOptions& options, const Clock& clock);

  Result<void> Open();
  Result<void> TakeLock();
  Result<void> LoadKeys();
  Result<void> Listen();
  Result<void> OpenLambda();

  const EmulatorOptions options_;
  const Clock& clock_;
  Fd lock_;
  Model model_;
  Authority authority_;
  RequestLog log_;
  Router router_;
  signing::Keys keys_;
  std::string token_;
  std::string certificate_file_;
  std::unique_ptr<Admin> admin_;
  std::unique_ptr<S3Storage> s3_storage_;
  std::unique_ptr<S3Front> s3_;
  std::unique_ptr<LambdaFront> lambda_;
  std::unique_ptr<IamFront> iam_;
  std::unique_ptr<LogsFront> logs_;
  // Ends first: its connections use all that stands above.
  std::unique_ptr<Server> server_;
};

}  // namespace llama::emulator
