#include "emulator/iam/roles.h"

#include "base/file.h"
#include "base/text/json.h"
#include "emulator/lambda/function.h"
#include "emulator/request/lambda_json.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kMaxFileBytes = 16 << 20;

void AppendMap(JsonWriter& json, const std::map<std::string, std::string>& map) {
  json.BeginObject();
  for (const auto& [name, value] : map) json.Key(name).String(value);
  json.EndObject();
}

Result<Role> ReadRole(const std::string& text) {
  ASSIGN_OR_RETURN(const JsonObject json, JsonObject::Parse(text));
  Role role;
  for (const auto& [key, into] : {std::pair{"name", &role.name},
                                  {"path", &role.path},
                                  {"trust_policy", &role.trust_policy},
                                  {"description", &role.description},
                                  {"id", &role.id},
                                  {"created", &role.created}}) {
    ASSIGN_OR_RETURN(const auto value, json.String(key));
    if (value) *into = *value;
  }
  ASSIGN_OR_RETURN(const auto created_ns, json.Int("created_ns"));
  role.created_ns = created_ns.value_or(0);
  ASSIGN_OR_RETURN(auto policies, json.Strings("policies"));
  ASSIGN_OR_RETURN(auto tags, json.Strings("tags"));
  if (policies) role.policies = std::move(*policies);
  if (tags) role.tags = std::move(*tags);
  return role;
}

}  // namespace

std::string Role::Arn() const {
  return "arn:aws:iam::" + std::string(kAccountId) + ":role" + path + name;
}

Result<std::unique_ptr<RoleRegistry>> RoleRegistry::Open(const std::string& file) {
  std::unique_ptr<RoleRegistry> registry(new RoleRegistry(file));
  const Result<std::string> text = ReadFile(file, kMaxFileBytes);
  if (!text && text.error().code != Code::kNotFound) return text.error();
  if (!text) return registry;
  Result<JsonObject> json = JsonObject::Parse(*text);
  if (!json) return std::move(json).error().With(file);
  ASSIGN_OR_RETURN(const std::vector<std::string> roles, json->Objects("roles"));
  const MutexLock lock(registry->mutex_);
  for (const std::string& one : roles) {
    Result<Role> role = ReadRole(one);
    if (!role) return std::move(role).error().With(file);
    registry->roles_[role->name] = *role;
  }
  return registry;
}

std::optional<Role> RoleRegistry::Find(const std::string& name) const {
  const MutexLock lock(mutex_);
  const auto found = roles_.find(name);
  if (found == roles_.end()) return std::nullopt;
  return found->second;
}

std::vector<Role> RoleRegistry::All() const {
  const MutexLock lock(mutex_);
  std::vector<Role> roles;
  for (const auto& [name, role] : roles_) roles.push_back(role);
  return roles;
}

Result<void> RoleRegistry::Put(const Role& role) {
  const MutexLock lock(mutex_);
  std::map<std::string, Role> changed = roles_;
  changed.insert_or_assign(role.name, role);
  TRY(Write(changed));
  roles_ = std::move(changed);
  return {};
}

Result<void> RoleRegistry::Remove(const std::string& name) {
  const MutexLock lock(mutex_);
  std::map<std::string, Role> changed = roles_;
  changed.erase(name);
  TRY(Write(changed));
  roles_ = std::move(changed);
  return {};
}

Result<void> RoleRegistry::Write(const std::map<std::string, Role>& roles) const {
  JsonWriter json;
  json.BeginObject().Key("roles").BeginArray();
  for (const auto& [name, role] : roles) {
    json.BeginObject();
    json.Key("name").String(role.name).Key("path").String(role.path);
    json.Key("id").String(role.id).Key("created_ns").Int(role.created_ns);
    json.Key("trust_policy").String(role.trust_policy);
    json.Key("description").String(role.description).Key("created").String(role.created);
    json.Key("policies");
    AppendMap(json, role.policies);
    json.Key("tags");
    AppendMap(json, role.tags);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return WriteFileAtomic(file_, json.str(), 0600);
}

}  // namespace llama::emulator
