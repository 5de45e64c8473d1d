// The functions there are, kept below a folder so that they survive the emulator:
//
//   <dir>/functions/<name>.json   Preserve()d
//   <dir>/code/<sha256>.zip       as uploaded
//   <dir>/code/<sha256>/          unpacked
//
// Thread-safe. Errors are Lambda's (lambda_error.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "emulator/lambda/function.h"

namespace llama::emulator {

class FunctionRegistry {
 public:
  // Code that no function has any more is removed. A file that can't be read is an error.
  static Result<std::unique_ptr<FunctionRegistry>> Open(const std::string& dir, const Clock& clock);

  // Stores and unpacks; fills in the config's code members.
  Result<void> StoreCode(std::string_view zip, FunctionConfig& config) EXCLUDES(mutex_);

  Result<void> Create(Function function) EXCLUDES(mutex_);
  Result<Function> Get(const std::string& name) const EXCLUDES(mutex_);
  // By name, those after `marker`, `max` at most.
  std::vector<Function> List(const std::string& marker, size_t max) const EXCLUDES(mutex_);
  Result<void> Delete(const std::string& name) EXCLUDES(mutex_);
  // Changes one function; an error from `change`, or of writing it down, leaves it as it was.
  // Gives the function as it is then.
  Result<Function> Change(const std::string& name,
                          const std::function<Result<void>(Function&)>& change) EXCLUDES(mutex_);

  // What an invocation or a qualified Get means: $LATEST, a version, or an alias's.
  Result<FunctionConfig> Resolve(const FunctionName& name) const EXCLUDES(mutex_);

  std::string CodeFolder(const FunctionConfig& config) const;
  std::string ZipFile(const FunctionConfig& config) const;

  // For a config that changes: LastModified and a new RevisionId.
  void Touch(FunctionConfig& config) const;

 private:
  FunctionRegistry(std::string dir, const Clock& clock) : dir_(std::move(dir)), clock_(&clock) {}
  Result<void> Load() EXCLUDES(mutex_);
  Result<void> RemoveOrphanCode() EXCLUDES(mutex_);
  std::string FileOf(const std::string& name) const;

  const std::string dir_;
  const Clock* clock_;
  mutable Mutex mutex_;
  std::map<std::string, Function> functions_ GUARDED_BY(mutex_);
};

// Publishes $LATEST as a version: the newest one if nothing changed since. For use in a Change.
const FunctionConfig& PublishVersion(Function& function, std::string_view description);

// "3f2a8c1e-…", random (version 4).
std::string NewUuid();

}  // namespace llama::emulator
