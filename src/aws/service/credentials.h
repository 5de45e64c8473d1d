// Credentials: who signs. A chain of providers in AWS's order: environment, shared credentials and
// config files with profiles (role assumption by STS, credential_process), container metadata,
// instance metadata (IMDSv2). Temporary ones are renewed before they expire, by one thread at a
// time while the others wait or go on with what is still valid.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "aws/http/endpoint.h"
#include "base/clock.h"
#include "base/result.h"
#include "signing/sigv4.h"

namespace llama::aws {

class HttpSender;

struct Credentials {
  signing::Keys keys;
  int64_t expires_s = 0;  // Unix epoch; 0: never
  std::string source;     // "environment", "profile dev (~/.aws/credentials)", …: for messages
};

// Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  // kNotFound: there are none, with what was looked at and what to do; kUnavailable: their source
  // does not answer; kInvalid: it answers with nonsense.
  virtual Result<Credentials> Get() = 0;
  // The service refused these as expired or unknown: the next Get asks their source anew, unless
  // newer ones are there already.
  virtual void Refused(const Credentials& credentials) = 0;
};

std::unique_ptr<CredentialsProvider> NewStaticCredentials(Credentials credentials);

struct ChainOptions {
  std::vector<std::string> env;  // "K=V"
  std::string profile;           // empty: AWS_PROFILE, then "default"
  std::string region;            // of STS
  std::string endpoint_sts;      // empty: AWS's own
  AddressKind address_kind;      // of that
};
// AWS's chain. Nothing is read or asked before the first Get. `sender` and `clock` must outlive it.
std::unique_ptr<CredentialsProvider> NewCredentialsChain(const ChainOptions& options,
                                                         HttpSender& sender, const Clock& clock);

}  // namespace llama::aws
