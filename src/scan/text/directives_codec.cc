#include "scan/text/directives_codec.h"

#include <utility>

#include "base/codec.h"
#include "base/fixed_width.h"

namespace llama::scan {
namespace {

// Flags.
constexpr uint64_t kMentionsTimestamp = 1;
constexpr uint64_t kWrapsHasInclude = 2;

constexpr size_t kHashBytes = 8;

void PutNames(Encoder& out, const std::vector<uint32_t>& names) {
  out.Uint(names.size());
  uint32_t last = 0;
  for (const uint32_t name : names) out.Uint(name - std::exchange(last, name));
}

std::vector<uint32_t> TakeNames(Decoder& in) {
  const uint64_t count = in.Count();
  std::vector<uint32_t> names;
  names.reserve(count);
  uint64_t last = 0;
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    const uint64_t more = in.Uint32();
    last += more;
    // Ascending: they are searched by halves.
    if (last > UINT32_MAX || (more == 0 && i > 0)) in.Fail();
    names.push_back(static_cast<uint32_t>(last));
  }
  return names;
}

Reference TakeReference(Decoder& in) {
  Reference reference;
  const uint64_t kind = in.Uint();
  const uint64_t spelling = in.Uint();
  if (kind > static_cast<uint64_t>(ReferenceKind::kConditionCall) ||
      spelling > static_cast<uint64_t>(Spelling::kComputed)) {
    in.Fail();
  }
  reference.kind = static_cast<ReferenceKind>(kind);
  reference.spelling = static_cast<Spelling>(spelling);
  reference.name = in.String();
  return reference;
}

}  // namespace

std::string EncodeDirectives(const Directives& directives) {
  // By all of its members' number: one more does not compile until it is encoded.
  const auto& [references, defined_names, undefined_names, line_names, mentions_timestamp,
               wraps_has_include, hash] = directives;
  Encoder out;
  out.Uint(references.size());
  for (const Reference& reference : references) {
    out.Uint(static_cast<uint64_t>(reference.kind));
    out.Uint(static_cast<uint64_t>(reference.spelling));
    out.Bytes(reference.name);
  }
  PutNames(out, defined_names);
  PutNames(out, undefined_names);
  out.Strings(line_names);
  out.Uint((mentions_timestamp ? kMentionsTimestamp : 0) |
           (wraps_has_include ? kWrapsHasInclude : 0));
  std::string bytes;
  PutFixed(bytes, hash, kHashBytes);
  out.Raw(bytes);
  return out.Take();
}

std::optional<Directives> DecodeDirectives(std::string_view bytes) {
  Decoder in(bytes);
  Directives out;
  const uint64_t references = in.Count(3);
  out.references.reserve(references);
  for (uint64_t i = 0; i < references && in.ok(); ++i) out.references.push_back(TakeReference(in));
  out.defined_names = TakeNames(in);
  out.undefined_names = TakeNames(in);
  out.line_names = in.Strings();
  const uint64_t flags = in.Uint();
  if (flags > (kMentionsTimestamp | kWrapsHasInclude)) in.Fail();
  out.mentions_timestamp = (flags & kMentionsTimestamp) != 0;
  out.wraps_has_include = (flags & kWrapsHasInclude) != 0;
  const std::string_view hash = in.Raw(kHashBytes);
  out.hash = GetFixed(hash, 0, hash.size());
  if (!in.Done()) return std::nullopt;
  return out;
}

}  // namespace llama::scan
