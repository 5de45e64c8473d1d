// build.json, and the ages and sizes that are asked for.
#include "base/fuzz.h"
#include "builds/record.h"
#include "builds/store.h"

namespace llama::builds {

FUZZ_TARGET(text) {
  if (const auto age = ParseAge(text)) CHECK(*age >= 0);
  if (const auto size = ParseSize(text)) CHECK(*size >= 0);
  const auto record = ParseBuildRecord(text);
  if (!record) return;
  const std::string once = ToJson(*record);
  CHECK(once.find('\n') == once.size() - 1 || once.find('\n') == once.npos);
  const auto again = ParseBuildRecord(once);
  CHECK(again.has_value() && ToJson(*again) == once);
  (void)ShellCommand(record->command);
}

}  // namespace llama::builds
