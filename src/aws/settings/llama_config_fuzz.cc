// $LLAMA_DIR/config: a setting that is changed is changed, and no other.
#include "aws/settings/llama_config.h"
#include "base/file.h"
#include "base/fuzz.h"

namespace llama::aws {

FUZZ_TARGET(text) {
  static const TempDir dir = std::move(TempDir::Create("llama_config_fuzz")).value();
  CHECK(WriteFileAtomic(dir.path() + "/config", text, 0600).has_value());
  const Result<LlamaConfig> before = ReadLlamaConfig(dir.path());
  if (!before) return;
  CHECK(ChangeLlamaConfig(dir.path(), {{"region", "eu-west-1"}}).has_value());
  const Result<LlamaConfig> after = ReadLlamaConfig(dir.path());
  CHECK(after.has_value());
  CHECK(after->at("region").value == "eu-west-1");
  CHECK(after->size() == before->size() + (before->contains("region") ? 0 : 1));
  for (const auto& [key, value] : *before) {
    CHECK(!value.value.empty());
    if (key != "region") CHECK(after->at(key).value == value.value);
  }
}

}  // namespace llama::aws
