#include "emulator/iam/front.h"

#include <algorithm>

#include "emulator/lambda/function.h"
#include "emulator/lambda/registry.h"
#include "emulator/request/lambda_access.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"
#include "signing/sigv4.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kGlobalRegion = "us-east-1";
constexpr int kMaxTags = 50;

// "Code: text" becomes what QueryError says.
Error Refuse(std::string_view code, std::string_view text) {
  Error error{Code::kInvalid, std::string(code)};
  error.message.append(": ").append(text);
  return error;
}

Response ErrorOf(const Error& error) {
  const size_t colon = error.message.find(": ");
  const std::string code = error.message.substr(0, colon);
  const bool known = colon != std::string::npos && code.find(' ') == std::string::npos;
  if (!known) return QueryError(500, "InternalFailure", error.message);
  int status = 400;
  if (code == "NoSuchEntity") status = 404;
  if (code == "AccessDenied") status = 403;
  if (code == "EntityAlreadyExists" || code == "DeleteConflict") status = 409;
  return QueryError(status, code, error.message.substr(colon + 2));
}

// What lies in <…Result>. XML of ours within XML of ours.
std::string RoleXml(const Role& role) {
  XmlWriter xml;
  xml.Open("Role");
  xml.Text("Path", role.path).Text("RoleName", role.name).Text("RoleId", role.id);
  xml.Text("Arn", role.Arn()).Text("CreateDate", role.created);
  xml.Text("AssumeRolePolicyDocument", signing::UriEncode(role.trust_policy));
  if (!role.description.empty()) xml.Text("Description", role.description);
  xml.Text("MaxSessionDuration", "3600");
  if (!role.tags.empty()) {
    xml.Open("Tags");
    for (const auto& [key, value] : role.tags) {
      xml.Open("member").Text("Key", key).Text("Value", value).Close("member");
    }
    xml.Close("Tags");
  }
  xml.Close("Role");
  return xml.Take();
}

// Without the declaration that XmlWriter begins with.
std::string Inner(const std::string& xml) {
  const size_t end = xml.find("?>\n");
  return end == std::string::npos ? xml : xml.substr(end + 3);
}

std::string List(std::string_view name, const std::vector<std::string>& members) {
  XmlWriter xml;
  xml.Open(name);
  for (const std::string& member : members) xml.Text("member", member);
  xml.Close(name).Text("IsTruncated", "false");
  return Inner(xml.Take());
}

}  // namespace

class IamFront::Form {
 public:
  explicit Form(Pairs pairs) : pairs_(std::move(pairs)) {}
  std::string Get(std::string_view name) const {
    for (const auto& [key, value] : pairs_) {
      if (key == name) return value;
    }
    return "";
  }
  // Tags.member.1.Key=…&Tags.member.1.Value=…
  std::map<std::string, std::string> Tags() const {
    std::map<std::string, std::string> tags;
    for (int i = 1; i <= kMaxTags; ++i) {
      const std::string member = "Tags.member." + std::to_string(i);
      const std::string key = Get(member + ".Key");
      if (key.empty()) break;
      tags[key] = Get(member + ".Value");
    }
    return tags;
  }

 private:
  Pairs pairs_;
};

Result<std::unique_ptr<IamFront>> IamFront::Open(const std::string& file, Authority& authority,
                                                 const Clock& clock) {
  ASSIGN_OR_RETURN(std::unique_ptr<RoleRegistry> roles, RoleRegistry::Open(file));
  return std::unique_ptr<IamFront>(new IamFront(std::move(roles), authority, clock));
}

Response IamFront::Handle(const Request& request, const Exchange& exchange) {
  (void)exchange;
  const std::string service(ScopeService(request));
  Access access = authority_.Check(request, service);
  if (access.verification.refusal == signing::Refusal::kWrongScope) {
    access = authority_.Check(request, service, kGlobalRegion);
  }
  Response response;
  std::string action;
  const Result<Pairs> pairs =
      request.body.empty() ? Result<Pairs>(request.query) : ParseQuery(request.body);
  if (std::optional<Response> refusal = RefuseAsXml(access)) {
    response = std::move(*refusal);
  } else if (!pairs) {
    response = QueryError(400, "MalformedQueryString", pairs.error().message);
  } else {
    const Form form(*pairs);
    action = form.Get("Action").substr(0, 100);
    const Result<std::string> done =
        service == "sts" ? RunSts(action, form, access) : RunIam(action, form, access);
    if (done) {
      response.headers.emplace_back("Content-Type", "text/xml");
      response.body = "<" + action + "Response><" + action + "Result>" + *done + "</" + action +
                      "Result><ResponseMetadata><RequestId>" + request.id +
                      "</RequestId></ResponseMetadata></" + action + "Response>";
    } else {
      response = ErrorOf(done.error());
    }
  }
  response.service = service;
  response.operation = action;
  return response;
}

Result<std::string> IamFront::RunSts(const std::string& action, const Form& form,
                                     const Access& access) {
  if (action == "AssumeRole") return AssumeRole(form);
  if (action != "GetCallerIdentity") {
    return Refuse("InvalidAction", "the emulator has no sts:" + action);
  }
  const std::string account(kAccountId);
  XmlWriter xml;
  xml.Text("Arn", access.worker.empty()
                      ? "arn:aws:iam::" + account + ":user/emulator"
                      : "arn:aws:sts::" + account + ":assumed-role/emulator/" + access.worker);
  xml.Text("UserId", access.verification.claim.access_key_id).Text("Account", account);
  return Inner(xml.Take());
}

std::optional<RoleView> IamFront::RoleOf(const std::string& arn) const {
  const std::optional<Role> role = roles_->Find(arn.substr(arn.rfind('/') + 1));
  if (!role || role->Arn() != arn) return std::nullopt;
  RoleView view{role->id, role->created_ns, {}};
  for (const auto& [name, document] : role->policies) view.policies.push_back(document);
  return view;
}

// Actions of IAM are called as its operations are. To make a role with tags is to tag one.
Result<void> IamFront::CheckRole(const std::string& action, const Form& form,
                                 const Access& access) const {
  Role role;
  role.name = form.Get("RoleName");
  const std::string arn = role.name.empty() ? "*" : role.Arn();
  std::vector<std::string> needed = {"iam:" + action};
  if (action == "CreateRole" && !form.Tags().empty()) needed.emplace_back("iam:TagRole");
  for (const std::string& one : needed) {
    if (const auto denied = authority_.Denied(access, one, arn)) {
      return Refuse("AccessDenied", *denied);
    }
  }
  return {};
}

Result<std::string> IamFront::AssumeRole(const Form& form) {
  constexpr uint64_t kLeastS = 900;
  constexpr uint64_t kMostS = 43'200;
  const std::string arn = form.Get("RoleArn");
  const std::string session = form.Get("RoleSessionName");
  const std::string duration = form.Get("DurationSeconds");
  const uint64_t seconds = duration.empty() ? 3600 : ParseUint(duration).value_or(0);
  const size_t role = arn.find(":role/");
  if (!arn.starts_with("arn:aws:iam::") || role == std::string::npos || session.empty()) {
    return Refuse("ValidationError", "RoleArn and RoleSessionName are needed");
  }
  if (seconds < kLeastS || seconds > kMostS) {
    return Refuse("ValidationError", "DurationSeconds must be from 900 to 43200");
  }
  const TemporaryKeys issued =
      authority_.Issue("session-" + session, static_cast<int64_t>(seconds), arn);
  XmlWriter xml;
  xml.Open("Credentials");
  xml.Text("AccessKeyId", issued.keys.access_key_id);
  xml.Text("SecretAccessKey", issued.keys.secret_access_key);
  xml.Text("SessionToken", issued.keys.session_token);
  xml.Text("Expiration", IsoDate(issued.expires_s * 1'000'000'000));
  xml.Close("Credentials").Open("AssumedRoleUser");
  xml.Text("Arn", "arn:aws:sts::" + std::string(kAccountId) + ":assumed-role" +
                      arn.substr(role + 5) + "/" + session);
  xml.Text("AssumedRoleId", "AROAEMULATOR:" + session).Close("AssumedRoleUser");
  return Inner(xml.Take());
}

Result<Role> IamFront::FindRole(const Form& form) const {
  const std::string name = form.Get("RoleName");
  std::optional<Role> role = roles_->Find(name);
  if (!role) {
    return Refuse("NoSuchEntity",
                  "The role with name " + name.substr(0, 200) + " cannot be found.");
  }
  return std::move(*role);
}

Result<std::string> IamFront::CreateRole(const Form& form) {
  Role role;
  role.name = form.Get("RoleName");
  if (role.name.empty() || role.name.size() > 64 ||
      role.name.find_first_of("/:<>&\"") != std::string::npos) {
    return Refuse("ValidationError", "The specified value for roleName is invalid.");
  }
  if (roles_->Find(role.name)) {
    return Refuse("EntityAlreadyExists", "Role with name " + role.name + " already exists.");
  }
  if (const std::string path = form.Get("Path"); !path.empty()) role.path = path;
  role.trust_policy = form.Get("AssumeRolePolicyDocument");
  role.description = form.Get("Description");
  role.id = "AROA" + NewKeys().access_key_id.substr(4);
  role.created_ns = clock_.NowNs();
  role.created = IsoDate(role.created_ns).substr(0, 19) + "Z";
  role.tags = form.Tags();
  TRY(roles_->Put(role));
  return Inner(RoleXml(role));
}

Result<std::string> IamFront::RunIam(const std::string& action, const Form& form,
                                     const Access& access) {
  TRY(CheckRole(action, form, access));
  if (action == "CreateRole") return CreateRole(form);
  if (action == "ListRoles") {
    std::string members;
    for (const Role& role : roles_->All()) {
      // <Role>…</Role> as <member>…</member>
      const std::string xml = Inner(RoleXml(role));
      members += "<member>" + xml.substr(6, xml.size() - 13) + "</member>";
    }
    return "<Roles>" + members + "</Roles><IsTruncated>false</IsTruncated>";
  }
  if (action == "GetRole") {
    ASSIGN_OR_RETURN(const Role role, FindRole(form));
    return Inner(RoleXml(role));
  }
  if (action == "DeleteRole") {
    ASSIGN_OR_RETURN(const Role role, FindRole(form));
    if (!role.policies.empty()) {
      return Refuse("DeleteConflict", "Cannot delete entity, must delete policies first.");
    }
    TRY(roles_->Remove(role.name));
    return std::string();
  }
  if (action == "TagRole") {
    ASSIGN_OR_RETURN(Role role, FindRole(form));
    for (const auto& [key, value] : form.Tags()) role.tags[key] = value;
    TRY(roles_->Put(role));
    return std::string();
  }
  return RunPolicy(action, form);
}

Result<std::string> IamFront::RunPolicy(const std::string& action, const Form& form) {
  const bool known = action == "PutRolePolicy" || action == "GetRolePolicy" ||
                     action == "DeleteRolePolicy" || action == "ListRolePolicies" ||
                     action == "ListAttachedRolePolicies";
  if (!known) return Refuse("InvalidAction", "the emulator has no iam:" + action);
  ASSIGN_OR_RETURN(Role role, FindRole(form));
  if (action == "ListAttachedRolePolicies") return List("AttachedPolicies", {});
  if (action == "ListRolePolicies") {
    std::vector<std::string> names;
    for (const auto& [name, document] : role.policies) names.push_back(name);
    return List("PolicyNames", names);
  }
  const std::string policy = form.Get("PolicyName");
  if (action == "PutRolePolicy") {
    const std::string document = form.Get("PolicyDocument");
    if (policy.empty() || document.empty()) {
      return Refuse("ValidationError", "PolicyName and PolicyDocument are needed");
    }
    role.policies[policy] = document;
    TRY(roles_->Put(role));
    return std::string();
  }
  if (!role.policies.contains(policy)) {
    return Refuse("NoSuchEntity",
                  "The role policy with name " + policy.substr(0, 200) + " cannot be found.");
  }
  if (action == "DeleteRolePolicy") {
    role.policies.erase(policy);
    TRY(roles_->Put(role));
    return std::string();
  }
  XmlWriter xml;
  xml.Text("RoleName", role.name).Text("PolicyName", policy);
  xml.Text("PolicyDocument", signing::UriEncode(role.policies[policy]));
  return Inner(xml.Take());
}

}  // namespace llama::emulator
