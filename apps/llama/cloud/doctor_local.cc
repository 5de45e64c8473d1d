#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <string_view>

#include "aws/service/config_file.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text/format.h"
#include "build_id/build_id.h"
#include "client/connection.h"
#include "client/invocation.h"
#include "llama/build/build_setup.h"
#include "llama/cloud/doctor.h"
#include "session/session.h"

namespace llama::app {
namespace {

constexpr uint64_t kLowDiskBytes = 2ull << 30;
constexpr int64_t kCommandMs = 60'000;
constexpr int64_t kStatusMs = 10'000;
// Long enough for a cold start, and for a toolchain to go up a thin line.
constexpr int64_t kRoundTripMs = 600'000;
constexpr std::string_view kProgram =
    "#include <stdio.h>\nint main(void) { return puts(\"llama\") < 0; }\n";

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

Finding CheckStateFolder(const Patient& patient) {
  const std::string& path = patient.state_dir;
  if (const Result<void> made = MakeDirs(path, 0700); !made) {
    return {"state folder", Health::kFailure, made.error().message,
            "set LLAMA_DIR to a folder that can be written to"};
  }
  struct stat info {};
  struct statvfs disk {};
  if (stat(path.c_str(), &info) != 0 || access(path.c_str(), W_OK) != 0 ||
      statvfs(path.c_str(), &disk) != 0) {
    return {"state folder", Health::kFailure, path + " can't be written to",
            "set LLAMA_DIR to a folder that can"};
  }
  const uint64_t free_bytes = uint64_t{disk.f_bavail} * disk.f_frsize;
  const std::string detail = path + ", " + FormatBytes(static_cast<int64_t>(free_bytes)) + " free";
  if (free_bytes < kLowDiskBytes) {
    return {"state folder", Health::kWarning, detail,
            "toolchains and traces want some gigabytes there"};
  }
  if ((info.st_mode & 077) != 0) {
    return {"state folder", Health::kWarning, detail + ", open to others", "chmod 700 " + path};
  }
  return {"state folder", Health::kWell, detail, ""};
}

std::string FindInPath(const Patient& patient, const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const std::string path = aws::EnvValue(patient.env, "PATH");
  for (const std::string_view folder : client::SplitPath(path)) {
    const std::string candidate = JoinPath(folder.empty() ? "." : folder, name);
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

Finding CheckCompiler(const Patient& patient) {
  std::string name = aws::EnvValue(patient.env, "LLAMACC_LOCAL_CC");
  if (name.empty()) name = "cc";
  ProcessOptions options;
  options.program = FindInPath(patient, name);
  if (options.program.empty()) {
    return {"compiler", Health::kFailure, "no " + name + " in PATH",
            "install gcc or clang, or set LLAMACC_LOCAL_CC"};
  }
  options.argv = {name, "--version"};
  options.env = patient.env;
  options.timeout_ms = kCommandMs;
  const Result<ProcessResult> ran = RunProcess(options);
  if (!ran || ran->ExitCode() != 0) {
    return {"compiler", Health::kFailure, options.program + " --version fails",
            "set LLAMACC_LOCAL_CC to a compiler that works"};
  }
  return {"compiler", Health::kWell, options.program + ": " + FirstLine(ran->out), ""};
}

Finding CheckPrograms(const Patient& patient) {
  for (const char* name : {"llamacc", "llama-runtime"}) {
    const std::string path = JoinPath(patient.bin_dir, name);
    if (access(path.c_str(), X_OK) == 0) continue;
    return {"programs", Health::kFailure, path + " is missing",
            "install llama, llamacc and llama-runtime into one folder"};
  }
  return {"programs", Health::kWell,
          "llama, llamacc, llama-runtime in " + patient.bin_dir + ", build " +
              std::string(BuildId().substr(0, 12)),
          ""};
}

Result<session::Status> AskDaemon() {
  ASSIGN_OR_RETURN(client::ConnectOptions options,
                   client::OptionsFromEnvironment(std::string(BuildId())));
  options.retry_failed = true;
  ASSIGN_OR_RETURN(const Fd connection, client::Connect(options));
  TRY(session::SendFrame(connection.get(), session::FrameType::kStatus,
                         Encode(session::StatusRequest{}), kStatusMs));
  ASSIGN_OR_RETURN(const session::Frame reply, session::ReceiveFrame(connection.get(), kStatusMs));
  return session::DecodeStatus(reply.body);
}

Finding CheckDaemon(const Patient& patient) {
  const Result<session::Status> status = AskDaemon();
  if (!status) {
    return {"daemon", Health::kFailure, status.error().message,
            "its log is " + patient.state_dir + "/daemon.log; 'llama daemon run' runs it here"};
  }
  return {"daemon", Health::kWell,
          "pid " + std::to_string(status->pid) + ", " +
              std::to_string(status->counters.remote_done) + " compiles remote, " +
              std::to_string(status->counters.local_done) + " local",
          ""};
}

// What `mark` is followed by, up to the line's end.
std::string After(std::string_view text, std::string_view mark) {
  const size_t at = text.find(mark);
  return at == std::string_view::npos ? "" : FirstLine(text.substr(at + mark.size()));
}

Finding JudgeRoundTrip(const Patient& patient, const ProcessResult& ran) {
  const std::string took = FormatDuration(ran.usage.wall_ns);
  const std::string where = patient.settings.function.empty()
                                ? "a local worker"
                                : "function " + patient.settings.function;
  if (ran.ExitCode() != 0) {
    return {"round trip", Health::kFailure,
            "compiling a small file ended with status " + std::to_string(ran.ExitCode()) + ": " +
                FirstLine(ran.err),
            "does it compile with the compiler alone?"};
  }
  if (ran.err.find("ran remotely") != std::string::npos) {
    return {"round trip", Health::kWell, "compiled in " + where + " in " + took, ""};
  }
  const std::string reason = After(ran.err, "runs locally: ");
  return {"round trip", Health::kWarning,
          "compiled here, not remotely: " + (reason.empty() ? "no reason given" : reason),
          "LLAMA_LOG=debug llama daemon restart, and see " + patient.state_dir + "/daemon.log"};
}

}  // namespace

std::vector<Finding> CheckInstallation(const Patient& patient) {
  return {CheckStateFolder(patient), CheckCompiler(patient), CheckPrograms(patient),
          CheckDaemon(patient)};
}

Finding CheckRoundTrip(const Patient& patient) {
  const Result<TempDir> dir = TempDir::Create("llama-doctor");
  if (!dir) return {"round trip", Health::kFailure, dir.error().message, "is TMPDIR full?"};
  const std::string source = dir->path() + "/probe.c";
  if (const Result<void> written = WriteFileAtomic(source, kProgram, 0644); !written) {
    return {"round trip", Health::kFailure, written.error().message, "is TMPDIR full?"};
  }
  ProcessOptions options;
  options.program = JoinPath(patient.bin_dir, "llamacc");
  options.argv = {options.program, "-c", "probe.c", "-o", "probe.o"};
  options.env = patient.env;
  SetVariable(options.env, "LLAMACC_VERBOSE", "1");
  SetVariable(options.env, "LLAMA_DIR", patient.state_dir);
  options.cwd = dir->path();
  options.timeout_ms = kRoundTripMs;
  const Result<ProcessResult> ran = RunProcess(options);
  if (ran) return JudgeRoundTrip(patient, *ran);
  return {"round trip", Health::kFailure, options.program + ": " + ran.error().message,
          "see " + patient.state_dir + "/daemon.log"};
}

}  // namespace llama::app
