#include "emulator/sandbox/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/file.h"
#include "base/log.h"
#include "emulator/sandbox/child.h"
#include "emulator/sandbox/process_tree.h"
#include "emulator/sandbox/seccomp.h"

namespace llama::emulator {
namespace {

using Kind = RootStep::Kind;

constexpr int kKillTries = 5000;

struct Pipe {
  Fd read;
  Fd write;
};

Result<Pipe> MakePipe() {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return ErrnoError(errno, "pipe");
  // Above what the child's own 0, 1 and 2 will be.
  Pipe pipe{Fd(fcntl(fds[0], F_DUPFD_CLOEXEC, 3)), Fd(fcntl(fds[1], F_DUPFD_CLOEXEC, 3))};
  close(fds[0]);
  close(fds[1]);
  if (!pipe.read.valid() || !pipe.write.valid()) return ErrnoError(errno, "pipe");
  return pipe;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (const std::string& s : strings) out.push_back(const_cast<char*>(s.c_str()));
  out.push_back(nullptr);
  return out;
}

bool IsLink(const std::string& path) {
  struct stat st {};
  return lstat(path.c_str(), &st) == 0 && S_ISLNK(st.st_mode);
}

// What Lambda's own image has, more or less: programs and libraries, and nobody's data.
void AppendSystem(std::vector<RootStep>& steps) {
  for (const char* name :
       {"usr", "etc", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"}) {
    const std::string path = std::string("/") + name;
    if (IsLink(path)) {
      if (const Result<std::string> target = ReadLink(path)) {
        steps.push_back({Kind::kLink, name, *target});
      }
    } else if (IsDirectory(path)) {
      steps.push_back({Kind::kTree, name, path});
    }
  }
}

std::vector<RootStep> StepsOf(const SandboxOptions& options) {
  std::vector<RootStep> steps = {{Kind::kFolder, "dev", ""}};
  for (const char* name : {"null", "zero", "full", "random", "urandom"}) {
    steps.push_back({Kind::kDevice, std::string("dev/") + name, std::string("/dev/") + name});
  }
  steps.push_back({Kind::kLink, "dev/fd", "/proc/self/fd"});
  steps.push_back({Kind::kLink, "dev/stdin", "/proc/self/fd/0"});
  steps.push_back({Kind::kLink, "dev/stdout", "/proc/self/fd/1"});
  steps.push_back({Kind::kLink, "dev/stderr", "/proc/self/fd/2"});
  steps.push_back({Kind::kProcess, "proc", ""});
  steps.push_back({Kind::kTmpfs, "tmp",
                   options.tmp_bytes == 0 ? "mode=1777"
                                          : "mode=1777,size=" + std::to_string(options.tmp_bytes)});
  steps.push_back({Kind::kFolder, "opt", ""});
  steps.push_back({Kind::kFolder, "var", ""});
  steps.push_back({Kind::kTree, "var/task", options.code_dir});
  steps.push_back({Kind::kFolder, "var/runtime", ""});
  for (const auto& [name, contents] : options.files) {
    steps.push_back({Kind::kFile, "var/runtime/" + name, contents});
  }
  if (!options.bare) AppendSystem(steps);
  return steps;
}

unsigned long CloneFlags(Isolation isolation) {
  unsigned long flags = SIGCHLD;
  if (isolation == Isolation::kNone) return flags;
  flags |= CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
  if (isolation == Isolation::kUserSpace) flags |= CLONE_NEWUSER;
  return flags;
}

// Signals are held meanwhile: no handler of ours may run in the child.
[[gnu::noinline]] pid_t StartSupervisor(unsigned long flags, const ChildPlan& plan) {
  sigset_t all;
  sigset_t old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  const auto pid =
      static_cast<pid_t>(syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (pid == 0) SupervisorMain(plan);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
  errno = error;
  return pid;
}

Error Describe(const StartFailure& failure, const ChildPlan& plan) {
  std::string what;
  if (failure.step >= 0 && static_cast<size_t>(failure.step) < plan.steps.size()) {
    what = "sandbox: /" + plan.steps[static_cast<size_t>(failure.step)].path;
  } else {
    switch (failure.step) {
      case StartFailure::kExec:
        what = plan.argv[0];
        break;
      case StartFailure::kMaps:
        what = "sandbox: user namespace";
        break;
      case StartFailure::kFork:
        what = "sandbox: fork";
        break;
      case StartFailure::kConfine:
        what = "sandbox: confine";
        break;
      default:
        what = "sandbox: new root";
    }
  }
  Error error = ErrnoError(failure.error, what);
  if (failure.step == StartFailure::kExec) error.code = Code::kInvalid;
  return error;
}

int64_t FolderBytes(const std::string& path, int depth) {
  constexpr int kMaxDepth = 64;
  int64_t bytes = 0;
  const Result<std::vector<std::string>> names = ListDir(path);
  if (!names || depth > kMaxDepth) return 0;
  for (const std::string& name : *names) {
    const std::string entry = JoinPath(path, name);
    struct stat st {};
    if (lstat(entry.c_str(), &st) != 0) continue;
    bytes += int64_t{st.st_blocks} * 512;
    if (S_ISDIR(st.st_mode)) bytes += FolderBytes(entry, depth + 1);
  }
  return bytes;
}

// Prepares what isn't inside a new root: folders and files of the same use, below `dir`.
Result<void> MakeOutsideFolders(const SandboxOptions& options) {
  const SandboxPaths paths = PathsOf(options);
  TRY(MakeDirs(paths.tmp, 0700));
  TRY(MakeDirs(paths.runtime, 0755));
  for (const auto& [name, contents] : options.files) {
    TRY(WriteFileAtomic(JoinPath(paths.runtime, name), contents, 0444));
  }
  return {};
}

}  // namespace

SandboxPaths PathsOf(const SandboxOptions& options) {
  if (options.isolation != Isolation::kNone) return {};
  return {options.code_dir, options.dir + "/runtime", options.dir + "/tmp"};
}

Isolation ProbeIsolation(std::string* why) {
  for (const Isolation isolation : {Isolation::kNamespaces, Isolation::kUserSpace}) {
    if (isolation == Isolation::kNamespaces && geteuid() != 0) continue;
    Result<TempDir> dir = TempDir::Create("llama-sandbox");
    if (!dir) {
      *why = dir.error().message;
      continue;
    }
    SandboxOptions options;
    options.isolation = isolation;
    options.bare = true;
    options.dir = dir->path();
    options.code_dir = dir->path();
    options.argv = {"./nothing"};
    const Result<std::unique_ptr<Sandbox>> tried = Sandbox::Start(options);
    // Everything worked up to the program, which isn't there.
    if (!tried && tried.error().message.starts_with("./nothing")) return isolation;
    if (!tried) *why = tried.error().message;
  }
  return Isolation::kNone;
}

Result<std::unique_ptr<Sandbox>> Sandbox::Start(const SandboxOptions& options) {
  const bool namespaces = options.isolation != Isolation::kNone;
  if (options.bare && !namespaces) {
    return Error{Code::kInvalid, "a bare root needs namespaces, which this machine doesn't give"};
  }
  if (!namespaces) TRY(MakeOutsideFolders(options));
  ASSIGN_OR_RETURN(Pipe life, MakePipe());
  ASSIGN_OR_RETURN(Pipe start, MakePipe());
  ASSIGN_OR_RETURN(Pipe fate, MakePipe());
  ASSIGN_OR_RETURN(const Fd null, OpenFile("/dev/null", O_WRONLY));
  const Fd output(fcntl(options.output >= 0 ? options.output : null.get(), F_DUPFD_CLOEXEC, 3));
  if (!output.valid()) return ErrnoError(errno, "output of a sandbox");
  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> env = Pointers(options.env);
  ChildPlan plan;
  plan.life = life.read.get();
  plan.start = start.write.get();
  plan.fate = fate.write.get();
  plan.output = output.get();
  plan.namespaces = namespaces;
  plan.user_namespace = options.isolation == Isolation::kUserSpace;
  plan.uid_map = std::to_string(geteuid()) + " " + std::to_string(geteuid()) + " 1";
  plan.gid_map = std::to_string(getegid()) + " " + std::to_string(getegid()) + " 1";
  plan.root = options.dir + "/root";
  if (namespaces) {
    TRY(MakeDirs(plan.root, 0755));
    plan.steps = StepsOf(options);
  }
  plan.uid = options.isolation == Isolation::kNamespaces ? options.uid : 0;
  plan.cwd = PathsOf(options).task;
  plan.argv = argv.data();
  plan.env = env.data();
  if (options.deny_syscalls) plan.filter = LambdaFilter();
  const pid_t pid = StartSupervisor(CloneFlags(options.isolation), plan);
  if (pid < 0) return ErrnoError(errno, "sandbox: new namespaces");
  start.write.Reset();
  life.read.Reset();
  fate.write.Reset();
  std::unique_ptr<Sandbox> sandbox(new Sandbox(pid, std::move(life.write), std::move(fate.read),
                                               namespaces ? "" : PathsOf(options).tmp));
  StartFailure failure;
  ssize_t n = 0;
  while ((n = read(start.read.get(), &failure, sizeof failure)) < 0 && errno == EINTR) {
  }
  if (n == 0) return sandbox;
  return Describe(failure, plan);
}

Sandbox::Sandbox(pid_t supervisor, Fd life, Fd fate, std::string tmp_folder)
    : supervisor_(supervisor),
      life_(std::move(life)),
      fate_(std::move(fate)),
      tmp_folder_(std::move(tmp_folder)) {}

Sandbox::~Sandbox() { Kill(); }

bool Sandbox::HasEnded() const {
  pollfd fd = {fate_.get(), POLLIN, 0};
  return poll(&fd, 1, 0) > 0;
}

void Sandbox::Kill() {
  if (reaped_) return;
  (void)Status();
  life_.Reset();
  for (int tries = 0; tries < kKillTries; ++tries) {
    const pid_t pid = waitpid(supervisor_, nullptr, WNOHANG);
    if (pid == supervisor_ || (pid < 0 && errno == ECHILD)) {
      reaped_ = true;
      return;
    }
    // It does as it is told unless something is wrong with it.
    if (tries == kKillTries / 2) kill(supervisor_, SIGKILL);
    poll(nullptr, 0, tries < 50 ? 1 : 2);
  }
  LOG(kWarning, "sandbox: process " + std::to_string(supervisor_) + " does not end");
  reaped_ = true;
}

int Sandbox::Status() {
  if (!told_ && HasEnded()) {
    int status = 0;
    if (read(fate_.get(), &status, sizeof status) == sizeof status) {
      status_ = status;
      told_ = true;
    }
  }
  return status_;
}

void Sandbox::Freeze() const { StopDescendants(supervisor_); }
void Sandbox::Thaw() const { ContinueDescendants(supervisor_); }
int64_t Sandbox::MemoryBytes() const { return MemoryOfDescendants(supervisor_); }
int64_t Sandbox::TmpBytes() const { return tmp_folder_.empty() ? 0 : FolderBytes(tmp_folder_, 0); }

}  // namespace llama::emulator
