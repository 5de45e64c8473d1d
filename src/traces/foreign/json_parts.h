// JsonParts: the elements of a JSON array, or the members of an object, one after the other and as
// text. Where a value ends is found by counting brackets outside of strings; nothing is parsed and
// nothing is checked, which whoever parses a part does. So a document is read part by part in
// bounded memory, and a broken part costs no other.
#pragma once

#include <string_view>

namespace llama::traces {

class JsonParts {
 public:
  // Of text that begins with its bracket, but for blanks; anything else has no parts.
  explicit JsonParts(std::string_view text);

  // Goes to the next part. False at the end. Of a text that is cut off the last part may be, too.
  bool Next();
  // As it stands between the quotes; of elements "".
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  // Known at the end: the closing bracket is missing.
  bool is_cut_off() const { return cut_off_; }
  // Behind the closing bracket.
  std::string_view rest() const { return rest_; }

 private:
  bool End(bool cut_off);

  std::string_view rest_;
  std::string_view key_;
  std::string_view value_;
  char close_ = 0;  // 0: at the end
  bool cut_off_ = false;
};

std::string_view WithoutLeadingBlanks(std::string_view text);

// Of an object: the value of the first member called so; empty if there is none.
std::string_view JsonMember(std::string_view object, std::string_view key);
// Of a string without escapes: what is between the quotes; empty for anything else.
std::string_view JsonPlainString(std::string_view value);

}  // namespace llama::traces
