// Files in the object store by the SHA-256 of their content, for `llama store` and `llama get`:
// "files/<first two digits>/<64 digits>" holds the bytes as they are.
#pragma once

#include <string>

#include "base/result.h"
#include "daemon/jobs/backend.h"

namespace llama::app {

// Larger ones are refused: they are held in memory whole.
inline constexpr uint64_t kMaxStoredBytes = uint64_t{2} << 30;

// "files/ab/abcd…"; kInvalid unless `digest` has 64 hexadecimal digits.
Result<std::string> StoredFileKey(const std::string& digest);

// The store that the settings name, as the daemon would open it.
Result<daemon::StoreBackend> OpenConfiguredStore();

}  // namespace llama::app
