#include "aws/control/iam.h"

#include "aws/control/control_error.h"
#include "signing/sigv4.h"

namespace llama::aws {
namespace {

std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& form) {
  std::string out;
  for (const auto& [name, value] : form) {
    out.append(out.empty() ? "" : "&").append(name).append("=").append(signing::UriEncode(value));
  }
  return out;
}

Result<IamRole> ReadRole(const XmlElement& root, const std::string& action) {
  const XmlElement* result = root.Find(action + "Result");
  const XmlElement* role = result != nullptr ? result->Find("Role") : nullptr;
  if (role == nullptr) return Error{Code::kInvalid, "iam:" + action + ": an answer without role"};
  IamRole out{std::string(role->Text("RoleName")), std::string(role->Text("Arn")), {}};
  if (const XmlElement* tags = role->Find("Tags"); tags != nullptr) {
    for (const XmlElement& tag : tags->children) {
      out.tags.emplace(tag.Text("Key"), tag.Text("Value"));
    }
  }
  return out;
}

Result<void> UnlessAbsent(const Result<XmlElement>& done) {
  if (!done && done.error().code != Code::kNotFound) return done.error();
  return {};
}

}  // namespace

Result<XmlElement> Iam::Call(const std::string& action, Form form, const std::string& object) {
  form.insert(form.begin(), {{"Action", action}, {"Version", "2010-05-08"}});
  const std::string body = EncodeForm(form);
  ServiceCall call;
  call.method = "POST";
  call.target = "/";
  call.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  call.body = body;
  ASSIGN_OR_RETURN(const ServiceAnswer answer, iam_.Call(call));
  if (answer.http.status >= 300) return ControlError(answer.http, "iam:" + action, object);
  Result<XmlElement> root = ParseXml(answer.http.body);
  if (!root) return std::move(root).error().With("iam:" + action);
  return root;
}

Result<IamRole> Iam::GetRole(const std::string& name) {
  ASSIGN_OR_RETURN(const XmlElement root, Call("GetRole", {{"RoleName", name}}, "role " + name));
  return ReadRole(root, "GetRole");
}

Result<IamRole> Iam::CreateRole(const std::string& name, const std::string& trust_policy,
                                const std::string& description,
                                const std::map<std::string, std::string>& tags) {
  Form form = {
      {"RoleName", name}, {"AssumeRolePolicyDocument", trust_policy}, {"Description", description}};
  int number = 1;
  for (const auto& [key, value] : tags) {
    const std::string member = "Tags.member." + std::to_string(number++);
    form.emplace_back(member + ".Key", key);
    form.emplace_back(member + ".Value", value);
  }
  ASSIGN_OR_RETURN(const XmlElement root, Call("CreateRole", std::move(form), "role " + name));
  return ReadRole(root, "CreateRole");
}

Result<std::string> Iam::GetRolePolicy(const std::string& role, const std::string& policy) {
  ASSIGN_OR_RETURN(
      const XmlElement root,
      Call("GetRolePolicy", {{"RoleName", role}, {"PolicyName", policy}}, "role " + role));
  const XmlElement* result = root.Find("GetRolePolicyResult");
  if (result == nullptr) {
    return Error{Code::kInvalid, "iam:GetRolePolicy: an answer without policy"};
  }
  return signing::UriDecode(result->Text("PolicyDocument"));
}

Result<void> Iam::PutRolePolicy(const std::string& role, const std::string& policy,
                                const std::string& document) {
  TRY(Call("PutRolePolicy",
           {{"RoleName", role}, {"PolicyName", policy}, {"PolicyDocument", document}},
           "role " + role));
  return {};
}

Result<void> Iam::DeleteRolePolicy(const std::string& role, const std::string& policy) {
  return UnlessAbsent(
      Call("DeleteRolePolicy", {{"RoleName", role}, {"PolicyName", policy}}, "role " + role));
}

Result<void> Iam::DeleteRole(const std::string& name) {
  return UnlessAbsent(Call("DeleteRole", {{"RoleName", name}}, "role " + name));
}

}  // namespace llama::aws
