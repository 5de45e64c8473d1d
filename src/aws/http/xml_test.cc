#include "aws/http/xml.h"

#include <gtest/gtest.h>

namespace llama::aws {
namespace {

TEST(Xml, ReadsElementsTextAndEntities) {
  const auto root = ParseXml(
      "<?xml version=\"1.0\"?><!-- c --><s3:R xmlns:s3=\"u\" a=\"b\"><Key>a&amp;&#x41;&lt;</Key>"
      "<Empty/><Cdata><![CDATA[<x>]]></Cdata><Key>second</Key></s3:R>");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->name, "R");
  EXPECT_EQ(root->Text("Key"), "a&A<");
  EXPECT_EQ(root->Text("Empty"), "");
  EXPECT_EQ(root->Text("Cdata"), "<x>");
  EXPECT_EQ(root->Find("None"), nullptr);
  EXPECT_EQ(root->children.size(), 4u);
}

TEST(Xml, RefusesWhatIsNone) {
  for (const char* text : {"", "   ", "{}", "<a>", "<a></b>", "</a>", "<", "<a b></a>"}) {
    EXPECT_FALSE(ParseXml(text)) << text;
  }
}

TEST(Xml, HostileDocumentsCostNoMoreThanTheirSize) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_FALSE(ParseXml(deep));
  for (int i = 0; i < 100'000; ++i) deep += "</a>";
  EXPECT_FALSE(ParseXml(deep));
  const auto bomb = ParseXml(
      "<!DOCTYPE r [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">"
      "<!ENTITY f SYSTEM \"file:///etc/passwd\">]><r>&b;&f;</r>");
  if (bomb) {
    EXPECT_EQ(bomb->text, "&b;&f;");
  }
}

TEST(Xml, EscapedTextComesBack) {
  std::string text = "a&b<c>\"'\t\r\nü";
  const auto root = ParseXml("<r>" + XmlEscape(text) + "</r>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->text, text);
}

TEST(Xml, FindsTheErrorInEitherDialect) {
  EXPECT_EQ(ParseXmlError("<Error><Code>A</Code><Region>r</Region></Error>").region, "r");
  EXPECT_EQ(ParseXmlError("<ErrorResponse><Error><Code>B</Code></Error></ErrorResponse>").code,
            "B");
  EXPECT_EQ(ParseXmlError("<ListBucketResult/>").code, "");
  EXPECT_EQ(ParseXmlError("oops").code, "");
}

}  // namespace
}  // namespace llama::aws
