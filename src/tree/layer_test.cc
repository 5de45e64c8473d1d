#include "tree/layer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/codec.h"
#include "base/file.h"
#include "tree/tree_testing.h"

namespace llama::tree {
namespace {

Manifest Sample() {
  return {{"/usr/bin/cc", Link("/etc/alternatives/cc")},
          {"/usr/include/stdio.h", File("stdio")},
          {"/usr/include/stdlib.h", File("stdlib")},
          {"/usr/lib", Dir()},
          {"/usr/lib/cc1", File("cc1", true)},
          {"/usr/old", Absent()},
          {"/usr/old/x", Absent()},
          {"/\xff\xfe non-UTF-8\n", File("")}};
}

TEST(CanonicalPathTest, AcceptsAndRefuses) {
  const std::string good[] = {"/a",  "/a/b", "/a b",  "/...",
                              "/.a", "/a..", "/\xff", "/" + std::string(255, 'x')};
  for (const std::string& path : good) EXPECT_TRUE(IsCanonicalPath(path)) << path;
  std::string long_path;
  while (long_path.size() <= 4095) long_path += "/0123456789";
  const std::string bad[] = {"",
                             "/",
                             "a",
                             "a/b",
                             "//",
                             "//a",
                             "/a/",
                             "/a//b",
                             "/.",
                             "/..",
                             "/a/.",
                             "/a/..",
                             "/a/../b",
                             "/./a",
                             std::string("/a\0", 3),
                             std::string("/\0/a", 4),
                             "/" + std::string(256, 'x'),
                             long_path};
  for (const std::string& path : bad) EXPECT_FALSE(IsCanonicalPath(path)) << path;
}

TEST(CanonicalPathTest, BelowIsByComponents) {
  EXPECT_TRUE(IsBelow("/a/b", "/a"));
  EXPECT_TRUE(IsBelow("/a/b/c", "/a"));
  EXPECT_TRUE(IsBelow("/a", "/"));
  EXPECT_FALSE(IsBelow("/a", "/a"));
  EXPECT_FALSE(IsBelow("/ab", "/a"));
  EXPECT_FALSE(IsBelow("/", "/"));
  EXPECT_EQ(ParentPath("/a/b"), "/a");
  EXPECT_EQ(ParentPath("/a"), "");
}

TEST(ManifestTest, RoundTrips) {
  for (const Manifest& manifest : {Manifest{}, Sample()}) {
    const Result<Manifest> decoded = DecodeManifest(EncodeManifest(manifest));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, manifest);
  }
}

TEST(ManifestTest, HasTheDocumentedBytes) {
  const Manifest manifest = {{"/a/b", Dir()}, {"/a/c", Link("b")}, {"/a/d", File("x", true)}};
  std::string expected =
      std::string("\x03") + std::string("\0\4/a/b\3", 7) + "\3\1c\2\1b" + "\3\1d\1\1";
  expected += store::Sha256("x").view();
  EXPECT_EQ(EncodeManifest(manifest), expected);
}

TEST(ManifestTest, RefusesWhatBreaksARule) {
  struct Case {
    const char* rule;
    Manifest manifest;
  };
  Entry huge = File("x");
  huge.size_bytes = kMaxFileBytes + 1;
  Entry other_size = File("x");
  other_size.size_bytes = 2;
  Manifest too_much;
  for (int i = 0; i < 5; ++i) {
    Entry entry = File(std::to_string(i));
    entry.size_bytes = kMaxFileBytes;
    too_much["/" + std::to_string(i)] = entry;
  }
  const Case cases[] = {
      {"M1", {{"/a/../b", Dir()}}},
      {"M1", {{"/", Dir()}}},
      {"M1", {{"a", Dir()}}},
      {"M1", {{std::string("/a\0b", 4), Dir()}}},
      {"M3", {{"/a", File("x")}, {"/a/b", File("y")}}},
      {"M3", {{"/a", File("x")}, {"/a-b", File("y")}, {"/a/b/c", Dir()}}},
      {"M3", {{"/a", Link("x")}, {"/a/b", File("y")}}},
      {"M3", {{"/a", Absent()}, {"/a/b", Link("y")}}},
      {"M4", {{"/a", File("x")}, {"/b", other_size}}},
      {"M5", {{"/a", Link("")}}},
      {"M5", {{"/a", Link(std::string("a\0b", 3))}}},
      {"M5", {{"/a", Link(std::string(4096, 'x'))}}},
      {"M6", {{"/a", huge}}},
      {"M6", too_much},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(CheckManifest(c.manifest).error().code, Code::kInvalid) << c.rule;
    EXPECT_FALSE(DecodeManifest(EncodeManifest(c.manifest))) << c.rule;
    MapSource source;
    EXPECT_EQ(BuildLayer(c.manifest, source).error().code, Code::kInvalid) << c.rule;
  }
  EXPECT_TRUE(CheckManifest({{"/a", File("x")}, {"/a/b", Absent()}}));
  EXPECT_TRUE(CheckManifest({{"/a", Dir()}, {"/a/b", File("x")}, {"/ab", File("x")}}));
}

// Encodings that a decoder might accept and the encoder would not have written.
TEST(ManifestTest, RefusesWhatIsNotCanonical) {
  const auto raw = [](std::initializer_list<std::string> parts) {
    std::string out;
    for (const std::string& part : parts) out += part;
    return out;
  };
  const std::string zero(1, '\0');
  const std::string cases[] = {
      raw({"\x02", zero, "\2/b\3", zero, "\2/a\3"}),      // out of order
      raw({"\x02", zero, "\2/a\3", zero, "\2/a\3"}),      // twice
      raw({"\x02", zero, "\2/a\3", zero, "\2/b\3"}),      // shares less than it could
      raw({"\x02", zero, "\2/a\3", "\2", zero, "\3"}),    // twice, by sharing all
      raw({"\x02", zero, "\2/a\3", "\5", "\1b\3"}),       // shares more than there is
      raw({"\x81", zero, zero, "\2/a\3"}),                // long varint
      raw({"\x01", zero, "\2/a\5"}),                      // unknown tag
      raw({"\x01", zero, "\2/a\3", "x"}),                 // something follows
      raw({"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}),  // giant count
      raw({"\x01", zero, "\xff\xff\xff\xff\x0f/a\3"}),    // giant path
      raw({"\x01", zero, "\2/a\2\xff\xff\xff\xff\x0f"}),  // giant target
      "",
  };
  for (const std::string& bytes : cases) {
    const Result<Manifest> decoded = DecodeManifest(bytes);
    ASSERT_FALSE(decoded) << testing::PrintToString(bytes);
    EXPECT_EQ(decoded.error().code, Code::kInvalid);
  }
  ASSERT_TRUE(DecodeManifest(raw({"\x02", zero, "\2/a\3", "\1", "\1b\3"})));
}

TEST(ManifestTest, ShortInputThatStandsForGiantPathsIsCutOff) {
  Encoder out;
  out.Uint(900'000);
  std::string path;
  while (path.size() < 4000) path += "/" + std::string(99, 'x');
  out.Uint(0);
  out.Bytes(path);
  out.Uint(3);
  for (int i = 0; i < 900'000; ++i) {
    out.Uint(path.size());
    out.Bytes("");
    out.Uint(3);
  }
  EXPECT_FALSE(DecodeManifest(out.str()));
}

TEST(LayerTest, RoundTripsWithEachContentOnce) {
  const std::vector<Item> items = {F("/a", "one"), F("/b", "two", true),
                                   F("/c", "one"), F("/empty", ""),
                                   L("/l", "a"),   D("/d"),
                                   Gone("/g"),     F("/big", std::string(5 << 20, 'z'))};
  const LayerObject layer = MakeLayer(items);
  EXPECT_EQ(layer.key, "layers/" + store::Sha256(layer.bytes).Hex());
  EXPECT_TRUE(store::IsValidKey(layer.key));
  MapSink sink;
  const Result<Manifest> manifest = ReadLayer(layer.key, layer.bytes, sink);
  ASSERT_TRUE(manifest) << manifest.error().message;
  EXPECT_EQ(manifest->size(), items.size());
  for (const Item& item : items) EXPECT_EQ(manifest->at(item.path), item.entry);
  EXPECT_EQ(sink.blobs().size(), 4u);
  for (const auto& [digest, bytes] : sink.blobs()) EXPECT_EQ(store::Sha256(bytes), digest);
}

TEST(LayerTest, EqualContentsGiveEqualObjects) {
  const std::vector<Item> items = {F("/a", "one"), F("/b", "two")};
  EXPECT_EQ(MakeLayer(items).bytes, MakeLayer({items[1], items[0]}).bytes);
}

TEST(LayerTest, EmptyOnesAndOnesWithoutContent) {
  for (const std::vector<Item>& items :
       {std::vector<Item>{}, {D("/d")}, {F("/empty", "")}, {L("/l", "x"), F("/e", "")}}) {
    const LayerObject layer = MakeLayer(items);
    MapSink sink;
    const Result<Manifest> manifest = ReadLayer(layer.key, layer.bytes, sink);
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->size(), items.size());
  }
}

TEST(LayerTest, SkipsWhatTheSinkHas) {
  const LayerObject layer =
      MakeLayer({F("/a", "one"), F("/b", "two"), F("/c", "three"), F("/d", "four")});
  for (const std::vector<std::string>& held : {std::vector<std::string>{"one"},
                                               {"four"},
                                               {"two", "three"},
                                               {"one", "two", "three", "four"}}) {
    MapSink sink;
    for (const std::string& bytes : held) sink.Refuse(bytes);
    ASSERT_TRUE(ReadLayer(layer.key, layer.bytes, sink));
    EXPECT_EQ(sink.blobs().size(), 4 - held.size());
    for (const std::string& bytes : held) {
      EXPECT_FALSE(sink.blobs().contains(store::Sha256(bytes)));
    }
  }
}

TEST(LayerTest, AsksForEachContentOnce) {
  MapSource source;
  source.Know("same");
  ASSERT_TRUE(BuildLayer({{"/a", File("same")}, {"/b", File("same", true)}}, source));
  EXPECT_EQ(source.reads(), 1);
}

TEST(LayerTest, AFileThatChangedMeanwhileIsUnavailable) {
  const TempDir dir = *TempDir::Create();
  const std::string path = dir.path() + "/f";
  const std::unique_ptr<BlobSource> source = NewLocalFileSource();
  for (const std::string now : {"others", "longer than it was", "x", ""}) {
    ASSERT_TRUE(WriteFileAtomic(path, now, 0644));
    EXPECT_EQ(BuildLayer({{path, File("before")}}, *source).error().code, Code::kUnavailable);
  }
  ASSERT_TRUE(WriteFileAtomic(path, "before", 0644));
  EXPECT_TRUE(BuildLayer({{path, File("before")}}, *source));
  ASSERT_TRUE(RemoveTree(path));
  EXPECT_EQ(BuildLayer({{path, File("before")}}, *source).error().code, Code::kNotFound);
}

TEST(LayerTest, TheSinksErrorEndsTheReading) {
  class FullSink final : public BlobSink {
   public:
    bool Wants(const store::Digest&) override { return true; }
    Result<void> Put(const store::Digest&, std::string_view) override {
      return Error{Code::kUnavailable, "full"};
    }
  };
  FullSink sink;
  const LayerObject layer = MakeLayer({F("/a", "one")});
  EXPECT_EQ(ReadLayer(layer.key, layer.bytes, sink).error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace llama::tree
