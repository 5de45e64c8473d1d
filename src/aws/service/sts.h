// STS: who we are, and becoming somebody else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/service/credentials.h"
#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

struct CallerIdentity {
  std::string account;
  std::string arn;
};
Result<CallerIdentity> GetCallerIdentity(Service& sts);

struct RoleRequest {
  std::string role_arn;
  std::string session_name;
  std::string external_id;         // AssumeRole only; empty: none
  int64_t duration_s = 0;          // 0: STS's default, an hour
  std::string web_identity_token;  // not empty: AssumeRoleWithWebIdentity, unsigned
};
// kInvalid: STS refuses, with its reason. `source` is what the credentials are to say of
// themselves.
Result<Credentials> AssumeRole(Service& sts, const RoleRequest& request, const std::string& source);

// "2026-01-31T12:00:00Z", with a fraction, or with an offset: seconds of the Unix epoch. kInvalid
// for anything else.
Result<int64_t> ParseIso8601(std::string_view text);

// The service that ChainOptions name; kInvalid for an endpoint that is none.
Result<ServiceOptions> StsOptions(const ChainOptions& options);

}  // namespace llama::aws
