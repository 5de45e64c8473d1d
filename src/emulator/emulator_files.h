// The small files of the emulator's folder: keys, token, environment. All are 0600.
#pragma once

#include <string>

#include "base/result.h"
#include "signing/sigv4.h"

namespace llama::emulator {

class S3Storage;

// The [default] of AWS's shared credentials file at `path`; made if it is not there.
Result<signing::Keys> LoadOrMakeKeys(const std::string& path);
Result<std::string> LoadOrMakeToken(const std::string& path);

struct EnvFile {
  std::string endpoint;
  std::string region;
  std::string ca_file;  // empty: none
  signing::Keys keys;
  std::string token;
  bool temporary = false;  // keys come from /_emulator/credentials
};
// For a shell to source.
Result<void> WriteEnvFile(const std::string& path, const EnvFile& env);

// An object's bytes, for a function's code. NotFound, as S3 words it.
Result<std::string> ReadObject(const S3Storage& storage, const std::string& bucket,
                               const std::string& key);

}  // namespace llama::emulator
