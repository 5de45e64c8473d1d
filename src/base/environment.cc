#include "base/environment.h"

namespace llama {
namespace {

bool IsOf(const std::string& entry, std::string_view name) {
  return entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name);
}

}  // namespace

const char* FindVariable(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (IsOf(entry, name)) return entry.c_str() + name.size() + 1;
  }
  return nullptr;
}

void SetVariable(std::vector<std::string>& env, std::string_view name, std::string_view value) {
  std::string fresh(name);
  fresh.append("=").append(value);
  for (std::string& entry : env) {
    if (!IsOf(entry, name)) continue;
    entry = std::move(fresh);
    return;
  }
  env.push_back(std::move(fresh));
}

std::string_view VariableOr(const std::vector<std::string>& env, std::string_view name,
                            std::string_view otherwise) {
  const char* value = FindVariable(env, name);
  return value == nullptr ? otherwise : std::string_view(value);
}

}  // namespace llama
