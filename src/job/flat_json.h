// FlatJson: reads one JSON object whose members matter only at its top level, from anybody. No
// library: the worker is to be small, and a member may hold megabytes of base64, which is not
// copied. Nested values are checked and skipped.
//
// Views into the text: it must outlive the object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace llama::job {

class FlatJson {
 public:
  // RFC 8259, an object and nothing after it; kInvalid otherwise, or nested more than 64 deep, or
  // with more than 256 members, or with the same one twice.
  static Result<FlatJson> Parse(std::string_view text);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  // Nothing: no such member, or one of another type, or an integer beyond its range.
  std::optional<std::string> String(std::string_view name) const;
  std::optional<int64_t> Int(std::string_view name) const;
  std::optional<bool> Bool(std::string_view name) const;
  // A string's bytes as they stand between the quotes, if no escape is among them.
  std::optional<std::string_view> PlainString(std::string_view name) const;

 private:
  struct Member {
    std::string name;
    std::string_view value;  // its text, quotes included
  };
  const std::string_view* Find(std::string_view name) const;
  std::vector<Member> members_;
};

}  // namespace llama::job
