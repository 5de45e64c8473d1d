// llama bootstrap: makes in AWS what builds need there, shows first what that is, and takes it
// down.
#include <algorithm>
#include <array>
#include <cstdio>

#include "aws/control/deployment.h"
#include "aws/service/sts.h"
#include "aws/settings/llama_config.h"
#include "base/clock.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "llama/cloud/cloud_access.h"
#include "llama/cloud/function_options.h"
#include "llama/command.h"
#include "trace/pricing.h"

namespace llama::app {
namespace {

using aws::DeploymentStep;
using aws::Verb;

constexpr std::array<Option, 14> kOptions = {{{"--region", true},
                                              {"--bucket", true},
                                              {"--function", true},
                                              {"--role", true},
                                              {"--image", true},
                                              {"--zip", true},
                                              {"--memory", true},
                                              {"--timeout", true},
                                              {"--tmp", true},
                                              {"--dry-run"},
                                              {"--yes"},
                                              {"--json"},
                                              {"--destroy"},
                                              {"--policy"}}};

// A compile of this long stands for a thousand others in the plan's estimate.
constexpr int64_t kTypicalCompileMs = 1'000;

int Fail(const Error& error) {
  PrintError(error.message);
  return kFailed;
}

// "name" of "name:alias" and of an ARN.
std::string BareName(const std::string& function) {
  std::string name = function;
  if (const size_t at = name.find(":function:"); at != std::string::npos) name.erase(0, at + 10);
  return name.substr(0, name.find(':'));
}

// The names: an option's, else a setting's, else the default, which needs the account.
Result<aws::PolicyScope> ScopeOf(const ParsedArguments& parsed, const aws::Settings& settings,
                                 const std::string& account) {
  aws::PolicyScope scope;
  scope.region = settings.region;
  scope.account = account;
  std::string location = settings.object_store;
  if (const std::string given = parsed.Value("--bucket"); !given.empty()) {
    location = given.starts_with("s3://") ? given : "s3://" + given;
  }
  if (location.starts_with("s3://")) {
    ASSIGN_OR_RETURN(const aws::StoreLocation store, aws::ParseStoreLocation(location));
    scope.bucket = store.bucket;
    scope.prefix = store.prefix;
  } else {
    scope.bucket = account == "*" ? "llama-*" : "llama-" + account + "-" + settings.region;
  }
  scope.function = BareName(parsed.Value("--function"));
  if (scope.function.empty()) scope.function = BareName(settings.function);
  if (scope.function.empty()) scope.function = "llama";
  if (!parsed.Has("--role")) {
    scope.role = (scope.function + "-worker-" + settings.region).substr(0, 64);
  }
  return scope;
}

std::string LocationOf(const aws::PolicyScope& scope) {
  std::string prefix = scope.prefix;
  if (!prefix.empty()) prefix.pop_back();
  return "s3://" + scope.bucket + (prefix.empty() ? "" : "/" + prefix);
}

Result<aws::DeploymentWish> WishOf(const ParsedArguments& parsed, const CloudAccess& cloud,
                                   aws::PolicyScope scope) {
  aws::DeploymentWish wish;
  ASSIGN_OR_RETURN(const aws::LambdaConfiguration limits, ParseLimits(parsed));
  wish.memory_mb = limits.memory_mb;
  wish.timeout_s = limits.timeout_s;
  wish.tmp_mb = limits.tmp_mb;
  wish.role_arn = parsed.Value("--role");
  wish.code.image_uri = parsed.Value("--image");
  ASSIGN_OR_RETURN(wish.store_url, StoreUrlOf(cloud.settings(), LocationOf(scope)));
  if (wish.code.image_uri.empty() && !parsed.Has("--destroy")) {
    ASSIGN_OR_RETURN(wish.code, MakeWorkerCode(parsed.Value("--zip"), cloud.settings().ca_file));
  }
  wish.scope = std::move(scope);
  return wish;
}

// What $LLAMA_DIR/config has to say, and does not yet.
using ConfigChanges = std::vector<std::pair<std::string, std::string>>;

Result<ConfigChanges> ConfigChangesFor(const CloudAccess& cloud, const aws::PolicyScope& scope,
                                       bool destroy) {
  ASSIGN_OR_RETURN(const aws::LlamaConfig config, aws::ReadLlamaConfig(cloud.state_dir()));
  ConfigChanges changes;
  const auto value = [&](const std::string& key) {
    const auto it = config.find(key);
    return it == config.end() ? std::string() : it->second.value;
  };
  const ConfigChanges wanted = {
      {"region", scope.region}, {"object_store", LocationOf(scope)}, {"function", scope.function}};
  for (const auto& [key, wish] : wanted) {
    const std::string now = value(key);
    if (destroy) {
      if (now == wish && key != "region") changes.emplace_back(key, "");
      continue;
    }
    // "llama:alias" names the function as well.
    const bool same = now == wish || (key == "function" && BareName(now) == wish);
    if (!same) changes.emplace_back(key, wish);
  }
  return changes;
}

struct Plan {
  std::vector<DeploymentStep> steps;
  ConfigChanges config;
  std::string config_path;

  bool ChangesNothing() const {
    return config.empty() && std::all_of(steps.begin(), steps.end(), [](const DeploymentStep& s) {
             return s.verb == Verb::kKeep;
           });
  }
};

void PrintLine(std::string_view verb, std::string_view part, const std::string& name,
               const std::string& detail) {
  std::string line = "  " + PadRight(verb, 8) + PadRight(part, 13) + Printable(name);
  if (!detail.empty()) line.append("  (").append(Printable(detail)).append(")");
  std::printf("%s\n", line.c_str());
}

void PrintPlan(const Plan& plan, const aws::PolicyScope& scope) {
  std::printf("account %s, region %s\n", scope.account.c_str(), scope.region.c_str());
  for (const DeploymentStep& step : plan.steps) {
    PrintLine(aws::VerbName(step.verb), aws::PartName(step.part), step.name, step.detail);
  }
  if (plan.config.empty()) return PrintLine("keep", "settings", plan.config_path, "");
  for (const auto& [key, value] : plan.config) {
    PrintLine(value.empty() ? "remove" : "write", "setting", plan.config_path,
              value.empty() ? key : key + " = " + value);
  }
}

double UsdPerThousand(int64_t memory_mb) {
  return 1000 *
         (trace::LambdaCostUsd(kTypicalCompileMs, memory_mb) + trace::StoreCostUsd(0, 1) / 5);
}

void PrintCost(int64_t memory_mb) {
  std::printf(
      "cost: nothing while idle but for stored objects ($0.023 per GB and month); about %s per\n"
      "1,000 compiles of %.0f s each with %lld MB, at the prices of us-east-1\n",
      FormatUsd(UsdPerThousand(memory_mb)).c_str(), static_cast<double>(kTypicalCompileMs) / 1000,
      static_cast<long long>(memory_mb));
}

void PrintJson(const Plan& plan, const aws::DeploymentWish& wish, int64_t memory_mb, bool done) {
  JsonWriter json;
  json.BeginObject().Key("account").String(wish.scope.account);
  json.Key("region").String(wish.scope.region).Key("steps").BeginArray();
  for (const DeploymentStep& step : plan.steps) {
    json.BeginObject().Key("part").String(aws::PartName(step.part));
    json.Key("verb").String(aws::VerbName(step.verb)).Key("name").String(step.name);
    json.Key("detail").String(step.detail).EndObject();
  }
  json.EndArray().Key("settings").BeginObject();
  for (const auto& [key, value] : plan.config) json.Key(key).String(value);
  json.EndObject().Key("usd_per_month_idle").Double(0);
  json.Key("usd_per_1000_compiles").Double(UsdPerThousand(memory_mb));
  json.Key("carried_out").Bool(done).EndObject();
  std::printf("%s\n", json.str().c_str());
}

// True: go on. Nobody to ask and no --yes: an error.
Result<bool> Agreed(const ParsedArguments& parsed, const Plan& plan) {
  if (parsed.Has("--yes")) return true;
  if (parsed.Has("--json") || !CanAsk()) {
    return Error{Code::kInvalid, "nothing was done: --yes is needed where nobody can be asked"};
  }
  const bool destroy = parsed.Has("--destroy");
  const auto bucket = std::find_if(plan.steps.begin(), plan.steps.end(), [](const auto& step) {
    return step.part == aws::Part::kBucket && step.verb == Verb::kDelete;
  });
  if (destroy && bucket != plan.steps.end()) {
    return Confirm("Delete these, and every object in " + bucket->name + "?");
  }
  return Confirm(destroy ? "Delete these?" : "Go ahead?");
}

Result<void> CarryOut(aws::Deployment& deployment, const Plan& plan, const std::string& state_dir,
                      bool quiet) {
  for (const DeploymentStep& step : plan.steps) {
    if (step.verb == Verb::kKeep) continue;
    const std::string_view verb = aws::VerbName(step.verb);
    const std::string what = std::string(aws::PartName(step.part)) + " " + step.name;
    if (!quiet) std::printf("%s %s …", std::string(verb).c_str(), what.c_str());
    if (!quiet) std::fflush(stdout);
    const Result<void> done = deployment.CarryOut(step);
    if (!quiet) std::printf(done ? " done\n" : " failed\n");
    if (!done) return done.error();
  }
  if (plan.config.empty()) return {};
  return aws::ChangeLlamaConfig(state_dir, plan.config);
}

int64_t MemoryOf(const aws::DeploymentWish& wish, const aws::DeploymentFound& found) {
  if (wish.memory_mb) return *wish.memory_mb;
  return found.function ? found.function->memory_mb : aws::kDefaultMemoryMb;
}

Result<int> Act(const ParsedArguments& parsed, CloudAccess& cloud, aws::Deployment& deployment) {
  const aws::DeploymentWish& wish = deployment.wish();
  const bool destroy = parsed.Has("--destroy");
  ASSIGN_OR_RETURN(const aws::DeploymentFound found, deployment.Look());
  Plan plan;
  plan.config_path = cloud.state_dir() + "/config";
  if (destroy) {
    plan.steps = aws::PlanRemoval(wish, found);
  } else {
    ASSIGN_OR_RETURN(plan.steps, aws::PlanCreation(wish, found));
  }
  ASSIGN_OR_RETURN(plan.config, ConfigChangesFor(cloud, wish.scope, destroy));
  const bool as_json = parsed.Has("--json");
  const int64_t memory_mb = MemoryOf(wish, found);
  const bool idle = plan.ChangesNothing();
  const bool dry = parsed.Has("--dry-run");
  if (!as_json) {
    PrintPlan(plan, wish.scope);
    if (!destroy) PrintCost(memory_mb);
    if (idle) std::printf(destroy ? "There is nothing to delete.\n" : "All is there.\n");
  }
  if (!idle && !dry) {
    ASSIGN_OR_RETURN(const bool agreed, Agreed(parsed, plan));
    if (!agreed) return kFailed;
    TRY(CarryOut(deployment, plan, cloud.state_dir(), as_json));
    if (!as_json && !destroy) {
      std::printf("Ready. Try: llama doctor, then llama build -- make -j64\n");
    }
  }
  if (as_json) PrintJson(plan, wish, memory_mb, !idle && !dry);
  return kOk;
}

Result<int> Bootstrap(const ParsedArguments& parsed) {
  ASSIGN_OR_RETURN(const auto cloud, CloudAccess::Open(parsed.Value("--region")));
  if (parsed.Has("--policy")) {
    ASSIGN_OR_RETURN(aws::PolicyScope scope, ScopeOf(parsed, cloud->settings(), "*"));
    if (scope.region.empty()) {
      scope.region = "*";
      std::fprintf(stderr,
                   "llama bootstrap: no region is set, so this is for AWS's own partition "
                   "(arn:aws:); for China, GovCloud and others give --region\n");
    }
    std::printf("%s\n", aws::UserPolicy(scope).c_str());
    return kOk;
  }
  ASSIGN_OR_RETURN(aws::Service* const sts, cloud->Service("sts"));
  ASSIGN_OR_RETURN(const aws::CallerIdentity caller, aws::GetCallerIdentity(*sts));
  ASSIGN_OR_RETURN(aws::PolicyScope scope, ScopeOf(parsed, cloud->settings(), caller.account));
  ASSIGN_OR_RETURN(aws::DeploymentWish wish, WishOf(parsed, *cloud, std::move(scope)));
  ASSIGN_OR_RETURN(aws::Service* const s3, cloud->Service("s3"));
  ASSIGN_OR_RETURN(aws::Service* const iam_service, cloud->Service("iam"));
  ASSIGN_OR_RETURN(aws::Service* const lambda_service, cloud->Service("lambda"));
  ASSIGN_OR_RETURN(aws::Service* const logs_service, cloud->Service("logs"));
  aws::S3Location location;
  location.bucket = wish.scope.bucket;
  location.path_style = cloud->settings().path_style;
  aws::S3Bucket bucket(location, *s3);
  aws::Iam iam(*iam_service);
  aws::LambdaControl lambda(*lambda_service, SystemClock());
  aws::Logs logs(*logs_service);
  aws::Deployment deployment(std::move(wish), {bucket, iam, lambda, logs});
  return Act(parsed, *cloud, deployment);
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("bootstrap", parsed.error().message);
  if (!parsed->rest.empty()) return UsageError("bootstrap", "'bootstrap' takes no arguments");
  if (const auto limits = ParseLimits(*parsed); !limits) {
    return UsageError("bootstrap", limits.error().message);
  }
  const Result<int> done = Bootstrap(*parsed);
  return done ? *done : Fail(done.error());
}

}  // namespace

const Command kBootstrapCommand = {
    "bootstrap", "make in AWS what builds need there",
    "usage: llama bootstrap [OPTION]...\n"
    "       llama bootstrap --destroy [--yes]\n"
    "       llama bootstrap --policy\n"
    "\n"
    "Looks at what is there, shows what is missing and what it costs, asks, and makes it: a "
    "bucket\n"
    "(encrypted, no public access, objects expire), a role with least privilege, a log group, and "
    "a\n"
    "function that holds llama-runtime. Then writes region, object_store and function to\n"
    "$LLAMA_DIR/config. A second run changes nothing, but for a function whose code is another\n"
    "version's and for options that are given. Nothing costs anything while it is idle.\n"
    "\n"
    "  --region REGION   where (default: as AWS's tools have it)\n"
    "  --bucket NAME     or s3://NAME/PREFIX (default: llama-ACCOUNT-REGION); one of your own is\n"
    "                    used as it is\n"
    "  --function NAME   (default: llama)\n"
    "  --role ARN        a role of your own instead of a new one\n"
    "  --memory MB       128 to 10240 (default: 1769, which is one vCPU)\n"
    "  --timeout S       of an invocation, up to 900 (default)\n"
    "  --tmp MB          512 to 10240 (default: 2048): toolchain and headers are kept there\n"
    "  --image URI       a container image instead of the zip; see images/\n"
    "  --zip PROGRAM     llama-runtime (default: the one beside llama)\n"
    "  --dry-run         show the plan, do nothing\n"
    "  --yes             do not ask\n"
    "  --json            the plan as a JSON object; needs --dry-run or --yes\n"
    "  --destroy         delete what llama bootstrap made, with all objects in the bucket\n"
    "  --policy          print the IAM policy that a user of this needs\n"
    "\n"
    "examples:\n"
    "  llama bootstrap --dry-run\n"
    "  llama bootstrap --region eu-west-1 --memory 3538\n"
    "  llama bootstrap --policy > policy.json\n"
    "  llama bootstrap --destroy\n",
    Run};

}  // namespace llama::app
