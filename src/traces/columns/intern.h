// StringPool: every string of a set of traces, each once. Names, the text of fields and keys are
// ids into one pool, so that grouping and joining compare integers.
//
// Not thread-safe while strings are added; after that any thread may read.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "traces/columns/big_vector.h"

namespace llama::traces {

using StringId = uint32_t;  // 0 is ""

class StringPool {
 public:
  StringPool();
  StringPool(const StringPool&) = delete;
  StringPool& operator=(const StringPool&) = delete;

  // The id of `text`, which is copied if it is new. A view from the pool is valid as long as it.
  StringId Add(std::string_view text);
  // Adds without looking whether it is there already: for a file's strings, which are distinct.
  // `text` must live as long as the pool (see Keep).
  StringId AddDistinct(std::string_view text);
  // Takes over memory that strings given to AddDistinct lie in.
  void Keep(BigVector<char> memory) { chunks_.push_back(std::move(memory)); }
  // Takes over all strings of another pool, whose id i becomes the i-th of the result.
  std::vector<StringId> TakeOver(StringPool&& other);
  std::optional<StringId> Find(std::string_view text) const;

  std::string_view operator[](StringId id) const { return texts_[id]; }
  size_t size() const { return texts_.size(); }
  uint64_t bytes() const { return bytes_; }
  void Reserve(size_t strings) { texts_.reserve(strings); }

 private:
  struct Slot {
    uint32_t tag = 0;      // of the hash
    uint32_t id_plus = 0;  // id + 1; 0: free
  };

  StringId Insert(std::string_view text, bool copy);
  std::string_view Copy(std::string_view text);
  void IndexAll() const;
  void Grow(size_t strings) const;
  // Where `text` is, or the free slot where it would be.
  size_t Probe(std::string_view text, uint32_t tag) const;
  uint32_t Tag(std::string_view text) const;

  const uint64_t seed_;  // so that nobody can choose strings that collide
  BigVector<std::string_view> texts_;
  std::vector<BigVector<char>> chunks_;  // never grow
  size_t open_ = SIZE_MAX;               // the chunk that has room; SIZE_MAX: none
  size_t chunk_bytes_ = 4096;            // of the next
  uint64_t bytes_ = 0;

  // Open addressing. A pool that came from a file is often read by id alone, so this is built when
  // it is first asked for.
  mutable std::mutex index_mutex_;  // for Find, which any thread may call
  mutable BigVector<Slot> slots_;
  mutable size_t indexed_ = 0;  // strings that are in slots_
};

}  // namespace llama::traces
