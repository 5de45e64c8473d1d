#include "aws/lambda/functions.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "aws/lambda/concurrency_gate.h"
#include "aws/lambda/log_report.h"
#include "aws/lambda/silence_watch.h"
#include "aws/service/service_error.h"
#include "job/base64.h"
#include "job/envelope.h"
#include "job/lambda_bill.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

// Below what AWS counts, so that a difference in counting is no failure.
constexpr uint64_t kMaxInline = job::kMaxEnvelopeBytes - (64 << 10);
// Of a job or an answer that goes through the store.
constexpr uint64_t kMaxPayload = 256ull << 20;
// A call that never gets an answer is ended by its total limit; the silence before an answer is the
// compile itself.
constexpr int64_t kNoLimit = 0;
// A job or an answer that moves next to nothing for so long has lost its connection.
constexpr int64_t kStallMs = 3'000;

std::vector<std::string_view> Split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool IsFunctionPart(std::string_view part) {
  return !part.empty() && part.size() <= 140 && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '$';
  });
}

std::string Join(const std::vector<std::string_view>& parts, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out.append(i == 0 ? "" : ":").append(parts[i]);
  return out;
}

class LambdaFunctions final : public job::FunctionClient {
 public:
  LambdaFunctions(const LambdaFunctionsOptions& options, FunctionName name, Service& lambda,
                  store::ObjectStore& store, const Clock& clock)
      : options_(options),
        name_(std::move(name)),
        lambda_(lambda),
        store_(store),
        clock_(clock),
        gate_(options.max_concurrency, clock),
        memory_mb_(options.memory_mb),
        watch_(lambda, clock, [this] {
          job::InvokeOptions ping;
          ping.timeout_ms = SilenceWatch::kAnswerMs;
          (void)Ping(ping).has_value();
        }) {}

  Result<job::Invocation> Invoke(std::string_view payload,
                                 const job::InvokeOptions& options) override;
  Result<void> Ping(const job::InvokeOptions& options) override;
  uint64_t max_payload_bytes() const override { return kMaxPayload; }
  std::string name() const override { return "lambda:" + options_.function; }

 private:
  // One invocation on its way.
  struct Run {
    const job::InvokeOptions& options;
    int64_t overhead_left_ms;
    job::Invocation invocation = {};
  };

  Result<std::string> Wrap(std::string_view payload, Run& run);
  template <typename Transfer>
  auto WithinOverhead(Run& run, const Transfer& transfer);
  ServiceCall NewCall(std::string_view body, const job::InvokeOptions& options) const;
  // Holds a place of the gate while the call is under way.
  Result<ServiceAnswer> CallThroughGate(ServiceCall& call, job::Invocation& invocation);
  Result<std::string> Unwrap(const HttpAnswer& answer, Run& run);
  Result<std::string> Fetch(const job::Envelope& envelope, Run& run);
  std::optional<LambdaReport> TakeReport(const HttpAnswer& answer, job::Invocation& invocation);
  Error Refusal(const HttpAnswer& answer) const;
  Error Name(Code code, std::string_view what) const;

  const LambdaFunctionsOptions options_;
  const FunctionName name_;
  Service& lambda_;
  store::ObjectStore& store_;
  const Clock& clock_;
  ConcurrencyGate gate_;
  std::atomic<int64_t> memory_mb_;
  SilenceWatch watch_;  // last: its thread uses the others
};

Error LambdaFunctions::Name(Code code, std::string_view what) const {
  return {code, "function " + options_.function + ": " + std::string(what)};
}

// A payload's way through the store, `transfer`, for as long as there is time for what is not the
// function's run.
template <typename Transfer>
auto LambdaFunctions::WithinOverhead(Run& run, const Transfer& transfer) {
  const int64_t begun_ns = clock_.MonotonicNs();
  bool late = false;
  auto result = transfer([&] {
    if (run.options.cancelled && run.options.cancelled()) return true;
    late = (clock_.MonotonicNs() - begun_ns) / 1'000'000 >= run.overhead_left_ms;
    return late;
  });
  run.overhead_left_ms -= (clock_.MonotonicNs() - begun_ns) / 1'000'000;
  if (!result && late) {
    result = Name(Code::kDeadline, "no time left for a payload's way through the store");
  }
  return result;
}

Result<std::string> LambdaFunctions::Wrap(std::string_view payload, Run& run) {
  job::Envelope envelope;
  envelope.store = options_.store_location;
  envelope.max_answer = kMaxInline;
  if (job::EnvelopeSize(envelope, payload.size()) <= kMaxInline) {
    envelope.bytes = payload;
    return job::EncodeEnvelope(envelope);
  }
  if (payload.size() > kMaxPayload) {
    return Name(Code::kInvalid, "a job of " + std::to_string(payload.size()) + " bytes");
  }
  envelope.sha256 = signing::Sha256Hex(payload);
  envelope.key = std::string(job::kJobPrefix) + envelope.sha256;
  TRY(WithinOverhead(run, [&](const std::function<bool()>& cancelled) {
    return store_.Put(envelope.key, payload,
                      {.cancelled = cancelled, .retries = run.options.retries});
  }));
  ++run.invocation.store_puts;
  run.invocation.sent_bytes += payload.size();
  return job::EncodeEnvelope(envelope);
}

ServiceCall LambdaFunctions::NewCall(std::string_view body,
                                     const job::InvokeOptions& options) const {
  ServiceCall call;
  call.method = "POST";
  call.target = "/2015-03-31/functions/" + signing::UriEncode(name_.name) + "/invocations";
  if (!name_.qualifier.empty()) {
    call.target.append("?Qualifier=").append(signing::UriEncode(name_.qualifier));
  }
  call.headers = {{"Content-Type", "application/json"},
                  {"X-Amz-Invocation-Type", "RequestResponse"},
                  {"X-Amz-Log-Type", options_.log_tail ? "Tail" : "None"}};
  call.body = body;
  call.deadlines.first_byte_ms = kNoLimit;
  call.deadlines.stall_ms = kStallMs;
  call.deadlines.total_ms = options.timeout_ms;
  call.max_answer_bytes = job::kMaxEnvelopeBytes + (1 << 20);
  call.cancelled = options.cancelled;
  call.retries = options.retries;
  return call;
}

// A dry run: permissions are looked at and nothing runs.
Result<void> LambdaFunctions::Ping(const job::InvokeOptions& options) {
  ServiceCall call = NewCall({}, options);
  call.headers[1].second = "DryRun";
  call.deadlines.first_byte_ms = options.timeout_ms;
  TRY(lambda_.Call(call));
  return {};
}

Result<ServiceAnswer> LambdaFunctions::CallThroughGate(ServiceCall& call,
                                                       job::Invocation& invocation) {
  const int64_t begun_ns = clock_.MonotonicNs();
  const int64_t total_ms = call.deadlines.total_ms;
  const int64_t deadline_ns = begun_ns + total_ms * 1'000'000;
  if (auto entered = gate_.Enter(call.cancelled, deadline_ns); !entered) {
    return Name(entered.error().code, entered.error().message);
  }
  int64_t queued_ns = clock_.MonotonicNs() - begun_ns;
  call.deadlines.total_ms = std::max<int64_t>(1, total_ms - queued_ns / 1'000'000);
  bool inside = true;
  call.on_throttled = [&](const std::string& reason) -> Result<void> {
    const int64_t from_ns = clock_.MonotonicNs();
    Result<void> again = gate_.Throttled(reason, call.cancelled, deadline_ns);
    inside = again.has_value();
    queued_ns += clock_.MonotonicNs() - from_ns;
    return again;
  };
  bool given_up = false;
  const std::function<bool()> cancelled = call.cancelled;
  call.cancelled = [&] {
    if (cancelled && cancelled()) return true;
    given_up = given_up || watch_.is_mute();
    return given_up;
  };
  Result<ServiceAnswer> answer = [&] {
    const SilenceWatch::Invocation under_way(watch_);
    return lambda_.Call(call);
  }();
  if (!answer && given_up && answer.error().code == Code::kCancelled) {
    answer = Name(Code::kUnavailable, "no answer, and the service does not answer other requests");
  }
  if (inside) gate_.Leave(answer.has_value());
  invocation.queued_ns = queued_ns + (answer ? answer->waited_ns : 0);
  return answer;
}

Result<job::Invocation> LambdaFunctions::Invoke(std::string_view payload,
                                                const job::InvokeOptions& options) {
  Run run{options, options.overhead_ms};
  job::Invocation& invocation = run.invocation;
  ASSIGN_OR_RETURN(const std::string body, Wrap(payload, run));
  ServiceCall call = NewCall(body, options);
  call.max_failing_ms = run.overhead_left_ms;
  ASSIGN_OR_RETURN(const ServiceAnswer answer, CallThroughGate(call, invocation));
  invocation.requests = answer.attempts;
  invocation.sent_bytes += body.size();
  invocation.received_bytes += answer.http.body.size();
  if (answer.http.status != 200) return Refusal(answer.http);
  const std::optional<LambdaReport> report = TakeReport(answer.http, invocation);
  if (answer.http.Find("x-amz-function-error") != nullptr) {
    return FunctionError(options_.function, answer.http.body, report);
  }
  ASSIGN_OR_RETURN(invocation.payload, Unwrap(answer.http, run));
  return std::move(invocation);
}

std::optional<LambdaReport> LambdaFunctions::TakeReport(const HttpAnswer& answer,
                                                        job::Invocation& invocation) {
  std::optional<LambdaReport> report;
  if (const std::string* tail = answer.Find("x-amz-log-result"); tail != nullptr) {
    if (const auto log = job::DecodeBase64(*tail)) report = FindReport(*log);
  }
  if (report && report->memory_mb > 0) memory_mb_ = report->memory_mb;
  if (report) {
    job::SetBill({report->billed_ms, memory_mb_}, invocation);
    invocation.cold_start = report->init_ms.has_value();
    invocation.init_ns = static_cast<int64_t>(report->init_ms.value_or(0) * 1e6);
    return report;
  }
  // From the connection's being there to the answer: the function's time and one round trip.
  const int64_t ns = answer.first_byte_ns - answer.connect_ns;
  const int64_t ms = std::max<int64_t>(1, (ns + 999'999) / 1'000'000);
  job::SetBill({ms, memory_mb_, true}, invocation);
  return report;
}

Result<std::string> LambdaFunctions::Unwrap(const HttpAnswer& answer, Run& run) {
  Result<job::Envelope> envelope = job::DecodeEnvelope(answer.body);
  if (!envelope) {
    return Name(Code::kRemoteFailed, "its answer is not llama's: is its code llama-runtime? (" +
                                         envelope.error().message + ")");
  }
  return envelope->key.empty() ? std::move(envelope->bytes) : Fetch(*envelope, run);
}

Result<std::string> LambdaFunctions::Fetch(const job::Envelope& envelope, Run& run) {
  // An answer can't make us read, or delete, anything else.
  if (!envelope.key.starts_with(job::kAnswerPrefix)) {
    return Name(Code::kRemoteFailed,
                "its answer names an object outside " + std::string(job::kAnswerPrefix));
  }
  ++run.invocation.store_gets;
  ASSIGN_OR_RETURN(std::string bytes,
                   WithinOverhead(run, [&](const std::function<bool()>& cancelled) {
                     return store_.GetWith(
                         envelope.key, {.cancelled = cancelled, .retries = run.options.retries});
                   }));
  run.invocation.received_bytes += bytes.size();
  if (signing::Sha256Hex(bytes) != envelope.sha256) {
    return Name(Code::kUnavailable, "the object of its answer is damaged");
  }
  // The bucket's lifecycle rule removes it if this does not.
  (void)store_.Delete(envelope.key);
  return bytes;
}

Error LambdaFunctions::Refusal(const HttpAnswer& answer) const {
  const ServiceError error = ReadServiceError(answer);
  const std::string said =
      "status " + std::to_string(answer.status) + (error.Text().empty() ? "" : ", ") + error.Text();
  switch (answer.status) {
    case 404:
      return Name(Code::kNotFound, "there is none of that name in " + lambda_.options().region +
                                       "; 'llama bootstrap' makes it (" + said + ")");
    case 403:
      return Name(Code::kInvalid,
                  "these credentials may not invoke it; 'llama bootstrap --policy' prints what "
                  "they need (" +
                      said + ")");
    case 409:
      return Name(Code::kUnavailable, "it is not ready: " + said);
    default:
      return Name(Code::kInvalid, said);
  }
}

}  // namespace

Result<FunctionName> ParseFunctionName(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  const bool arn = parts[0] == "arn";
  const bool partial = !arn && parts.size() > 2 && parts[1] == "function";
  const size_t name_parts = arn ? 7 : partial ? 3 : 1;
  const bool sound = (parts.size() == name_parts || parts.size() == name_parts + 1) &&
                     (!arn || (parts[2] == "lambda" && parts[5] == "function")) &&
                     std::all_of(parts.begin(), parts.end(), IsFunctionPart);
  if (!sound) return Error{Code::kInvalid, "'" + std::string(text) + "' is no function's name"};
  FunctionName out{Join(parts, name_parts), ""};
  if (parts.size() > name_parts) out.qualifier = parts.back();
  return out;
}

Result<std::unique_ptr<job::FunctionClient>> NewLambdaFunctions(
    const LambdaFunctionsOptions& options, Service& lambda, store::ObjectStore& store,
    const Clock& clock) {
  ASSIGN_OR_RETURN(FunctionName name, ParseFunctionName(options.function));
  if (options.max_concurrency < 1) {
    return Error{Code::kInvalid, "max_concurrency is less than 1"};
  }
  return std::unique_ptr<job::FunctionClient>(
      std::make_unique<LambdaFunctions>(options, std::move(name), lambda, store, clock));
}

}  // namespace llama::aws
