#include "exports/io/json_writer.h"

#include <algorithm>
#include <cmath>

#include "base/text/json.h"

namespace llama::exports {

void AppendDouble(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end.ptr);
}

void AppendDecimal(std::string& out, int64_t ns, int digits) {
  uint64_t left = static_cast<uint64_t>(ns);
  if (ns < 0) {
    out.push_back('-');
    left = 0 - left;
  }
  uint64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  AppendInt(out, left / unit);
  left %= unit;
  if (left == 0) return;
  out.push_back('.');
  for (unit /= 10; left > 0; unit /= 10) {
    out.push_back(static_cast<char>('0' + left / unit));
    left %= unit;
  }
}

void AppendHex(std::string& out, uint64_t value, int digits) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out.push_back(kDigits[value >> shift & 15]);
  }
}

void AppendHex(std::string& out, trace::TraceId id) {
  AppendHex(out, id.high);
  AppendHex(out, id.low);
}

FieldKeys::FieldKeys(const traces::Columns& columns,
                     std::initializer_list<std::string_view> taken) {
  for (traces::FieldId id = 0; id < columns.field_count(); ++id) {
    std::string name(columns.field_name(id));
    if (std::find(taken.begin(), taken.end(), name) != taken.end()) {
      do {
        name.insert(0, "field.");
      } while (columns.FindField(name));
    }
    std::string key;
    AppendJsonString(key, name);
    keys_.push_back(std::move(key.append(":")));
  }
}

void AppendValue(std::string& out, const traces::Columns& columns, traces::Value value) {
  switch (value.kind) {
    case traces::Kind::kNull:
      out += "null";
      return;
    case traces::Kind::kBool:
      out += value.as_bool() ? "true" : "false";
      return;
    case traces::Kind::kInt:
      AppendInt(out, value.as_int());
      return;
    case traces::Kind::kDouble:
      AppendDouble(out, value.as_double());
      return;
    case traces::Kind::kString:
      AppendJsonString(out, columns.text(value.as_string()));
      return;
    case traces::Kind::kJson:
      out += columns.text(value.as_string());
      return;
  }
}

bool AppendFields(std::string& out, const traces::Columns& columns, const FieldKeys& keys,
                  traces::Row row) {
  bool any = false;
  for (const traces::FieldId id : columns.fields_of(row)) {
    const auto value = columns.field(id).At(row);
    if (!value) continue;  // of a columnar file that could not be decoded
    if (any) out.push_back(',');
    any = true;
    out += keys[id];
    AppendValue(out, columns, *value);
  }
  return any;
}

}  // namespace llama::exports
