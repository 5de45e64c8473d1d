#include "emulator/lambda/control.h"

#include <algorithm>

#include "base/text/json.h"
#include "emulator/lambda/settings.h"
#include "emulator/lambda/zip.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kDefaultItems = 50;
constexpr uint64_t kMaxItems = 10'000;

// Of a request that says which revision it means to change.
Result<void> CheckRevision(const JsonObject& request, const std::string& revision) {
  ASSIGN_OR_RETURN(const std::optional<std::string> wanted, request.String("RevisionId"));
  if (!wanted || *wanted == revision) return {};
  return LambdaError("PreconditionFailedException",
                     "The Revision Id provided does not match the latest Revision Id. Call the "
                     "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

std::string ConcurrencyJson(const Function& function) {
  JsonWriter json;
  json.BeginObject();
  if (function.reserved_concurrency) {
    json.Key("ReservedConcurrentExecutions").Int(*function.reserved_concurrency);
  }
  json.EndObject();
  return json.Take();
}

void AppendTags(JsonWriter& json, const Function& function) {
  json.Key("Tags").BeginObject();
  for (const auto& [name, value] : function.tags) json.Key(name).String(value);
  json.EndObject();
}

// A JSON array of texts that are JSON.
std::string Array(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) out += (out.size() > 1 ? "," : "") + item;
  return out + "]";
}

}  // namespace

Response LambdaControl::Configuration(int status, const FunctionConfig& config,
                                      bool qualified) const {
  Response response = LambdaJson(status, ConfigurationJson(config, region_, qualified));
  response.resource = config.name;
  return response;
}

// `prefix` is "Code/" where the members lie in an object of their own.
Result<std::string> LambdaControl::ReadCode(const JsonObject& request, std::string_view prefix) {
  const std::string at(prefix);
  ASSIGN_OR_RETURN(const auto zip, request.String(at + "ZipFile"));
  if (zip) return ReadBase64(*zip);
  ASSIGN_OR_RETURN(const auto bucket, request.String(at + "S3Bucket"));
  ASSIGN_OR_RETURN(const auto key, request.String(at + "S3Key"));
  if (bucket && key) {
    Result<std::string> object = fetch_(*bucket, *key);
    if (object) return object;
    return InvalidParameter(
        "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error "
        "Message: " +
        object.error().message);
  }
  if (request.Has(at + "ImageUri")) {
    return InvalidParameter("the emulator runs zip packages, not container images");
  }
  return InvalidParameter("Please provide a source for function code.");
}

Result<void> LambdaControl::StoreCode(const std::string& zip, FunctionConfig& config) {
  ASSIGN_OR_RETURN(const bool bootstrap, ZipHolds(zip, "bootstrap"));
  if (!bootstrap && !IsProvidedRuntime(config.runtime)) {
    return InvalidParameter("the emulator has no runtime '" + config.runtime +
                            "': use provided.al2023, or put an executable 'bootstrap' that is the "
                            "runtime into the zip");
  }
  return registry_.StoreCode(zip, config);
}

// The variables' key is granted to the role that there is now.
void LambdaControl::Grant(FunctionConfig& config) const {
  config.granted_role = role_id_ ? role_id_(config.role) : "";
}

Result<Response> LambdaControl::CreateFunction(const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  Function function;
  FunctionConfig& config = function.latest;
  ASSIGN_OR_RETURN(const auto name_text, json.String("FunctionName"));
  ASSIGN_OR_RETURN(const FunctionName name, ParseFunctionName(name_text.value_or("")));
  config.name = name.name;
  TRY(ApplySettings(json, config));
  Grant(config);
  ASSIGN_OR_RETURN(function.tags, ReadTags(json));
  ASSIGN_OR_RETURN(const std::string zip, ReadCode(json, "Code/"));
  if (config.runtime.empty()) {
    return InvalidParameter(
        "Runtime and Handler are mandatory parameters for functions created "
        "with deployment packages.");
  }
  TRY(StoreCode(zip, config));
  registry_.Touch(config);
  ASSIGN_OR_RETURN(const auto publish, json.Bool("Publish"));
  FunctionConfig created = config;
  if (publish.value_or(false)) created = emulator::PublishVersion(function, "");
  TRY(registry_.Create(std::move(function)));
  return Configuration(201, created, publish.value_or(false));
}

Result<Response> LambdaControl::ListFunctions(const Request& request) {
  uint64_t max = kDefaultItems;
  if (const std::string* text = request.Query("MaxItems")) {
    max = std::clamp<uint64_t>(ParseUint(*text).value_or(kDefaultItems), 1, kMaxItems);
  }
  const std::string* marker = request.Query("Marker");
  const std::string* versions = request.Query("FunctionVersion");
  const std::vector<Function> functions =
      registry_.List(marker == nullptr ? "" : *marker, static_cast<size_t>(max) + 1);
  std::vector<std::string> items;
  const size_t count = std::min(functions.size(), static_cast<size_t>(max));
  for (size_t i = 0; i < count; ++i) {
    items.push_back(ConfigurationJson(functions[i].latest, region_, versions != nullptr));
    if (versions == nullptr) continue;
    for (const auto& [number, version] : functions[i].versions) {
      items.push_back(ConfigurationJson(version, region_, true));
    }
  }
  std::string body = "{\"Functions\":" + Array(items);
  if (functions.size() > count) {
    body += ",\"NextMarker\":";
    AppendJsonString(body, functions[count - 1].latest.name);
  }
  return LambdaJson(200, body + "}");
}

Result<Response> LambdaControl::GetFunction(const FunctionName& name, bool tags) {
  ASSIGN_OR_RETURN(const FunctionConfig config, registry_.Resolve(name));
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  JsonWriter json;
  json.BeginObject();
  json.Key("Code").BeginObject();
  json.Key("RepositoryType").String("S3");
  json.Key("Location").String("file://" + registry_.ZipFile(config)).EndObject();
  if (tags) {
    AppendTags(json, function);
  } else {
    json.Key("TagsError").BeginObject().Key("ErrorCode").String("AccessDeniedException");
    json.Key("Message").String("no identity-based policy allows the lambda:ListTags action");
    json.EndObject();
  }
  std::string body = json.Take();
  body += ",\"Configuration\":" + ConfigurationJson(config, region_, !name.qualifier.empty());
  if (function.reserved_concurrency) body += ",\"Concurrency\":" + ConcurrencyJson(function);
  return LambdaJson(200, body + "}");
}

Result<Response> LambdaControl::GetFunctionConfiguration(const FunctionName& name) {
  ASSIGN_OR_RETURN(const FunctionConfig config, registry_.Resolve(name));
  return Configuration(200, config, !name.qualifier.empty());
}

Result<Response> LambdaControl::UpdateFunctionCode(const FunctionName& name,
                                                   const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const Function before, registry_.Get(name.name));
  ASSIGN_OR_RETURN(const std::string zip, ReadCode(json, ""));
  ASSIGN_OR_RETURN(const auto publish, json.Bool("Publish"));
  ASSIGN_OR_RETURN(const auto dry_run, json.Bool("DryRun"));
  FunctionConfig updated = before.latest;
  TRY(CheckRevision(json, updated.revision));
  TRY(StoreCode(zip, updated));
  if (dry_run.value_or(false)) return Configuration(200, updated, false);
  FunctionConfig answer;
  const auto change = [&](Function& function) -> Result<void> {
    TRY(CheckRevision(json, function.latest.revision));
    function.latest.code_sha256 = updated.code_sha256;
    function.latest.code_bytes = updated.code_bytes;
    registry_.Touch(function.latest);
    answer = publish.value_or(false) ? emulator::PublishVersion(function, "") : function.latest;
    return {};
  };
  TRY(registry_.Change(name.name, change));
  changed_(name.name);
  return Configuration(200, answer, publish.value_or(false));
}

Result<Response> LambdaControl::UpdateFunctionConfiguration(const FunctionName& name,
                                                            const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  const auto change = [&](Function& function) -> Result<void> {
    TRY(CheckRevision(json, function.latest.revision));
    const std::string before = function.latest.role;
    TRY(ApplySettings(json, function.latest));
    if (function.latest.role != before) Grant(function.latest);
    registry_.Touch(function.latest);
    return {};
  };
  ASSIGN_OR_RETURN(const Function changed, registry_.Change(name.name, change));
  changed_(name.name);
  return Configuration(200, changed.latest, false);
}

Result<Response> LambdaControl::DeleteFunction(const FunctionName& name) {
  if (name.qualifier.empty()) {
    TRY(registry_.Delete(name.name));
  } else {
    const auto change = [&](Function& function) -> Result<void> {
      const Result<int64_t> number = ParseVersion(name.qualifier);
      if (!number)
        return InvalidParameter(
            "$LATEST version cannot be deleted without deleting the "
            "function.");
      for (const auto& [alias_name, alias] : function.aliases) {
        if (alias.version == name.qualifier) {
          return LambdaError("ResourceConflictException",
                             "Version " + alias.version + " is in use by alias " + alias_name);
        }
      }
      function.versions.erase(*number);
      return {};
    };
    TRY(registry_.Change(name.name, change));
  }
  changed_(name.name);
  Response response = LambdaJson(204, "");
  response.resource = name.name;
  return response;
}

Result<Response> LambdaControl::PutConcurrency(const FunctionName& name, const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const auto value, json.Int("ReservedConcurrentExecutions"));
  if (!value || *value < 0) {
    return InvalidParameter("ReservedConcurrentExecutions must be 0 or more");
  }
  const auto change = [&](Function& function) -> Result<void> {
    function.reserved_concurrency = *value;
    return {};
  };
  ASSIGN_OR_RETURN(const Function changed, registry_.Change(name.name, change));
  return LambdaJson(200, ConcurrencyJson(changed));
}

Result<Response> LambdaControl::GetConcurrency(const FunctionName& name) {
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  return LambdaJson(200, ConcurrencyJson(function));
}

Result<Response> LambdaControl::DeleteConcurrency(const FunctionName& name) {
  const auto change = [](Function& function) -> Result<void> {
    function.reserved_concurrency.reset();
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return LambdaJson(204, "");
}

Result<Response> LambdaControl::ListTags(const FunctionName& name) {
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  JsonWriter json;
  json.BeginObject();
  AppendTags(json, function);
  json.EndObject();
  return LambdaJson(200, json.Take());
}

Result<Response> LambdaControl::TagResource(const FunctionName& name, const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const auto tags, ReadTags(json));
  const auto change = [&](Function& function) -> Result<void> {
    for (const auto& [key, value] : tags) function.tags.insert_or_assign(key, value);
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return LambdaJson(204, "");
}

Result<Response> LambdaControl::UntagResource(const FunctionName& name, const Request& request) {
  const auto change = [&](Function& function) -> Result<void> {
    for (const auto& [key, value] : request.query) {
      if (key == "tagKeys") function.tags.erase(value);
    }
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return LambdaJson(204, "");
}

}  // namespace llama::emulator
