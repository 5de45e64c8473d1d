// llama invoke: runs one command remotely.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "base/clock.h"
#include "base/file.h"
#include "build_id/build_id.h"
#include "client/connection.h"
#include "llama/command.h"
#include "llama/run/own_build.h"
#include "llama/run/remote_command.h"
#include "llama/run/run_command.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 12> kOptions = {{{"-f", true},
                                              {"-o", true},
                                              {"--stdin"},
                                              {"--env", true},
                                              {"--dir", true},
                                              {"--timeout", true},
                                              {"--in-image"},
                                              {"--function", true},
                                              {"--or-local"},
                                              {"--name", true},
                                              {"--verbose"},
                                              {"-v"}}};
// The daemon sends a keep-alive every 5 s; one that is silent for this long is taken for dead.
constexpr int64_t kSilenceMs = 30'000;
constexpr int64_t kSendMs = 30'000;

struct InvokeOptions {
  RemoteCommand command;
  std::string name;
  bool or_local = false;
  bool verbose = false;
};

std::vector<std::string> Environment() {
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  return env;
}

Result<InvokeOptions> ParseOptions(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed, ParseArguments(arguments, kOptions, true));
  InvokeOptions out;
  RemoteCommand& command = out.command;
  command.argv = parsed.rest;
  if (command.argv.empty() || command.argv[0].empty()) {
    return Error{Code::kInvalid, "no command to run"};
  }
  ASSIGN_OR_RETURN(command.cwd, WorkingFolder());
  command.remote_cwd = command.cwd;
  if (parsed.Has("--dir")) command.remote_cwd = Normalised(parsed.Value("--dir"), command.cwd);
  if (parsed.Has("--timeout")) {
    ASSIGN_OR_RETURN(command.timeout_ms, ParseSeconds(parsed.Value("--timeout")));
  }
  command.in_image = parsed.Has("--in-image");
  command.function = parsed.Value("--function");
  out.name = parsed.Has("--name") ? parsed.Value("--name") : "invoke";
  out.or_local = parsed.Has("--or-local");
  out.verbose = parsed.Has("--verbose") || parsed.Has("-v");
  for (const auto& [option, value] : parsed.options) {
    if (option == "-f") {
      ASSIGN_OR_RETURN(session::CommandInput input, ParseInput(value, command));
      command.inputs.push_back(std::move(input));
    } else if (option == "-o") {
      ASSIGN_OR_RETURN(session::CommandOutput output, ParseOutput(value, command));
      command.outputs.push_back(std::move(output));
    } else if (option == "--env") {
      const size_t equals = value.find('=');
      if (equals == 0 || equals == std::string::npos) {
        return Error{Code::kInvalid, "--env needs NAME=VALUE"};
      }
      command.env.push_back(value);
    }
  }
  if (parsed.Has("--stdin")) {
    auto input = ReadAll(STDIN_FILENO, kMaxInputBytes, "stdin");
    if (!input && input.error().code == Code::kInvalid) {
      return Error{Code::kInvalid, "stdin: more than 64 MiB; name a file with -f instead"};
    }
    if (!input) return std::move(input).error();
    command.input = std::move(*input);
  }
  return out;
}

void Print(int fd, std::string_view bytes) {
  // A reader that went away is its own affair, as with the command itself.
  (void)WriteAll(fd, bytes, "output").has_value();
}

Result<session::CommandResult> Ask(const Fd& fd, const session::RunCommand& request) {
  TRY(session::SendFrame(fd.get(), session::FrameType::kRunCommand, Encode(request), kSendMs));
  while (true) {
    auto frame = session::ReceiveFrame(fd.get(), kSilenceMs);
    if (!frame) return std::move(frame).error().With("the daemon went away");
    if (frame->type == session::FrameType::kKeepAlive) continue;
    if (frame->type == session::FrameType::kCommandResult) {
      return session::DecodeCommandResult(frame->body);
    }
    return Error{Code::kInvalid, "an unexpected message from the daemon"};
  }
}

// Where its files are is where it looks for them only if none was to have another name.
int RunHere(const InvokeOptions& options) {
  const RemoteCommand& command = options.command;
  const auto moved = [](const auto& file) { return file.local != file.remote; };
  if (std::any_of(command.inputs.begin(), command.inputs.end(), moved) ||
      std::any_of(command.outputs.begin(), command.outputs.end(), moved) ||
      command.remote_cwd != command.cwd) {
    PrintError("not run here either: it expects files under other names");
    return kLlamaFailed;
  }
  RunOptions run;
  run.command = command.argv;
  run.env = Environment();
  for (const std::string& variable : command.env) {
    const size_t equals = variable.find('=');
    SetVariable(run.env, variable.substr(0, equals), variable.substr(equals + 1));
  }
  std::FILE* input = std::tmpfile();
  if (input == nullptr) return kLlamaFailed;
  std::fwrite(command.input.data(), 1, command.input.size(), input);
  std::rewind(input);
  dup2(fileno(input), STDIN_FILENO);
  const auto status = RunCommand(run);
  if (!status) {
    PrintError(status.error().message);
    return status.error().code == Code::kNotFound ? kNoSuchCommand : kNotExecutable;
  }
  return WIFSIGNALED(*status) ? 128 + WTERMSIG(*status) : WEXITSTATUS(*status);
}

int Deliver(const InvokeOptions& options, const session::CommandResult& result) {
  Print(STDOUT_FILENO, result.out);
  Print(STDERR_FILENO, result.err);
  if (!result.output_error.empty()) PrintError("missing output: " + result.output_error);
  if (options.verbose) {
    for (const std::string& note : result.notes) PrintError(note);
  }
  return ExitStatusOf(result);
}

int RunWith(const InvokeOptions& options, const client::ConnectOptions& connect,
            const Surrounding& surrounding) {
  const auto request = MakeRequest(options.command, surrounding);
  if (!request) {
    PrintError(request.error().message);
    return request.error().code == Code::kNotFound ? kNoSuchCommand : kNotExecutable;
  }
  const auto fd = client::Connect(connect);
  auto result = fd ? Ask(*fd, *request) : Result<session::CommandResult>(fd.error());
  if (result && result->error.empty()) {
    const int status = Deliver(options, *result);
    SendDone(fd->get());
    return status;
  }
  const std::string why = result ? result->error : result.error().message;
  if (result) SendDone(fd->get());
  if (options.or_local && !(result && result->timed_out)) {
    if (options.verbose) PrintError(why + "; running it here");
    return RunHere(options);
  }
  PrintError("'" + options.command.argv[0] + "' could not be run remotely: " + why);
  return result ? ExitStatusOf(*result) : kLlamaFailed;
}

int Run(const Arguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  auto options = ParseOptions(arguments);
  if (!options) {
    if (options.error().code != Code::kInvalid) {
      PrintError(options.error().message);
    } else {
      UsageError("invoke", options.error().message);
    }
    return kLlamaFailed;
  }
  const auto connect = client::OptionsFromEnvironment(std::string(BuildId()));
  if (!connect) {
    PrintError(connect.error().message);
    return kLlamaFailed;
  }
  Surrounding surrounding = SurroundingOf(Environment());
  OwnBuild build(options->name, options->command.argv, *connect, surrounding);
  const int status = RunWith(*options, *connect, surrounding);
  build.End(status);
  return status;
}

}  // namespace

const Command kInvokeCommand = {
    "invoke", "run any command remotely",
    "usage: llama invoke [OPTION]... [--] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs COMMAND, a program of this machine, in a function: the program, its libraries and what\n"
    "it reads of the system's files are sent, and the files that are named here; nothing else.\n"
    "Its output and status are those of the command.\n"
    "\n"
    "  -f LOCAL[:REMOTE]   a file, or a folder with all that is in it, that the command reads\n"
    "  -o REMOTE[:LOCAL]   a file that it makes; with '/' at the end a folder. Nothing else comes\n"
    "                      back\n"
    "  --stdin             send our standard input, up to 64 MiB; otherwise its is empty\n"
    "  --env NAME=VALUE    set in its environment, besides PATH, the locale and the time zone\n"
    "  --dir DIR           its working directory there (default: as here)\n"
    "  --timeout SECONDS   of the command\n"
    "  --in-image          COMMAND is in the function's own image; nothing of this machine is "
    "sent\n"
    "  --function NAME     run it in another function than the configured one\n"
    "  --or-local          if it can't be run remotely, run it here\n"
    "  --name NAME         what to call the record of it (default: invoke)\n"
    "  -v, --verbose       say what it looked for and was not sent\n"
    "\n"
    "Exit status: the command's own, 128 + signal; 124 its time is up, 125 llama failed, 126 it\n"
    "can't be executed, 127 there is no such command; 1 if an output is missing.\n"
    "\n"
    "examples:\n"
    "  llama invoke -f big.png -o small.png -- optipng -out small.png big.png\n"
    "  llama invoke -f data.csv -f sum.py -- python3 sum.py data.csv\n"
    "  tar c src | llama invoke --stdin -o src.tar.xz -- sh -c 'xz -9 > src.tar.xz'\n",
    Run};

}  // namespace llama::app
