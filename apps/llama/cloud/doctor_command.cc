// llama doctor: does it all work, and what is to be done if not.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text/format.h"
#include "base/text/json.h"
#include "client/connection.h"
#include "llama/cloud/doctor.h"
#include "llama/command.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 2> kOptions = {{{"--json"}, {"--full"}}};
constexpr size_t kNameWidth = 17;

std::string_view Word(Health health) {
  if (health == Health::kWell) return "ok";
  return health == Health::kWarning ? "warn" : "fail";
}

void Print(const Finding& finding) {
  const std::string line = PadRight(Word(finding.health), 6) + PadRight(finding.name, kNameWidth) +
                           Printable(finding.detail);
  std::printf("%s\n", line.c_str());
  if (!finding.advice.empty()) {
    std::printf("%25s%s\n", "→ ", Printable(finding.advice).c_str());
  }
  std::fflush(stdout);
}

// Shows each finding when it is made, since some take seconds.
class Examination {
 public:
  explicit Examination(bool json) : json_(json) {}

  void Add(Finding finding) {
    if (!json_) Print(finding);
    findings_.push_back(std::move(finding));
  }
  void Add(std::vector<Finding> findings) {
    for (Finding& finding : findings) Add(std::move(finding));
  }

  int End() const {
    const bool failed = std::any_of(findings_.begin(), findings_.end(), [](const Finding& finding) {
      return finding.health == Health::kFailure;
    });
    if (json_) PrintJson(failed);
    return failed ? kFailed : kOk;
  }

 private:
  void PrintJson(bool failed) const {
    JsonWriter json;
    json.BeginObject().Key("ok").Bool(!failed).Key("checks").BeginArray();
    for (const Finding& finding : findings_) {
      json.BeginObject().Key("name").String(finding.name);
      json.Key("status").String(Word(finding.health)).Key("detail").String(finding.detail);
      json.Key("advice").String(finding.advice).EndObject();
    }
    json.EndArray().EndObject();
    std::printf("%s\n", json.str().c_str());
  }

  const bool json_;
  std::vector<Finding> findings_;
};

int Examine(bool json, bool full) {
  Examination examination(json);
  Patient patient;
  patient.env = CurrentEnvironment();
  patient.full = full;
  const Result<std::string> state_dir = client::StateDir();
  const Result<std::string> bin_dir = ExecutableDir();
  if (!state_dir || !bin_dir) {
    examination.Add({"state folder", Health::kFailure,
                     (state_dir ? bin_dir : state_dir).error().message, "set LLAMA_DIR or HOME"});
    return examination.End();
  }
  patient.state_dir = *state_dir;
  patient.bin_dir = *bin_dir;
  Result<aws::Settings> settings = aws::ResolveSettings(patient.env, patient.state_dir);
  if (!settings) {
    // Neither the daemon nor anything else starts with settings that are wrong.
    examination.Add({"settings", Health::kFailure, settings.error().message,
                     "'llama help config' lists the settings"});
    return examination.End();
  }
  patient.settings = *std::move(settings);
  examination.Add(CheckInstallation(patient));
  examination.Add(CheckAws(patient));
  examination.Add(CheckRoundTrip(patient));
  return examination.End();
}

int Run(const Arguments& arguments) {
  const auto parsed = ParseArguments(arguments, kOptions);
  if (!parsed) return UsageError("doctor", parsed.error().message);
  if (!parsed->rest.empty()) return UsageError("doctor", "'doctor' takes no arguments");
  return Examine(parsed->Has("--json"), parsed->Has("--full"));
}

}  // namespace

const Command kDoctorCommand = {
    "doctor", "check that everything works, and say what to do if not",
    "usage: llama doctor [--full] [--json]\n"
    "\n"
    "Looks at the state folder, the compiler and the daemon; where AWS is configured, at region,\n"
    "credentials, clock, bucket (with its latency, and the line's throughput in both directions)\n"
    "and function (that it answers, and is of this version); and compiles a small file remotely.\n"
    "Each line is ok, warn or fail, with what to do below it. The probes are a few objects below\n"
    "'doctor/' in the bucket, which are removed again, and two invocations.\n"
    "\n"
    "Exit status: 0 if nothing failed, otherwise 1.\n"
    "\n"
    "  --full   also tries what llama expects of S3 and Lambda, rule by rule; a few requests more\n"
    "  --json   as a JSON object\n"
    "\n"
    "examples:\n"
    "  llama doctor\n"
    "  llama doctor --json | jq -r '.checks[] | select(.status == \"fail\") | .advice'\n",
    Run};

}  // namespace llama::app
