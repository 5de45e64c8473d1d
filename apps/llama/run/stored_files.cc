#include "llama/run/stored_files.h"

#include <unistd.h>

#include <vector>

#include "aws/settings/settings.h"
#include "base/clock.h"
#include "client/connection.h"
#include "store/digest.h"

namespace llama::app {

Result<std::string> StoredFileKey(const std::string& digest) {
  const auto parsed = store::Digest::FromHex(digest);
  if (!parsed) return Error{Code::kInvalid, digest + ": no SHA-256 of 64 lower-case digits"};
  return "files/" + digest.substr(0, 2) + "/" + digest;
}

Result<daemon::StoreBackend> OpenConfiguredStore() {
  ASSIGN_OR_RETURN(const std::string state_dir, client::StateDir());
  std::vector<std::string> env;
  for (char** entry = environ; *entry != nullptr; ++entry) env.emplace_back(*entry);
  ASSIGN_OR_RETURN(const aws::Settings settings, aws::ResolveSettings(env, state_dir));
  return daemon::OpenStoreBackend(settings, state_dir, SystemClock());
}

}  // namespace llama::app
