#include "llama/build/build_setup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "analysis/units/job_slots.h"
#include "base/file.h"
#include "base/own_dir.h"
#include "builds/store.h"
#include "client/connection.h"
#include "llama/build/masquerade.h"
#include "trace/names.h"

namespace llama::app {
namespace {

constexpr int kIdAttempts = 100;

// The folder is what makes the id ours: two builds that begin at once never share one.
Result<std::string> ClaimId(const std::string& state_dir, int64_t now_ns) {
  TRY(MakeOwnDir(state_dir));
  TRY(MakeOwnDir(builds::BuildsDir(state_dir)));
  for (int attempt = 0; attempt < kIdAttempts; ++attempt) {
    const std::string id = builds::NewBuildId(now_ns, trace::NewSpanId());
    const std::string dir = builds::BuildDir(state_dir, id);
    if (mkdir(dir.c_str(), 0700) == 0) return id;
    if (errno != EEXIST) return ErrnoError(errno, dir);
  }
  return Error{Code::kUnavailable, builds::BuildsDir(state_dir) + ": no free build id"};
}

std::string WorkingDirectory() {
  std::string cwd(4096, '\0');
  if (getcwd(cwd.data(), cwd.size()) == nullptr) return "";
  cwd.resize(cwd.find('\0'));
  return cwd;
}

}  // namespace

void SetVariable(std::vector<std::string>& env, std::string_view name, std::string_view value) {
  const std::string prefix = std::string(name).append("=");
  std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(prefix); });
  env.push_back(std::string(prefix).append(value));
}

std::string_view GetVariable(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

Result<BuildSetup> PrepareBuild(const BuildRequest& request, const std::string& state_dir,
                                const std::vector<std::string>& env, const Clock& clock) {
  BuildSetup setup;
  const int64_t start_ns = clock.NowNs();
  setup.start_monotonic_ns = clock.MonotonicNs();
  ASSIGN_OR_RETURN(const std::string id, ClaimId(state_dir, start_ns));
  setup.state_dir = state_dir;
  setup.dir = builds::BuildDir(state_dir, id);
  setup.hold = builds::HoldBuild(setup.dir);
  builds::BuildRecord& record = setup.record;
  record.id = id;
  record.name = request.name;
  record.tags = request.tags;
  record.command = request.command;
  record.cwd = WorkingDirectory();
  record.start_ns = start_ns;
  record.cpus = std::thread::hardware_concurrency();
  record.version = LLAMA_VERSION;

  const auto outside = trace::ParseTraceparent(GetVariable(env, "TRACEPARENT"));
  setup.root = trace::StartSpan(trace::span::kBuild, outside.value_or(trace::Context{}), start_ns);
  setup.root.Set(trace::field::kBuildId, id);
  setup.root.Set(trace::field::kName, record.name);
  setup.root.Set(trace::field::kCommand, builds::ShellCommand(record.command));
  setup.root.Set(trace::field::kCwd, record.cwd);
  setup.root.Set(trace::field::kCpus, record.cpus);
  setup.root.Set(trace::field::kVersion, record.version);
  if (const auto jobs =
          analysis::JobsOfCommand(record.command, GetVariable(env, "MAKEFLAGS"), record.cpus)) {
    setup.root.Set(trace::field::kJobs, *jobs);
  }
  for (const auto& [key, value] : record.tags)
    setup.root.Set(std::string(trace::field::kTagsPrefix) + key, value);
  TRY(builds::WriteBuildRecord(setup.dir, record));
  return setup;
}

Result<std::vector<std::string>> BuildEnvironment(const BuildSetup& setup,
                                                  const std::string& wrapper,
                                                  std::vector<std::string> env) {
  const std::string masquerade = client::MasqueradeDir(setup.state_dir);
  if (access(wrapper.c_str(), X_OK) != 0) return ErrnoError(errno, wrapper);
  if (masquerade.find(':') != std::string::npos) {
    return Error{Code::kInvalid, masquerade + ": a folder with ':' can't stand in PATH"};
  }
  std::string path(GetVariable(env, "PATH"));
  if (path.empty()) path = kDefaultPath;
  TRY(UpdateMasquerade(masquerade, wrapper, CompilersInPath(path, masquerade)));
  SetVariable(env, "PATH", PathWithFirst(masquerade, path));
  // CMake takes these for a tree that it configures first; one that the user has set stays.
  for (const char* const launcher : {"CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER"}) {
    if (GetVariable(env, launcher).empty()) SetVariable(env, launcher, wrapper);
  }
  // By its time and size, as ccache tells compilers apart, each of our links is the same one, and
  // an object by one compiler would be another's.
  constexpr std::string_view kCompilerCheck = "CCACHE_COMPILERCHECK";
  if (GetVariable(env, kCompilerCheck).empty()) SetVariable(env, kCompilerCheck, "%compiler% -v");
  SetVariable(env, "LLAMA_DIR", setup.state_dir);
  SetVariable(env, "LLAMACC_BUILD_ID", setup.record.id);
  SetVariable(env, "TRACEPARENT", trace::FormatTraceparent(setup.root.context()));
  return env;
}

Result<void> FinishBuild(BuildSetup& setup, int exit_status, const Clock& clock) {
  setup.root.duration_ns = clock.MonotonicNs() - setup.start_monotonic_ns;
  setup.record.end_ns = setup.record.start_ns + setup.root.duration_ns;
  setup.record.status = exit_status;
  setup.root.Set(trace::field::kStatus, exit_status);
  if (setup.interrupted) setup.root.Set(trace::field::kInterrupted, trace::Value(true));
  // Somebody may have removed the state folder meanwhile.
  TRY(MakeOwnDir(setup.dir));
  return builds::WriteBuildRecord(setup.dir, setup.record);
}

}  // namespace llama::app
