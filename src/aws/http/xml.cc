#include "aws/http/xml.h"

#include <pugixml.hpp>
#include <utility>

namespace llama::aws {
namespace {

// AWS's answers have five levels at most.
constexpr int kMaxDepth = 32;

std::string_view LocalName(std::string_view name) { return name.substr(name.rfind(':') + 1); }

Result<XmlElement> Convert(const pugi::xml_node& node, int depth) {
  if (depth > kMaxDepth) return Error{Code::kInvalid, "XML nested too deep"};
  XmlElement out;
  out.name = LocalName(node.name());
  for (const pugi::xml_node& child : node.children()) {
    if (child.type() == pugi::node_element) {
      ASSIGN_OR_RETURN(XmlElement element, Convert(child, depth + 1));
      out.children.push_back(std::move(element));
    } else {
      out.text.append(child.value());
    }
  }
  return out;
}

}  // namespace

const XmlElement* XmlElement::Find(std::string_view child) const {
  for (const XmlElement& element : children) {
    if (element.name == child) return &element;
  }
  return nullptr;
}

std::string_view XmlElement::Text(std::string_view child) const {
  const XmlElement* element = Find(child);
  return element == nullptr ? std::string_view() : std::string_view(element->text);
}

Result<XmlElement> ParseXml(std::string_view text) {
  pugi::xml_document document;
  const pugi::xml_parse_result parsed = document.load_buffer(
      text.data(), text.size(),
      pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_ws_pcdata_single,
      pugi::encoding_utf8);
  if (!parsed) {
    return Error{Code::kInvalid, std::string("not XML: ") + parsed.description() + " at byte " +
                                     std::to_string(parsed.offset)};
  }
  return Convert(document.document_element(), 0);
}

std::string XmlEscape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '"':
        out.append("&quot;");
        break;
      case '\'':
        out.append("&apos;");
        break;
      default:
        // What XML can't hold as it is, or a parser would change.
        if (static_cast<unsigned char>(c) < 0x20) {
          out.append("&#").append(std::to_string(static_cast<int>(c))).append(";");
        } else {
          out.push_back(c);
        }
    }
  }
  return out;
}

XmlError ParseXmlError(std::string_view body) {
  const Result<XmlElement> root = ParseXml(body);
  if (!root) return {};
  const XmlElement* error = root->name == "Error" ? &*root : root->Find("Error");
  if (error == nullptr) return {};
  XmlError out;
  out.code = error->Text("Code");
  out.message = error->Text("Message");
  out.region = error->Text("Region");
  return out;
}

}  // namespace llama::aws
