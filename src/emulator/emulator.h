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
#include "emulator/request/model.h"
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

class Emulator {
 public:
  // Listens already. kUnavailable: another one uses the folder; kInvalid: see its message.
  static Result<std::unique_ptr<Emulator>> Start(const EmulatorOptions& options,
                                                 const Clock& clock);
  virtual ~Emulator() = default;

  // Serves until Stop, which any thread may call.
  virtual void Run() = 0;
  virtual void Stop() = 0;

  virtual uint16_t port() const = 0;
  virtual std::string endpoint() const = 0;     // "http://127.0.0.1:4566"
  virtual std::string env_file() const = 0;     // to be sourced
  virtual std::string ca_file() const = 0;      // empty: no TLS
  virtual std::string confinement() const = 0;  // how functions are kept apart here
};

}  // namespace llama::emulator
