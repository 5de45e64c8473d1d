// What a role's policies allow: as much of IAM's language as roles for functions are written in.
//
// Effect, Action and NotAction, Resource and NotResource, each a text or a list of them, with * and
// ? in them. A statement with a Condition, which is not understood, allows nothing and denies
// always. The partition of an ARN is not compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace llama::emulator {

// The documents of one role; a malformed one allows nothing.
using Policies = std::vector<std::string>;

// `action` as "s3:GetObject", `resource` an ARN.
bool IsAllowed(const Policies& policies, std::string_view action, std::string_view resource);

}  // namespace llama::emulator
