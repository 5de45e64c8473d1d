#include "traces/columns/intern.h"

#include <algorithm>

#include "base/hash.h"
#include "trace/span.h"

namespace llama::traces {
namespace {

constexpr size_t kMaxChunkBytes = size_t{8} << 20;
constexpr size_t kFirstSlots = 1024;

}  // namespace

StringPool::StringPool() : seed_(trace::NewSpanId()) { Add(""); }

StringId StringPool::Add(std::string_view text) { return Insert(text, true); }

StringId StringPool::Insert(std::string_view text, bool copy) {
  IndexAll();
  const uint32_t tag = Tag(text);
  const size_t slot = Probe(text, tag);
  if (slots_[slot].id_plus != 0) return slots_[slot].id_plus - 1;
  texts_.push_back(copy ? Copy(text) : text);
  bytes_ += text.size();
  slots_[slot] = {tag, static_cast<uint32_t>(texts_.size())};
  indexed_ = texts_.size();
  return static_cast<StringId>(texts_.size() - 1);
}

std::vector<StringId> StringPool::TakeOver(StringPool&& other) {
  const size_t had = texts_.size();
  const uint64_t had_bytes = bytes_;
  std::vector<StringId> ids;
  ids.reserve(other.size());
  for (const std::string_view text : other.texts_) ids.push_back(Insert(text, false));
  if ((bytes_ - had_bytes) * 2 > other.bytes_) {
    for (BigVector<char>& chunk : other.chunks_) chunks_.push_back(std::move(chunk));
  } else {
    // Builds of one project have most of their strings in common: not worth keeping its memory.
    for (size_t id = had; id < texts_.size(); ++id) texts_[id] = Copy(texts_[id]);
  }
  other.chunks_.clear();
  return ids;
}

StringId StringPool::AddDistinct(std::string_view text) {
  texts_.push_back(text);
  bytes_ += text.size();
  return static_cast<StringId>(texts_.size() - 1);
}

std::optional<StringId> StringPool::Find(std::string_view text) const {
  const std::lock_guard lock(index_mutex_);
  IndexAll();
  const Slot& slot = slots_[Probe(text, Tag(text))];
  if (slot.id_plus == 0) return std::nullopt;
  return slot.id_plus - 1;
}

std::string_view StringPool::Copy(std::string_view text) {
  if (text.empty()) return {};
  size_t chunk = open_;
  if (chunk == SIZE_MAX || text.size() > chunks_[chunk].capacity() - chunks_[chunk].size()) {
    // A long text gets one of its own: the open one stays in use.
    const bool own = text.size() > chunk_bytes_ / 4;
    chunk = chunks_.size();
    chunks_.emplace_back().reserve(own ? text.size() : chunk_bytes_);
    if (!own) {
      open_ = chunk;
      chunk_bytes_ = std::min(chunk_bytes_ * 2, kMaxChunkBytes);
    }
  }
  BigVector<char>& bytes = chunks_[chunk];
  const size_t at = bytes.size();
  bytes.insert(bytes.end(), text.begin(), text.end());
  return {bytes.data() + at, text.size()};
}

uint32_t StringPool::Tag(std::string_view text) const {
  return static_cast<uint32_t>(Hash(text, seed_) >> 32);
}

// Brings the index up to what there is, with room for one more.
void StringPool::IndexAll() const {
  Grow(texts_.size() + 1);
  for (; indexed_ < texts_.size(); ++indexed_) {
    const uint32_t tag = Tag(texts_[indexed_]);
    Slot& slot = slots_[Probe(texts_[indexed_], tag)];
    if (slot.id_plus == 0) slot = {tag, static_cast<uint32_t>(indexed_ + 1)};
  }
}

void StringPool::Grow(size_t strings) const {
  if (strings * 5 < slots_.size() * 3) return;
  size_t size = std::max(slots_.size(), kFirstSlots);
  while (strings * 5 >= size * 3) size *= 2;
  BigVector<Slot> old(size);
  old.swap(slots_);
  for (const Slot& slot : old) {
    if (slot.id_plus == 0) continue;
    size_t at = slot.tag & (size - 1);
    while (slots_[at].id_plus != 0) at = (at + 1) & (size - 1);
    slots_[at] = slot;
  }
}

size_t StringPool::Probe(std::string_view text, uint32_t tag) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = tag & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.id_plus == 0 || (slot.tag == tag && texts_[slot.id_plus - 1] == text)) return at;
  }
}

}  // namespace llama::traces
