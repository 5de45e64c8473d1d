// Credentials as metadata services and programs give them: what is taken can't end a header early,
// and what is refused is not repeated.
#include <algorithm>

#include "aws/service/credential_sources.h"
#include "base/fuzz.h"

namespace llama::aws {

FUZZ_TARGET(json) {
  const Result<Credentials> credentials = ParseCredentialsJson(json, "source");
  if (!credentials) {
    CHECK(credentials.error().message.size() <= 200);
    CHECK(credentials.error().message.starts_with("source: "));
    return;
  }
  CHECK(CheckKeys(credentials->keys, "source").has_value());
  for (const std::string* key :
       {&credentials->keys.access_key_id, &credentials->keys.secret_access_key,
        &credentials->keys.session_token}) {
    CHECK(std::none_of(key->begin(), key->end(), [](char c) { return c <= ' ' || c == 0x7f; }));
  }
}

}  // namespace llama::aws
