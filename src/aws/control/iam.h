// Iam: the one role that a function runs as. IAM's query API:
// https://docs.aws.amazon.com/IAM/latest/APIReference/. Errors as ControlError has them.
// Thread-safe if the service is.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "aws/http/xml.h"
#include "aws/service/service.h"
#include "base/result.h"

namespace llama::aws {

struct IamRole {
  std::string name;
  std::string arn;
  std::map<std::string, std::string> tags;
};

class Iam {
 public:
  // The service must outlive this.
  explicit Iam(Service& iam) : iam_(iam) {}

  Result<IamRole> GetRole(const std::string& name);
  Result<IamRole> CreateRole(const std::string& name, const std::string& trust_policy,
                             const std::string& description,
                             const std::map<std::string, std::string>& tags);
  // An inline policy's JSON, as it was put.
  Result<std::string> GetRolePolicy(const std::string& role, const std::string& policy);
  Result<void> PutRolePolicy(const std::string& role, const std::string& policy,
                             const std::string& document);
  // Absent: no error.
  Result<void> DeleteRolePolicy(const std::string& role, const std::string& policy);
  Result<void> DeleteRole(const std::string& name);

 private:
  using Form = std::vector<std::pair<std::string, std::string>>;
  Result<XmlElement> Call(const std::string& action, Form form, const std::string& object);

  Service& iam_;
};

}  // namespace llama::aws
