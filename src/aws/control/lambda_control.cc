#include "aws/control/lambda_control.h"

#include <simdjson.h>

#include <chrono>
#include <string_view>
#include <thread>

#include "aws/control/control_error.h"
#include "base/text/json.h"
#include "job/base64.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

using simdjson::dom::element;

constexpr int64_t kPollMs = 1'000;
constexpr int kMaxPages = 200;
constexpr std::string_view kFunctions = "/2015-03-31/functions";

std::string TargetOf(const std::string& name, std::string_view rest = "") {
  return std::string(kFunctions) + "/" + signing::UriEncode(name) + std::string(rest);
}

std::string Text(const element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

int64_t Number(const element& object, std::string_view key) {
  int64_t value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : 0;
}

std::map<std::string, std::string> Strings(const simdjson::simdjson_result<element>& from) {
  std::map<std::string, std::string> out;
  simdjson::dom::object object;
  if (from.get(object) != simdjson::SUCCESS) return out;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) out.emplace(key, text);
  }
  return out;
}

LambdaFunction ReadConfiguration(const element& object) {
  LambdaFunction out;
  out.name = Text(object, "FunctionName");
  out.arn = Text(object, "FunctionArn");
  out.role = Text(object, "Role");
  out.runtime = Text(object, "Runtime");
  out.package_type = Text(object, "PackageType");
  out.state = Text(object, "State");
  out.state_reason = Text(object, "StateReason");
  out.update_status = Text(object, "LastUpdateStatus");
  out.update_reason = Text(object, "LastUpdateStatusReason");
  out.code_sha256 = Text(object, "CodeSha256");
  out.last_modified = Text(object, "LastModified");
  out.code_bytes = Number(object, "CodeSize");
  out.memory_mb = Number(object, "MemorySize");
  out.timeout_s = Number(object, "Timeout");
  element nested;
  if (object["EphemeralStorage"].get(nested) == simdjson::SUCCESS) {
    out.tmp_mb = Number(nested, "Size");
  }
  if (object["Environment"].get(nested) == simdjson::SUCCESS) {
    out.environment = Strings(nested["Variables"]);
  }
  return out;
}

// Calls `read` with the root of `text`; kInvalid if it is no JSON object.
template <typename Read>
Result<void> WithJson(const std::string& text, const std::string& what, Read read) {
  simdjson::dom::parser parser;
  element root;
  const simdjson::padded_string padded(text);
  if (parser.parse(padded).get(root) != simdjson::SUCCESS || !root.is_object()) {
    return Error{Code::kInvalid, what + ": an answer that is no JSON object"};
  }
  read(root);
  return {};
}

void WriteStrings(JsonWriter& json, const std::map<std::string, std::string>& strings) {
  json.BeginObject();
  for (const auto& [key, value] : strings) json.Key(key).String(value);
  json.EndObject();
}

void WriteCode(JsonWriter& json, const LambdaCode& code) {
  if (!code.image_uri.empty()) {
    json.Key("ImageUri").String(code.image_uri);
    return;
  }
  std::string base64;
  job::AppendBase64(base64, code.zip);
  json.Key("ZipFile").String(base64);
}

void WriteConfiguration(JsonWriter& json, const LambdaConfiguration& configuration) {
  if (configuration.memory_mb) json.Key("MemorySize").Int(*configuration.memory_mb);
  if (configuration.timeout_s) json.Key("Timeout").Int(*configuration.timeout_s);
  if (configuration.tmp_mb) {
    json.Key("EphemeralStorage").BeginObject().Key("Size").Int(*configuration.tmp_mb).EndObject();
  }
  if (configuration.environment) {
    json.Key("Environment").BeginObject().Key("Variables");
    WriteStrings(json, *configuration.environment);
    json.EndObject();
  }
}

std::string CreateBody(const std::string& name, const std::string& role_arn, const LambdaCode& code,
                       const LambdaConfiguration& configuration,
                       const std::map<std::string, std::string>& tags) {
  JsonWriter json;
  json.BeginObject().Key("FunctionName").String(name).Key("Role").String(role_arn);
  if (code.image_uri.empty()) {
    json.Key("Runtime").String("provided.al2023").Key("Handler").String("bootstrap");
    json.Key("PackageType").String("Zip");
  } else {
    json.Key("PackageType").String("Image");
  }
  json.Key("Architectures").BeginArray().String(code.architecture).EndArray();
  json.Key("Description").String("llama: compiles and other jobs");
  json.Key("Code").BeginObject();
  WriteCode(json, code);
  json.EndObject();
  WriteConfiguration(json, configuration);
  json.Key("Tags");
  WriteStrings(json, tags);
  return json.EndObject().Take();
}

bool IsFreshRole(const Error& error) {
  // The second is what the grant on the key of the environment's variables meets.
  for (const std::string_view said :
       {"cannot be assumed by Lambda", "KMS key is invalid for CreateGrant"}) {
    if (error.message.find(said) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

// elf(5): e_machine, two bytes at 18, little-endian on both.
Result<std::string> ArchitectureOf(std::string_view program) {
  constexpr size_t kMachineAt = 18;
  constexpr int kX86 = 62;
  constexpr int kArm = 183;
  if (program.size() < kMachineAt + 2 || !program.starts_with("\x7f"
                                                              "ELF")) {
    return Error{Code::kInvalid, "not a program"};
  }
  const int machine = static_cast<unsigned char>(program[kMachineAt]) +
                      256 * static_cast<unsigned char>(program[kMachineAt + 1]);
  if (machine == kX86) return std::string("x86_64");
  if (machine == kArm) return std::string("arm64");
  return Error{Code::kInvalid, "a program for neither x86_64 nor arm64, which Lambda has"};
}

void LambdaControl::Pause(int64_t ms) const {
  if (lambda_.options().pause) return lambda_.options().pause(ms);
  std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

Result<HttpAnswer> LambdaControl::Call(const std::string& method, const std::string& target,
                                       const std::string& body, const std::string& action,
                                       const std::string& object) {
  ServiceCall call;
  call.method = method;
  call.target = target;
  call.body = body;
  if (!body.empty()) call.headers.emplace_back("Content-Type", "application/json");
  ASSIGN_OR_RETURN(ServiceAnswer answer, lambda_.Call(call));
  if (answer.http.status >= 300) return ControlError(answer.http, "lambda:" + action, object);
  return std::move(answer.http);
}

Result<LambdaFunction> LambdaControl::CallForFunction(const std::string& method,
                                                      const std::string& target,
                                                      const std::string& body,
                                                      const std::string& action,
                                                      const std::string& name) {
  ASSIGN_OR_RETURN(const HttpAnswer answer, Call(method, target, body, action, "function " + name));
  LambdaFunction out;
  TRY(WithJson(answer.body, "function " + name + ": " + action, [&](const element& root) {
    element configuration;
    const bool nested = root["Configuration"].get(configuration) == simdjson::SUCCESS;
    out = ReadConfiguration(nested ? configuration : root);
    out.tags = Strings(root["Tags"]);
    out.tags_hidden = root["TagsError"].error() == simdjson::SUCCESS;
  }));
  return out;
}

Result<LambdaFunction> LambdaControl::Get(const std::string& name) {
  ASSIGN_OR_RETURN(LambdaFunction function,
                   CallForFunction("GET", TargetOf(name), "", "GetFunction", name));
  // Whose it is, is not to be guessed.
  if (function.tags_hidden) {
    return Error{Code::kInvalid, "function " + name +
                                     ": its tags may not be seen; these credentials lack "
                                     "lambda:ListTags ('llama bootstrap --policy' has it)"};
  }
  return function;
}

Result<int64_t> LambdaControl::AccountConcurrency() {
  ASSIGN_OR_RETURN(const HttpAnswer answer, Call("GET", "/2016-08-19/account-settings/", "",
                                                 "GetAccountSettings", "account"));
  int64_t most = 0;
  TRY(WithJson(answer.body, "GetAccountSettings", [&](const element& root) {
    if (root["AccountLimit"]["ConcurrentExecutions"].get_int64().get(most) != simdjson::SUCCESS) {
      most = 0;
    }
  }));
  return most;
}

Result<std::vector<LambdaFunction>> LambdaControl::List() {
  std::vector<LambdaFunction> out;
  std::string marker;
  for (int page = 0; page < kMaxPages; ++page) {
    std::string target = std::string(kFunctions) + "/?MaxItems=50";
    if (!marker.empty()) target.append("&Marker=").append(signing::UriEncode(marker));
    ASSIGN_OR_RETURN(const HttpAnswer answer,
                     Call("GET", target, "", "ListFunctions", "functions"));
    marker.clear();
    TRY(WithJson(answer.body, "ListFunctions", [&](const element& root) {
      simdjson::dom::array functions;
      if (root["Functions"].get(functions) == simdjson::SUCCESS) {
        for (const element& function : functions) out.push_back(ReadConfiguration(function));
      }
      marker = Text(root, "NextMarker");
    }));
    if (marker.empty()) return out;
  }
  return Error{Code::kInvalid,
               "ListFunctions: no end after " + std::to_string(kMaxPages) + " pages"};
}

Result<LambdaFunction> LambdaControl::Create(const std::string& name, const std::string& role_arn,
                                             const LambdaCode& code,
                                             const LambdaConfiguration& configuration,
                                             const std::map<std::string, std::string>& tags,
                                             int64_t role_wait_ms) {
  const std::string body = CreateBody(name, role_arn, code, configuration, tags);
  const int64_t end_ns = clock_.MonotonicNs() + role_wait_ms * 1'000'000;
  while (true) {
    auto made = CallForFunction("POST", std::string(kFunctions), body, "CreateFunction", name);
    if (made || !IsFreshRole(made.error()) || clock_.MonotonicNs() >= end_ns) return made;
    Pause(kPollMs);
  }
}

Result<LambdaFunction> LambdaControl::UpdateCode(const std::string& name, const LambdaCode& code) {
  JsonWriter json;
  json.BeginObject();
  WriteCode(json, code);
  if (code.image_uri.empty()) {
    json.Key("Architectures").BeginArray().String(code.architecture).EndArray();
  }
  json.EndObject();
  return CallForFunction("PUT", TargetOf(name, "/code"), json.str(), "UpdateFunctionCode", name);
}

Result<LambdaFunction> LambdaControl::UpdateConfiguration(
    const std::string& name, const LambdaConfiguration& configuration) {
  JsonWriter json;
  json.BeginObject();
  WriteConfiguration(json, configuration);
  json.EndObject();
  return CallForFunction("PUT", TargetOf(name, "/configuration"), json.str(),
                         "UpdateFunctionConfiguration", name);
}

Result<void> LambdaControl::Delete(const std::string& name) {
  const auto done = Call("DELETE", TargetOf(name), "", "DeleteFunction", "function " + name);
  if (!done && done.error().code != Code::kNotFound) return done.error();
  return {};
}

Result<LambdaFunction> LambdaControl::AwaitReady(const std::string& name, int64_t timeout_ms) {
  const int64_t end_ns = clock_.MonotonicNs() + timeout_ms * 1'000'000;
  while (true) {
    ASSIGN_OR_RETURN(LambdaFunction now, Get(name));
    if (now.state == "Failed") {
      return Error{Code::kInvalid, "function " + name + " failed to start: " + now.state_reason};
    }
    if (now.update_status == "Failed") {
      return Error{Code::kInvalid,
                   "function " + name + " could not be changed: " + now.update_reason};
    }
    // An inactive one wakes up by being invoked; servers older than states give none.
    const bool settled = now.state != "Pending" && now.update_status != "InProgress";
    if (settled) return now;
    if (clock_.MonotonicNs() >= end_ns) {
      return Error{Code::kDeadline, "function " + name + " is not ready after " +
                                        std::to_string(timeout_ms / 1000) + " s (" + now.state +
                                        ", " + now.update_status + ")"};
    }
    Pause(kPollMs);
  }
}

}  // namespace llama::aws
