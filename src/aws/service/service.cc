#include "aws/service/service.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "aws/http/uplink.h"
#include "aws/service/retry_policy.h"
#include "aws/service/service_error.h"
#include "base/mutex.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

// A throttle costs the service next to nothing and is over when others end, so it is worth more
// patience than a failure.
constexpr int kMoreThrottledAttempts = 6;
// What S3 allows is 15 minutes; a difference of less than this is no reason to be refused.
constexpr int64_t kLeastSkewS = 240;
constexpr int64_t kPollMs = 50;
// Of the circuit's count: an attempt that cost seconds, and one that was answered by something else
// than the service (a redirect, a flood), of which nothing better comes by asking more often.
constexpr int kHeavyFailure = 4;

// Never followed: a signature is for one host, and who answers so is not the service, or the bucket
// is in another region.
bool IsRedirect(const HttpAnswer& answer) {
  return answer.status >= 300 && answer.status < 400 && answer.status != 304;
}

void Sleep(int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

class HttpService final : public Service {
 public:
  HttpService(const ServiceOptions& options, HttpSender& sender, CredentialsProvider& credentials,
              const Clock& clock)
      : options_(options),
        sender_(sender),
        credentials_(credentials),
        clock_(clock),
        backoff_(options.base_delay_ms, options.max_delay_ms,
                 options.jitter_seed != 0 ? options.jitter_seed : std::random_device{}()),
        circuit_(options.breaker_failures, options.breaker_open_ms, clock) {}

  Result<ServiceAnswer> Call(const ServiceCall& call) override;
  std::string Outage() override {
    if (!circuit_.IsOpen()) return {};
    const MutexLock lock(mutex_);
    return last_failure_;
  }
  int64_t last_answer_ns() const override { return last_answer_ns_; }
  int unanswered() const override { return unanswered_; }
  const ServiceOptions& options() const override { return options_; }

 private:
  class Run;

  const ServiceOptions options_;
  HttpSender& sender_;
  CredentialsProvider& credentials_;
  const Clock& clock_;
  Backoff backoff_;
  RetryBudget budget_;
  Circuit circuit_;
  std::atomic<int64_t> skew_s_{0};  // theirs minus ours
  std::atomic<int64_t> last_answer_ns_{0};
  std::atomic<int> unanswered_{0};
  Mutex mutex_;
  std::string last_failure_ GUARDED_BY(mutex_);
};

// One call: its attempts and what is known from the last of them. Not thread-safe.
class HttpService::Run {
 public:
  Run(HttpService& service, const ServiceCall& call, bool probe)
      : service_(service), call_(call), probe_(probe), begun_ns_(service.clock_.MonotonicNs()) {}

  Result<ServiceAnswer> Go();
  // Whether there were no credentials, or the service refused them for good.
  bool lacks_credentials() const { return lacks_credentials_; }
  // Whether the failures of its attempts are in the circuit's count already.
  bool counted() const { return counted_; }
  // Wrong keys, no permission, no such bucket or function: an answer for the caller, and the next
  // call that wants to write or run something will get the same. Reading is another matter: what is
  // not there is no refusal, and who may not list a bucket may still write to it.
  bool IsRefused(const HttpAnswer& answer) const;
  std::string RefusalText(const HttpAnswer& answer) const;

 private:
  Result<HttpAnswer> Attempt();
  Result<HttpAnswer> SendWithin(HttpRequest& request);
  Result<void> Sign(HttpRequest& request);
  Failure ClassOf(const Result<HttpAnswer>& attempt);
  void CountFailure(Failure failure);
  bool CostSeconds(Failure failure) const;
  // Whether to try again, and if so after the waiting.
  Result<bool> Again(Failure failure);
  bool MayRepeat(Failure failure) const;
  bool RepeatsAtOnce(Failure failure, const HttpAnswer& answer);
  bool CorrectsClock(const HttpAnswer& answer);
  Result<void> Wait(int64_t ms);
  ServiceAnswer AnswerOf(HttpAnswer http) const;
  int64_t LeftMs() const;
  Error GivenUp(Failure failure, Result<HttpAnswer> attempt) const;
  std::string Name() const;

  HttpService& service_;
  const ServiceCall& call_;
  const bool probe_;
  const int64_t begun_ns_;
  std::string payload_sha256_;
  Credentials credentials_;
  ServiceError error_;  // of the last answer
  bool sent_ = false;   // the last attempt may have reached the service
  bool tried_ = false;  // it got as far as the network
  bool counted_ = false;
  bool lacks_credentials_ = false;
  bool renewed_ = false;
  bool corrected_ = false;
  int attempts_ = 0;
  int64_t waited_ns_ = 0;
  int64_t failing_ns_ = 0;  // in attempts that failed, throttles apart, and the waits after them
};

std::string HttpService::Run::Name() const {
  std::string target = call_.target.substr(0, call_.target.find('?'));
  return call_.method + " " + service_.options_.endpoint + (target == "/" ? "" : target);
}

int64_t HttpService::Run::LeftMs() const {
  if (call_.deadlines.total_ms <= 0) return INT64_MAX / 2'000'000;
  return call_.deadlines.total_ms - (service_.clock_.MonotonicNs() - begun_ns_) / 1'000'000;
}

Result<void> HttpService::Run::Sign(HttpRequest& request) {
  const ServiceOptions& options = service_.options_;
  const size_t host = options.endpoint.find("//") + 2;
  signing::Request signed_request;
  signed_request.method = call_.method;
  signed_request.target = call_.target;
  signed_request.headers = call_.headers;
  signed_request.headers.emplace_back("Host", call_.host_prefix + options.endpoint.substr(host));
  if (!options.anonymous) {
    Result<Credentials> credentials = service_.credentials_.Get();
    if (!credentials) {
      lacks_credentials_ = true;
      Error error = std::move(credentials).error();
      if (error.code == Code::kNotFound) error.code = Code::kInvalid;
      return error;
    }
    credentials_ = *std::move(credentials);
    if (payload_sha256_.empty()) {
      payload_sha256_ =
          call_.payload_sha256.empty() ? signing::Sha256Hex(call_.body) : call_.payload_sha256;
    }
    signed_request.payload_sha256 = payload_sha256_;
    const int64_t now_s = service_.clock_.NowNs() / 1'000'000'000 + service_.skew_s_;
    signing::Sign(signed_request, credentials_.keys, {options.region, options.name}, now_s);
  }
  request.url = options.endpoint.substr(0, host) + call_.host_prefix +
                options.endpoint.substr(host) + call_.target;
  request.headers = std::move(signed_request.headers);
  return {};
}

Result<HttpAnswer> HttpService::Run::Attempt() {
  ++attempts_;
  HttpRequest request;
  request.method = call_.method;
  request.body = call_.body;
  request.deadlines = call_.deadlines;
  request.max_answer_bytes = call_.max_answer_bytes;
  request.cancelled = call_.cancelled;
  request.on_progress = call_.on_progress;
  request.on_begun = [this] { sent_ = true; };
  sent_ = tried_ = false;
  Uplink* uplink = service_.options_.uplink;
  if (uplink == nullptr || call_.body.size() <= kUplinkFreeBytes) return SendWithin(request);

  const int64_t queued_ns = service_.clock_.MonotonicNs();
  const int64_t deadline_ns =
      call_.deadlines.total_ms > 0 ? begun_ns_ + call_.deadlines.total_ms * 1'000'000 : 0;
  ASSIGN_OR_RETURN(const Uplink::Upload upload,
                   uplink->Begin(call_.body.size(), call_.cancelled, deadline_ns));
  waited_ns_ += service_.clock_.MonotonicNs() - queued_ns;
  std::once_flag ended;
  request.on_sent = [&] { std::call_once(ended, [&] { uplink->Delivered(upload); }); };
  Result<HttpAnswer> answer = SendWithin(request);
  std::call_once(ended, [&] { answer ? uplink->Delivered(upload) : uplink->Failed(upload); });
  return answer;
}

// Signed last, so that waiting does not age the signature.
Result<HttpAnswer> HttpService::Run::SendWithin(HttpRequest& request) {
  TRY(Sign(request));
  if (call_.deadlines.total_ms > 0) {
    request.deadlines.total_ms = LeftMs();
    if (request.deadlines.total_ms <= 0) return Error{Code::kDeadline, Name() + ": out of time"};
  }
  tried_ = true;
  Result<HttpAnswer> answer = service_.sender_.Send(request);
  if (answer) {
    service_.last_answer_ns_ = service_.clock_.MonotonicNs();
    service_.unanswered_ = 0;
  } else if (answer.error().code != Code::kCancelled) {
    ++service_.unanswered_;
  }
  return answer;
}

Failure HttpService::Run::ClassOf(const Result<HttpAnswer>& attempt) {
  error_ = {};
  if (!attempt) return Classify(attempt.error());
  if (attempt->status < 400) return Failure::kNone;
  error_ = ReadServiceError(*attempt);
  // S3 answers a HEAD with an expired token by 400, and a HEAD's answer has no body to say why.
  if (call_.method == "HEAD" && attempt->status == 400 && !renewed_) return Failure::kCredentials;
  const Failure failure = Classify(*attempt, error_);
  return failure == Failure::kCredentials && service_.options_.anonymous ? Failure::kNone : failure;
}

// Where silence is work (an invocation's), time that is up is no failure of the service's.
bool HttpService::Run::CostSeconds(Failure failure) const {
  return failure == Failure::kTimeout && tried_ && (!sent_ || call_.deadlines.first_byte_ms > 0);
}

// Attempt by attempt: an endpoint that is down would otherwise cost every retry of several calls,
// stalls among them, before the circuit opens.
void HttpService::Run::CountFailure(Failure failure) {
  // Where somebody else waits out throttles (on_throttled), they are not the circuit's.
  const bool throttled = failure == Failure::kThrottled && !call_.on_throttled;
  counted_ = throttled || failure == Failure::kServer || failure == Failure::kConnection ||
             failure == Failure::kTimeout;
  if (counted_) service_.circuit_.Failed(CostSeconds(failure) ? kHeavyFailure : 1);
}

bool HttpService::Run::CorrectsClock(const HttpAnswer& answer) {
  const std::string* date = answer.Find("date");
  const auto theirs_s = date != nullptr ? ParseHttpDate(*date) : std::nullopt;
  if (!theirs_s || corrected_) return false;
  const int64_t skew_s = *theirs_s - service_.clock_.NowNs() / 1'000'000'000;
  if (std::abs(skew_s - service_.skew_s_) < kLeastSkewS) return false;
  service_.skew_s_ = skew_s;
  corrected_ = true;
  return true;
}

bool HttpService::Run::RepeatsAtOnce(Failure failure, const HttpAnswer& answer) {
  if (failure != Failure::kSkewed && failure != Failure::kCredentials) return false;
  if (CorrectsClock(answer)) return true;
  if (failure != Failure::kCredentials || renewed_) return false;
  renewed_ = true;
  service_.credentials_.Refused(credentials_);
  return true;
}

bool HttpService::Run::MayRepeat(Failure failure) const {
  switch (failure) {
    case Failure::kThrottled:
      return (call_.on_throttled && call_.deadlines.total_ms > 0) ||
             attempts_ < service_.options_.max_attempts + kMoreThrottledAttempts;
    case Failure::kServer:
      return call_.idempotent && attempts_ < service_.options_.max_attempts;
    case Failure::kConnection:
    case Failure::kTimeout:
      return (call_.idempotent || !sent_) && attempts_ < service_.options_.max_attempts;
    default:
      return false;
  }
}

Result<bool> HttpService::Run::Again(Failure failure) {
  // A probe asks one question, and a circuit that has opened meanwhile has the answer.
  if (probe_ || !MayRepeat(failure) || service_.circuit_.IsOpen()) return false;
  // Who is asked to wait for longer than we wait for anything goes elsewhere.
  if (error_.retry_after_ms.value_or(0) > service_.options_.max_delay_ms) return false;
  const int64_t delay_ms =
      service_.backoff_.NextMs(attempts_ - 1, error_.retry_after_ms.value_or(0));
  if (delay_ms >= LeftMs()) return false;
  if (failing_ns_ / 1'000'000 + delay_ms >= call_.max_failing_ms) return false;
  if (!service_.budget_.Take(failure)) return false;
  TRY(Wait(delay_ms));
  return true;
}

Result<void> HttpService::Run::Wait(int64_t ms) {
  while (ms > 0) {
    if (call_.cancelled && call_.cancelled())
      return Error{Code::kCancelled, Name() + ": cancelled"};
    const int64_t slice_ms = std::min(ms, kPollMs);
    service_.options_.pause ? service_.options_.pause(slice_ms) : Sleep(slice_ms);
    ms -= slice_ms;
  }
  return {};
}

ServiceAnswer HttpService::Run::AnswerOf(HttpAnswer http) const {
  return ServiceAnswer{std::move(http), attempts_, waited_ns_};
}

Error HttpService::Run::GivenUp(Failure failure, Result<HttpAnswer> attempt) const {
  const std::string after =
      attempts_ > 1 ? " (after " + std::to_string(attempts_) + " attempts)" : "";
  if (!attempt) {
    Error error = std::move(attempt).error();
    error.message.append(after);
    return error;
  }
  std::string text = Name() + ": status " + std::to_string(attempt->status);
  if (const std::string said = error_.Text(); !said.empty()) text.append(", ").append(said);
  if (!error_.reason.empty()) text.append(" [").append(error_.reason).append("]");
  if (failure == Failure::kCredentials) {
    text.append("; the credentials from ").append(credentials_.source).append(" are refused");
    return Error{Code::kInvalid, std::move(text)};
  }
  return Error{Code::kUnavailable, text.append(after)};
}

bool HttpService::Run::IsRefused(const HttpAnswer& answer) const {
  if (IsRedirect(answer)) return true;
  const bool acts = call_.method == "PUT" || call_.method == "POST";
  return acts && !service_.options_.anonymous &&
         (answer.status == 401 || answer.status == 403 || answer.status == 404 ||
          answer.status == 405);
}

std::string HttpService::Run::RefusalText(const HttpAnswer& answer) const {
  std::string text = Name() + ": status " + std::to_string(answer.status);
  const std::string said = ReadServiceError(answer).Text();
  return said.empty() ? text : text.append(", ").append(said);
}

Result<ServiceAnswer> HttpService::Run::Go() {
  while (true) {
    int64_t from_ns = service_.clock_.MonotonicNs();
    Result<HttpAnswer> attempt = Attempt();
    const Failure failure = ClassOf(attempt);
    if (failure == Failure::kNone) return AnswerOf(*std::move(attempt));
    CountFailure(failure);
    if (failure == Failure::kThrottled && call_.on_throttled) {
      TRY(call_.on_throttled(attempt ? ReadServiceError(*attempt).reason : std::string()));
    }
    if (attempt && RepeatsAtOnce(failure, *attempt)) continue;
    // A signature that does not match for another reason is the caller's to report.
    if (failure == Failure::kSkewed) return AnswerOf(*std::move(attempt));
    const bool throttled = failure == Failure::kThrottled && call_.on_throttled;
    // What a throttled one waits for its caller is that one's to count.
    const int64_t failed_ns = service_.clock_.MonotonicNs();
    if (throttled) from_ns = failed_ns;
    failing_ns_ += failed_ns - from_ns;
    ASSIGN_OR_RETURN(const bool again, Again(failure));
    const int64_t now_ns = service_.clock_.MonotonicNs();
    if (!throttled) failing_ns_ += now_ns - failed_ns;
    if (throttled) waited_ns_ += now_ns - from_ns;
    if (!throttled && again && call_.retries != nullptr) call_.retries->Add(1, from_ns, now_ns);
    if (!again) {
      lacks_credentials_ = lacks_credentials_ || failure == Failure::kCredentials;
      return GivenUp(failure, std::move(attempt));
    }
  }
}

Result<ServiceAnswer> HttpService::Call(const ServiceCall& call) {
  bool probe = false;
  if (!circuit_.Enter(probe)) {
    return Error{Code::kUnavailable, options_.endpoint + ": not tried, as it failed just before"};
  }
  Run run(*this, call, probe);
  Result<ServiceAnswer> answer = run.Go();
  if (answer && !run.IsRefused(answer->http)) {
    budget_.Succeeded();
    circuit_.Succeeded();
  } else if (answer) {
    {
      const MutexLock lock(mutex_);
      last_failure_ = run.RefusalText(answer->http);
    }
    circuit_.Failed(IsRedirect(answer->http) ? kHeavyFailure : 1);
  } else if (answer.error().code != Code::kCancelled) {
    {
      const MutexLock lock(mutex_);
      last_failure_ = answer.error().message;
    }
    // Without credentials nothing was asked; else it is an answer that cannot be the service's.
    if (!run.counted()) circuit_.Failed(run.lacks_credentials() ? 1 : kHeavyFailure);
  }
  return answer;
}

}  // namespace

std::unique_ptr<Service> NewService(const ServiceOptions& options, HttpSender& sender,
                                    CredentialsProvider& credentials, const Clock& clock) {
  return std::make_unique<HttpService>(options, sender, credentials, clock);
}

}  // namespace llama::aws
