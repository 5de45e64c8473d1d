// The parts of JSON documents that are written a million times.
#pragma once

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "traces/columns/columns.h"

namespace llama::exports {

template <typename Int>
void AppendInt(std::string& out, Int value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

// The shortest number that reads back the same; "null" for what is no number.
void AppendDouble(std::string& out, double value);

// `ns` as a decimal number of units of 10^`digits` ns, exactly: 1500 with 3 digits is "1.5".
void AppendDecimal(std::string& out, int64_t ns, int digits);

// `digits` lower-case hexadecimal digits.
void AppendHex(std::string& out, uint64_t value, int digits = 16);
void AppendHex(std::string& out, trace::TraceId id);

// The fields' names as JSON, escaped once for all. Those that the format uses itself get "field."
// before them, so that no key of an object comes twice.
class FieldKeys {
 public:
  explicit FieldKeys(const traces::Columns& columns,
                     std::initializer_list<std::string_view> taken = {});
  std::string_view operator[](traces::FieldId id) const { return keys_[id]; }  // "key":
  std::string_view Name(traces::FieldId id) const {                            // "key"
    return operator[](id).substr(0, keys_[id].size() - 1);
  }

 private:
  std::vector<std::string> keys_;
};

void AppendValue(std::string& out, const traces::Columns& columns, traces::Value value);

// "key":value,"key":value of all fields of a row; true if there was one.
bool AppendFields(std::string& out, const traces::Columns& columns, const FieldKeys& keys,
                  traces::Row row);

}  // namespace llama::exports
