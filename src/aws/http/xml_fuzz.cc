// XML that answers hold: bounded by the text that it was read from, and the same when it is
// written and read again.
#include <algorithm>

#include "aws/http/xml.h"
#include "base/fuzz.h"

namespace llama::aws {
namespace {

// Whether a printer may write the name as it stands.
bool IsPlainName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

struct Size {
  size_t elements = 0;
  size_t text_bytes = 0;
  int depth = 0;
  bool is_plain = true;
};

void Measure(const XmlElement& element, int depth, Size& size) {
  ++size.elements;
  size.text_bytes += element.name.size() + element.text.size();
  size.depth = std::max(size.depth, depth);
  size.is_plain =
      size.is_plain && IsPlainName(element.name) && element.text.find('\0') == std::string::npos;
  for (const XmlElement& child : element.children) Measure(child, depth + 1, size);
}

void Print(const XmlElement& element, std::string& out) {
  out += "<" + element.name + ">" + XmlEscape(element.text);
  for (const XmlElement& child : element.children) Print(child, out);
  out += "</" + element.name + ">";
}

}  // namespace

FUZZ_TARGET(text) {
  (void)ParseXmlError(text);
  const Result<XmlElement> root = ParseXml(text);
  if (!root) return;
  Size size;
  Measure(*root, 0, size);
  CHECK(size.depth <= 32);
  CHECK(size.elements <= text.size() + 1 && size.text_bytes <= text.size());
  if (!size.is_plain) return;
  std::string printed;
  Print(*root, printed);
  const Result<XmlElement> again = ParseXml(printed);
  CHECK(again.has_value());
  std::string twice;
  Print(*again, twice);
  CHECK(twice == printed);
}

}  // namespace llama::aws
