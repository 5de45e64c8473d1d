// StringPool: every string of a set of traces, each once. Names, the text of fields and keys are
// ids into one pool, so that grouping and joining compare integers.
//
// Not thread-safe while strings are added; after that any thread may read.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace llama::report {

using StringId = uint32_t;  // 0 is ""

class StringPool {
 public:
  StringPool();
  StringPool(const StringPool&) = delete;
  StringPool& operator=(const StringPool&) = delete;

  // The id of `text`, which is copied if it is new. A view from the pool is valid as long as it.
  StringId Add(std::string_view text);
  // Adds without looking whether it is there already: for strings from a file that holds each
  // once. What is there twice compares unequal, which is all that can go wrong.
  StringId AddDistinct(std::string_view text);
  std::optional<StringId> Find(std::string_view text) const;

  std::string_view operator[](StringId id) const { return texts_[id]; }
  size_t size() const { return texts_.size(); }
  uint64_t bytes() const { return bytes_; }
  void Reserve(size_t strings, uint64_t bytes);

 private:
  std::string_view Copy(std::string_view text);
  void EnsureIndex() const;
  void Grow() const;
  size_t Slot(std::string_view text, uint32_t tag) const;

  std::vector<std::string_view> texts_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;
  size_t free_bytes_ = 0;
  uint64_t bytes_ = 0;

  // Open addressing: a slot is the upper half of the hash and the id + 1, or 0. Built when it is
  // first asked for; a pool that came from a file is often read by id alone.
  mutable std::mutex index_mutex_;
  mutable std::vector<uint64_t> slots_;
  mutable size_t indexed_ = 0;  // strings that are in slots_
};

}  // namespace llama::report
