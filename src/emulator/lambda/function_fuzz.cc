// Functions as they are kept on disk, settings of requests, and names.
#include "base/fuzz.h"
#include "emulator/lambda/function.h"
#include "emulator/lambda/settings.h"

namespace llama::emulator {

FUZZ_TARGET(text) {
  if (const auto name = ParseFunctionName(text)) {
    CHECK(!name->name.empty() && name->name.find_first_of("/.:") == std::string::npos);
  }
  if (const auto version = ParseVersion(text))
    CHECK(ParseVersion(std::to_string(*version)).has_value());
  if (const auto function = Restore(text)) {
    const std::string once = Preserve(*function);
    const auto again = Restore(once);
    CHECK(again.has_value() && Preserve(*again) == once);
  }
  const auto request = JsonObject::Parse(text);
  if (!request) return;
  FunctionConfig config;
  if (ApplySettings(*request, config)) {
    CHECK(config.memory_mb >= 128 && config.timeout_s >= 1 && config.tmp_mb >= 512);
    (void)ConfigurationJson(config, "us-east-1", true);
  }
  (void)ReadTags(*request).has_value();
}

}  // namespace llama::emulator
