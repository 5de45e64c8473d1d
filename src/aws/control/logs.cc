#include "aws/control/logs.h"

#include <simdjson.h>

#include "aws/control/control_error.h"
#include "base/text/json.h"

namespace llama::aws {
namespace {

using simdjson::dom::element;

std::string GroupBody(const std::string& group) {
  return JsonWriter().BeginObject().Key("logGroupName").String(group).EndObject().Take();
}

std::string TextOf(const element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

}  // namespace

Result<HttpAnswer> Logs::Call(const std::string& action, const std::string& body,
                              const std::string& group) {
  ServiceCall call;
  call.method = "POST";
  call.target = "/";
  call.headers = {{"Content-Type", "application/x-amz-json-1.1"},
                  {"X-Amz-Target", "Logs_20140328." + action}};
  call.body = body;
  ASSIGN_OR_RETURN(ServiceAnswer answer, logs_.Call(call));
  if (answer.http.status >= 300) {
    return ControlError(answer.http, "logs:" + action, "log group " + group);
  }
  return std::move(answer.http);
}

Result<LogPage> Logs::Filter(const std::string& group, int64_t since_ms, const std::string& pattern,
                             const std::string& next) {
  JsonWriter json;
  json.BeginObject().Key("logGroupName").String(group).Key("startTime").Int(since_ms);
  if (!pattern.empty()) json.Key("filterPattern").String(pattern);
  if (!next.empty()) json.Key("nextToken").String(next);
  json.EndObject();
  ASSIGN_OR_RETURN(const HttpAnswer answer, Call("FilterLogEvents", json.str(), group));
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(answer.body);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "logs:FilterLogEvents: an answer that is no JSON"};
  }
  LogPage page;
  page.next = TextOf(root, "nextToken");
  simdjson::dom::array events;
  if (root["events"].get(events) != simdjson::SUCCESS) return page;
  for (const element& event : events) {
    LogEvent out{0, TextOf(event, "logStreamName"), TextOf(event, "message")};
    if (event["timestamp"].get(out.time_ms) != simdjson::SUCCESS) out.time_ms = 0;
    page.events.push_back(std::move(out));
  }
  return page;
}

Result<bool> Logs::HasGroup(const std::string& group) {
  const std::string body =
      JsonWriter().BeginObject().Key("logGroupNamePrefix").String(group).EndObject().Take();
  ASSIGN_OR_RETURN(const HttpAnswer answer, Call("DescribeLogGroups", body, group));
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(answer.body);
  simdjson::dom::array groups;
  if (parser.parse(padded).get(root) != simdjson::SUCCESS ||
      root["logGroups"].get(groups) != simdjson::SUCCESS) {
    return Error{Code::kInvalid, "logs:DescribeLogGroups: an answer without log groups"};
  }
  for (const element& found : groups) {
    if (TextOf(found, "logGroupName") == group) return true;
  }
  return false;
}

Result<void> Logs::CreateGroup(const std::string& group) {
  const auto done = Call("CreateLogGroup", GroupBody(group), group);
  const bool there =
      !done && done.error().message.find("ResourceAlreadyExistsException") != std::string::npos;
  if (!done && !there) return done.error();
  return {};
}

Result<void> Logs::SetRetention(const std::string& group, int days) {
  JsonWriter json;
  json.BeginObject().Key("logGroupName").String(group);
  json.Key("retentionInDays").Int(days).EndObject();
  TRY(Call("PutRetentionPolicy", json.str(), group));
  return {};
}

Result<void> Logs::DeleteGroup(const std::string& group) {
  const auto done = Call("DeleteLogGroup", GroupBody(group), group);
  if (!done && done.error().code != Code::kNotFound) return done.error();
  return {};
}

}  // namespace llama::aws
