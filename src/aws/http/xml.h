// XML as S3, STS and IAM speak it: a tree of elements, read once and looked at. Attributes,
// namespaces, comments and processing instructions are not kept; no entity but XML's own five and
// character references is known, so that a hostile document can't make more of itself.
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::aws {

struct XmlElement {
  std::string name;  // without a namespace's prefix
  std::string text;  // its own, without that of its children
  std::vector<XmlElement> children;

  // The first child of that name, or nullptr.
  const XmlElement* Find(std::string_view child) const;
  // The text of the first child of that name; empty if there is none.
  std::string_view Text(std::string_view child) const;
};

// The root element. kInvalid: not XML, or nested deeper than any answer of AWS's.
Result<XmlElement> ParseXml(std::string_view text);

// For the text of an element.
std::string XmlEscape(std::string_view text);

// What an answer that is no success says: S3's <Error>, or the <ErrorResponse><Error> of the query
// services (STS, IAM).
struct XmlError {
  std::string code;  // "NoSuchKey"; empty: the body is no such thing
  std::string message;
  std::string region;  // S3: where the bucket is, if that is what was wrong
};
XmlError ParseXmlError(std::string_view body);

}  // namespace llama::aws
