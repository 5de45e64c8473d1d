#include "emulator/lambda/function.h"

#include <algorithm>
#include <charconv>

#include "base/text/json.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/lambda_json.h"

namespace llama::emulator {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

bool IsName(std::string_view name, size_t max) {
  return !name.empty() && name.size() <= max &&
         std::all_of(name.begin(), name.end(), IsNameCharacter);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == text.npos) return parts;
    text.remove_prefix(end + 1);
  }
}

void AppendMap(JsonWriter& json, const std::map<std::string, std::string>& map) {
  json.BeginObject();
  for (const auto& [name, value] : map) json.Key(name).String(value);
  json.EndObject();
}

void AppendConfig(JsonWriter& json, const FunctionConfig& config) {
  json.BeginObject();
  json.Key("name").String(config.name);
  json.Key("version").String(config.version);
  json.Key("description").String(config.description);
  json.Key("role").String(config.role).Key("granted_role").String(config.granted_role);
  json.Key("runtime").String(config.runtime);
  json.Key("handler").String(config.handler);
  json.Key("architecture").String(config.architecture);
  json.Key("memory_mb").Int(config.memory_mb);
  json.Key("timeout_s").Int(config.timeout_s);
  json.Key("tmp_mb").Int(config.tmp_mb);
  json.Key("environment");
  AppendMap(json, config.environment);
  json.Key("code_sha256").String(config.code_sha256);
  json.Key("code_bytes").Int(config.code_bytes);
  json.Key("last_modified").String(config.last_modified);
  json.Key("revision").String(config.revision);
  json.EndObject();
}

Result<FunctionConfig> RestoreConfig(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  FunctionConfig config;
  const auto take = [&](std::string_view key, auto& into) -> Result<void> {
    if constexpr (std::is_same_v<std::decay_t<decltype(into)>, std::string>) {
      ASSIGN_OR_RETURN(auto value, json.String(key));
      if (value) into = *value;
    } else {
      ASSIGN_OR_RETURN(auto value, json.Int(key));
      if (value) into = *value;
    }
    return {};
  };
  TRY(take("name", config.name));
  TRY(take("version", config.version));
  TRY(take("description", config.description));
  TRY(take("role", config.role));
  TRY(take("granted_role", config.granted_role));
  TRY(take("runtime", config.runtime));
  TRY(take("handler", config.handler));
  TRY(take("architecture", config.architecture));
  TRY(take("memory_mb", config.memory_mb));
  TRY(take("timeout_s", config.timeout_s));
  TRY(take("tmp_mb", config.tmp_mb));
  TRY(take("code_sha256", config.code_sha256));
  TRY(take("code_bytes", config.code_bytes));
  TRY(take("last_modified", config.last_modified));
  TRY(take("revision", config.revision));
  ASSIGN_OR_RETURN(auto environment, json.Strings("environment"));
  if (environment) config.environment = std::move(*environment);
  const bool hash = config.code_sha256.size() == 64 &&
                    config.code_sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!IsName(config.name, 64) || !hash) return Error{Code::kInvalid, "not a function"};
  return config;
}

Result<Alias> RestoreAlias(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  ASSIGN_OR_RETURN(const auto name, json.String("name"));
  ASSIGN_OR_RETURN(const auto version, json.String("version"));
  ASSIGN_OR_RETURN(const auto description, json.String("description"));
  ASSIGN_OR_RETURN(const auto revision, json.String("revision"));
  return Alias{name.value_or(""), version.value_or(""), description.value_or(""),
               revision.value_or("")};
}

}  // namespace

std::string FunctionArn(std::string_view region, std::string_view name,
                        std::string_view qualifier) {
  std::string arn = "arn:aws:lambda:";
  arn.append(region).append(":").append(kAccountId).append(":function:").append(name);
  if (!qualifier.empty()) arn.append(":").append(qualifier);
  return arn;
}

Result<FunctionName> ParseFunctionName(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  // Where "function:" ends, in the two longer forms.
  size_t at = 0;
  if (parts.size() >= 7 && parts[0] == "arn" && parts[2] == "lambda" && parts[5] == "function") {
    at = 6;
  } else if (parts.size() >= 3 && parts[1] == "function") {
    at = 2;
  }
  const bool qualified = parts.size() == at + 2;
  FunctionName name{std::string(parts[at]), qualified ? std::string(parts[at + 1]) : ""};
  const bool good_qualifier =
      !qualified || name.qualifier == kLatest || IsName(name.qualifier, 128);
  if (parts.size() > at + 2 || !IsName(name.name, 64) || !good_qualifier) {
    return LambdaError("ValidationException",
                       "'" + std::string(text.substr(0, 200)) + "' names no function");
  }
  return name;
}

Result<int64_t> ParseVersion(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    return Error{Code::kInvalid, "'" + std::string(text.substr(0, 200)) + "' is no version"};
  }
  return number;
}

std::string ConfigurationJson(const FunctionConfig& config, std::string_view region,
                              bool qualified) {
  JsonWriter json;
  json.BeginObject();
  json.Key("FunctionName").String(config.name);
  json.Key("FunctionArn")
      .String(FunctionArn(region, config.name, qualified ? std::string_view(config.version) : ""));
  if (!config.runtime.empty()) json.Key("Runtime").String(config.runtime);
  json.Key("Role").String(config.role);
  if (!config.handler.empty()) json.Key("Handler").String(config.handler);
  json.Key("CodeSize").Int(config.code_bytes);
  json.Key("Description").String(config.description);
  json.Key("Timeout").Int(config.timeout_s);
  json.Key("MemorySize").Int(config.memory_mb);
  json.Key("LastModified").String(config.last_modified);
  json.Key("CodeSha256").String(HexToBase64(config.code_sha256));
  json.Key("Version").String(config.version);
  if (!config.environment.empty()) {
    json.Key("Environment").BeginObject().Key("Variables");
    AppendMap(json, config.environment);
    json.EndObject();
  }
  json.Key("TracingConfig").BeginObject().Key("Mode").String("PassThrough").EndObject();
  json.Key("RevisionId").String(config.revision);
  json.Key("Layers").BeginArray().EndArray();
  json.Key("State").String("Active");
  json.Key("LastUpdateStatus").String("Successful");
  json.Key("PackageType").String("Zip");
  json.Key("Architectures").BeginArray().String(config.architecture).EndArray();
  json.Key("EphemeralStorage").BeginObject().Key("Size").Int(config.tmp_mb).EndObject();
  json.Key("LoggingConfig").BeginObject().Key("LogFormat").String("Text");
  json.Key("LogGroup").String("/aws/lambda/" + config.name).EndObject();
  json.EndObject();
  return json.Take();
}

std::string AliasJson(const Alias& alias, std::string_view region, std::string_view function) {
  JsonWriter json;
  json.BeginObject();
  json.Key("AliasArn").String(FunctionArn(region, function, alias.name));
  json.Key("Name").String(alias.name);
  json.Key("FunctionVersion").String(alias.version);
  json.Key("Description").String(alias.description);
  json.Key("RevisionId").String(alias.revision);
  json.EndObject();
  return json.Take();
}

std::string Preserve(const Function& function) {
  JsonWriter json;
  json.BeginObject();
  json.Key("latest");
  AppendConfig(json, function.latest);
  json.Key("versions").BeginObject();
  for (const auto& [number, config] : function.versions) {
    json.Key(std::to_string(number));
    AppendConfig(json, config);
  }
  json.EndObject();
  json.Key("next_version").Int(function.next_version);
  json.Key("aliases").BeginObject();
  for (const auto& [name, alias] : function.aliases) {
    json.Key(name).BeginObject();
    json.Key("name").String(alias.name);
    json.Key("version").String(alias.version);
    json.Key("description").String(alias.description);
    json.Key("revision").String(alias.revision);
    json.EndObject();
  }
  json.EndObject();
  json.Key("tags");
  AppendMap(json, function.tags);
  if (function.reserved_concurrency) {
    json.Key("reserved_concurrency").Int(*function.reserved_concurrency);
  }
  json.EndObject();
  return json.Take();
}

Result<Function> Restore(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  Function function;
  ASSIGN_OR_RETURN(const std::optional<std::string> latest, json.Object("latest"));
  ASSIGN_OR_RETURN(function.latest, RestoreConfig(latest.value_or("")));
  ASSIGN_OR_RETURN(const std::vector<std::string> versions, json.Objects("versions"));
  for (const std::string& version : versions) {
    ASSIGN_OR_RETURN(FunctionConfig config, RestoreConfig(version));
    ASSIGN_OR_RETURN(const int64_t number, ParseVersion(config.version));
    function.versions.emplace(number, std::move(config));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> aliases, json.Objects("aliases"));
  for (const std::string& text_of_one : aliases) {
    ASSIGN_OR_RETURN(Alias alias, RestoreAlias(text_of_one));
    function.aliases.emplace(alias.name, std::move(alias));
  }
  ASSIGN_OR_RETURN(const auto next, json.Int("next_version"));
  function.next_version = next.value_or(1);
  ASSIGN_OR_RETURN(auto tags, json.Strings("tags"));
  if (tags) function.tags = std::move(*tags);
  ASSIGN_OR_RETURN(function.reserved_concurrency, json.Int("reserved_concurrency"));
  return function;
}

}  // namespace llama::emulator
