#include "compiler/toolchain.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <string_view>

#include "base/environment.h"
#include "base/file.h"
#include "base/file_identity.h"
#include "base/mutex.h"
#include "base/search_path.h"
#include "compiler/discovery.h"
#include "compiler/native_specs.h"

namespace llama::compiler {
namespace {

using Identities = std::vector<std::pair<std::string, FileIdentity>>;

void IdentifyAll(const std::vector<std::string>& paths, Identities& out) {
  for (const std::string& path : paths) out.emplace_back(path, IdentityOf(path));
}

bool StillTrue(const Identities& identities) {
  return std::all_of(identities.begin(), identities.end(),
                     [](const auto& entry) { return IdentityOf(entry.first) == entry.second; });
}

// An answer, and until when it is believed if it is an error.
template <typename T>
struct Remembered {
  Result<T> answer;
  int64_t until_ns = INT64_MAX;

  Remembered(Result<T> found, const Clock& clock) : answer(std::move(found)) {
    if (answer) return;
    const Code code = answer.error().code;
    const bool passes = code != Code::kInvalid && code != Code::kNotFound;
    const int64_t hold_ms = passes ? Toolchains::kPassingErrorHoldMs : Toolchains::kErrorHoldMs;
    until_ns = clock.MonotonicNs() + hold_ms * 1'000'000;
  }
  bool IsOver(const Clock& clock) const { return clock.MonotonicNs() >= until_ns; }
};

using Shared = std::shared_ptr<const Toolchain>;

// What was found out about one driver, by one PATH.
struct Variant {
  Remembered<Shared> found;
  std::vector<std::pair<std::string, std::string>> from_path;
  Identities identities;

  bool Suits(std::string_view path) const {
    return std::all_of(from_path.begin(), from_path.end(), [&](const auto& entry) {
      return FindProgram(entry.first, path) == entry.second;
    });
  }
};

// One driver in one environment but for PATH. Its variants are few: each a PATH that leads
// elsewhere.
struct Slot {
  static constexpr size_t kMostVariants = 8;

  Mutex mutex;
  std::list<Variant> variants GUARDED_BY(mutex);  // the one used last comes first
};

// clang's driver says the processor, as for any -march, and each feature that this one has and has
// not; said to the front end itself, they come after those that the driver says by itself.
Result<std::vector<std::string>> AskClangForNative(const Toolchain& toolchain,
                                                   const std::string& option) {
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin"};
  ASSIGN_OR_RETURN(
      const DriverOutput output,
      RunDriver(toolchain.driver, {option, "-###", "-c", "-x", "c", "/dev/null"}, env));
  const std::vector<std::string> words = FrontEndWords(output.err);
  std::vector<std::string> out;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-target-cpu") out.push_back("-march=" + words[i + 1]);
    if (words[i] != "-target-feature") continue;
    out.insert(out.end(), {"-Xclang", words[i], "-Xclang", words[i + 1]});
  }
  if (out.empty()) return Error{Code::kInvalid, toolchain.driver + ": can't expand " + option};
  return out;
}

Result<std::vector<std::string>> AskForNative(const Toolchain& toolchain,
                                              const std::string& option) {
  if (toolchain.family == Family::kClang) return AskClangForNative(toolchain, option);
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
  CachedToolchains(const Clock& clock, Discoverer discover, std::string files_dir)
      : clock_(clock), discover_(std::move(discover)), files_dir_(std::move(files_dir)) {}

  Result<std::string> NativeSpecs(const Toolchain& toolchain) override {
    if (files_dir_.empty()) return Toolchains::NativeSpecs(toolchain);
    const std::string key = toolchain.driver + '\n' + toolchain.version;
    const MutexLock lock(native_mutex_);
    const auto found = native_specs_.find(key);
    if (found != native_specs_.end() && !found->second.IsOver(clock_)) {
      const Result<std::string>& answer = found->second.answer;
      // Whoever empties the folder need not know of it.
      if (!answer || IsRegularFile(*answer)) return answer;
    }
    if (native_specs_.size() >= kMost) native_specs_.clear();
    return native_specs_
        .insert_or_assign(key, Remembered(WriteNativeSpecs(toolchain, files_dir_), clock_))
        .first->second.answer;
  }

  using Toolchains::Get;
  Result<Shared> Get(const std::string& driver, const std::vector<std::string>& env,
                     const Selection& selection) override {
    const char* variable = FindVariable(env, "PATH");
    const std::string_view path = variable != nullptr ? variable : kDefaultSearchPath;
    const std::shared_ptr<Slot> slot = FindSlot(driver, env, selection);
    const MutexLock lock(slot->mutex);
    std::list<Variant>& variants = slot->variants;
    std::erase_if(variants, [&](const Variant& v) {
      return v.found.IsOver(clock_) || !StillTrue(v.identities);
    });
    auto variant = std::find_if(variants.begin(), variants.end(),
                                [&](const Variant& v) { return v.Suits(path); });
    if (variant != variants.end()) {
      variants.splice(variants.begin(), variants, variant);
    } else {
      variants.push_front(Find(driver, env, selection));
      if (variants.size() > Slot::kMostVariants) variants.pop_back();
    }
    return variants.front().found.answer;
  }

  Result<std::vector<std::string>> ExpandNative(const Toolchain& toolchain,
                                                const std::string& option) override {
    const std::string key = toolchain.driver + '\n' + toolchain.version + '\n' + option;
    const MutexLock lock(native_mutex_);
    auto found = native_.find(key);
    if (found != native_.end() && !found->second.IsOver(clock_)) return found->second.answer;
    if (native_.size() >= kMost) native_.clear();
    return native_.insert_or_assign(key, Remembered(AskForNative(toolchain, option), clock_))
        .first->second.answer;
  }

 private:
  Variant Find(const std::string& driver, const std::vector<std::string>& env,
               const Selection& selection) const {
    // Before asking: a change in the meantime is seen by the next call.
    Identities identities;
    IdentifyAll({driver}, identities);
    Toolchain seen;
    seen.selection = selection;
    Result<Toolchain> toolchain = discover_(driver, env, seen);
    IdentifyAll(seen.files, identities);
    IdentifyAll(seen.missing, identities);
    Result<Shared> shared =
        toolchain ? Result<Shared>(std::make_shared<const Toolchain>(std::move(toolchain).value()))
                  : std::move(toolchain).error();
    return {Remembered(std::move(shared), clock_), std::move(seen.from_path),
            std::move(identities)};
  }

  std::shared_ptr<Slot> FindSlot(const std::string& driver, const std::vector<std::string>& env,
                                 const Selection& selection) {
    std::string key = driver;
    for (const std::string& option : selection.options) key.append(1, '\1').append(option);
    for (const std::string& program : selection.programs) key.append(1, '\2').append(program);
    if (!selection.cwd.empty()) key.append(1, '\3').append(selection.cwd);
    constexpr auto kVariables =
        std::to_array<std::string_view>({"GCC_EXEC_PREFIX", "COMPILER_PATH", "LD_LIBRARY_PATH"});
    for (const std::string_view name : kVariables) {
      const char* value = FindVariable(env, name);
      key += '\0';
      if (value != nullptr) key += value;
    }
    const MutexLock lock(mutex_);
    const auto found = std::find_if(slots_.begin(), slots_.end(),
                                    [&](const auto& entry) { return entry.first == key; });
    if (found != slots_.end()) {
      slots_.splice(slots_.begin(), slots_, found);
    } else {
      slots_.emplace_front(std::move(key), std::make_shared<Slot>());
      if (slots_.size() > kMost) slots_.pop_back();
    }
    return slots_.front().second;
  }

  const Clock& clock_;
  const Discoverer discover_;
  const std::string files_dir_;
  Mutex mutex_;
  // The one used last comes first. A list: they are few, and each compile asks for the same one.
  std::list<std::pair<std::string, std::shared_ptr<Slot>>> slots_ GUARDED_BY(mutex_);
  Mutex native_mutex_;
  std::map<std::string, Remembered<std::vector<std::string>>> native_ GUARDED_BY(native_mutex_);
  std::map<std::string, Remembered<std::string>> native_specs_ GUARDED_BY(native_mutex_);
};

}  // namespace

std::unique_ptr<Toolchains> Toolchains::Create(const Clock& clock) { return Create(clock, ""); }

std::unique_ptr<Toolchains> Toolchains::Create(const Clock& clock, const std::string& files_dir) {
  return std::make_unique<CachedToolchains>(clock, Discover, files_dir);
}

std::unique_ptr<Toolchains> Toolchains::Create(const Clock& clock, Discoverer discover) {
  return std::make_unique<CachedToolchains>(clock, std::move(discover), "");
}

}  // namespace llama::compiler
