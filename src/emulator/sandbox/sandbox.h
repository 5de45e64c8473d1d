// Sandbox: the process tree of one function environment, confined about as Lambda confines one.
//
//   emulator ── supervisor (reaps, and kills all when the emulator goes) ── bootstrap ── …
//
// With namespaces (root, or a kernel that gives them to users) the tree has process ids, an IPC
// space and a root of its own: a read-only tmpfs with /var/task (the code), /var/runtime (files of
// ours), /tmp (a tmpfs of the function's size), /proc, a few devices and, unless it is to be bare,
// the system's programs. Without them it runs in the machine's own root, and its /tmp is a folder.
// Either way: a filter that answers EPERM to ptrace, chroot, mount and new namespaces, 1,024
// descriptors, no core files, no way back to root. It is meant to catch programs that wouldn't run
// in Lambda, not to hold programs that want out.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace llama::emulator {

enum class Isolation : unsigned char {
  kNamespaces,  // as root
  kUserSpace,   // in a user namespace
  kNone,
};

struct SandboxOptions {
  Isolation isolation = Isolation::kNone;
  bool bare = false;     // none of the system's programs; needs namespaces
  std::string dir;       // a folder of its own, absolute and there already
  std::string code_dir;  // becomes /var/task, where argv[0] is sought and the work begins
  uint64_t tmp_bytes = 512ull << 20;  // 0: as much as there is
  bool deny_syscalls = true;          // what Lambda denies
  uid_t uid = 0;                      // with kNamespaces: whom to become, user and group
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::vector<std::pair<std::string, std::string>> files;  // name in /var/runtime, contents
  int output = -1;                                         // becomes stdout and stderr
};

// Where things are for who is inside.
struct SandboxPaths {
  std::string task = "/var/task";
  std::string runtime = "/var/runtime";
  std::string tmp = "/tmp";
};
SandboxPaths PathsOf(const SandboxOptions& options);

// The best that this machine allows, found by trying it out with /bin/true's like: a child that
// makes the namespaces and ends. The reason why not better is put into `why`.
Isolation ProbeIsolation(std::string* why);

// Thread-safe but for Kill and the destructor.
class Sandbox {
 public:
  // kNotFound, kInvalid or kInternal name what failed: a mount, or the program.
  static Result<std::unique_ptr<Sandbox>> Start(const SandboxOptions& options);
  // Kills what runs.
  ~Sandbox();

  // Kills the whole tree and waits for it. Idempotent.
  void Kill();
  // Becomes readable when the program has ended (or was killed).
  int end_fd() const { return fate_.get(); }
  bool HasEnded() const;
  // After the end: the program's status as waitpid gives it; SIGKILL's if it never told.
  int Status();

  void Freeze() const;
  void Thaw() const;
  // Memory of the tree that is its own, not shared with files.
  int64_t MemoryBytes() const;
  // What /tmp holds; only where it isn't a tmpfs, which knows its limit by itself.
  int64_t TmpBytes() const;

 private:
  Sandbox(pid_t supervisor, Fd life, Fd fate, std::string tmp_folder);

  const pid_t supervisor_;
  Fd life_;  // its end is the supervisor's
  Fd fate_;  // gives the program's wait status
  const std::string tmp_folder_;
  bool reaped_ = false;
  bool told_ = false;
  int status_ = 9;
};

}  // namespace llama::emulator
