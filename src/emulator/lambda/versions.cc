// The part of the control API that is about versions and aliases.
#include <algorithm>

#include "emulator/lambda/control.h"
#include "emulator/request/lambda_error.h"

namespace llama::emulator {
namespace {

Error NoAlias(std::string_view region, const FunctionName& name, const std::string& alias) {
  return LambdaError("ResourceNotFoundException",
                     "Cannot find alias arn: " + FunctionArn(region, name.name, alias));
}

// What of an alias a request says.
Result<void> ReadAlias(const JsonObject& json, const Function& function, Alias& alias) {
  ASSIGN_OR_RETURN(const auto version, json.String("FunctionVersion"));
  ASSIGN_OR_RETURN(const auto description, json.String("Description"));
  if (version) alias.version = *version;
  if (description) alias.description = *description;
  const Result<int64_t> number = ParseVersion(alias.version);
  if (alias.version != kLatest && !(number && function.versions.contains(*number))) {
    return LambdaError("ResourceNotFoundException",
                       "Function not found: " + function.latest.name + ":" + alias.version);
  }
  alias.revision = NewUuid();
  return {};
}

bool IsAliasName(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), good) &&
         !std::all_of(name.begin(), name.end(), is_digit);
}

std::string ListOf(std::string_view member, const std::vector<std::string>& items) {
  std::string out = "{\"";
  out.append(member).append("\":[");
  for (size_t i = 0; i < items.size(); ++i) out += (i > 0 ? "," : "") + items[i];
  return out + "]}";
}

}  // namespace

Result<Response> LambdaControl::PublishVersion(const FunctionName& name, const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const auto description, json.String("Description"));
  ASSIGN_OR_RETURN(const auto hash, json.String("CodeSha256"));
  FunctionConfig published;
  const auto change = [&](Function& function) -> Result<void> {
    if (hash && *hash != HexToBase64(function.latest.code_sha256)) {
      return InvalidParameter("CodeSHA256 (" + *hash +
                              ") is different from current CodeSHA256 in "
                              "$LATEST");
    }
    published = emulator::PublishVersion(function, description.value_or(""));
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return Configuration(201, published, true);
}

Result<Response> LambdaControl::ListVersions(const FunctionName& name) {
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  std::vector<std::string> items = {ConfigurationJson(function.latest, region_, true)};
  for (const auto& [number, version] : function.versions) {
    items.push_back(ConfigurationJson(version, region_, true));
  }
  return LambdaJson(200, ListOf("Versions", items));
}

Result<Response> LambdaControl::CreateAlias(const FunctionName& name, const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  ASSIGN_OR_RETURN(const auto alias_name, json.String("Name"));
  if (!IsAliasName(alias_name.value_or(""))) {
    return LambdaError("ValidationException", "an alias's name is letters, digits, - and _");
  }
  Alias alias;
  alias.name = *alias_name;
  const auto change = [&](Function& function) -> Result<void> {
    if (function.aliases.contains(alias.name)) {
      return LambdaError("ResourceConflictException",
                         "Alias already exists: " + FunctionArn(region_, name.name, alias.name));
    }
    TRY(ReadAlias(json, function, alias));
    function.aliases[alias.name] = alias;
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return LambdaJson(201, AliasJson(alias, region_, name.name));
}

Result<Response> LambdaControl::ListAliases(const FunctionName& name) {
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  std::vector<std::string> items;
  for (const auto& [alias_name, alias] : function.aliases) {
    items.push_back(AliasJson(alias, region_, name.name));
  }
  return LambdaJson(200, ListOf("Aliases", items));
}

Result<Response> LambdaControl::GetAlias(const FunctionName& name, const std::string& alias) {
  ASSIGN_OR_RETURN(const Function function, registry_.Get(name.name));
  const auto found = function.aliases.find(alias);
  if (found == function.aliases.end()) return NoAlias(region_, name, alias);
  return LambdaJson(200, AliasJson(found->second, region_, name.name));
}

Result<Response> LambdaControl::UpdateAlias(const FunctionName& name, const std::string& alias,
                                            const Request& request) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(request.body));
  const auto change = [&](Function& function) -> Result<void> {
    const auto found = function.aliases.find(alias);
    if (found == function.aliases.end()) return NoAlias(region_, name, alias);
    return ReadAlias(json, function, found->second);
  };
  ASSIGN_OR_RETURN(const Function changed, registry_.Change(name.name, change));
  return LambdaJson(200, AliasJson(changed.aliases.at(alias), region_, name.name));
}

Result<Response> LambdaControl::DeleteAlias(const FunctionName& name, const std::string& alias) {
  const auto change = [&](Function& function) -> Result<void> {
    function.aliases.erase(alias);
    return {};
  };
  TRY(registry_.Change(name.name, change));
  return LambdaJson(204, "");
}

}  // namespace llama::emulator
