// A command that is to run remotely, as `llama invoke` and `llama xargs` give it, and its request
// to the daemon.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "client/connection.h"
#include "session/session.h"

namespace llama::app {

// Exit statuses besides the command's own, as env(1) and timeout(1) have them.
inline constexpr int kTimedOut = 124;
inline constexpr int kLlamaFailed = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kNoSuchCommand = 127;

// The most that a command is given on its stdin.
inline constexpr uint64_t kMaxInputBytes = 64 << 20;

struct RemoteCommand {
  std::vector<std::string> argv;
  std::vector<session::CommandInput> inputs;
  std::vector<session::CommandOutput> outputs;
  std::vector<std::string> env;  // "K=V", set by the user for it
  std::string cwd;               // local, absolute
  std::string remote_cwd;        // absolute
  std::string input;             // its stdin
  int64_t timeout_ms = 0;
  bool in_image = false;
  std::string function;
};

// getcwd(); kNotFound if there is none.
Result<std::string> WorkingFolder();

// Lexical: absolute, without "//", "." and "..". Relative paths begin at `cwd`.
std::string Normalised(std::string_view path, std::string_view cwd);

// "LOCAL[:REMOTE]" and "REMOTE[:LOCAL]"; "\:" is a colon. A LOCAL that is there as it is written
// needs no "\".
Result<session::CommandInput> ParseInput(std::string_view text, const RemoteCommand& command);
Result<session::CommandOutput> ParseOutput(std::string_view text, const RemoteCommand& command);
// A path that is the same on both sides, relative to the folders of each or absolute.
session::CommandInput SameInput(std::string_view path, const RemoteCommand& command);
session::CommandOutput SameOutput(std::string_view path, const RemoteCommand& command);

// The absolute path of a program as execvp finds it in `path`. kNotFound: there is none. kInvalid:
// what is there can't be executed.
Result<std::string> FindProgram(const std::string& name, const std::string& cwd,
                                std::string_view path);

// "2", "0.5": milliseconds; kInvalid unless it is a positive number of seconds.
Result<int64_t> ParseSeconds(const std::string& text);

// What the environment tells the daemon about where the job belongs, and what a command is to know
// of it: PATH, HOME, the locale, the time zone.
struct Surrounding {
  std::vector<std::string> env;
  std::string build_id;
  std::string traceparent;
};
Surrounding SurroundingOf(const std::vector<std::string>& env);

// kNotFound and kInvalid as FindProgram.
Result<session::RunCommand> MakeRequest(const RemoteCommand& command,
                                        const Surrounding& surrounding);

// The status that a shell would give; llama's own if it could not be run.
int ExitStatusOf(const session::CommandResult& result);

// Tells the daemon that the result was taken, so that the job's span ends.
void SendDone(int fd);

}  // namespace llama::app
