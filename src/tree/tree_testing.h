// For this module's tests: manifests and layers from short descriptions.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/object_store.h"
#include "tree/layer.h"
#include "tree/layer_index.h"

namespace llama::tree {

inline Entry File(std::string_view bytes, bool executable = false) {
  return {EntryType::kFile, executable, bytes.size(), store::Sha256(bytes), {}};
}
inline Entry Link(std::string target) {
  return {EntryType::kSymlink, false, 0, {}, std::move(target)};
}
inline Entry Dir() { return {EntryType::kDir, false, 0, {}, {}}; }
inline Entry Absent() { return {EntryType::kAbsent, false, 0, {}, {}}; }

// Contents by digest: a BlobSource of what it was told.
class MapSource final : public BlobSource {
 public:
  void Know(std::string_view bytes) { blobs_[store::Sha256(bytes)] = bytes; }
  Result<std::string> Read(const std::string& path, const Entry& entry) override {
    ++reads_;
    const auto it = blobs_.find(entry.digest);
    if (it == blobs_.end()) return Error{Code::kNotFound, path};
    return it->second;
  }
  int reads() const { return reads_; }

 private:
  std::map<store::Digest, std::string> blobs_;
  int reads_ = 0;
};

// A sink that keeps what it gets.
class MapSink final : public BlobSink {
 public:
  bool Wants(const store::Digest& digest) override { return !unwanted_.contains(digest); }
  Result<void> Put(const store::Digest& digest, std::string_view bytes) override {
    EXPECT_EQ(store::Sha256(bytes), digest);
    EXPECT_TRUE(blobs_.emplace(digest, bytes).second);
    return {};
  }
  void Refuse(std::string_view bytes) { unwanted_[store::Sha256(bytes)] = true; }
  const std::map<store::Digest, std::string>& blobs() const { return blobs_; }

 private:
  std::map<store::Digest, std::string> blobs_;
  std::map<store::Digest, bool> unwanted_;
};

// What a test says of a path: File("bytes") and its like, with the bytes.
struct Item {
  std::string path;
  Entry entry;
  std::string bytes;
};
inline Item F(std::string path, std::string bytes, bool executable = false) {
  Entry entry = File(bytes, executable);
  return {std::move(path), std::move(entry), std::move(bytes)};
}
inline Item L(std::string path, std::string target) {
  return {std::move(path), Link(std::move(target)), {}};
}
inline Item D(std::string path) { return {std::move(path), Dir(), {}}; }
inline Item Gone(std::string path) { return {std::move(path), Absent(), {}}; }

inline LayerObject MakeLayer(const std::vector<Item>& items) {
  Manifest manifest;
  MapSource source;
  for (const Item& item : items) {
    manifest[item.path] = item.entry;
    source.Know(item.bytes);
  }
  Result<LayerObject> layer = BuildLayer(manifest, source);
  EXPECT_TRUE(layer) << layer.error().message;
  return *std::move(layer);
}

inline LayerRef PutLayer(store::ObjectStore& store, const std::vector<Item>& items) {
  const LayerObject layer = MakeLayer(items);
  EXPECT_TRUE(store.Put(layer.key, layer.bytes, {.if_absent = false}));
  return {layer.key, layer.bytes.size()};
}

}  // namespace llama::tree
