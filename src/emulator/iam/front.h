// As much of IAM and STS as it takes to set up a function: roles with inline policies and tags, who
// am I, and temporary keys by AssumeRole. Their query protocol: a form goes in, XML comes out.
// Thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "emulator/iam/roles.h"
#include "emulator/request/authority.h"
#include "emulator/request/message.h"
#include "emulator/request/policy.h"

namespace llama::emulator {

// Registered for "iam" and for "sts".
class IamFront final : public Handler {
 public:
  // `file` keeps the roles. The others must outlive the front.
  static Result<std::unique_ptr<IamFront>> Open(const std::string& file, Authority& authority,
                                                const Clock& clock);
  Response Handle(const Request& request, const Exchange& exchange) override;
  // A role that was made here; none: it is another.
  std::optional<RoleView> RoleOf(const std::string& arn) const;

 private:
  class Form;
  IamFront(std::unique_ptr<RoleRegistry> roles, Authority& authority, const Clock& clock)
      : roles_(std::move(roles)), authority_(authority), clock_(clock) {}

  Result<std::string> RunSts(const std::string& action, const Form& form, const Access& access);
  Result<void> CheckRole(const std::string& action, const Form& form, const Access& access) const;
  Result<std::string> RunIam(const std::string& action, const Form& form, const Access& access);
  Result<std::string> RunPolicy(const std::string& action, const Form& form);
  Result<std::string> CreateRole(const Form& form);
  Result<std::string> AssumeRole(const Form& form);
  Result<Role> FindRole(const Form& form) const;

  std::unique_ptr<RoleRegistry> roles_;
  Authority& authority_;
  const Clock& clock_;
};

}  // namespace llama::emulator
