// Objects that a damaged or hostile store might give.
#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

#include "base/codec.h"
#include "tree/layer.h"
#include "tree/tree_testing.h"

namespace llama::tree {
namespace {

std::string KeyOf(std::string_view bytes) { return "layers/" + store::Sha256(bytes).Hex(); }

LayerObject SampleLayer() {
  return MakeLayer({F("/usr/a.h", "int a;"), F("/usr/b.h", "int b;\nint c;", true), L("/l", "usr"),
                    D("/d"), Gone("/g")});
}

TEST(HostileLayerTest, TheKeyMustBeTheObjects) {
  const LayerObject layer = SampleLayer();
  MapSink sink;
  EXPECT_EQ(ReadLayer(KeyOf("other"), layer.bytes, sink).error().code, Code::kInvalid);
  EXPECT_EQ(ReadLayer("", layer.bytes, sink).error().code, Code::kInvalid);
  EXPECT_EQ(ReadLayer(layer.key + "0", layer.bytes, sink).error().code, Code::kInvalid);
  for (size_t i = 0; i < layer.bytes.size(); ++i) {
    std::string damaged = layer.bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_EQ(ReadLayer(layer.key, damaged, sink).error().code, Code::kInvalid) << i;
  }
  EXPECT_TRUE(sink.blobs().empty());
}

// From here on the key fits: the object was made by someone hostile.
TEST(HostileLayerTest, CutShortAnywhere) {
  const LayerObject layer = SampleLayer();
  for (size_t size = 0; size < layer.bytes.size(); ++size) {
    const std::string cut = layer.bytes.substr(0, size);
    MapSink sink;
    EXPECT_EQ(ReadLayer(KeyOf(cut), cut, sink).error().code, Code::kInvalid) << size;
  }
}

TEST(HostileLayerTest, AnyByteAltered) {
  const LayerObject layer = SampleLayer();
  const Manifest sound = [&] {
    MapSink sink;
    return *ReadLayer(layer.key, layer.bytes, sink);
  }();
  for (size_t i = 0; i < layer.bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = layer.bytes;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      MapSink sink;  // checks every content's digest
      const Result<Manifest> read = ReadLayer(KeyOf(damaged), damaged, sink);
      // Another path or target can be as good as the one that it replaces; nothing else can.
      if (read) {
        EXPECT_EQ(read->size(), sound.size()) << i;
      }
    }
  }
}

TEST(HostileLayerTest, SomethingFollows) {
  for (const std::vector<Item>& items : {std::vector<Item>{}, {F("/a", "1")}}) {
    const std::string bytes = MakeLayer(items).bytes + '\0';
    MapSink sink;
    EXPECT_FALSE(ReadLayer(KeyOf(bytes), bytes, sink));
  }
}

std::string Compressed(std::string_view content) {
  std::string frame(ZSTD_compressBound(content.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), content.data(), content.size(), 1));
  return frame;
}

std::string Object(const Manifest& manifest, uint64_t pack_bytes, std::string_view frame) {
  Encoder out;
  out.Raw("llamaly1");
  out.Bytes(EncodeManifest(manifest));
  out.Uint(pack_bytes);
  out.Raw(frame);
  return out.Take();
}

TEST(HostileLayerTest, PacksThatAreNotWhatTheyDeclare) {
  const Manifest manifest = {{"/a", File("aaaa")}, {"/b", File("bbbb")}};
  Manifest liar = manifest;
  liar["/b"].size_bytes = uint64_t{1} << 30;
  const std::string good = Compressed("aaaabbbb");
  const std::string sound = Object(manifest, 8, good);
  const std::string cases[] = {
      Object(manifest, 8, Compressed("bbbbaaaa")),
      Object(manifest, 8, Compressed("aaaabbb")),
      Object(manifest, 8, Compressed("aaaabbbbb")),
      Object(manifest, 8, Compressed("aaaa") + Compressed("bbbb")),
      Object(manifest, 8, good + good),
      Object(manifest, 8, ""),
      Object(manifest, 7, good),
      Object(manifest, 9, good),
      Object(manifest, UINT64_MAX, good),
      Object(manifest, 0, ""),
      Object(liar, 4 + (uint64_t{1} << 30), good),
      Object({}, 0, good),
      Object({}, 8, good),
  };
  MapSink whole;
  ASSERT_TRUE(ReadLayer(KeyOf(sound), sound, whole));
  for (size_t i = 0; i < std::size(cases); ++i) {
    MapSink sink;
    EXPECT_EQ(ReadLayer(KeyOf(cases[i]), cases[i], sink).error().code, Code::kInvalid) << i;
  }
}

TEST(HostileLayerTest, AFrameThatDeclaresMuchAndHoldsLittle) {
  Manifest manifest = {{"/a", File("a")}};
  manifest["/a"].size_bytes = kMaxFileBytes;
  // A frame header with a content size of a gigabyte, and nothing in it.
  std::string frame("\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40\x01\x00\x00", 12);
  ASSERT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), kMaxFileBytes);
  const std::string bytes = Object(manifest, kMaxFileBytes, frame);
  MapSink sink;
  EXPECT_EQ(ReadLayer(KeyOf(bytes), bytes, sink).error().code, Code::kInvalid);
}

// The fuzz target over seeds that are altered at random, with a fixed start.

}  // namespace
}  // namespace llama::tree
