// Fuzz target for layers: an input is an object as a store might give it, under the key that fits
// it. Reading it must neither crash nor accept what the encoder would not have written.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.h"
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
}  // namespace llama::tree

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llama::tree;  // NOLINT: a C function stands outside the namespace
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  CheckingSink sink;
  const auto layer = ReadLayer("layers/" + llama::store::Sha256(bytes).Hex(), bytes, sink);
  if (layer) CHECK(CheckManifest(*layer).has_value());
  const auto manifest = DecodeManifest(bytes);
  if (manifest) CHECK(EncodeManifest(*manifest) == bytes);
  return 0;
}
