#include "emulator/lambda/settings.h"

#include <algorithm>
#include <array>

#include "emulator/request/lambda_error.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxEnvironmentBytes = 4096;
constexpr size_t kMaxTags = 50;
constexpr size_t kMaxTextBytes = 256;
constexpr auto kReserved = std::to_array<std::string_view>(
    {"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV",
     "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
     "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
     "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
     "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"});

Error Constraint(std::string_view value, std::string_view member, std::string_view rule) {
  std::string text = "1 validation error detected: Value '";
  text.append(value.substr(0, 200)).append("' at '").append(member);
  text.append("' failed to satisfy constraint: ").append(rule);
  return LambdaError("ValidationException", text);
}

Result<void> ReadNumber(const JsonObject& request, std::string_view path, std::string_view member,
                        int64_t least, int64_t most, int64_t& into) {
  ASSIGN_OR_RETURN(const std::optional<int64_t> value, request.Int(path));
  if (!value) return {};
  if (*value < least) {
    return Constraint(std::to_string(*value), member,
                      "Member must have value greater than or equal to " + std::to_string(least));
  }
  if (*value > most) {
    return Constraint(std::to_string(*value), member,
                      "Member must have value less than or equal to " + std::to_string(most));
  }
  into = *value;
  return {};
}

Result<void> ReadText(const JsonObject& request, std::string_view path, std::string_view member,
                      std::string& into) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, request.String(path));
  if (!value) return {};
  if (value->size() > kMaxTextBytes) {
    return Constraint(
        *value, member,
        "Member must have length less than or equal to " + std::to_string(kMaxTextBytes));
  }
  into = std::move(*value);
  return {};
}

bool IsRoleArn(std::string_view role) {
  constexpr std::string_view kStart = "arn:aws:iam::";
  constexpr size_t kAccountDigits = 12;
  if (!role.starts_with(kStart)) return false;
  role.remove_prefix(kStart.size());
  const std::string_view account = role.substr(0, kAccountDigits);
  return account.size() == kAccountDigits &&
         std::all_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
         role.substr(kAccountDigits).starts_with(":role/") && role.size() > kAccountDigits + 6;
}

bool IsVariableName(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return name.size() >= 2 && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

Result<void> ReadEnvironment(const JsonObject& request, FunctionConfig& config) {
  ASSIGN_OR_RETURN(auto variables, request.Strings("Environment/Variables"));
  if (!variables) {
    if (request.Has("Environment")) config.environment.clear();
    return {};
  }
  std::string reserved;
  size_t bytes = 0;
  for (const auto& [name, value] : *variables) {
    bytes += name.size() + value.size();
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
      reserved += (reserved.empty() ? "" : ", ") + name;
    } else if (!IsVariableName(name)) {
      return Constraint(name, "environment.variables",
                        "Map keys must satisfy regular expression pattern: "
                        "[a-zA-Z]([a-zA-Z0-9_])+");
    }
    if (value.find('\0') != std::string::npos) return InvalidParameter(name + " holds a NUL");
  }
  if (!reserved.empty()) {
    return InvalidParameter(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided contains reserved keys that are currently not supported for "
        "modification. Reserved keys used in this request: " +
        reserved);
  }
  if (bytes > kMaxEnvironmentBytes) {
    return InvalidParameter(
        "Lambda was unable to configure your environment variables because the environment "
        "variables you have provided exceeded the 4KB limit.");
  }
  config.environment = std::move(*variables);
  return {};
}

Result<void> ReadArchitecture(const JsonObject& request, FunctionConfig& config) {
  ASSIGN_OR_RETURN(const auto architectures, request.StringList("Architectures"));
  if (!architectures) return {};
  if (architectures->size() != 1 ||
      ((*architectures)[0] != "x86_64" && (*architectures)[0] != "arm64")) {
    return Constraint(architectures->empty() ? "" : (*architectures)[0], "architectures",
                      "Member must satisfy enum value set: [x86_64, arm64]");
  }
  config.architecture = (*architectures)[0];
  return {};
}

}  // namespace

bool IsProvidedRuntime(std::string_view runtime) {
  return runtime == "provided" || runtime == "provided.al2" || runtime == "provided.al2023";
}

Result<void> ApplySettings(const JsonObject& request, FunctionConfig& config) {
  TRY(ReadText(request, "Runtime", "runtime", config.runtime));
  TRY(ReadText(request, "Handler", "handler", config.handler));
  TRY(ReadText(request, "Description", "description", config.description));
  TRY(ReadText(request, "Role", "role", config.role));
  if (!IsRoleArn(config.role)) {
    return Constraint(config.role, "role",
                      "Member must satisfy regular expression pattern: "
                      "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+");
  }
  TRY(ReadNumber(request, "Timeout", "timeout", 1, 900, config.timeout_s));
  TRY(ReadNumber(request, "MemorySize", "memorySize", 128, 10'240, config.memory_mb));
  TRY(ReadNumber(request, "EphemeralStorage/Size", "ephemeralStorage.size", 512, 10'240,
                 config.tmp_mb));
  TRY(ReadArchitecture(request, config));
  return ReadEnvironment(request, config);
}

Result<std::map<std::string, std::string>> ReadTags(const JsonObject& request) {
  ASSIGN_OR_RETURN(auto tags, request.Strings("Tags"));
  if (!tags) return std::map<std::string, std::string>();
  if (tags->size() > kMaxTags) return InvalidParameter("more than 50 tags");
  for (const auto& [name, value] : *tags) {
    if (name.empty() || name.size() > 128 || value.size() > 256) {
      return InvalidParameter("a tag's name has at most 128 characters, its value 256");
    }
  }
  return std::move(*tags);
}

}  // namespace llama::emulator
