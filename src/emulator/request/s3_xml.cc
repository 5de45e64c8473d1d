#include "emulator/request/s3_xml.h"

#include <array>
#include <cstdio>
#include <cstring>
#include <pugixml.hpp>

#include "emulator/request/s3_error.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr size_t kMaxDeletes = 1000;
constexpr size_t kMaxParts = 10'000;

Result<void> Load(pugi::xml_document& document, std::string_view xml) {
  // Keys may be all blanks.
  const unsigned options = (pugi::parse_default | pugi::parse_ws_pcdata_single) & ~pugi::parse_eol;
  if (!document.load_buffer(xml.data(), xml.size(), options)) {
    return S3Failure("MalformedXML", "the body is no well-formed XML");
  }
  return {};
}

// Names come with a namespace's prefix from some clients.
bool IsNamed(const pugi::xml_node& node, std::string_view name) {
  std::string_view own = node.name();
  if (const size_t colon = own.rfind(':'); colon != std::string_view::npos) {
    own.remove_prefix(colon + 1);
  }
  return own == name;
}

std::string ChildText(const pugi::xml_node& node, std::string_view name) {
  for (const pugi::xml_node child : node.children()) {
    if (IsNamed(child, name)) return child.text().get();
  }
  return {};
}

Result<pugi::xml_node> Root(const pugi::xml_document& document, std::string_view name) {
  const pugi::xml_node root = document.document_element();
  if (!IsNamed(root, name)) {
    return S3Failure("MalformedXML", "the body is no <" + std::string(name) + ">");
  }
  return root;
}

void AppendEscaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // A parser would make a newline of a bare carriage return.
        if (static_cast<unsigned char>(c) < 0x20) {
          out += "&#" + std::to_string(static_cast<int>(c)) + ";";
        } else {
          out += c;
        }
    }
  }
}

}  // namespace

XmlWriter::XmlWriter() : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}

XmlWriter& XmlWriter::Open(std::string_view name, bool root) {
  out_.append("<").append(name);
  if (root) out_.append(" xmlns=\"").append(kS3Namespace).append("\"");
  out_ += ">";
  return *this;
}

XmlWriter& XmlWriter::Close(std::string_view name) {
  out_.append("</").append(name).append(">");
  return *this;
}

XmlWriter& XmlWriter::Text(std::string_view name, std::string_view text) {
  Open(name);
  AppendEscaped(out_, text);
  return Close(name);
}

XmlWriter& XmlWriter::Number(std::string_view name, uint64_t value) {
  return Text(name, std::to_string(value));
}

XmlWriter& XmlWriter::Bool(std::string_view name, bool value) {
  return Text(name, value ? "true" : "false");
}

Result<DeleteRequest> ReadDelete(std::string_view xml) {
  pugi::xml_document document;
  TRY(Load(document, xml));
  ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, "Delete"));
  DeleteRequest request;
  request.quiet = TrimSpace(ChildText(root, "Quiet")) == "true";
  for (const pugi::xml_node child : root.children()) {
    if (!IsNamed(child, "Object")) continue;
    request.keys.push_back(ChildText(child, "Key"));
    if (request.keys.back().empty()) return S3Failure("MalformedXML", "an <Object> without a key");
    if (request.keys.size() > kMaxDeletes) return S3Failure("MalformedXML", "too many keys");
  }
  if (request.keys.empty()) return S3Failure("MalformedXML", "no keys");
  return request;
}

Result<std::vector<CompletedPart>> ReadComplete(std::string_view xml) {
  pugi::xml_document document;
  TRY(Load(document, xml));
  ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, "CompleteMultipartUpload"));
  std::vector<CompletedPart> parts;
  for (const pugi::xml_node child : root.children()) {
    if (!IsNamed(child, "Part")) continue;
    CompletedPart part;
    const std::optional<uint64_t> number = ParseUint(TrimSpace(ChildText(child, "PartNumber")));
    if (!number) return S3Failure("MalformedXML", "a <Part> without a number");
    part.number = *number;
    part.etag = Unquoted(TrimSpace(ChildText(child, "ETag")));
    for (const pugi::xml_node member : child.children()) {
      const std::string_view name = member.name();
      if (!name.starts_with("Checksum")) continue;
      part.checksums.emplace_back("x-amz-checksum-" + LowerCase(name.substr(8)),
                                  TrimSpace(member.text().get()));
    }
    parts.push_back(std::move(part));
    if (parts.size() > kMaxParts) return S3Failure("MalformedXML", "too many parts");
  }
  if (parts.empty()) return S3Failure("MalformedXML", "no parts");
  return parts;
}

Result<std::string> ReadLocation(std::string_view xml) {
  if (TrimSpace(xml).empty()) return std::string();
  pugi::xml_document document;
  TRY(Load(document, xml));
  ASSIGN_OR_RETURN(const pugi::xml_node root, Root(document, "CreateBucketConfiguration"));
  return std::string(TrimSpace(ChildText(root, "LocationConstraint")));
}

Result<void> CheckXml(std::string_view xml) {
  pugi::xml_document document;
  return Load(document, xml);
}

std::string_view Unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

}  // namespace llama::emulator
