#include "scan/text/directives_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace llama::scan {
namespace {

void ExpectSame(const Directives& a, const Directives& b) {
  EXPECT_EQ(a.references, b.references);
  EXPECT_EQ(a.defined_names, b.defined_names);
  EXPECT_EQ(a.undefined_names, b.undefined_names);
  EXPECT_EQ(a.line_names, b.line_names);
  EXPECT_EQ(a.mentions_timestamp, b.mentions_timestamp);
  EXPECT_EQ(a.wraps_has_include, b.wraps_has_include);
  EXPECT_EQ(a.hash, b.hash);
}

Directives Sample() {
  return {{{ReferenceKind::kInclude, Spelling::kQuoted, "a.h"},
           {ReferenceKind::kConditionCall, Spelling::kComputed, std::string("F(\0X)", 5)}},
          {0, 1, 0x80000000, UINT32_MAX},
          {7},
          {"/a", ""},
          true,
          false,
          0xfedcba9876543210};
}

TEST(DirectivesCodecTest, GivesBackWhatItWasGiven) {
  Directives other = Sample();
  other.mentions_timestamp = false;
  other.wraps_has_include = true;
  const Directives read = ReadDirectives(
      "#include <a>\n#include_next \"b\"\n#include C(d)\n#define E __TIMESTAMP__\n#define F\n"
      "#define G(x) __has_include(x)\n#undef F\n#if __has_include(\"h\") && G(<i>)\n#line 1 "
      "\"/j\"\n"
      "asm(\".incbin \\\"k\\\"\");\nimport l;\n");
  ASSERT_TRUE(read.references.size() > 5 && read.mentions_timestamp && read.wraps_has_include &&
              read.line_names.size() == 1 && read.defined_names.size() == 3 &&
              read.undefined_names.size() == 1);
  for (const Directives& directives : {Directives(), Sample(), other, read}) {
    const auto decoded = DecodeDirectives(EncodeDirectives(directives));
    ASSERT_TRUE(decoded);
    ExpectSame(*decoded, directives);
  }
}

TEST(DirectivesCodecTest, RefusesWhatIsTooShortOrTooLong) {
  const std::string whole = EncodeDirectives(Sample());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(DecodeDirectives(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(DecodeDirectives(whole + '\0'));
}

TEST(DirectivesCodecTest, RefusesWhatNoScannerWrites) {
  const std::string hash(8, '\0');
  const auto bytes = [&](const std::string& begin) { return begin + hash; };
  using std::string_literals::operator""s;
  EXPECT_TRUE(DecodeDirectives(bytes("\0\0\0\0\0"s)));
  EXPECT_TRUE(DecodeDirectives(bytes("\1\x0b\2\0\0\0\0\0"s)));
  EXPECT_FALSE(DecodeDirectives(bytes("\1\x0c\2\0\0\0\0\0"s))) << "a kind";
  EXPECT_FALSE(DecodeDirectives(bytes("\1\x0b\3\0\0\0\0\0"s))) << "a spelling";
  EXPECT_FALSE(DecodeDirectives(bytes("\0\0\0\0\4"s))) << "flags";
  EXPECT_TRUE(DecodeDirectives(bytes("\0\2\5\1\0\0\0"s)));
  EXPECT_FALSE(DecodeDirectives(bytes("\0\2\5\0\0\0\0"s))) << "a name twice";
  EXPECT_TRUE(DecodeDirectives(bytes("\0\0\2\5\1\0\0"s)));
  EXPECT_FALSE(DecodeDirectives(bytes("\0\0\2\5\0\0\0"s))) << "an undefined one twice";
  EXPECT_FALSE(DecodeDirectives(bytes("\0\2\xff\xff\xff\xff\x0f\1\0\0\0"s))) << "past 32 bits";
  EXPECT_FALSE(DecodeDirectives(bytes("\xff\xff\xff\xff\x0f\0\0\0"s))) << "too many";
}

}  // namespace
}  // namespace llama::scan
