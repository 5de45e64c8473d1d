#include "emulator/request/authority.h"

#include <openssl/rand.h>

#include <array>

#include "base/log.h"
#include "emulator/request/account.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kIdLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kSecretLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string RandomText(size_t size, std::string_view letters) {
  std::string bytes(size, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)) == 1);
  for (char& c : bytes) c = letters[static_cast<unsigned char>(c) % letters.size()];
  return bytes;
}

bool IsHash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

signing::Keys NewKeys() {
  return {"AKIA" + RandomText(16, kIdLetters), RandomText(40, kSecretLetters), ""};
}

void Authority::Add(const signing::Keys& keys) {
  const MutexLock lock(mutex_);
  entries_[keys.access_key_id] = {keys, "", 0};
}

TemporaryKeys Authority::Issue(const std::string& label, int64_t lifetime_s,
                               const std::string& role) {
  TemporaryKeys issued;
  issued.keys = NewKeys();
  issued.keys.access_key_id.replace(0, 4, "ASIA");
  issued.keys.session_token = RandomText(120, kSecretLetters);
  const int64_t now_s = clock_->NowNs() / 1'000'000'000;
  issued.expires_s = now_s + lifetime_s;
  const MutexLock lock(mutex_);
  // Long expired ones are of no use even for telling that they are expired.
  std::erase_if(entries_, [&](const auto& item) {
    return item.second.expires_s != 0 && item.second.expires_s < now_s - 3600;
  });
  entries_[issued.keys.access_key_id] = {issued.keys, label, issued.expires_s, role};
  return issued;
}

void Authority::Revoke(const std::string& label) {
  const MutexLock lock(mutex_);
  std::erase_if(entries_, [&](const auto& item) { return item.second.label == label; });
}

Access Authority::Check(const Request& request, std::string_view service,
                        std::string_view scope_region) const {
  signing::Request signed_request;
  signed_request.method = request.method;
  signed_request.target = request.target;
  signed_request.headers = request.headers;
  const std::string* claimed = request.Header("x-amz-content-sha256");
  const bool needs_hash = claimed == nullptr || IsHash(*claimed);
  const std::string actual = needs_hash ? signing::Sha256Hex(request.body) : "";
  signed_request.payload_sha256 = claimed != nullptr ? *claimed : actual;

  Access access;
  Entry holder;
  const int64_t now_s = clock_->NowNs() / 1'000'000'000;
  const signing::Scope scope = {scope_region.empty() ? region_ : std::string(scope_region),
                                std::string(service)};
  access.verification = signing::Verify(signed_request, scope, now_s,
                                        [&](const std::string& id) -> std::optional<signing::Keys> {
                                          const MutexLock lock(mutex_);
                                          const auto found = entries_.find(id);
                                          if (found == entries_.end()) return std::nullopt;
                                          holder = found->second;
                                          return holder.keys;
                                        });
  if (access.verification.refusal != signing::Refusal::kNone) return access;
  access.worker = holder.label;
  access.role = holder.role;
  access.token_expired = holder.expires_s != 0 && holder.expires_s <= now_s;
  access.wrong_payload = claimed != nullptr && IsHash(*claimed) && *claimed != actual;
  return access;
}

std::string_view ScopeService(const Request& request) {
  std::string_view credential;
  if (const std::string* header = request.Header("authorization")) {
    const size_t at = header->find("Credential=");
    if (at == std::string::npos) return {};
    credential = std::string_view(*header).substr(at);
    credential = credential.substr(0, credential.find_first_of(", "));
  } else if (const std::string* query = request.Query("X-Amz-Credential")) {
    credential = *query;
  }
  // …/DATE/REGION/SERVICE/aws4_request
  const size_t last = credential.rfind('/');
  if (last == std::string_view::npos || last == 0) return {};
  const size_t before = credential.rfind('/', last - 1);
  if (before == std::string_view::npos) return {};
  return credential.substr(before + 1, last - before - 1);
}

std::optional<RoleView> Authority::RoleOf(const std::string& arn) const {
  if (arn.empty() || !find_role_) return std::nullopt;
  return find_role_(arn);
}

bool Authority::MayDo(const Access& access, std::string_view action,
                      std::string_view resource) const {
  const std::optional<RoleView> role = RoleOf(access.role);
  return !role || IsAllowed(role->policies, action, resource);
}

// In IAM's words: user guide, "Troubleshoot access denied error messages".
std::optional<std::string> Authority::Denied(const Access& access, std::string_view action,
                                             std::string_view resource) const {
  if (MayDo(access, action, resource)) return std::nullopt;
  std::string text = "User: arn:aws:sts::";
  text.append(kAccountId).append(":assumed-role/");
  text.append(access.role.substr(access.role.rfind('/') + 1)).append("/").append(access.worker);
  text.append(" is not authorized to perform: ").append(action).append(" on resource: ");
  text.append(resource).append(" because no identity-based policy allows the ").append(action);
  return text.append(" action");
}

}  // namespace llama::emulator
