// llama xargs: runs a command remotely for each item.
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>

#include "base/file.h"
#include "build_id/build_id.h"
#include "client/connection.h"
#include "llama/command.h"
#include "llama/run/own_build.h"
#include "llama/run/run_command.h"
#include "llama/run/xargs_run.h"

namespace llama::app {
namespace {

constexpr std::array<Option, 18> kOptions = {{{"-j", true},
                                              {"-a", true},
                                              {"-0"},
                                              {"-k"},
                                              {"-f", true},
                                              {"-v"},
                                              {"--keep-order"},
                                              {"--retries", true},
                                              {"--joblog", true},
                                              {"--resume"},
                                              {"--halt", true},
                                              {"--timeout", true},
                                              {"--env", true},
                                              {"--in-image"},
                                              {"--function", true},
                                              {"--no-progress"},
                                              {"--name", true},
                                              {"--verbose"}}};
constexpr uint64_t kMaxItemBytes = uint64_t{1} << 30;
constexpr size_t kMaxJobs = 1000;

struct Request {
  XargsOptions options;
  Template command;
  std::vector<std::string> words;
  std::string items_file;  // empty: stdin
  std::string name;
  char separator = '\n';
};

Result<size_t> ParseNumber(const ParsedArguments& parsed, const char* option, size_t most) {
  const std::string text = parsed.Value(option);
  size_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < 1 ||
      value > most) {
    return Error{Code::kInvalid,
                 std::string(option) + " needs a number from 1 to " + std::to_string(most)};
  }
  return value;
}

// "-j64" is -j 64, as every make has it.
Arguments WithSpacedOptions(const Arguments& arguments) {
  Arguments out;
  bool in_command = false;
  for (const std::string& word : arguments) {
    const bool is_option = !in_command && word.starts_with('-') && word.size() > 2;
    if (word == "--") in_command = true;
    if (is_option && word[1] == 'j' && word[2] != '=') {
      out.insert(out.end(), {"-j", word.substr(2)});
    } else {
      out.push_back(word);
    }
    const bool was_value = out.size() > 1 && out[out.size() - 2].starts_with('-');
    if (!word.starts_with('-') && !was_value) in_command = true;
  }
  return out;
}

bool WantsProgress(const ParsedArguments& parsed) {
  const char* term = std::getenv("TERM");
  return !parsed.Has("--no-progress") && isatty(STDERR_FILENO) == 1 && term != nullptr &&
         std::string_view(term) != "dumb";
}

Result<Request> ParseRequest(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ParsedArguments parsed,
                   ParseArguments(WithSpacedOptions(arguments), kOptions, true));
  Request out;
  XargsOptions& options = out.options;
  if (parsed.Has("-j")) {
    ASSIGN_OR_RETURN(options.jobs, ParseNumber(parsed, "-j", kMaxJobs));
  }
  if (parsed.Has("--retries")) {
    ASSIGN_OR_RETURN(const size_t tries, ParseNumber(parsed, "--retries", 100));
    options.tries = static_cast<int>(tries);
  }
  if (parsed.Has("--halt")) {
    ASSIGN_OR_RETURN(options.halt, ParseHalt(parsed.Value("--halt")));
  }
  if (parsed.Has("--timeout")) {
    ASSIGN_OR_RETURN(options.base.timeout_ms, ParseSeconds(parsed.Value("--timeout")));
  }
  options.keep_order = parsed.Has("--keep-order") || parsed.Has("-k");
  options.joblog = parsed.Value("--joblog");
  options.resume = parsed.Has("--resume");
  if (options.resume && options.joblog.empty()) {
    return Error{Code::kInvalid, "--resume needs --joblog"};
  }
  options.progress = WantsProgress(parsed);
  options.verbose = parsed.Has("--verbose") || parsed.Has("-v");
  options.base.in_image = parsed.Has("--in-image");
  options.base.function = parsed.Value("--function");
  ASSIGN_OR_RETURN(options.base.cwd, WorkingFolder());
  options.base.remote_cwd = options.base.cwd;
  for (const auto& [option, value] : parsed.options) {
    if (option == "-f") {
      ASSIGN_OR_RETURN(session::CommandInput input, ParseInput(value, options.base));
      input.is_shared = true;
      options.base.inputs.push_back(std::move(input));
    } else if (option == "--env") {
      const size_t equals = value.find('=');
      if (equals == 0 || equals == std::string::npos) {
        return Error{Code::kInvalid, "--env needs NAME=VALUE"};
      }
      options.base.env.push_back(value);
    }
  }
  out.items_file = parsed.Value("-a");
  out.separator = parsed.Has("-0") ? '\0' : '\n';
  out.name = parsed.Has("--name") ? parsed.Value("--name") : "xargs";
  out.words = parsed.rest;
  ASSIGN_OR_RETURN(out.command, Template::Parse(parsed.rest));
  return out;
}

Result<std::vector<std::string>> ReadItems(const Request& request) {
  const auto text = request.items_file.empty() ? ReadAll(STDIN_FILENO, kMaxItemBytes, "stdin")
                                               : ReadFile(request.items_file, kMaxItemBytes);
  if (!text) return text.error();
  std::vector<std::string> items;
  for (size_t begin = 0; begin < text->size();) {
    const size_t end = std::min(text->find(request.separator, begin), text->size());
    items.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

// Signals that ask for the end, as reads of a descriptor: what runs is cancelled, and the record of
// it is whole.
Fd CatchSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return Fd(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int CaughtSignal(const Fd& signals) {
  signalfd_siginfo info{};
  const bool caught =
      signals.valid() && read(signals.get(), &info, sizeof info) == ssize_t{sizeof info};
  return caught ? static_cast<int>(info.ssi_signo) : 0;
}

int RunJobs(Request request, std::vector<std::string> items) {
  const auto connect = client::OptionsFromEnvironment(std::string(BuildId()));
  if (!connect) {
    PrintError(connect.error().message);
    return kLlamaFailed;
  }
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  Surrounding surrounding = SurroundingOf(env);
  OwnBuild build(request.name, request.words, *connect, surrounding);
  const Fd signals = CatchSignals();
  XargsRun run(std::move(request.options), std::move(request.command), std::move(items), *connect,
               std::move(surrounding));
  const int status = run.Run([&] { build.Tick(); }, signals.get());
  const int signal = CaughtSignal(signals);
  build.End(signal != 0 ? 128 + signal : status);
  return signal != 0 ? EndLike(signal) : status;
}

int Run(const Arguments& arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  auto request = ParseRequest(arguments);
  if (!request) {
    UsageError("xargs", request.error().message);
    return kLlamaFailed;
  }
  auto items = ReadItems(*request);
  if (!items) {
    PrintError(items.error().message);
    return kLlamaFailed;
  }
  return RunJobs(std::move(*request), std::move(*items));
}

}  // namespace

const Command kXargsCommand = {
    "xargs", "run any command remotely, once for each item",
    "usage: llama xargs [OPTION]... [--] COMMAND [ARGUMENT]...\n"
    "\n"
    "Runs COMMAND remotely for each line of standard input, many at once. Marks in COMMAND stand\n"
    "for the line; without one it becomes the last argument.\n"
    "\n"
    "  {}  the item         {/}  its last component   {//}  its folder   {#}  the job's number\n"
    "  {.} without extension                          {/.}  last component without extension\n"
    "  {i:NAME}  a file that the job reads            {o:NAME}  a file that it makes\n"
    "\n"
    "NAME is text with marks; in it an f before '.' or '/' or alone is the item: {o:f.sum} is\n"
    "{o:{}.sum}. {{.Line}}, {{.Idx}}, {{.I .Line}} and {{.O (printf \"%s.x\" .Line)}} work, too.\n"
    "Only files in {i:} and {o:}, and those of -f, travel. In the script of 'sh -c' an item is\n"
    "never taken for code.\n"
    "\n"
    "  -j N              so many jobs at once (default 64)\n"
    "  -a FILE           items from FILE\n"
    "  -0                items end with NUL instead of newline\n"
    "  -f LOCAL[:REMOTE] a file that every job reads\n"
    "  -k, --keep-order  print in the order of the items\n"
    "  --retries N       run a job that fails up to N times\n"
    "  --joblog FILE     a line for each job, as GNU parallel writes it\n"
    "  --resume          leave out the jobs that FILE says ended with 0\n"
    "  --halt WHEN       never (default); soon,fail=K: start no more after K failures;\n"
    "                    now,fail=K: end the running ones as well\n"
    "  --timeout SECONDS of each job\n"
    "  --env NAME=VALUE, --in-image, --function NAME, -v   as 'llama invoke' has them\n"
    "  --no-progress     no status line\n"
    "  --name NAME       what to call the record of it (default: xargs)\n"
    "\n"
    "Exit status: the number of failed jobs, 101 for more than 100; 125 llama failed, 127 no such\n"
    "command.\n"
    "\n"
    "examples:\n"
    "  ls | llama xargs -j 64 sh -c 'sha256sum < {i:f} > {o:f.sum}'\n"
    "  find . -name '*.png' -print0 | llama xargs -0 optipng -out {o:{.}.min.png} {i:{}}\n"
    "  llama xargs -a urls --joblog log --resume --retries 3 -f run.py python3 run.py {}\n",
    Run};

}  // namespace llama::app
