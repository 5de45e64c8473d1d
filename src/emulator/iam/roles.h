// The roles there are, with their policies, kept in a file. The services hold
// requests with a role's keys to them (Authority::MayDo). Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace llama::emulator {

struct Role {
  std::string name;
  std::string path = "/";
  std::string trust_policy;
  std::string description;
  std::string id;       // another one where a role is made anew under the same name
  std::string created;  // "2026-01-31T12:00:00Z"
  int64_t created_ns = 0;
  std::map<std::string, std::string> policies;
  std::map<std::string, std::string> tags;

  std::string Arn() const;
};

class RoleRegistry {
 public:
  static Result<std::unique_ptr<RoleRegistry>> Open(const std::string& file);

  std::optional<Role> Find(const std::string& name) const;
  std::vector<Role> All() const;
  // Adds or replaces.
  Result<void> Put(const Role& role);
  Result<void> Remove(const std::string& name);

 private:
  explicit RoleRegistry(std::string file) : file_(std::move(file)) {}
  Result<void> Write(const std::map<std::string, Role>& roles) const;

  const std::string file_;
  mutable Mutex mutex_;
  std::map<std::string, Role> roles_ GUARDED_BY(mutex_);
};

}  // namespace llama::emulator
