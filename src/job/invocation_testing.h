// For tests: what a function's service said of an invocation.
#pragma once

#include <string_view>

#include "job/function_client.h"

namespace llama::job {

inline bool HasDetail(const Invocation& invocation, std::string_view name) {
  for (const auto& [key, value] : invocation.details) {
    if (key == name) return true;
  }
  return false;
}

// -1: it said nothing of that name.
inline int64_t DetailOf(const Invocation& invocation, std::string_view name) {
  for (const auto& [key, value] : invocation.details) {
    if (key == name) return std::get<int64_t>(value);
  }
  return -1;
}

}  // namespace llama::job
