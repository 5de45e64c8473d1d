#include "emulator/lambda/registry.h"

#include <openssl/rand.h>

#include <array>
#include <set>

#include "base/file.h"
#include "emulator/lambda/zip.h"
#include "emulator/request/lambda_error.h"
#include "emulator/request/text.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxFunctionFileBytes = 16 << 20;

Error NoFunction(std::string_view name) {
  return LambdaError("ResourceNotFoundException", "Function not found: " + std::string(name));
}

bool SameButForVersion(const FunctionConfig& a, const FunctionConfig& b) {
  return a.code_sha256 == b.code_sha256 && a.role == b.role && a.runtime == b.runtime &&
         a.handler == b.handler && a.memory_mb == b.memory_mb && a.timeout_s == b.timeout_s &&
         a.tmp_mb == b.tmp_mb && a.environment == b.environment && a.architecture == b.architecture;
}

}  // namespace

std::string NewUuid() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back("0123456789abcdef"[bytes[i] >> 4]);
    text.push_back("0123456789abcdef"[bytes[i] & 15]);
  }
  return text;
}

const FunctionConfig& PublishVersion(Function& function, std::string_view description) {
  if (!function.versions.empty()) {
    const FunctionConfig& newest = function.versions.rbegin()->second;
    if (SameButForVersion(newest, function.latest)) return newest;
  }
  FunctionConfig version = function.latest;
  version.version = std::to_string(function.next_version);
  version.revision = NewUuid();
  if (!description.empty()) version.description = description;
  return function.versions.emplace(function.next_version++, std::move(version)).first->second;
}

Result<std::unique_ptr<FunctionRegistry>> FunctionRegistry::Open(const std::string& dir,
                                                                 const Clock& clock) {
  TRY(MakeDirs(dir + "/functions", 0700));
  TRY(MakeDirs(dir + "/code", 0700));
  std::unique_ptr<FunctionRegistry> registry(new FunctionRegistry(dir, clock));
  TRY(registry->Load());
  TRY(registry->RemoveOrphanCode());
  return registry;
}

Result<void> FunctionRegistry::Load() {
  const std::string folder = dir_ + "/functions";
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(folder));
  const MutexLock lock(mutex_);
  for (const std::string& name : names) {
    if (!name.ends_with(".json")) continue;
    const std::string path = JoinPath(folder, name);
    ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxFunctionFileBytes));
    Result<Function> function = Restore(text);
    if (!function || FileOf(function->latest.name) != path) {
      return Error{Code::kInvalid, path + ": damaged; remove it to go on without that function"};
    }
    functions_[function->latest.name] = *function;
  }
  return {};
}

Result<void> FunctionRegistry::RemoveOrphanCode() {
  std::set<std::string> used;
  {
    const MutexLock lock(mutex_);
    for (const auto& [name, function] : functions_) {
      used.insert(function.latest.code_sha256);
      for (const auto& [number, version] : function.versions) used.insert(version.code_sha256);
    }
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> names, ListDir(dir_ + "/code"));
  for (const std::string& name : names) {
    const std::string sha256 = name.substr(0, name.find('.'));
    const bool whole = name == sha256 || name == sha256 + ".zip";
    if (!whole || !used.contains(sha256)) TRY(RemoveTree(JoinPath(dir_ + "/code", name)));
  }
  return {};
}

std::string FunctionRegistry::FileOf(const std::string& name) const {
  return dir_ + "/functions/" + name + ".json";
}

std::string FunctionRegistry::CodeFolder(const FunctionConfig& config) const {
  return dir_ + "/code/" + config.code_sha256;
}

std::string FunctionRegistry::ZipFile(const FunctionConfig& config) const {
  return CodeFolder(config) + ".zip";
}

void FunctionRegistry::Touch(FunctionConfig& config) const {
  config.last_modified = IsoDate(clock_->NowNs());
  config.last_modified.pop_back();
  config.last_modified += "+0000";
  config.revision = NewUuid();
}

Result<void> FunctionRegistry::StoreCode(std::string_view zip, FunctionConfig& config) {
  config.code_sha256 = signing::Sha256Hex(zip);
  config.code_bytes = static_cast<int64_t>(zip.size());
  const MutexLock lock(mutex_);  // two uploads of one zip unpack to one folder
  const Result<std::vector<std::string>> there = ListDir(CodeFolder(config));
  if (there) return {};
  TRY(Unzip(zip, CodeFolder(config)));
  return WriteFileAtomic(ZipFile(config), zip, 0600);
}

Result<void> FunctionRegistry::Create(Function function) {
  const std::string name = function.latest.name;
  const MutexLock lock(mutex_);
  if (functions_.contains(name)) {
    return LambdaError("ResourceConflictException", "Function already exist: " + name);
  }
  TRY(WriteFileAtomic(FileOf(name), Preserve(function), 0600));
  functions_.emplace(name, std::move(function));
  return {};
}

Result<Function> FunctionRegistry::Get(const std::string& name) const {
  const MutexLock lock(mutex_);
  const auto found = functions_.find(name);
  if (found == functions_.end()) return NoFunction(name);
  return found->second;
}

std::vector<Function> FunctionRegistry::List(const std::string& marker, size_t max) const {
  const MutexLock lock(mutex_);
  std::vector<Function> functions;
  for (auto at = functions_.upper_bound(marker); at != functions_.end(); ++at) {
    if (functions.size() == max) break;
    functions.push_back(at->second);
  }
  return functions;
}

Result<void> FunctionRegistry::Delete(const std::string& name) {
  const MutexLock lock(mutex_);
  const auto found = functions_.find(name);
  if (found == functions_.end()) return NoFunction(name);
  TRY(RemoveTree(FileOf(name)));
  functions_.erase(found);
  return {};
}

Result<Function> FunctionRegistry::Change(const std::string& name,
                                          const std::function<Result<void>(Function&)>& change) {
  const MutexLock lock(mutex_);
  const auto found = functions_.find(name);
  if (found == functions_.end()) return NoFunction(name);
  Function changed = found->second;
  TRY(change(changed));
  TRY(WriteFileAtomic(FileOf(name), Preserve(changed), 0600));
  found->second = changed;
  return changed;
}

Result<FunctionConfig> FunctionRegistry::Resolve(const FunctionName& name) const {
  ASSIGN_OR_RETURN(const Function function, Get(name.name));
  if (name.qualifier.empty() || name.qualifier == kLatest) return function.latest;
  std::string version = name.qualifier;
  if (const auto alias = function.aliases.find(version); alias != function.aliases.end()) {
    version = alias->second.version;
  }
  if (version == kLatest) return function.latest;
  const Result<int64_t> number = ParseVersion(version);
  const auto found = number ? function.versions.find(*number) : function.versions.end();
  if (found == function.versions.end()) return NoFunction(name.name + ":" + name.qualifier);
  return found->second;
}

}  // namespace llama::emulator
