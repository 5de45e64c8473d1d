#include "emulator/iam/logs_front.h"

#include <algorithm>

#include "base/text/json.h"
#include "emulator/lambda/function.h"
#include "emulator/request/account.h"
#include "emulator/request/lambda_access.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kTarget = "Logs_20140328.";
constexpr int64_t kMaxEvents = 10'000;

// "Type: text", as lambda_error.h has its own.
Error LogsError(std::string_view type, std::string_view text) {
  Error error{Code::kInvalid, std::string(type)};
  error.message.append(": ").append(text);
  return error;
}

Response Refusal(const Error& error) {
  const size_t colon = error.message.find(": ");
  const bool typed = error.message.substr(0, colon).ends_with("Exception");
  const std::string type = typed ? error.message.substr(0, colon) : "InvalidParameterException";
  JsonWriter json;
  json.BeginObject();
  json.Key("__type").String(type);
  json.Key("message").String(typed ? error.message.substr(colon + 2) : error.message);
  json.EndObject();
  Response response = LambdaJson(400, json.Take());
  response.error = type;
  return response;
}

// A pattern that is a word or a quoted text; CloudWatch's others are not known.
std::string PlainPattern(std::string pattern) {
  if (pattern.size() >= 2 && pattern.front() == '"' && pattern.back() == '"') {
    return pattern.substr(1, pattern.size() - 2);
  }
  return pattern;
}

Result<std::string> GroupOf(const JsonObject& json) {
  ASSIGN_OR_RETURN(const auto name, json.String("logGroupName"));
  if (!name || name->empty()) return LogsError("InvalidParameterException", "no logGroupName");
  return *name;
}

template <typename T>
Result<T> Found(Result<T> result) {
  if (result) return result;
  return LogsError("ResourceNotFoundException", "The specified log group does not exist.");
}

Result<LogQuery> ReadQuery(const JsonObject& json) {
  LogQuery query;
  ASSIGN_OR_RETURN(const auto from, json.Int("startTime"));
  ASSIGN_OR_RETURN(const auto until, json.Int("endTime"));
  ASSIGN_OR_RETURN(const auto prefix, json.String("logStreamNamePrefix"));
  ASSIGN_OR_RETURN(const auto streams, json.StringList("logStreamNames"));
  ASSIGN_OR_RETURN(const auto stream, json.String("logStreamName"));
  ASSIGN_OR_RETURN(const auto pattern, json.String("filterPattern"));
  ASSIGN_OR_RETURN(const auto token, json.String("nextToken"));
  ASSIGN_OR_RETURN(const auto limit, json.Int("limit"));
  query.from_ms = from.value_or(0);
  query.until_ms = until.value_or(INT64_MAX);
  query.stream_prefix = prefix.value_or("");
  if (streams) query.streams = *streams;
  if (stream) query.streams = {*stream};
  query.text = PlainPattern(pattern.value_or(""));
  query.after = token ? ParseUint(*token).value_or(0) : 0;
  query.max = static_cast<size_t>(std::clamp<int64_t>(limit.value_or(kMaxEvents), 1, kMaxEvents));
  return query;
}

// FilterLogEvents and GetLogEvents differ in what their tokens are called.
Result<std::string> Events(const LambdaLogs& logs, const JsonObject& json, bool filter) {
  ASSIGN_OR_RETURN(const std::string group, GroupOf(json));
  ASSIGN_OR_RETURN(const LogQuery query, ReadQuery(json));
  ASSIGN_OR_RETURN(const std::vector<LogEvent> events, Found(logs.Find(group, query)));
  JsonWriter out;
  out.BeginObject().Key("events").BeginArray();
  for (const LogEvent& event : events) {
    out.BeginObject();
    out.Key("timestamp").Int(event.time_ms).Key("ingestionTime").Int(event.time_ms);
    std::string_view message = event.message;
    if (message.ends_with('\n')) message.remove_suffix(1);
    out.Key("message").String(message);
    if (filter) {
      out.Key("logStreamName").String(event.stream);
      out.Key("eventId").String(std::to_string(event.number));
    }
    out.EndObject();
  }
  out.EndArray();
  const std::string last = std::to_string(events.empty() ? query.after : events.back().number);
  if (filter) {
    out.Key("searchedLogStreams").BeginArray().EndArray();
    if (events.size() == query.max) out.Key("nextToken").String(last);
  } else {
    out.Key("nextForwardToken").String(last).Key("nextBackwardToken").String("0");
  }
  out.EndObject();
  return out.Take();
}

Result<std::string> DescribeGroups(const LambdaLogs& logs, const JsonObject& json) {
  ASSIGN_OR_RETURN(const auto prefix, json.String("logGroupNamePrefix"));
  JsonWriter out;
  out.BeginObject().Key("logGroups").BeginArray();
  for (const std::string& name : logs.Groups(prefix.value_or(""))) {
    out.BeginObject().Key("logGroupName").String(name).EndObject();
  }
  out.EndArray().EndObject();
  return out.Take();
}

Result<std::string> DescribeStreams(const LambdaLogs& logs, const JsonObject& json) {
  ASSIGN_OR_RETURN(const std::string group, GroupOf(json));
  ASSIGN_OR_RETURN(const auto prefix, json.String("logStreamNamePrefix"));
  ASSIGN_OR_RETURN(const auto streams, Found(logs.Streams(group, prefix.value_or(""))));
  JsonWriter out;
  out.BeginObject().Key("logStreams").BeginArray();
  for (const LambdaLogs::Stream& stream : streams) {
    out.BeginObject().Key("logStreamName").String(stream.name);
    out.Key("firstEventTimestamp").Int(stream.first_ms);
    out.Key("lastEventTimestamp").Int(stream.last_ms).EndObject();
  }
  out.EndArray().EndObject();
  return out.Take();
}

}  // namespace

Result<std::string> LogsFront::Run(std::string_view action, const std::string& body,
                                   const Access& access) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(body));
  ASSIGN_OR_RETURN(const auto named, json.String("logGroupName"));
  const std::string arn = "arn:aws:logs:" + authority_.region() + ":" + std::string(kAccountId) +
                          ":log-group:" + named.value_or("") + ":*";
  if (const auto denied = authority_.Denied(access, "logs:" + std::string(action), arn)) {
    return LogsError("AccessDeniedException", *denied);
  }
  if (action == "FilterLogEvents") return Events(logs_, json, true);
  if (action == "GetLogEvents") return Events(logs_, json, false);
  if (action == "DescribeLogGroups") return DescribeGroups(logs_, json);
  if (action == "DescribeLogStreams") return DescribeStreams(logs_, json);
  ASSIGN_OR_RETURN(const std::string group, GroupOf(json));
  if (action == "CreateLogGroup") {
    if (logs_.Create(group)) return std::string();
    return LogsError("ResourceAlreadyExistsException", "The specified log group already exists");
  }
  TRY(Found(logs_.Streams(group, "")));
  if (action == "PutRetentionPolicy") return std::string();
  if (action == "DeleteLogGroup") {
    logs_.Remove(group);
    return std::string();
  }
  return LogsError("UnknownOperationException",
                   "the emulator has no logs:" + std::string(action.substr(0, 100)));
}

Response LogsFront::Handle(const Request& request, const Exchange& exchange) {
  (void)exchange;
  const std::string* target = request.Header("X-Amz-Target");
  std::string_view action = target == nullptr ? "" : std::string_view(*target);
  if (action.starts_with(kTarget)) action.remove_prefix(kTarget.size());
  Response response;
  const Access access = authority_.Check(request, "logs");
  if (std::optional<Response> refusal = RefuseAsJson(access)) {
    response = std::move(*refusal);
  } else {
    Result<std::string> done = Run(action, request.body, access);
    response = done ? LambdaJson(200, std::move(done).value()) : Refusal(done.error());
  }
  response.headers[0].second = "application/x-amz-json-1.1";
  response.service = "logs";
  response.operation = action.substr(0, 100);
  return response;
}

}  // namespace llama::emulator
