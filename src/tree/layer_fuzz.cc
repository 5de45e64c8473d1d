// Layers: an input is an object as a store might give it, under the key that fits
// it. Reading it must neither crash nor accept what the encoder would not have written.
#include <string>
#include <string_view>

#include "base/fuzz.h"
#include "tree/layer.h"

namespace llama::tree {
namespace {

class CheckingSink final : public BlobSink {
 public:
  bool Wants(const store::Digest& digest) override { return digest.bytes[0] % 4 != 0; }
  Result<void> Put(const store::Digest& digest, std::string_view bytes) override {
    CHECK(store::Sha256(bytes) == digest);
    return {};
  }
};

}  // namespace

FUZZ_TARGET(bytes) {
  CheckingSink sink;
  const auto layer = ReadLayer("layers/" + store::Sha256(bytes).Hex(), bytes, sink);
  if (layer) CHECK(CheckManifest(*layer).has_value());
  const auto manifest = DecodeManifest(bytes);
  if (!manifest) return;
  CHECK(EncodeManifest(*manifest) == bytes);
  for (const auto& [path, entry] : *manifest) CHECK(IsCanonicalPath(path));
}

}  // namespace llama::tree
