// llama: the user's program. Finds the command and runs it.
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "build_id/build_id.h"
#include "client/closed_descriptors.h"
#include "llama/command.h"
#include "llama/daemon_command.h"
#include "llama/look/named_builds.h"

namespace llama::app {
namespace {

const Command kDaemonCommand = {
    "daemon", "start, stop or look at the daemon",
    "usage: llama daemon start|stop|restart|run|metrics\n"
    "       llama daemon status [--json]\n"
    "\n"
    "The daemon finds inputs, invokes functions and records spans for all wrappers of one user. "
    "The\n"
    "first wrapper starts it, and it ends when it has been idle for a while, so these commands "
    "are\n"
    "seldom needed.\n"
    "\n"
    "  start     start it, unless it runs already\n"
    "  stop      end it; what it is compiling runs locally\n"
    "  restart   stop, then start\n"
    "  status    what it has done and is doing; exit status 1 if none runs\n"
    "  metrics   its counters for Prometheus, as text; exit status 1 if none runs. A scraper\n"
    "            gets the same at /metrics of its socket (docs/operations.md)\n"
    "  run       be the daemon, in the foreground\n"
    "\n"
    "environment: LLAMA_LOCAL_SLOTS local compiles at once (default: cores), LLAMA_IDLE_TIMEOUT\n"
    "seconds, LLAMA_LOG debug|info|warning|error. The log is in $LLAMA_DIR.\n"
    "\n"
    "examples:\n"
    "  llama daemon status\n"
    "  LLAMA_LOG=debug llama daemon restart\n",
    DaemonCommand};

constexpr auto kCommands = std::to_array<const Command*>(
    {&kBuildCommand, &kBuildsCommand, &kReportCommand, &kCompareCommand, &kExplainCommand,
     &kSqlCommand, &kExportCommand, &kInvokeCommand, &kXargsCommand, &kStoreCommand, &kGetCommand,
     &kDaemonCommand, &kBootstrapCommand, &kFunctionCommand, &kConfigCommand, &kDoctorCommand,
     &kEmulatorCommand});

const Command* FindCommand(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

int UnknownCommand(const std::string& name) {
  std::vector<std::string_view> known = {"help"};
  for (const Command* command : kCommands) known.push_back(command->name);
  std::string message = "unknown command '" + name + "'";
  if (const std::string_view close = Closest(name, known); !close.empty()) {
    message.append("; did you mean 'llama ").append(close).append("'?");
  }
  return UsageError("", message);
}

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

int PrintHelp() {
  Print(
      "llama compiles C and C++ in serverless functions, and says where a build's time went.\n"
      "\n"
      "usage: llama COMMAND [ARGUMENT]...\n"
      "\n");
  for (const Command* command : kCommands) {
    std::string line = "  ";
    line.append(command->name).append(12 - command->name.size(), ' ').append(command->summary);
    Print(line.append("\n"));
  }
  Print(
      "\n"
      "  llama help COMMAND   what a command does, with examples\n"
      "  llama help names     how builds and traces are named\n"
      "  llama --version      version and build\n"
      "\n"
      "example: llama build -- make -j32\n");
  return kOk;
}

int PrintHelpOf(const std::string& name) {
  if (name == "help") return PrintHelp();
  if (name == "names") {
    Print(kNamesHelp);
    return kOk;
  }
  const Command* command = FindCommand(name);
  if (command == nullptr) return UnknownCommand(name);
  Print(command->help);
  return kOk;
}

int PrintVersion() {
  std::string text = "llama " LLAMA_VERSION " (build ";
  Print(text.append(BuildId()).append(")\n"));
  return kOk;
}

// As its first argument: what comes later may belong to the command that llama is to run.
bool AsksForHelp(const Arguments& arguments) {
  return !arguments.empty() && (arguments[0] == "--help" || arguments[0] == "-h");
}

int Run(const Arguments& words) {
  if (words.empty()) {
    PrintHelp();
    return kUsage;
  }
  const std::string& name = words[0];
  if (name == "--help" || name == "-h" || name == "help") {
    return words.size() > 1 ? PrintHelpOf(words[1]) : PrintHelp();
  }
  if (name == "--version" || name == "-V") return PrintVersion();
  const Command* command = FindCommand(name);
  if (command == nullptr) return UnknownCommand(name);
  const Arguments arguments(words.begin() + 1, words.end());
  if (AsksForHelp(arguments)) return PrintHelpOf(name);
  return command->run(arguments);
}

}  // namespace
}  // namespace llama::app

int main(int argc, char** argv) {
  llama::client::HoldClosedDescriptors();
  return llama::app::Run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
