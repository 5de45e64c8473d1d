// Who may ask: the emulator's access keys, permanent and temporary, and the check of a request's
// signature against them. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/request/message.h"
#include "emulator/request/policy.h"
#include "signing/sigv4.h"

namespace llama::emulator {

// What a request's signature is worth. Each front words the refusal in its own format.
struct Access {
  signing::Verification verification;
  bool token_expired = false;  // ExpiredToken
  bool wrong_payload = false;  // the body's hash is not the signed one
  std::string worker;          // the label of a temporary key
  std::string role;            // whose ARN it acts as; empty: nobody's, and may do all

  bool ok() const {
    return verification.refusal == signing::Refusal::kNone && !token_expired && !wrong_payload;
  }
};

struct TemporaryKeys {
  signing::Keys keys;
  int64_t expires_s = 0;  // Unix time
};

// What a role that the emulator's own IAM made is to the other services.
struct RoleView {
  std::string id;  // another one where a role was made anew under the same name
  int64_t created_ns = 0;
  Policies policies;
};
using FindRole = std::function<std::optional<RoleView>(const std::string& arn)>;

// Random ones, in the shape of AWS's.
signing::Keys NewKeys();

class Authority {
 public:
  Authority(std::string region, const Clock& clock) : region_(std::move(region)), clock_(&clock) {}

  void Add(const signing::Keys& keys);
  // Keys with a session token, valid for that long. Requests signed with them carry `label`: the
  // Lambda front gives every environment its own ("env-17").
  TemporaryKeys Issue(const std::string& label, int64_t lifetime_s, const std::string& role = "");
  // An environment has gone.
  void Revoke(const std::string& label);

  // `service`: "s3", "lambda", … . The body's hash is compared with X-Amz-Content-Sha256 unless
  // that is a word (UNSIGNED-PAYLOAD, STREAMING-…), which the caller minds. `scope_region` is for
  // services that have one region for all, such as IAM; empty: the emulator's.
  Access Check(const Request& request, std::string_view service,
               std::string_view scope_region = {}) const;

  // Requests with a role's keys are held to its policies from now on. Before the first request.
  void Enforce(FindRole find_role) { find_role_ = std::move(find_role); }
  // Nothing: not made here. Such a role may do all, as may permanent keys.
  std::optional<RoleView> RoleOf(const std::string& arn) const;
  bool MayDo(const Access& access, std::string_view action, std::string_view resource) const;
  // What a client is told that may not; nothing: it may.
  std::optional<std::string> Denied(const Access& access, std::string_view action,
                                    std::string_view resource) const;

  const std::string& region() const { return region_; }

 private:
  struct Entry {
    signing::Keys keys;
    std::string label;
    int64_t expires_s = 0;  // 0: never
    std::string role = {};
  };
  std::string region_;
  const Clock* clock_;
  FindRole find_role_;
  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ GUARDED_BY(mutex_);
};

// The service of a request's credential scope ("s3", "lambda"), unverified; empty: unsigned.
std::string_view ScopeService(const Request& request);

}  // namespace llama::emulator
