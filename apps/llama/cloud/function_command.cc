// llama function: the functions that jobs run in.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "aws/control/deployment.h"
#include "aws/control/lambda_control.h"
#include "aws/control/logs.h"
#include "aws/lambda/functions.h"
#include "base/clock.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "llama/cloud/cloud_access.h"
#include "llama/cloud/function_options.h"
#include "llama/command.h"

namespace llama::app {
namespace {

using aws::LambdaFunction;

constexpr std::array<Option, 13> kOptions = {{{"--region", true},
                                              {"--role", true},
                                              {"--image", true},
                                              {"--zip", true},
                                              {"--memory", true},
                                              {"--timeout", true},
                                              {"--tmp", true},
                                              {"--env", true},
                                              {"--since", true},
                                              {"--grep", true},
                                              {"--all"},
                                              {"--yes"},
                                              {"--json"}}};

constexpr int64_t kMsPerMinute = 60'000;
constexpr int kMaxLogPages = 1'000;

int Fail(const Error& error) {
  PrintError(error.message);
  return kFailed;
}

std::string TimeText(int64_t time_ms) {
  const time_t seconds = time_ms / 1000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  char out[48];
  std::snprintf(out, sizeof out, "%s.%03dZ", text, static_cast<int>(time_ms % 1000));
  return out;
}

void WriteJson(JsonWriter& json, const LambdaFunction& f) {
  json.BeginObject().Key("name").String(f.name).Key("arn").String(f.arn);
  json.Key("state").String(f.state).Key("runtime").String(f.runtime);
  json.Key("package_type").String(f.package_type).Key("role").String(f.role);
  json.Key("memory_mb").Int(f.memory_mb).Key("timeout_s").Int(f.timeout_s);
  json.Key("tmp_mb").Int(f.tmp_mb).Key("code_bytes").Int(f.code_bytes);
  json.Key("code_sha256").String(f.code_sha256).Key("last_modified").String(f.last_modified);
  const auto it = f.environment.find("LLAMA_STORE");
  json.Key("store").String(it == f.environment.end() ? "" : it->second).EndObject();
}

// Whether it could be one of ours: the worker finds its bucket by that variable.
bool IsWorker(const LambdaFunction& function) {
  return function.environment.contains("LLAMA_STORE");
}

void PrintRow(std::string_view name, std::string_view state, std::string_view memory,
              std::string_view timeout, std::string_view tmp, std::string_view modified) {
  const std::string line = PadRight(Printable(name), 24) + PadRight(state, 10) +
                           PadLeft(memory, 9) + PadLeft(timeout, 9) + PadLeft(tmp, 10) + "  " +
                           Printable(modified);
  std::printf("%s\n", line.c_str());
}

Result<int> List(const ParsedArguments& parsed, aws::LambdaControl& lambda) {
  ASSIGN_OR_RETURN(std::vector<LambdaFunction> functions, lambda.List());
  if (!parsed.Has("--all")) std::erase_if(functions, [](const auto& f) { return !IsWorker(f); });
  if (parsed.Has("--json")) {
    JsonWriter json;
    json.BeginArray();
    for (const LambdaFunction& function : functions) WriteJson(json, function);
    json.EndArray();
    std::printf("%s\n", json.str().c_str());
    return kOk;
  }
  if (functions.empty()) {
    std::printf("No functions of llama's here. 'llama bootstrap' makes one; --all shows others.\n");
    return kOk;
  }
  PrintRow("NAME", "STATE", "MEMORY", "TIMEOUT", "/TMP", "CHANGED");
  for (const LambdaFunction& f : functions) {
    PrintRow(f.name, f.state, std::to_string(f.memory_mb) + " MB",
             std::to_string(f.timeout_s) + " s", std::to_string(f.tmp_mb) + " MB", f.last_modified);
  }
  return kOk;
}

Result<aws::LambdaCode> CodeOf(const ParsedArguments& parsed, const CloudAccess& cloud) {
  aws::LambdaCode code;
  code.image_uri = parsed.Value("--image");
  if (code.image_uri.empty()) {
    ASSIGN_OR_RETURN(code, MakeWorkerCode(parsed.Value("--zip"), cloud.settings().ca_file));
  }
  return code;
}

void PrintDone(const ParsedArguments& parsed, const LambdaFunction& function,
               std::string_view what) {
  if (parsed.Has("--json")) {
    JsonWriter json;
    WriteJson(json, function);
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("function %s %s: %lld MB, %lld s, /tmp %lld MB\n", function.name.c_str(),
              std::string(what).c_str(), static_cast<long long>(function.memory_mb),
              static_cast<long long>(function.timeout_s), static_cast<long long>(function.tmp_mb));
}

// The role given, or that of the function in use.
Result<std::string> RoleFor(const ParsedArguments& parsed, const CloudAccess& cloud,
                            aws::LambdaControl& lambda) {
  if (parsed.Has("--role")) return parsed.Value("--role");
  const std::string& current = cloud.settings().function;
  if (current.empty()) {
    return Error{Code::kInvalid,
                 "--role ARN is needed, or 'llama bootstrap' first, whose role is "
                 "then used"};
  }
  ASSIGN_OR_RETURN(const aws::FunctionName name, aws::ParseFunctionName(current));
  ASSIGN_OR_RETURN(const LambdaFunction function, lambda.Get(name.name));
  return function.role;
}

Result<int> Create(const std::string& name, const ParsedArguments& parsed, const CloudAccess& cloud,
                   aws::LambdaControl& lambda) {
  ASSIGN_OR_RETURN(aws::LambdaConfiguration configuration, ParseLimits(parsed));
  if (!configuration.memory_mb) configuration.memory_mb = aws::kDefaultMemoryMb;
  if (!configuration.timeout_s) configuration.timeout_s = aws::kDefaultTimeoutS;
  if (!configuration.tmp_mb) configuration.tmp_mb = aws::kDefaultTmpMb;
  ASSIGN_OR_RETURN(configuration.environment, ParseVariables(parsed));
  if (!configuration.environment->contains("LLAMA_STORE")) {
    const std::string& location = cloud.settings().object_store;
    ASSIGN_OR_RETURN((*configuration.environment)["LLAMA_STORE"],
                     StoreUrlOf(cloud.settings(), location));
  }
  ASSIGN_OR_RETURN(const std::string role, RoleFor(parsed, cloud, lambda));
  ASSIGN_OR_RETURN(const aws::LambdaCode code, CodeOf(parsed, cloud));
  TRY(lambda.Create(name, role, code, configuration,
                    {{std::string(aws::kDeploymentTag), "llama-function"}}));
  ASSIGN_OR_RETURN(const LambdaFunction made, lambda.AwaitReady(name));
  PrintDone(parsed, made, "created");
  return kOk;
}

Result<int> Update(const std::string& name, const ParsedArguments& parsed, const CloudAccess& cloud,
                   aws::LambdaControl& lambda) {
  ASSIGN_OR_RETURN(aws::LambdaConfiguration configuration, ParseLimits(parsed));
  ASSIGN_OR_RETURN(const auto variables, ParseVariables(parsed));
  ASSIGN_OR_RETURN(LambdaFunction now, lambda.AwaitReady(name));
  if (!variables.empty()) {
    configuration.environment = now.environment;
    for (const auto& [key, value] : variables) (*configuration.environment)[key] = value;
  }
  const bool image = now.package_type == "Image";
  if (image != parsed.Has("--image") && (parsed.Has("--image") || parsed.Has("--zip"))) {
    return Error{Code::kInvalid, "function " + name + (image ? " is an image" : " is a zip") +
                                     ", and AWS does not change that; create another"};
  }
  if (!configuration.Empty()) {
    TRY(lambda.UpdateConfiguration(name, configuration));
    ASSIGN_OR_RETURN(now, lambda.AwaitReady(name));
  }
  // An image's code is only changed where a new one is named.
  if (!image || parsed.Has("--image")) {
    ASSIGN_OR_RETURN(const aws::LambdaCode code, CodeOf(parsed, cloud));
    TRY(lambda.UpdateCode(name, code));
    ASSIGN_OR_RETURN(now, lambda.AwaitReady(name));
  }
  PrintDone(parsed, now, "updated");
  return kOk;
}

Result<int> Delete(const std::string& name, const ParsedArguments& parsed,
                   aws::LambdaControl& lambda) {
  TRY(lambda.Get(name));
  if (!parsed.Has("--yes")) {
    if (!CanAsk()) {
      return Error{Code::kInvalid, "nothing was done: --yes is needed where nobody can be asked"};
    }
    if (!Confirm("Delete function " + name + "?")) return kFailed;
  }
  TRY(lambda.Delete(name));
  return kOk;
}

Result<int> ShowLogs(const std::string& name, const ParsedArguments& parsed, aws::Logs& logs) {
  int64_t minutes = 60;
  if (parsed.Has("--since")) {
    ASSIGN_OR_RETURN(minutes, ParseNumber("--since", parsed.Value("--since"), 1, 525'600));
  }
  const int64_t since_ms = SystemClock().NowNs() / 1'000'000 - minutes * kMsPerMinute;
  std::string next;
  for (int page_number = 0; page_number < kMaxLogPages; ++page_number) {
    ASSIGN_OR_RETURN(const aws::LogPage page,
                     logs.Filter(aws::LogGroupOf(name), since_ms, parsed.Value("--grep"), next));
    for (const aws::LogEvent& event : page.events) {
      if (parsed.Has("--json")) {
        JsonWriter json;
        json.BeginObject().Key("time_ms").Int(event.time_ms).Key("stream").String(event.stream);
        json.Key("message").String(event.message).EndObject();
        std::printf("%s\n", json.str().c_str());
        continue;
      }
      std::string_view text = event.message;
      while (text.ends_with('\n')) text.remove_suffix(1);
      std::printf("%s %s\n", TimeText(event.time_ms).c_str(), Printable(text).c_str());
    }
    if (page.next.empty()) return kOk;
    next = page.next;
  }
  return kOk;
}

// The name that was given, or the function in use.
Result<std::string> NameOf(const ParsedArguments& parsed, const CloudAccess& cloud) {
  const std::string given = parsed.rest.size() > 1 ? parsed.rest[1] : cloud.settings().function;
  if (given.empty()) return Error{Code::kInvalid, "no function is named, and none is configured"};
  ASSIGN_OR_RETURN(aws::FunctionName name, aws::ParseFunctionName(given));
  return std::move(name.name);
}

Result<int> Act(const std::string& verb, const ParsedArguments& parsed) {
  ASSIGN_OR_RETURN(const auto cloud, CloudAccess::Open(parsed.Value("--region")));
  ASSIGN_OR_RETURN(aws::Service* const service, cloud->Service("lambda"));
  aws::LambdaControl lambda(*service, SystemClock());
  if (verb == "list") return List(parsed, lambda);
  ASSIGN_OR_RETURN(const std::string name, NameOf(parsed, *cloud));
  if (verb == "create") return Create(name, parsed, *cloud, lambda);
  if (verb == "update") return Update(name, parsed, *cloud, lambda);
  if (verb == "delete") return Delete(name, parsed, lambda);
  ASSIGN_OR_RETURN(aws::Service* const logs_service, cloud->Service("logs"));
  aws::Logs logs(*logs_service);
  return ShowLogs(name, parsed, logs);
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("function", parsed.error().message);
  constexpr std::array<std::string_view, 5> kVerbs = {"list", "create", "update", "delete", "logs"};
  const std::string verb = parsed->rest.empty() ? "" : parsed->rest[0];
  if (std::find(kVerbs.begin(), kVerbs.end(), verb) == kVerbs.end()) {
    return UsageError("function", verb.empty()
                                      ? "say what to do: list, create, update, delete, logs"
                                      : "unknown action '" + verb + "'");
  }
  const bool named = verb == "create" || verb == "delete";
  const size_t most = verb == "list" ? 1 : 2;
  if (parsed->rest.size() > most) return UsageError("function", "too many arguments");
  if (named && parsed->rest.size() < 2) return UsageError("function", verb + " needs a name");
  for (const Result<void>& checked :
       {ParseLimits(*parsed) ? Result<void>() : Result<void>(ParseLimits(*parsed).error()),
        ParseVariables(*parsed) ? Result<void>() : Result<void>(ParseVariables(*parsed).error())}) {
    if (!checked) return UsageError("function", checked.error().message);
  }
  const Result<int> done = Act(verb, *parsed);
  return done ? *done : Fail(done.error());
}

}  // namespace

const Command kFunctionCommand = {
    "function", "list, make and change functions in AWS",
    "usage: llama function list [--all] [--json]\n"
    "       llama function create NAME [OPTION]...\n"
    "       llama function update [NAME] [OPTION]...\n"
    "       llama function delete NAME [--yes]\n"
    "       llama function logs [NAME] [--since MINUTES] [--grep PATTERN] [--json]\n"
    "\n"
    "A function holds llama-runtime and runs jobs. 'llama bootstrap' makes the first one with all\n"
    "that it needs; others differ in memory or in what their image has. Where no NAME is given, "
    "it\n"
    "is the configured one. update also installs the llama-runtime of this version.\n"
    "\n"
    "  --memory MB        128 to 10240; 1769 is one vCPU\n"
    "  --timeout S        of an invocation, up to 900\n"
    "  --tmp MB           512 to 10240\n"
    "  --env KEY=VALUE    a variable of the function; may be repeated\n"
    "  --zip PROGRAM      llama-runtime (default: the one beside llama)\n"
    "  --image URI        a container image with llama-runtime as its entry point; see images/\n"
    "  --role ARN         (default: that of the configured function)\n"
    "  --region REGION    (default: as AWS's tools have it)\n"
    "  --since MINUTES    how far back logs go (default: 60)\n"
    "  --grep PATTERN     CloudWatch's filter pattern\n"
    "  --all              list functions that are not llama's, too\n"
    "\n"
    "examples:\n"
    "  llama function list\n"
    "  llama function update --memory 3538\n"
    "  llama function create big --memory 10240 --tmp 10240\n"
    "  llama function create py --image 123456789012.dkr.ecr.eu-west-1.amazonaws.com/py:1\n"
    "  llama function logs --since 10 --grep REPORT\n",
    Run};

}  // namespace llama::app
