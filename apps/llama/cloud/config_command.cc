// llama config: every setting, its value, and where it comes from.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "aws/service/credential_sources.h"
#include "aws/settings/settings.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "client/connection.h"
#include "llama/command.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 1> kOptions = {{{"--json"}}};

struct Variable {
  std::string_view setting;
  std::string_view name;
  std::string_view fallback;
};
// Of the daemon and the wrapper: environment only.
constexpr Variable kVariables[] = {
    {"workers", "LLAMA_WORKERS", "number of cores"},
    {"local_slots", "LLAMA_LOCAL_SLOTS", "number of cores"},
    {"scan", "LLAMA_SCAN", "superset"},
    {"disk", "LLAMA_DISK", "20"},
    {"job_timeout", "LLAMA_JOB_TIMEOUT", "900"},
    {"idle_timeout", "LLAMA_IDLE_TIMEOUT", "600"},
    {"log", "LLAMA_LOG", "info"},
    {"worker_launcher", "LLAMA_WORKER_LAUNCHER", ""},
    {"local_only", "LLAMACC_LOCAL", ""},
    {"local_cc", "LLAMACC_LOCAL_CC", "cc"},
    {"local_cxx", "LLAMACC_LOCAL_CXX", "c++"},
};

aws::Setting StateFolder(const std::string& folder, const std::vector<std::string>& env) {
  std::string source = "default";
  if (!aws::EnvValue(env, "LLAMA_DIR").empty()) source = "environment: LLAMA_DIR";
  return {"state_folder", folder, source};
}

Result<std::vector<aws::Setting>> AllSettings() {
  const std::vector<std::string> env = CurrentEnvironment();
  ASSIGN_OR_RETURN(const std::string folder, client::StateDir());
  ASSIGN_OR_RETURN(const aws::Settings settings, aws::ResolveSettings(env, folder));
  std::vector<aws::Setting> all = {StateFolder(folder, env)};
  all.insert(all.end(), settings.all.begin(), settings.all.end());
  const aws::CredentialsPlace place = aws::DescribeCredentials(aws::ChainOptionsOf(settings, env));
  all.push_back({"credentials", place.value, place.source});
  for (const Variable& variable : kVariables) {
    const std::string value = aws::EnvValue(env, variable.name);
    all.push_back({std::string(variable.setting),
                   value.empty() ? std::string(variable.fallback) : value,
                   value.empty() ? "default" : "environment: " + std::string(variable.name)});
  }
  return all;
}

void PrintJson(const std::vector<aws::Setting>& settings) {
  std::string out = "[";
  for (const aws::Setting& setting : settings) {
    JsonWriter json;
    json.BeginObject().Key("name").String(setting.name).Key("value").String(setting.value);
    json.Key("source").String(setting.source).EndObject();
    out.append(out.size() > 1 ? ",\n " : "").append(json.str());
  }
  std::printf("%s]\n", out.c_str());
}

void PrintTable(const std::vector<aws::Setting>& settings) {
  size_t name_width = 0;
  size_t value_width = 0;
  for (const aws::Setting& setting : settings) {
    name_width = std::max(name_width, setting.name.size());
    value_width = std::max(value_width, DisplayWidth(Printable(setting.value)));
  }
  for (const aws::Setting& setting : settings) {
    const std::string value = setting.value.empty() ? "-" : Printable(setting.value);
    const std::string line = PadRight(setting.name, name_width + 2) +
                             PadRight(value, value_width + 2) + Printable(setting.source);
    std::printf("%s\n", line.c_str());
  }
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("config", parsed.error().message);
  if (!parsed->rest.empty()) return UsageError("config", "'config' takes no arguments");
  const Result<std::vector<aws::Setting>> settings = AllSettings();
  if (!settings) {
    PrintError(settings.error().message);
    return kFailed;
  }
  parsed->Has("--json") ? PrintJson(*settings) : PrintTable(*settings);
  return kOk;
}

}  // namespace

const Command kConfigCommand = {
    "config", "show every setting and where it comes from",
    "usage: llama config [--json]\n"
    "\n"
    "Shows every setting, its value, and where that comes from: the environment, the file "
    "'config'\n"
    "in the state folder, AWS's own config file, or the default. Of keys only the last four\n"
    "characters of the access key id are shown. Nobody is asked for anything: whether the "
    "settings\n"
    "work is for 'llama doctor' to say.\n"
    "\n"
    "The file has lines 'key = value', and comments that begin with '#'. Its keys: object_store\n"
    "(a folder, or s3://bucket/prefix), function, region, profile, endpoint_url, endpoint_s3,\n"
    "endpoint_lambda, endpoint_sts, endpoint_iam, endpoint_logs, ca_file, path_style,\n"
    "storage_class, max_concurrency. The environment goes before the file.\n"
    "\n"
    "  --json   as a JSON array, one object a setting\n"
    "\n"
    "examples:\n"
    "  llama config\n"
    "  llama config --json | jq -r '.[] | select(.source != \"default\") | .name'\n",
    Run};

}  // namespace llama::app
