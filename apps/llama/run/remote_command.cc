#include "llama/run/remote_command.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>

#include "base/clock.h"
#include "base/file.h"
#include "llama/build/build_setup.h"

namespace llama::app {
namespace {

constexpr std::string_view kSearchPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr auto kPassedOn =
    std::to_array<std::string_view>({"HOME", "LANG", "PATH", "SOURCE_DATE_EPOCH", "TZ"});

// Splits at the first colon that has no backslash before it; takes the backslashes away.
std::pair<std::string, std::string> SplitPair(std::string_view text) {
  std::pair<std::string, std::string> out;
  std::string* into = &out.first;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escapes =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ':' || text[i + 1] == '\\');
    if (escapes) {
      into->push_back(text[++i]);
    } else if (text[i] == ':' && into == &out.first) {
      into = &out.second;
    } else {
      into->push_back(text[i]);
    }
  }
  return out;
}

bool Exists(const std::string& path) {
  struct stat st {};
  return stat(path.c_str(), &st) == 0;
}

// 0: a program. Otherwise why not, as errno.
int WhyNoProgram(const std::string& path) {
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) return errno;
  if (!S_ISREG(st.st_mode)) return EACCES;
  return access(path.c_str(), X_OK) == 0 ? 0 : EACCES;
}

}  // namespace

Result<std::string> WorkingFolder() {
  std::string cwd(PATH_MAX, '\0');
  if (getcwd(cwd.data(), cwd.size()) == nullptr) return ErrnoError(errno, "working directory");
  cwd.resize(cwd.find('\0'));
  return cwd;
}

std::string Normalised(std::string_view path, std::string_view cwd) {
  const std::string full = JoinPath(cwd, path);
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin < full.size();) {
    const size_t end = std::min(full.find('/', begin), full.size());
    const std::string_view part = std::string_view(full).substr(begin, end - begin);
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

session::CommandInput SameInput(std::string_view path, const RemoteCommand& command) {
  return {Normalised(path, command.cwd), Normalised(path, command.remote_cwd)};
}

session::CommandOutput SameOutput(std::string_view path, const RemoteCommand& command) {
  return {Normalised(path, command.remote_cwd), Normalised(path, command.cwd), path.ends_with('/')};
}

Result<session::CommandInput> ParseInput(std::string_view text, const RemoteCommand& command) {
  if (text.empty()) return Error{Code::kInvalid, "-f needs a file"};
  if (Exists(JoinPath(command.cwd, text))) return SameInput(text, command);
  const auto [local, remote] = SplitPair(text);
  if (local.empty()) return Error{Code::kInvalid, "-f " + std::string(text) + ": no local file"};
  session::CommandInput input = SameInput(local, command);
  if (!remote.empty()) input.remote = Normalised(remote, command.remote_cwd);
  if (!Exists(input.local)) return ErrnoError(errno, local);
  return input;
}

Result<session::CommandOutput> ParseOutput(std::string_view text, const RemoteCommand& command) {
  const auto [remote, local] = SplitPair(text);
  if (remote.empty()) return Error{Code::kInvalid, "-o " + std::string(text) + ": no remote file"};
  session::CommandOutput output = SameOutput(remote, command);
  if (!local.empty()) output.local = Normalised(local, command.cwd);
  return output;
}

Result<std::string> FindProgram(const std::string& name, const std::string& cwd,
                                std::string_view path) {
  const auto refuse = [&](int why) {
    return Error{why == EACCES ? Code::kInvalid : Code::kNotFound, ErrnoError(why, name).message};
  };
  if (name.find('/') != std::string::npos) {
    std::string program = JoinPath(cwd, name);
    if (const int why = WhyNoProgram(program); why != 0) return refuse(why);
    return program;
  }
  int why = ENOENT;
  for (size_t begin = 0; !name.empty() && begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    const std::string_view dir = path.substr(begin, end - begin);
    std::string program = JoinPath(JoinPath(cwd, dir.empty() ? "." : dir), name);
    const int now = WhyNoProgram(program);
    if (now == 0) return program;
    if (now == EACCES) why = now;
    begin = end + 1;
  }
  return refuse(why);
}

Result<int64_t> ParseSeconds(const std::string& text) {
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, seconds);
  constexpr double kMost = 1e6;
  if (parsed.ec != std::errc() || parsed.ptr != end || !(seconds > 0 && seconds <= kMost)) {
    return Error{Code::kInvalid, "'" + text + "' is no number of seconds"};
  }
  return std::max<int64_t>(1, static_cast<int64_t>(seconds * 1000));
}

Surrounding SurroundingOf(const std::vector<std::string>& env) {
  Surrounding out;
  for (const std::string& entry : env) {
    const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
    if (name.starts_with("LC_") ||
        std::find(kPassedOn.begin(), kPassedOn.end(), name) != kPassedOn.end()) {
      out.env.push_back(entry);
    }
  }
  // In a build, compilers' names stand for llamacc, which has no daemon there.
  const std::string masquerade = JoinPath(GetVariable(env, "LLAMA_DIR"), "masquerade");
  const std::string path(GetVariable(out.env, "PATH"));
  if (path.starts_with(masquerade + ":")) {
    SetVariable(out.env, "PATH", path.substr(masquerade.size() + 1));
  }
  if (GetVariable(out.env, "PATH").empty()) SetVariable(out.env, "PATH", kSearchPath);
  out.build_id = GetVariable(env, "LLAMACC_BUILD_ID");
  out.traceparent = GetVariable(env, "TRACEPARENT");
  return out;
}

Result<session::RunCommand> MakeRequest(const RemoteCommand& command,
                                        const Surrounding& surrounding) {
  session::RunCommand request;
  request.start_ns = SystemClock().NowNs();
  request.start_monotonic_ns = SystemClock().MonotonicNs();
  request.argv = command.argv;
  request.env = surrounding.env;
  request.overrides = command.env;
  request.build_id = surrounding.build_id;
  request.traceparent = surrounding.traceparent;
  request.in_image = command.in_image;
  request.function = command.function;
  request.program = command.argv[0];
  if (!command.in_image) {
    const std::string_view own = GetVariable(command.env, "PATH");
    const std::string_view path = own.empty() ? GetVariable(surrounding.env, "PATH") : own;
    ASSIGN_OR_RETURN(request.program, FindProgram(command.argv[0], command.cwd, path));
  }
  request.cwd = command.remote_cwd;
  request.umask = umask(0);
  umask(request.umask);
  request.inputs = command.inputs;
  request.outputs = command.outputs;
  request.input = command.input;
  request.timeout_ms = command.timeout_ms;
  request.pid = static_cast<uint32_t>(getpid());
  return request;
}

int ExitStatusOf(const session::CommandResult& result) {
  if (!result.error.empty()) return result.timed_out ? kTimedOut : kLlamaFailed;
  const int own =
      WIFSIGNALED(result.status) ? 128 + WTERMSIG(result.status) : WEXITSTATUS(result.status);
  return own == 0 && !result.output_error.empty() ? 1 : own;
}

void SendDone(int fd) {
  const auto ns = [](const timeval& tv) {
    return int64_t{tv.tv_sec} * 1'000'000'000 + int64_t{tv.tv_usec} * 1000;
  };
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const session::Done done{SystemClock().MonotonicNs(), ns(usage.ru_utime), ns(usage.ru_stime)};
  (void)session::SendFrame(fd, session::FrameType::kDone, Encode(done), 1000).has_value();
}

}  // namespace llama::app
