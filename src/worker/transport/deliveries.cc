#include "worker/transport/deliveries.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "http/url.h"
#include "signing/partition.h"
#include "store/digest.h"
#include "trace/span.h"

namespace llama::worker {
namespace {

// Of an answer that goes through the store.
constexpr uint64_t kMaxStoredAnswerBytes = 256ull << 20;

bool SamePlace(const job::StoreUrl& a, const job::StoreUrl& b) {
  return a.bucket == b.bucket && a.endpoint == b.endpoint && a.region == b.region;
}

Error NotForUs(const Error& error) {
  return Error{error.code,
               "this function runs jobs of llama and was invoked with something else (" +
                   error.message + ")"};
}

// When a job's own fetches end, so that there is time to say so: as for its command, a tenth of the
// time before the invocation's end, or two seconds.
int64_t FetchDeadline(int64_t deadline_ns, const Clock& clock) {
  if (deadline_ns == 0) return 0;
  const int64_t left_ns = std::max<int64_t>(deadline_ns - clock.MonotonicNs(), 0);
  return deadline_ns - std::min<int64_t>(left_ns / 10, 2'000'000'000);
}

// Bytes of payload for which an envelope has at most `envelope_bytes`.
uint64_t PayloadRoom(uint64_t envelope_bytes) {
  const uint64_t frame = job::EnvelopeSize({}, 0);
  return envelope_bytes <= frame ? 0 : (envelope_bytes - frame) / 4 * 3;
}

}  // namespace

Result<std::string> Deliveries::Answer(std::string_view payload, const DeliveryLimits& limits,
                                       const Run& run) {
  if (!job::IsEnvelope(payload)) {
    store_.Use(runtime_);
    Result<std::string> answer = run(payload, limits.bare_answer_bytes);
    if (!answer) return NotForUs(answer.error());
    return answer;
  }
  Result<job::Envelope> envelope = job::DecodeEnvelope(payload);
  if (!envelope) return NotForUs(envelope.error());
  if (envelope->ping) return AnswerPing();
  return AnswerEnvelope(*std::move(envelope), limits, run);
}

Result<std::string> Deliveries::AnswerEnvelope(job::Envelope envelope, const DeliveryLimits& limits,
                                               const Run& run) {
  store_.Use(runtime_);
  const bool has_store = !envelope.store.empty();
  if (has_store) {
    TRY(UseStore(envelope.store));
    s3_->SetDeadline(FetchDeadline(limits.deadline_ns, clock_));
  }
  if (!envelope.key.empty()) {
    ASSIGN_OR_RETURN(envelope.bytes, store_.Get(envelope.key));
    if (store::Sha256(envelope.bytes).Hex() != envelope.sha256) {
      return Error{Code::kUnavailable, envelope.key + ": not the object of that SHA-256"};
    }
  }
  uint64_t max_bytes = envelope.max_answer == 0
                           ? job::kMaxEnvelopeBytes
                           : std::min(envelope.max_answer, job::kMaxEnvelopeBytes);
  const uint64_t most = has_store ? kMaxStoredAnswerBytes : PayloadRoom(max_bytes);
  ASSIGN_OR_RETURN(std::string answer, run(envelope.bytes, most));
  // Without a store, what says that it is too large goes out whatever its size.
  if (!has_store) max_bytes = job::kMaxEnvelopeBytes;
  if (has_store) s3_->SetDeadline(limits.deadline_ns);
  return Send(std::move(answer), max_bytes);
}

Result<std::string> Deliveries::Send(std::string answer, uint64_t max_bytes) {
  job::Envelope envelope;
  if (job::EnvelopeSize({}, answer.size()) <= max_bytes) {
    envelope.bytes = std::move(answer);
    return job::EncodeEnvelope(envelope);
  }
  envelope.key = std::string(job::kAnswerPrefix) + trace::Hex(trace::NewTraceId());
  envelope.sha256 = store::Sha256(answer).Hex();
  TRY(store_.Put(envelope.key, answer, {.if_absent = false}));
  return job::EncodeEnvelope(envelope);
}

std::string Deliveries::AnswerPing() const {
  job::Pong pong;
  pong.version = facts_.version;
  pong.build = facts_.build;
  pong.memory_mb = facts_.memory_mb;
  struct statvfs disk {};
  if (statvfs(facts_.dir.c_str(), &disk) == 0) {
    pong.tmp_bytes = static_cast<int64_t>(disk.f_bavail * disk.f_frsize);
  }
  pong.time_ms = clock_.NowNs() / 1'000'000;
  return job::EncodePong(pong);
}

// A caller may choose among what the function may read anyway, but not where its credentials go.
Result<job::StoreUrl> Deliveries::Permitted(const std::string& location) const {
  ASSIGN_OR_RETURN(job::StoreUrl url, job::ParseStoreUrl(location));
  if (url.region.empty()) url.region = facts_.region;
  if (!facts_.fixed_store.empty()) {
    ASSIGN_OR_RETURN(job::StoreUrl fixed, job::ParseStoreUrl(facts_.fixed_store));
    if (fixed.region.empty()) fixed.region = facts_.region;
    if (SamePlace(url, fixed)) return url;
    return Error{Code::kInvalid, "store: this function is set to " + facts_.fixed_store +
                                     " (LLAMA_STORE), not to " + location};
  }
  if (url.endpoint.empty()) return url;
  ASSIGN_OR_RETURN(const http::Url endpoint, http::ParseUrl(url.endpoint));
  if (signing::IsAwsHost(endpoint.host) || http::IsLoopback(endpoint.host)) return url;
  return Error{Code::kInvalid,
               "store: " + url.endpoint + " is not AWS's; the function's LLAMA_STORE must name it"};
}

Result<void> Deliveries::UseStore(const std::string& location) {
  ASSIGN_OR_RETURN(job::StoreUrl url, Permitted(location));
  if (facts_.keys.access_key_id.empty()) {
    return Error{Code::kInvalid, "store: the function has no credentials (AWS_ACCESS_KEY_ID)"};
  }
  if (!s3_ || !(url == url_)) {
    const S3Access access = {url, facts_.keys, facts_.ca_files};
    store_.Use(runtime_);
    ASSIGN_OR_RETURN(s3_, S3Objects::Open(access, clock_, stop_fd_));
    url_ = std::move(url);
  }
  store_.Use(*s3_);
  return {};
}

}  // namespace llama::worker
