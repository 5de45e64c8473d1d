#include "emulator/sandbox/child.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace llama::emulator {
namespace {

constexpr rlim_t kDescriptors = 1024;
constexpr rlim_t kProcesses = 1024;

[[noreturn]] void Give(const ChildPlan& plan, int32_t step, int error) {
  const StartFailure failure{error, step};
  (void)!write(plan.start, &failure, sizeof failure);
  _exit(127);
}

bool WriteText(const char* path, const char* text, size_t size, int flags) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0444);
  if (fd < 0) return false;
  const bool good = write(fd, text, size) == static_cast<ssize_t>(size);
  close(fd);
  return good;
}

bool WriteText(const char* path, const std::string& text, int flags = 0) {
  return WriteText(path, text.data(), text.size(), flags);
}

// Kernels before 5.12 don't know this; then what is not ours is guarded by its permissions alone.
void MakeReadOnly(const char* path, unsigned flags) {
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  syscall(SYS_mount_setattr, AT_FDCWD, path, flags, &attributes, sizeof attributes);
}

bool Take(const RootStep& step) {
  const char* path = step.path.c_str();
  const char* from = step.from.c_str();
  switch (step.kind) {
    case RootStep::Kind::kFolder:
      return mkdir(path, 0755) == 0;
    case RootStep::Kind::kLink:
      return symlink(from, path) == 0;
    case RootStep::Kind::kFile:
      return WriteText(path, step.from, O_CREAT | O_EXCL);
    case RootStep::Kind::kDevice: {
      const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (fd < 0) return false;
      close(fd);
      return mount(from, path, nullptr, MS_BIND, nullptr) == 0;
    }
    case RootStep::Kind::kTree:
      if (mkdir(path, 0755) != 0) return false;
      if (mount(from, path, nullptr, MS_BIND | MS_REC, nullptr) != 0) return false;
      MakeReadOnly(path, AT_RECURSIVE);
      return true;
    case RootStep::Kind::kTmpfs:
      return mkdir(path, 0755) == 0 &&
             mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, from) == 0;
    case RootStep::Kind::kProcess:
      if (mkdir(path, 0555) != 0) return false;
      // In a container whose own /proc is masked the kernel refuses a new one; theirs will do.
      return mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0 ||
             mount("/proc", path, nullptr, MS_BIND | MS_REC, nullptr) == 0;
  }
  return false;
}

void MakeRoot(const ChildPlan& plan) {
  if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", plan.root.c_str(), "tmpfs", MS_NOSUID, "mode=0755,size=16m") != 0 ||
      chdir(plan.root.c_str()) != 0) {
    Give(plan, StartFailure::kRoot, errno);
  }
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    if (!Take(plan.steps[i])) Give(plan, static_cast<int32_t>(i), errno);
  }
  MakeReadOnly(".", 0);
  if (syscall(SYS_pivot_root, ".", ".") != 0 || umount2(".", MNT_DETACH) != 0 || chdir("/") != 0) {
    Give(plan, StartFailure::kRoot, errno);
  }
}

void Limit(int what, rlim_t value) {
  rlimit limit{};
  if (getrlimit(static_cast<__rlimit_resource_t>(what), &limit) != 0) return;
  limit.rlim_max = std::min(limit.rlim_max, value);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(static_cast<__rlimit_resource_t>(what), &limit);
}

// The system calls themselves: the C library's functions would tell the emulator's other threads,
// which it believes to be here.
bool Become(uid_t uid) {
  if (uid == 0) return true;
  return syscall(SYS_setgroups, 0, nullptr) == 0 && syscall(SYS_setresgid, uid, uid, uid) == 0 &&
         syscall(SYS_setresuid, uid, uid, uid) == 0;
}

[[noreturn]] void ProgramMain(const ChildPlan& plan) {
  setsid();
  dup2(plan.output, 1);
  dup2(plan.output, 2);
  Limit(RLIMIT_NOFILE, kDescriptors);
  Limit(RLIMIT_CORE, 0);
  // Counted per user, and only where each environment is a user of its own is it the environment's.
  if (plan.uid != 0) Limit(RLIMIT_NPROC, kProcesses);
  umask(022);
  const sock_fprog filter = {static_cast<unsigned short>(plan.filter.size()),
                             const_cast<sock_filter*>(plan.filter.data())};
  if (!Become(plan.uid) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      (filter.len > 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) ||
      chdir(plan.cwd.c_str()) != 0) {
    Give(plan, StartFailure::kConfine, errno);
  }
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  execve(plan.argv[0], plan.argv, plan.env);
  Give(plan, StartFailure::kExec, errno);
}

// Kills every child, and those that become ours when their parent dies, until there is none.
void KillAll(bool first_process) {
  if (first_process) {
    kill(-1, SIGKILL);
    return;
  }
  const int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  constexpr int kRounds = 2000;
  for (int round = 0; round < kRounds; ++round) {
    char text[4096];
    const ssize_t size = pread(list, text, sizeof text, 0);
    pid_t pid = 0;
    for (ssize_t i = 0; i < size; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        pid = pid * 10 + (text[i] - '0');
      } else {
        if (pid > 0) kill(pid, SIGKILL);
        pid = 0;
      }
    }
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD) return;
    poll(nullptr, 0, 1);
  }
}

// Descriptors of the emulator's must not live on in here: a peer would never see them closed.
void CloseAllBut(std::array<int, 4> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned from = 3;
  for (const int fd : keep) {
    const auto number = static_cast<unsigned>(fd);
    if (number > from) syscall(SYS_close_range, from, number - 1, 0);
    from = std::max(from, number + 1);
  }
  syscall(SYS_close_range, from, ~0u, 0);
}

}  // namespace

void SupervisorMain(const ChildPlan& plan) {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "llama-sandbox");
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  CloseAllBut({plan.life, plan.start, plan.fate, plan.output});
  if (plan.user_namespace && (!WriteText("/proc/self/setgroups", "deny", 4, 0) ||
                              !WriteText("/proc/self/uid_map", plan.uid_map) ||
                              !WriteText("/proc/self/gid_map", plan.gid_map))) {
    Give(plan, StartFailure::kMaps, errno);
  }
  if (plan.namespaces) MakeRoot(plan);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  const int ended = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  // Not fork(): this process is a clone of one with many threads, made behind glibc's back, and a
  // lock that another thread held then, fork would wait for for ever.
  const auto program = static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (program == 0) ProgramMain(plan);
  if (program < 0) Give(plan, StartFailure::kFork, errno);
  close(plan.start);
  close(plan.output);
  while (true) {
    std::array<pollfd, 2> fds = {pollfd{plan.life, POLLIN, 0}, pollfd{ended, POLLIN, 0}};
    poll(fds.data(), fds.size(), -1);
    if (fds[0].revents != 0) break;
    signalfd_siginfo info{};
    while (read(ended, &info, sizeof info) > 0) {
    }
    int status = 0;
    pid_t pid = 0;
    bool over = false;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != program) continue;
      (void)!write(plan.fate, &status, sizeof status);
      over = true;
    }
    if (over) break;
  }
  KillAll(plan.namespaces);
  _exit(0);
}

}  // namespace llama::emulator
