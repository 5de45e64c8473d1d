#include "store/bucket_owner.h"

#include <algorithm>

namespace llama::store {

std::string_view OwnerInName(std::string_view bucket) {
  constexpr std::string_view kPrefix = "llama-";
  constexpr size_t kAccountDigits = 12;
  if (!bucket.starts_with(kPrefix)) return {};
  const std::string_view rest = bucket.substr(kPrefix.size());
  const std::string_view account = rest.substr(0, kAccountDigits);
  const bool is_account =
      account.size() == kAccountDigits &&
      std::all_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool ends = rest.size() == kAccountDigits ||
                    (rest.size() > kAccountDigits && rest[kAccountDigits] == '-');
  return is_account && ends ? account : std::string_view();
}

}  // namespace llama::store
