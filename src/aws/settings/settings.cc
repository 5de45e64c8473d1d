#include "aws/settings/settings.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "aws/http/endpoint.h"
#include "aws/s3/request.h"
#include "aws/service/config_file.h"
#include "aws/settings/llama_config.h"
#include "store/object_store.h"

namespace llama::aws {
namespace {

struct ServiceKeys {
  std::string_view name;      // as in $LLAMA_DIR/config: endpoint_<name>
  std::string_view variable;  // AWS_ENDPOINT_URL_<variable>
  std::string_view section;   // of a [services …] in AWS's config
  std::string Settings::*endpoint;
};
constexpr ServiceKeys kServices[] = {
    {"s3", "S3", "s3", &Settings::endpoint_s3},
    {"lambda", "LAMBDA", "lambda", &Settings::endpoint_lambda},
    {"sts", "STS", "sts", &Settings::endpoint_sts},
    {"iam", "IAM", "iam", &Settings::endpoint_iam},
    {"logs", "CLOUDWATCH_LOGS", "cloudwatch_logs", &Settings::endpoint_logs},
};

bool IsTrue(std::string_view text) { return text == "true" || text == "True" || text == "TRUE"; }

// Looks a setting up in one place after the other; the first that has it gives value and source.
class Resolver {
 public:
  Resolver(const std::vector<std::string>& env, const LlamaConfig& own) : env_(env), own_(own) {}

  void UseProfile(const AwsConfig& aws, const std::string& name) {
    const auto it = aws.profiles.find(name);
    if (it == aws.profiles.end()) return;
    profile_ = &it->second;
    const auto services = aws.services.find(std::string(ConfigText(*profile_, "services")));
    if (services != aws.services.end()) services_ = &services->second;
  }

  Setting FromEnv(std::initializer_list<std::string_view> variables) const {
    for (const std::string_view variable : variables) {
      const std::string value = EnvValue(env_, variable);
      if (!value.empty()) return {"", value, "environment: " + std::string(variable)};
    }
    return {};
  }
  Setting FromOwn(std::string_view key) const {
    const auto it = own_.find(std::string(key));
    if (it == own_.end()) return {};
    return {"", it->second.value, it->second.source};
  }
  Setting FromProfile(std::string_view key, std::string_view nested = "") const {
    return profile_ == nullptr ? Setting() : FromSection(*profile_, key, nested);
  }
  Setting FromServices(std::string_view service, std::string_view key) const {
    return services_ == nullptr ? Setting() : FromSection(*services_, service, key);
  }

 private:
  static Setting FromSection(const ConfigSection& section, std::string_view key,
                             std::string_view nested) {
    const auto it = section.find(std::string(key));
    if (it == section.end()) return {};
    if (nested.empty()) return {"", it->second.text, it->second.source};
    const auto inner = it->second.nested.find(std::string(nested));
    if (inner == it->second.nested.end()) return {};
    return {"", inner->second, it->second.source};
  }

  const std::vector<std::string>& env_;
  const LlamaConfig& own_;
  const ConfigSection* profile_ = nullptr;
  const ConfigSection* services_ = nullptr;
};

// The first that has a value; `fallback`, by default, where none has.
Setting FirstOf(std::initializer_list<Setting> places, std::string fallback = "") {
  for (const Setting& setting : places) {
    if (!setting.value.empty()) return setting;
  }
  return {"", std::move(fallback), "default"};
}

std::string Note(Settings& settings, std::string_view name, Setting setting) {
  setting.name = name;
  settings.all.push_back(std::move(setting));
  return settings.all.back().value;
}

Error Wrong(const Setting& setting, const Error& error) {
  return Error{Code::kInvalid, setting.source + ": " + error.message};
}

Setting EndpointOf(const Resolver& in, const ServiceKeys& service, bool ignore_aws) {
  const std::string own_key = "endpoint_" + std::string(service.name);
  const Setting own = FirstOf({in.FromOwn(own_key), in.FromOwn("endpoint_url")});
  if (ignore_aws) return own;
  const std::string variable = "AWS_ENDPOINT_URL_" + std::string(service.variable);
  return FirstOf({in.FromEnv({variable, "AWS_ENDPOINT_URL"}), own,
                  in.FromServices(service.section, "endpoint_url"),
                  in.FromProfile("endpoint_url")});
}

Result<void> ResolveEndpoints(const Resolver& in, Settings& settings) {
  const Setting ignore = FirstOf({in.FromEnv({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"}),
                                  in.FromProfile("ignore_configured_endpoint_urls")});
  for (const ServiceKeys& service : kServices) {
    Setting setting = EndpointOf(in, service, IsTrue(ignore.value));
    if (!setting.value.empty()) {
      const Result<Endpoint> endpoint = ParseEndpoint(setting.value);
      if (!endpoint) return Wrong(setting, endpoint.error());
      setting.value = endpoint->url;
    }
    settings.*service.endpoint =
        Note(settings, "endpoint_" + std::string(service.name), std::move(setting));
  }
  return {};
}

// Named by AWS's own words alone.
void ResolveAddressKind(const Resolver& in, Settings& settings) {
  const auto resolve = [&](std::string_view name, std::string_view variable) {
    return IsTrue(
        Note(settings, name, FirstOf({in.FromEnv({variable}), in.FromProfile(name)}, "false")));
  };
  settings.address_kind.fips = resolve("use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT");
  settings.address_kind.dual_stack =
      resolve("use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT");
}

Result<void> ResolvePathStyle(const Resolver& in, Settings& settings) {
  Setting setting = FirstOf({in.FromEnv({"LLAMA_S3_PATH_STYLE"}), in.FromOwn("path_style")});
  if (setting.value.empty()) {
    Setting style = in.FromProfile("s3", "addressing_style");
    const bool is_aws = settings.endpoint_s3.empty() || IsAwsEndpoint(settings.endpoint_s3);
    if (style.value == "path" || style.value == "virtual") {
      setting = {"", style.value == "path" ? "true" : "false", style.source};
    } else {
      setting.value = is_aws ? "false" : "true";
    }
  }
  if (setting.value != "true" && setting.value != "false") {
    return Wrong(setting,
                 {Code::kInvalid, "path_style is true or false, not '" + setting.value + "'"});
  }
  settings.path_style = Note(settings, "path_style", std::move(setting)) == "true";
  return {};
}

Result<void> ResolvePlaces(const Resolver& in, Settings& settings) {
  const Setting store = FirstOf({in.FromEnv({"LLAMA_OBJECT_STORE"}), in.FromOwn("object_store")});
  if (!store.value.empty()) {
    const Result<StoreLocation> location = ParseStoreLocation(store.value);
    if (!location) return Wrong(store, location.error());
  }
  settings.object_store = Note(settings, "object_store", store);
  settings.function = Note(settings, "function",
                           FirstOf({in.FromEnv({"LLAMACC_FUNCTION"}), in.FromOwn("function")}));
  return {};
}

Result<void> ResolveConcurrency(const Resolver& in, Settings& settings) {
  const Setting setting =
      FirstOf({in.FromEnv({"LLAMA_MAX_CONCURRENCY"}), in.FromOwn("max_concurrency")}, "1000");
  const std::string& text = setting.value;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), settings.max_concurrency);
  if (error != std::errc() || end != text.data() + text.size() || settings.max_concurrency < 1 ||
      settings.max_concurrency > 100'000) {
    return Wrong(setting, {Code::kInvalid, "max_concurrency is 1 to 100000, not '" + text + "'"});
  }
  Note(settings, "max_concurrency", setting);
  return {};
}

// "arn:aws:lambda:eu-west-1:123456789012:function:name" → "eu-west-1".
std::string RegionOfArn(std::string_view arn) {
  if (!arn.starts_with("arn:")) return "";
  for (int i = 0; i < 3; ++i) arn.remove_prefix(std::min(arn.size(), arn.find(':') + 1));
  return std::string(arn.substr(0, arn.find(':')));
}

void ResolveRegion(const Resolver& in, Settings& settings) {
  const std::string region_of_function = RegionOfArn(settings.function);
  const Setting of_arn = region_of_function.empty()
                             ? Setting()
                             : Setting{"", region_of_function, "the function's ARN"};
  const Setting setting = FirstOf({in.FromEnv({"AWS_REGION", "AWS_DEFAULT_REGION"}),
                                   in.FromOwn("region"), of_arn, in.FromProfile("region")});
  settings.region = Note(settings, "region", setting);
}

bool HasRegionSyntax(std::string_view region) {
  return std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Result<StoreLocation> ParseStoreLocation(std::string_view text) {
  StoreLocation out;
  if (text.starts_with('/')) {
    out.folder = text;
    return out;
  }
  constexpr std::string_view kScheme = "s3://";
  if (!text.starts_with(kScheme)) {
    return Error{Code::kInvalid, "object store '" + std::string(text) +
                                     "' is neither an absolute path nor s3://bucket[/prefix]"};
  }
  text.remove_prefix(kScheme.size());
  const size_t slash = text.find('/');
  out.bucket = text.substr(0, slash);
  TRY(CheckBucketName(out.bucket));
  if (slash == std::string_view::npos) return out;
  std::string_view prefix = text.substr(slash + 1);
  if (prefix.size() > 1 && prefix.ends_with('/')) prefix.remove_suffix(1);
  if (prefix.empty()) return out;
  if (!store::IsValidKey(prefix)) {
    return Error{Code::kInvalid, "object store 's3://" + std::string(text) +
                                     "': a prefix is made of letters, digits, '.', '_', '-', '/'"};
  }
  out.prefix = std::string(prefix) + "/";
  return out;
}

Result<Settings> ResolveSettings(const std::vector<std::string>& env,
                                 const std::string& llama_dir) {
  ASSIGN_OR_RETURN(const LlamaConfig own, ReadLlamaConfig(llama_dir));
  Settings settings;
  Resolver in(env, own);
  settings.profile =
      Note(settings, "profile",
           FirstOf({in.FromEnv({"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}), in.FromOwn("profile")}));
  Result<AwsConfig> aws = LoadAwsConfig(env);
  if (aws) {
    in.UseProfile(*aws, settings.profile.empty() ? "default" : settings.profile);
  } else {
    settings.aws_config_error = aws.error();
  }
  TRY(ResolvePlaces(in, settings));
  ResolveRegion(in, settings);
  if (!HasRegionSyntax(settings.region)) {
    return Error{Code::kInvalid, "'" + settings.region + "' is no name of a region"};
  }
  TRY(ResolveEndpoints(in, settings));
  ResolveAddressKind(in, settings);
  TRY(ResolvePathStyle(in, settings));
  settings.ca_file = Note(
      settings, "ca_file",
      FirstOf({in.FromEnv({"AWS_CA_BUNDLE"}), in.FromOwn("ca_file"), in.FromProfile("ca_bundle")}));
  settings.storage_class =
      Note(settings, "storage_class",
           FirstOf({in.FromEnv({"LLAMA_STORAGE_CLASS"}), in.FromOwn("storage_class")}));
  TRY(ResolveConcurrency(in, settings));
  return settings;
}

Result<ServiceOptions> ServiceOptionsOf(const Settings& settings, std::string_view service) {
  if (settings.aws_config_error) return *settings.aws_config_error;
  ServiceOptions out;
  out.name = service;
  for (const ServiceKeys& known : kServices) {
    if (known.name == service) out.endpoint = settings.*known.endpoint;
  }
  const bool is_own = !out.endpoint.empty();
  if (settings.region.empty() && !is_own) {
    return Error{Code::kInvalid,
                 "no AWS region is set: set AWS_REGION, or 'region' in $LLAMA_DIR/config or in the "
                 "AWS profile"};
  }
  // Servers that stand for AWS take this for their own.
  out.region = settings.region.empty() ? "us-east-1" : settings.region;
  const AwsAddress address = AddressOf(service, out.region, settings.address_kind);
  if (!is_own) out.endpoint = address.url;
  if (out.endpoint.empty()) {
    return Error{Code::kInvalid, "there are no FIPS endpoints in region " + out.region +
                                     ": unset AWS_USE_FIPS_ENDPOINT"};
  }
  out.region = address.signing_region;
  return out;
}

ChainOptions ChainOptionsOf(const Settings& settings, const std::vector<std::string>& env) {
  ChainOptions out;
  out.env = env;
  out.profile = settings.profile;
  out.region = settings.region;
  out.endpoint_sts = settings.endpoint_sts;
  out.address_kind = settings.address_kind;
  return out;
}

}  // namespace llama::aws
