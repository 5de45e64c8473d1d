// How MacroExpander numbers its tokens (Id): for its own sources.
#pragma once

#include <cstdint>
#include <vector>

#include "scan/text/tokens.h"

namespace llama::scan {

// An Id is the text's number above these.
inline constexpr uint32_t kKindMask = 3;
inline constexpr uint32_t kPainted = 4;
inline constexpr uint32_t kSpace = 8;
inline constexpr uint32_t kOwnSpace = 16;
inline constexpr uint32_t kEndOfBody = 32;     // the number is a body's
inline constexpr uint32_t kOneOfSeveral = 64;  // a name that stands for what its macro may be
inline constexpr uint32_t kTextShift = 8;

inline constexpr uint32_t kName = static_cast<uint32_t>(Token::Kind::kName);
inline constexpr uint32_t kLiteral = static_cast<uint32_t>(Token::Kind::kLiteral);
inline constexpr uint32_t kNumber = static_cast<uint32_t>(Token::Kind::kNumber);
inline constexpr uint32_t kOther = static_cast<uint32_t>(Token::Kind::kOther);

inline uint32_t TextIn(uint32_t id) { return id >> kTextShift; }
inline uint32_t KindOf(uint32_t id) { return id & kKindMask; }
inline bool IsEnd(uint32_t id) { return (id & kEndOfBody) != 0; }
inline bool IsOther(uint32_t id, uint32_t text) {
  return !IsEnd(id) && KindOf(id) == kOther && TextIn(id) == text;
}
inline bool IsSeveral(uint32_t id) { return (id & kOneOfSeveral) != 0; }
inline uint32_t WithSpace(uint32_t id, bool has_space) {
  return has_space ? id | kSpace : id & ~kSpace;
}

// All of `ids` that are `several`, as `one` of what it may be.
inline void BecomeOne(std::vector<uint32_t>& ids, uint32_t several, uint32_t one) {
  for (uint32_t& id : ids) {
    if (IsSeveral(id) && TextIn(id) == TextIn(several)) {
      id = WithSpace(one, (id & kSpace) != 0) | (id & kOwnSpace);
    }
  }
}

}  // namespace llama::scan
