// What runs between fork and exec of a sandbox: the supervisor, and the program until it is one.
// The emulator has many threads, so all of this makes system calls and nothing else; whatever needs
// memory is prepared in a ChildPlan before.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace llama::emulator {

// One step on the way to the new root. Paths are relative to it until it is the root.
struct RootStep {
  enum class Kind : unsigned char {
    kFolder,   // mkdir `path`, mode 0755
    kLink,     // symlink `from` at `path`
    kFile,     // `path` holds `from`
    kDevice,   // the machine's device `from` at `path`
    kTree,     // the machine's folder `from` at `path`, read-only
    kTmpfs,    // `path`, with the options `from`
    kProcess,  // /proc at `path`
  };
  Kind kind;
  std::string path;
  std::string from;
};

struct ChildPlan {
  // The number of a descriptor to be kept, the rest is closed.
  int life = -1;   // read end: at its end everything is killed
  int start = -1;  // write end: StartFailure if the program could not be executed
  int fate = -1;   // write end: the program's wait status
  int output = -1;
  bool namespaces = false;  // the new root is to be made
  bool user_namespace = false;
  std::string uid_map;  // to be written with user_namespace
  std::string gid_map;
  std::string root;  // an empty folder to mount it at
  std::vector<RootStep> steps;
  uid_t uid = 0;  // 0: stay who we are
  std::string cwd;
  char* const* argv = nullptr;
  char* const* env = nullptr;
  std::vector<sock_filter> filter;
};

struct StartFailure {
  int32_t error = 0;  // errno
  int32_t step = 0;   // index into `steps`, or one of these
  static constexpr int32_t kExec = -1;
  static constexpr int32_t kRoot = -2;
  static constexpr int32_t kMaps = -3;
  static constexpr int32_t kFork = -4;
  static constexpr int32_t kConfine = -5;
};

// The life of a fresh child process, which is the supervisor.
[[noreturn]] void SupervisorMain(const ChildPlan& plan);

}  // namespace llama::emulator
