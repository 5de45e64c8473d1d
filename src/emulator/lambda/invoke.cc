// The part of the Lambda front that invokes.
#include "base/text/json.h"
#include "emulator/lambda/front.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxEventBytes = 1 << 20;

std::string HeaderOf(const Request& request, std::string_view name) {
  const std::string* value = request.Header(name);
  return value == nullptr ? "" : *value;
}

Error TooLarge(uint64_t limit) {
  return LambdaError("RequestTooLargeException", "Request must be smaller than " +
                                                     std::to_string(limit) +
                                                     " bytes for the InvokeFunction operation");
}

// In X-Ray's form, as Lambda makes one where the caller gave none.
std::string NewTraceId(int64_t now_ns) {
  std::string random = NewUuid();
  std::erase(random, '-');
  std::string seconds;
  for (int shift = 28; shift >= 0; shift -= 4) {
    seconds.push_back("0123456789abcdef"[(now_ns / 1'000'000'000 >> shift) & 15]);
  }
  return "Root=1-" + seconds + "-" + random.substr(0, 24) + ";Parent=" + random.substr(16, 16) +
         ";Sampled=0";
}

Result<std::string> ClientContext(const Request& request) {
  const std::string* header = request.Header("X-Amz-Client-Context");
  if (header == nullptr) return std::string();
  Result<std::string> context = ReadBase64(*header);
  if (context && IsJson(*context)) return context;
  return LambdaError("InvalidRequestContentException",
                     "Client context must be a valid Base64-encoded JSON object.");
}

}  // namespace

Response ThrottleResponse(std::string_view reason) {
  JsonWriter json;
  json.BeginObject();
  json.Key("Reason").String(reason);
  json.Key("Type").String("User");
  json.Key("message").String("Rate Exceeded.");
  json.EndObject();
  Response response = LambdaJson(429, json.Take());
  response.headers.emplace_back("x-amzn-ErrorType", "TooManyRequestsException");
  response.headers.emplace_back("Retry-After", "1");
  response.error = "TooManyRequestsException";
  return response;
}

Result<LambdaCall> LambdaFront::MakeCall(const FunctionName& name) const {
  LambdaCall call;
  ASSIGN_OR_RETURN(call.config, registry_->Resolve(name));
  ASSIGN_OR_RETURN(const Function function, registry_->Get(name.name));
  call.reserved_concurrency = function.reserved_concurrency;
  call.code_dir = registry_->CodeFolder(call.config);
  call.job.function_arn = FunctionArn(authority_.region(), name.name, name.qualifier);
  return call;
}

Result<Response> LambdaFront::Invoke(const Request& request, const Exchange& exchange,
                                     const FunctionName& name, Response& logged) {
  // Before the function's own time, not beside it.
  const bool waited = exchange.SleepUntil(request.received_ns + logged.plan.latency_ns);
  logged.plan.latency_ns = 0;
  if (!waited) return LambdaError("ServiceException", "nobody waits for the answer");
  const std::string type = HeaderOf(request, "X-Amz-Invocation-Type");
  const bool later = type == "Event";
  const auto limit =
      later ? kMaxEventBytes : static_cast<uint64_t>(model_.Number("lambda.max_request"));
  if (request.body_too_large || (limit > 0 && request.body.size() > limit)) {
    return TooLarge(limit);
  }
  ASSIGN_OR_RETURN(LambdaCall call, MakeCall(name));
  ASSIGN_OR_RETURN(call.job.client_context, ClientContext(request));
  if (!request.body.empty() && !IsJson(request.body)) {
    return LambdaError("InvalidRequestContentException",
                       "Could not parse request body into json: it is not valid");
  }
  if (type == "DryRun") return LambdaJson(204, "");
  TRY(CheckGrant(call.config));
  if (!type.empty() && type != "RequestResponse" && !later) {
    return InvalidParameter("invocation type '" + type.substr(0, 50) + "'");
  }
  call.job.id = request.id;
  call.job.trace_id = HeaderOf(request, "X-Amzn-Trace-Id");
  if (call.job.trace_id.empty()) call.job.trace_id = NewTraceId(clock_.NowNs());
  if (later) return InvokeLater(request, name, call);
  call.job.payload = request.body.empty() ? std::string_view("{}") : request.body;
  return InvokeNow(call, SameIgnoringCase(HeaderOf(request, "X-Amz-Log-Type"), "Tail"));
}

Response LambdaFront::InvokeNow(const LambdaCall& call, bool with_log) {
  Result<EnvironmentAnswer> answer = pool_->Invoke(call);
  if (!answer) {
    const std::optional<std::string> reason = ThrottleReason(answer.error());
    return reason ? ThrottleResponse(*reason) : LambdaErrorResponse(answer.error());
  }
  Response response = LambdaJson(200, std::move(answer->payload));
  response.headers.emplace_back("X-Amz-Executed-Version", call.config.version);
  response.headers.emplace_back("X-Amzn-Trace-Id", call.job.trace_id);
  if (answer->failed) {
    response.headers.emplace_back("X-Amz-Function-Error", "Unhandled");
    response.error = "FunctionError";
  }
  if (with_log) response.headers.emplace_back("X-Amz-Log-Result", EncodeBase64(answer->log_tail));
  return response;
}

Result<Response> LambdaFront::InvokeLater(const Request& request, const FunctionName& name,
                                          const LambdaCall& call) {
  LambdaEvent event;
  event.function = name.name;
  event.qualifier = name.qualifier;
  event.id = call.job.id;
  event.trace_id = call.job.trace_id;
  event.client_context = call.job.client_context;
  event.payload = request.body.empty() ? "{}" : request.body;
  if (Result<void> added = events_->Add(std::move(event)); !added) {
    return ThrottleResponse("CallerRateLimitExceeded");
  }
  return LambdaJson(202, "");
}

EventQueue::Outcome LambdaFront::WorkOff(const LambdaEvent& event) {
  Result<LambdaCall> call = MakeCall({event.function, event.qualifier});
  if (!call) return EventQueue::Outcome::kDone;  // the function has gone
  call->job.id = event.id;
  call->job.trace_id = event.trace_id;
  call->job.client_context = event.client_context;
  call->job.payload = event.payload;
  const Result<EnvironmentAnswer> answer = pool_->Invoke(*call);
  if (!answer) {
    return ThrottleReason(answer.error()) ? EventQueue::Outcome::kThrottled
                                          : EventQueue::Outcome::kFailed;
  }
  return answer->failed ? EventQueue::Outcome::kFailed : EventQueue::Outcome::kDone;
}

}  // namespace llama::emulator
