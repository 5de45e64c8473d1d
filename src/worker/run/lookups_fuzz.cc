// The lookup log, which the job's own processes write. After a first byte, an input is the log, or
// (if that byte is odd) records behind a header that fits them.
#include <algorithm>
#include <cstring>

#include "base/fuzz.h"
#include "worker/preload/lookup_log.h"
#include "worker/run/lookups.h"

namespace llama::worker {
namespace {

std::string WithHeader(std::string_view records) {
  const LookupLogHeader header = {LLAMA_LOOKUP_LOG_MAGIC,
                                  static_cast<uint32_t>(sizeof header + records.size()), 0, 0};
  std::string log(sizeof header, '\0');
  std::memcpy(log.data(), &header, sizeof header);
  return log.append(records);
}

size_t CheckPaths(const std::vector<std::string>& paths) {
  CHECK(std::adjacent_find(paths.begin(), paths.end(), std::greater_equal<>()) == paths.end());
  size_t size = 0;
  for (const std::string& path : paths) {
    CHECK(path.starts_with('/') && path.find('\0') == path.npos);
    CHECK(path.find("//") == path.npos && (path + "/").find("/./") == path.npos);
    CHECK(CollapsePath(path) == path);
    size += path.size();
  }
  return size;
}

}  // namespace

FUZZ_TARGET(bytes) {
  const bool has_header = TakeByte(bytes) % 2 == 0;
  const std::string log = has_header ? std::string(bytes) : WithHeader(bytes);
  const Lookups lookups = ParseLookups(log, "/r", 7);
  const size_t size =
      CheckPaths(lookups.found) + CheckPaths(lookups.absent) + CheckPaths(lookups.listed);
  CHECK(size <= log.size());
  for (const std::string& path : lookups.found) {
    CHECK(!std::binary_search(lookups.absent.begin(), lookups.absent.end(), path));
  }
}

}  // namespace llama::worker
