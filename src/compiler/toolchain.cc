#include "compiler/toolchain.h"

#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/mutex.h"
#include "compiler/discovery.h"
#include "compiler/environment.h"

namespace llama::compiler {
namespace {

// What tells a file from an edited or replaced one, without reading it.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size_bytes = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};

// All zero for a file that is not there, which differs from every one that is.
FileIdentity Identify(const std::string& path) {
  struct stat st {};
  if (stat(path.c_str(), &st) != 0) return {};
  const auto ns = [](const timespec& t) { return t.tv_sec * 1'000'000'000LL + t.tv_nsec; };
  return {st.st_dev, st.st_ino, st.st_size, ns(st.st_mtim), ns(st.st_ctim)};
}

using Identities = std::vector<std::pair<std::string, FileIdentity>>;

Identities IdentifyAll(const std::vector<std::string>& paths) {
  Identities out;
  for (const std::string& path : paths) out.emplace_back(path, Identify(path));
  return out;
}

bool StillTrue(const Identities& identities) {
  for (const auto& [path, identity] : identities) {
    if (Identify(path) != identity) return false;
  }
  return true;
}

// What was found out about one driver in one environment. A driver that is none of ours is
// remembered as well, or every compile would ask it again.
struct Slot {
  Mutex mutex;
  std::optional<Result<std::shared_ptr<const Toolchain>>> found GUARDED_BY(mutex);
  Identities identities GUARDED_BY(mutex);
};

Result<std::shared_ptr<const Toolchain>> DiscoverShared(const std::string& driver,
                                                        const std::vector<std::string>& env) {
  ASSIGN_OR_RETURN(Toolchain toolchain, Discover(driver, env));
  return std::make_shared<const Toolchain>(std::move(toolchain));
}

Result<std::vector<std::string>> AskForNative(const Toolchain& toolchain,
                                              const std::string& option) {
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin"};
  const std::vector<std::string> compile = {"-###", "-c", "-x", "c", "/dev/null"};
  std::vector<std::string> native = compile;
  native.insert(native.begin(), option);
  ASSIGN_OR_RETURN(const DriverOutput with, RunDriver(toolchain.driver, native, env));
  const std::vector<std::string> words = FrontEndWords(with.err);
  std::vector<std::string> out;
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--param" && i + 1 < words.size()) {
      out.push_back("--param=" + words[++i]);
    } else if (words[i].starts_with("-m")) {
      // -mtune=native alone leaves the default -march; saying that again changes nothing.
      out.push_back(words[i]);
    }
  }
  if (out.empty()) return Error{Code::kInvalid, toolchain.driver + ": can't expand " + option};
  for (const std::string& word : out) {
    if (word == option) return Error{Code::kInvalid, toolchain.driver + ": kept " + option};
  }
  return out;
}

class CachedToolchains final : public Toolchains {
 public:
  Result<std::shared_ptr<const Toolchain>> Get(const std::string& driver,
                                               const std::vector<std::string>& env) override {
    const std::shared_ptr<Slot> slot = FindSlot(driver, env);
    MutexLock lock(slot->mutex);
    if (slot->found && StillTrue(slot->identities)) return *slot->found;
    // Before asking: a change in the meantime is seen by the next call.
    Identities driver_before = IdentifyAll({driver});
    slot->found = DiscoverShared(driver, env);
    slot->identities = *slot->found ? IdentifyAll((**slot->found)->files) : Identities{};
    slot->identities.insert(slot->identities.end(), driver_before.begin(), driver_before.end());
    return *slot->found;
  }

  Result<std::vector<std::string>> ExpandNative(const Toolchain& toolchain,
                                                const std::string& option) override {
    const std::string key = toolchain.driver + '\n' + toolchain.version + '\n' + option;
    MutexLock lock(native_mutex_);
    auto found = native_.find(key);
    if (found == native_.end()) {
      found = native_.emplace(key, AskForNative(toolchain, option)).first;
    }
    return found->second;
  }

 private:
  std::shared_ptr<Slot> FindSlot(const std::string& driver, const std::vector<std::string>& env) {
    std::string key = driver;
    constexpr auto kVariables = std::to_array<std::string_view>(
        {"GCC_EXEC_PREFIX", "COMPILER_PATH", "PATH", "LD_LIBRARY_PATH"});
    for (const std::string_view name : kVariables) {
      const char* value = FindEnv(env, name);
      key += '\0';
      if (value != nullptr) key += value;
    }
    MutexLock lock(mutex_);
    std::shared_ptr<Slot>& slot = slots_[key];
    if (slot == nullptr) slot = std::make_shared<Slot>();
    return slot;
  }

  Mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_ GUARDED_BY(mutex_);
  Mutex native_mutex_;
  std::map<std::string, Result<std::vector<std::string>>> native_ GUARDED_BY(native_mutex_);
};

}  // namespace

std::unique_ptr<Toolchains> Toolchains::Create() { return std::make_unique<CachedToolchains>(); }

}  // namespace llama::compiler
