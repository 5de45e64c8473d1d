// Writing JSON: a string builder that knows escaping and commas, for traces, --json output and
// logs. (Reading is simdjson's work.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace llama {

// Appends `text` as a JSON string, quotes included. Bytes that are not UTF-8 become U+FFFD, so what
// comes out is valid JSON whatever a file name held.
void AppendJsonString(std::string& out, std::string_view text);

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginArray() { return Open('['); }
  JsonWriter& EndArray() { return Close(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Int(int64_t value);
  // Shortest form that reads back the same; NaN and infinities are null.
  JsonWriter& Double(double value);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // A value that is JSON already.
  JsonWriter& Raw(std::string_view json);

  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  JsonWriter& Open(char c);
  JsonWriter& Close(char c);
  void Comma();

  std::string out_;
  bool need_comma_ = false;
};

}  // namespace llama
