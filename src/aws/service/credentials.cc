#include "aws/service/credentials.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "aws/service/credential_sources.h"
#include "aws/service/sts.h"
#include "base/mutex.h"

namespace llama::aws {
namespace {

// Before its end a session is renewed: from 5 min on by one caller while the others go on with
// what they have, in the last minute by one while the others wait.
constexpr int64_t kAdvisoryS = 300;
constexpr int64_t kMandatoryS = 60;
// A source that failed is not asked again for so long: hundreds of jobs want to know at once.
constexpr int64_t kFailureNs = 5'000'000'000;
// Keys that were refused are tried again after that: new ones take a while to be known everywhere.
constexpr int64_t kRefusedNs = 30'000'000'000;

bool SameKeys(const signing::Keys& a, const signing::Keys& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key &&
         a.session_token == b.session_token;
}

class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Get() override { return credentials_; }
  void Refused(const Credentials&) override {}

 private:
  const Credentials credentials_;
};

class CredentialsChain final : public CredentialsProvider {
 public:
  CredentialsChain(ChainOptions options, HttpSender& sender, const Clock& clock)
      : options_(std::move(options)), sender_(sender), clock_(clock) {}

  Result<Credentials> Get() override {
    mutex_.Lock();
    while (true) {
      const Need need = WhatIsNeeded();
      if (need == Need::kNothing || (need == Need::kSoon && renewing_)) break;
      if (renewing_) {
        changed_.Wait(mutex_);
        continue;
      }
      renewing_ = true;
      mutex_.Unlock();
      Result<Credentials> fresh = Search();
      mutex_.Lock();
      Take(std::move(fresh));
      renewing_ = false;
      changed_.NotifyAll();
      break;
    }
    Result<Credentials> out = Current();
    mutex_.Unlock();
    return out;
  }

  void Refused(const Credentials& credentials) override {
    const MutexLock lock(mutex_);
    if (!current_ || !SameKeys(current_->keys, credentials.keys)) return;
    refused_ = current_->keys;
    refused_until_ns_ = clock_.MonotonicNs() + kRefusedNs;
  }

 private:
  enum class Need : unsigned char { kNothing, kSoon, kNow };

  bool IsRefused() const REQUIRES(mutex_) {
    return refused_ && current_ && SameKeys(*refused_, current_->keys) &&
           clock_.MonotonicNs() < refused_until_ns_;
  }

  Need WhatIsNeeded() const REQUIRES(mutex_) {
    if (clock_.MonotonicNs() < retry_ns_) return Need::kNothing;
    if (!current_ || IsRefused()) return Need::kNow;
    if (current_->expires_s == 0) return Need::kNothing;
    const int64_t left_s = current_->expires_s - clock_.NowNs() / 1'000'000'000;
    if (left_s < kMandatoryS) return Need::kNow;
    return left_s < kAdvisoryS ? Need::kSoon : Need::kNothing;
  }

  void Take(Result<Credentials> fresh) REQUIRES(mutex_) {
    const int64_t later_ns = clock_.MonotonicNs() + kFailureNs;
    retry_ns_ = 0;
    if (!fresh) {
      failure_ = std::move(fresh).error();
      retry_ns_ = later_ns;
      return;
    }
    failure_.reset();
    current_ = *std::move(fresh);
    if (WhatIsNeeded() == Need::kNothing) return;
    // The same again, or some that end soon: asking more often would change nothing, but they must
    // not end in the meantime.
    const int64_t half_life_ns = (current_->expires_s * 1'000'000'000 - clock_.NowNs()) / 2;
    retry_ns_ =
        half_life_ns > 0 ? std::min(later_ns, clock_.MonotonicNs() + half_life_ns) : later_ns;
  }

  Result<Credentials> Current() const REQUIRES(mutex_) {
    if (!current_) return *failure_;
    const std::string because = failure_ ? "; renewing them failed: " + failure_->message : "";
    if (IsRefused()) {
      return Error{Code::kInvalid, "AWS refuses the credentials of " + current_->source +
                                       " as expired or unknown" + because};
    }
    if (current_->expires_s != 0 && current_->expires_s <= clock_.NowNs() / 1'000'000'000) {
      return Error{Code::kInvalid,
                   "the credentials of " + current_->source + " have expired" + because};
    }
    return *current_;
  }

  Result<Credentials> Search() const {
    constexpr Result<Credentials> (*kSources[])(const CredentialContext&) = {
        CredentialsOfEnvironment, CredentialsOfWebIdentity, CredentialsOfProfile,
        CredentialsOfContainer, CredentialsOfInstance};
    const CredentialContext context{options_, sender_, clock_};
    std::string looked;
    for (const auto source : kSources) {
      Result<Credentials> found = source(context);
      if (found || found.error().code != Code::kNotFound) return found;
      looked.append(looked.empty() ? "" : "; ").append(found.error().message);
    }
    return Error{Code::kNotFound, "no AWS credentials (" + looked +
                                      "): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                                      "AWS_PROFILE, or run 'aws configure'"};
  }

  const ChainOptions options_;
  HttpSender& sender_;
  const Clock& clock_;

  Mutex mutex_;
  CondVar changed_;
  bool renewing_ GUARDED_BY(mutex_) = false;
  std::optional<Credentials> current_ GUARDED_BY(mutex_);
  std::optional<Error> failure_ GUARDED_BY(mutex_);  // of the last search
  int64_t retry_ns_ GUARDED_BY(mutex_) = 0;          // no search before
  std::optional<signing::Keys> refused_ GUARDED_BY(mutex_);
  int64_t refused_until_ns_ GUARDED_BY(mutex_) = 0;
};

}  // namespace

Result<Credentials> CredentialsOfEnvironment(const CredentialContext& context) {
  const std::vector<std::string>& env = context.options.env;
  Credentials out;
  out.source = "environment";
  out.keys.access_key_id = EnvValue(env, "AWS_ACCESS_KEY_ID");
  if (out.keys.access_key_id.empty()) return Error{Code::kNotFound, "no AWS_ACCESS_KEY_ID"};
  out.keys.secret_access_key = EnvValue(env, "AWS_SECRET_ACCESS_KEY");
  out.keys.session_token = EnvValue(env, "AWS_SESSION_TOKEN");
  TRY(CheckKeys(out.keys, out.source));
  const std::string expiration = EnvValue(env, "AWS_CREDENTIAL_EXPIRATION");
  if (!expiration.empty()) {
    ASSIGN_OR_RETURN(out.expires_s, ParseIso8601(expiration));
  }
  return out;
}

std::unique_ptr<CredentialsProvider> NewStaticCredentials(Credentials credentials) {
  return std::make_unique<StaticCredentials>(std::move(credentials));
}

std::unique_ptr<CredentialsProvider> NewCredentialsChain(const ChainOptions& options,
                                                         HttpSender& sender, const Clock& clock) {
  return std::make_unique<CredentialsChain>(options, sender, clock);
}

}  // namespace llama::aws
