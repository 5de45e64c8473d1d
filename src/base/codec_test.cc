#include "base/codec.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace llama {
namespace {

TEST(Codec, ReadsBackWhatItWrote) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{1} << 35,
                               std::numeric_limits<uint64_t>::max()}) {
    Encoder out;
    out.Uint(value);
    out.Int(static_cast<int64_t>(value));
    out.Bytes("x");
    out.Double(-0.25);
    out.Bool(true);
    Decoder in(out.str());
    EXPECT_EQ(in.Uint(), value);
    EXPECT_EQ(in.Int(), static_cast<int64_t>(value));
    EXPECT_EQ(in.Bytes(), "x");
    EXPECT_EQ(in.Double(), -0.25);
    EXPECT_TRUE(in.Bool());
    EXPECT_TRUE(in.Done());
  }
}

TEST(Codec, EveryTruncationFailsWithoutReadingOn) {
  Encoder out;
  out.Uint(300);
  out.Bytes("hello");
  out.Double(1.5);
  for (size_t size = 0; size < out.str().size(); ++size) {
    Decoder in(std::string_view(out.str()).substr(0, size));
    in.Uint();
    in.Bytes();
    in.Double();
    EXPECT_FALSE(in.ok()) << size;
  }
}

TEST(Codec, RefusesVarintsThatOverflow) {
  const std::string nine(9, '\xff');
  const std::string largest = nine + '\x01';
  const std::string one_more = nine + '\x02';
  const std::string endless_bytes(20, '\x80');
  Decoder max(largest);
  EXPECT_EQ(max.Uint(), std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(max.ok());
  Decoder over(one_more);
  over.Uint();
  EXPECT_FALSE(over.ok());
  Decoder endless(endless_bytes);
  endless.Uint();
  EXPECT_FALSE(endless.ok());
}

TEST(Codec, SortedStringsComeBackInFewerBytes) {
  const std::vector<std::string> paths = {"", "/usr/include/a.h", "/usr/include/a.hpp",
                                          "/usr/include/b.h", "/var"};
  Encoder out;
  out.SortedStrings(paths);
  EXPECT_LT(out.str().size(), 40u);
  Decoder in(out.str());
  EXPECT_EQ(in.SortedStrings(), paths);
  EXPECT_TRUE(in.Done());
  // More shared than there was before it.
  Decoder first(std::string_view("\1\1\0", 3));
  first.SortedStrings();
  EXPECT_FALSE(first.ok());
  // Each twice as long as what it took to say so, a million times.
  Encoder bomb;
  bomb.Uint(1'000'000);
  bomb.Uint(0);
  bomb.Bytes(std::string(100'000, 'x'));
  for (int i = 1; i < 1'000'000; ++i) {
    bomb.Uint(100'000);
    bomb.Bytes("");
  }
  Decoder many(bomb.str());
  many.SortedStrings();
  EXPECT_FALSE(many.ok());
}

TEST(Codec, ASmallMessageMayNotTakeMuchRoom) {
  // Three million empty strings of a byte each would be a hundred megabytes.
  std::string empty(3'000'000, '\0');
  Encoder count;
  count.Uint(empty.size());
  Decoder strings(empty.insert(0, count.str()));
  EXPECT_TRUE(strings.Strings().empty());
  EXPECT_FALSE(strings.ok());
  Decoder elements(empty);
  EXPECT_EQ(elements.Count(1, 100), 0u);
  EXPECT_FALSE(elements.ok());
  // What a message has itself always has room.
  Encoder whole;
  whole.Bytes(std::string(100 << 20, 'x'));
  Decoder large(whole.str());
  EXPECT_EQ(large.String().size(), size_t{100} << 20);
  EXPECT_TRUE(large.Done());
}

TEST(Codec, CountIsBoundedByWhatIsLeft) {
  Encoder out;
  out.Uint(1'000'000);
  out.Raw("abc");
  Decoder in(out.str());
  EXPECT_EQ(in.Count(), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Codec, StaysFailed) {
  Decoder in(
      std::string_view("\x05"
                       "ab",
                       3));
  EXPECT_EQ(in.Bytes(), "");
  EXPECT_EQ(in.Uint(), 0u);
  EXPECT_FALSE(in.Done());
}

}  // namespace
}  // namespace llama
