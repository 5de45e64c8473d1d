#include "emulator/emulator_files.h"

#include <algorithm>

#include "base/file.h"
#include "emulator/request/authority.h"
#include "emulator/request/text.h"
#include "emulator/s3/storage.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxBytes = 64 << 10;
constexpr uint64_t kMaxCodeBytes = uint64_t{256} << 20;

// In single quotes for a shell.
std::string Quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string ValueOf(std::string_view file, std::string_view name) {
  while (!file.empty()) {
    const size_t end = std::min(file.find('\n'), file.size());
    const std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos && TrimSpace(line.substr(0, equals)) == name) {
      return std::string(TrimSpace(line.substr(equals + 1)));
    }
  }
  return {};
}

}  // namespace

Result<signing::Keys> LoadOrMakeKeys(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMaxBytes);
  if (text) {
    const signing::Keys keys = {ValueOf(*text, "aws_access_key_id"),
                                ValueOf(*text, "aws_secret_access_key"), ""};
    if (!keys.access_key_id.empty() && !keys.secret_access_key.empty()) return keys;
    return Error{Code::kInvalid, path + ": no aws_access_key_id and aws_secret_access_key in it"};
  }
  if (text.error().code != Code::kNotFound) return text.error();
  const signing::Keys keys = NewKeys();
  TRY(WriteFileAtomic(path,
                      "[default]\naws_access_key_id = " + keys.access_key_id +
                          "\naws_secret_access_key = " + keys.secret_access_key + "\n",
                      0600));
  return keys;
}

Result<std::string> LoadOrMakeToken(const std::string& path) {
  Result<std::string> text = ReadFile(path, kMaxBytes);
  if (text && !TrimSpace(*text).empty()) return std::string(TrimSpace(*text));
  if (!text && text.error().code != Code::kNotFound) return text.error();
  const std::string token = NewKeys().secret_access_key;
  TRY(WriteFileAtomic(path, token + "\n", 0600));
  return token;
}

Result<void> WriteEnvFile(const std::string& path, const EnvFile& env) {
  std::string text = "# Sourced by a shell that is to use the llama emulator.\n";
  const auto set = [&](std::string_view name, std::string_view value) {
    text.append("export ").append(name).append("=").append(Quote(value)).append("\n");
  };
  text +=
      "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN AWS_WEB_IDENTITY_TOKEN_FILE "
      "AWS_ROLE_ARN AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_ENDPOINT_URL_S3 "
      "AWS_ENDPOINT_URL_LAMBDA\n";
  set("AWS_ENDPOINT_URL", env.endpoint);
  set("AWS_REGION", env.region);
  set("AWS_DEFAULT_REGION", env.region);
  // Nothing of the user's own account comes into play.
  set("AWS_CONFIG_FILE", "/dev/null");
  set("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
  set("AWS_EC2_METADATA_DISABLED", "true");
  if (!env.ca_file.empty()) set("AWS_CA_BUNDLE", env.ca_file);
  if (env.temporary) {
    text += "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY\n";
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", env.endpoint + "/_emulator/credentials");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", env.token);
  } else {
    text += "unset AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN\n";
    set("AWS_ACCESS_KEY_ID", env.keys.access_key_id);
    set("AWS_SECRET_ACCESS_KEY", env.keys.secret_access_key);
  }
  set("LLAMA_EMULATOR_TOKEN", env.token);
  return WriteFileAtomic(path, text, 0600);
}

Result<std::string> ReadObject(const S3Storage& storage, const std::string& bucket,
                               const std::string& key) {
  ASSIGN_OR_RETURN(const OpenObject object, storage.Get(bucket, key));
  if (object.meta.size > kMaxCodeBytes) {
    return Error{Code::kInvalid, bucket + "/" + key + ": too large for a function's code"};
  }
  return object.Read({0, object.meta.size});
}

}  // namespace llama::emulator
