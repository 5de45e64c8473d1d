// Toolchains: everything of a local compiler that a remote `-c` needs, found by asking the
// compiler.
//
// Recognised by content: the files' identity (base/file_identity.h) is checked at every Get, so an
// upgraded or edited compiler is a new toolchain at once. Of PATH only that counts which the driver
// finds through it (`as`, mostly): another PATH that leads to the same programs is the same
// toolchain.
//
// An error is remembered as well, or every compile would ask a driver that is none of ours; but
// only for kErrorHoldMs, since what was wrong may be mended without any file that we know of being
// touched, and for no longer than those who wait for the answer now if it says nothing about the
// driver (out of processes or time).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "compiler/command.h"

namespace llama::compiler {

enum class Family : unsigned char { kGcc, kClang };

struct Toolchain {
  Selection selection;  // what it was asked with
  Family family = Family::kGcc;
  std::string driver;   // absolute path, as it was asked for
  std::string version;  // first line of --version
  int major = 0;
  bool is_cxx_driver = false;  // compiles a .c file as C++, like g++ (not gcc)
  std::string sysroot;         // its default sysroot; empty: /
  // Files to ship, absolute, possibly through symlinks (the walker of the tree adds those): driver,
  // cc1, cc1plus, as, objcopy, plugins, specs, loader, every shared library. And directories that
  // must exist though empty (search path, GCC installation found by clang).
  std::vector<std::string> files;
  std::vector<std::string> dirs;
  // Folders for the remote PATH (where `as` is found) and LD_LIBRARY_PATH, absolute local paths.
  std::vector<std::string> path_dirs;
  std::vector<std::string> library_dirs;
  // Holds C.utf8 (glibc does not have that locale built in); empty: there is none to ship.
  std::string locale_dir;
  // Its programs are ELF x86-64 with glibc's loader, so that the lookup recorder can be preloaded.
  bool can_preload = false;

  // What PATH led to when this was found out: programs that the driver takes from there. An empty
  // path: it was not there.
  std::vector<std::pair<std::string, std::string>> from_path;
  // Files that were not there, and whose coming makes it another toolchain (cc1plus).
  std::vector<std::string> missing;
};

// Cache of toolchains by driver path, by the options that select its parts, and by the environment
// that changes what a driver is (GCC_EXEC_PREFIX, COMPILER_PATH, LD_LIBRARY_PATH, and what PATH
// leads to). Holds the kMost that were used last. Thread-safe; one discovery at a time per driver,
// others wait.
class Toolchains {
 public:
  static constexpr size_t kMost = 64;
  static constexpr int64_t kErrorHoldMs = 5'000;
  static constexpr int64_t kPassingErrorHoldMs = 200;

  // Finds out what a driver is; Discover but in tests. What it saw of PATH and what was missing
  // is to be filled in for an error too. `seen.selection` says what to ask with.
  using Discoverer = std::function<Result<Toolchain>(
      const std::string& driver, const std::vector<std::string>& env, Toolchain& seen)>;
  static std::unique_ptr<Toolchains> Create(const Clock& clock = SystemClock());
  // `files_dir`: where it may write files of its own; empty: nowhere.
  static std::unique_ptr<Toolchains> Create(const Clock& clock, const std::string& files_dir);
  static std::unique_ptr<Toolchains> Create(const Clock& clock, Discoverer discover);
  virtual ~Toolchains() = default;
  // kInvalid: `driver` is no gcc or clang that we understand (the reason in the message).
  virtual Result<std::shared_ptr<const Toolchain>> Get(const std::string& driver,
                                                       const std::vector<std::string>& env,
                                                       const Selection& selection) = 0;
  Result<std::shared_ptr<const Toolchain>> Get(const std::string& driver,
                                               const std::vector<std::string>& env) {
    return Get(driver, env, {});
  }
  // What -march=native, -mtune=native, -mcpu=native stand for here: the options to put in their
  // place, as the driver itself expands them (gcc -###). Cached.
  virtual Result<std::vector<std::string>> ExpandNative(const Toolchain& toolchain,
                                                        const std::string& option) = 0;
  // A file of specs by which gcc's driver, given -march=native or -mtune=native, says on another
  // machine to its compiler what it would say here: each word in its place. For -m64. Cached.
  virtual Result<std::string> NativeSpecs(const Toolchain& toolchain) {
    return Error{Code::kInvalid, toolchain.driver + ": no specs are kept"};
  }
};

}  // namespace llama::compiler
