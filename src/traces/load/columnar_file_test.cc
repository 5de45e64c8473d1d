#include "traces/load/columnar_file.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "traces/columns/testing.h"
#include "traces/load/column_codec.h"
#include "traces/load/loader.h"
#include "traces/load/trace_loader.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

std::unique_ptr<Table> Read(const std::string& text) { return LoadTextTable(text); }

TEST(ColumnarFileTest, GivesBackWhatWasWritten) {
  for (const int compiles : {0, 1, 2, 300}) {
    const auto table = Read(MixedTrace(compiles));
    const SourceStamp stamp{1, 2, 3};
    auto decoded = DecodeColumnar(EncodeColumnar(*table, stamp), stamp);
    ASSERT_TRUE(decoded) << decoded.error().message;
    const Columns a = LoadText(MixedTrace(compiles));
    CompleteTree(**decoded);
    const Columns b(std::move(*decoded));
    ASSERT_EQ(a.size(), b.size());
    ASSERT_EQ(a.field_count(), b.field_count());
    for (Row row = 0; row < a.size(); ++row) {
      EXPECT_EQ(a.traces()[a.trace()[row]], b.traces()[b.trace()[row]]);
      EXPECT_EQ(a.span_id()[row], b.span_id()[row]);
      EXPECT_EQ(a.parent_id()[row], b.parent_id()[row]);
      EXPECT_EQ(a.parent()[row], b.parent()[row]);
      EXPECT_EQ(a.text(a.name()[row]), b.text(b.name()[row]));
      EXPECT_EQ(a.start_ns()[row], b.start_ns()[row]);
      EXPECT_EQ(a.raw_start_ns(row), b.raw_start_ns(row));
      EXPECT_EQ(a.duration_ns()[row], b.duration_ns()[row]);
      EXPECT_EQ(a.self_ns()[row], b.self_ns()[row]);
      EXPECT_EQ(a.build()[row], b.build()[row]);
      EXPECT_EQ(a.PathText(a.path()[row]), b.PathText(b.path()[row]));
      EXPECT_EQ(FieldsOf(a, row), FieldsOf(b, row));
    }
    for (FieldId id = 0; id < a.field_count(); ++id) {
      EXPECT_EQ(a.field_name(id), b.field_name(id));
      EXPECT_EQ(a.field_kinds(id).bits(), b.field_kinds(id).bits());
      EXPECT_EQ(a.field_values(id), b.field(id).size());
    }
    EXPECT_EQ(a.worker_clocks().size(), b.worker_clocks().size());
    EXPECT_EQ(b.report().malformed, 1u);
    EXPECT_EQ(b.report().cyclic, a.report().cyclic);
    EXPECT_EQ(b.report().orphans, a.report().orphans);
    EXPECT_EQ(b.report().examples, a.report().examples);
    EXPECT_EQ(b.report().cached_files, 1u);
  }
}

TEST(ColumnarFileTest, OfAnotherStateOfTheTraceIsStale) {
  const std::string file = EncodeColumnar(*Read(MixedTrace(2)), {1, 2, 3});
  for (const SourceStamp& stamp :
       {SourceStamp{2, 2, 3}, SourceStamp{1, 3, 3}, SourceStamp{1, 2, 4}}) {
    const auto decoded = DecodeColumnar(file, stamp);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Code::kNotFound);
  }
}

TEST(ColumnarFileTest, AnyDamageIsNoticed) {
  const std::string good = EncodeColumnar(*Read(MixedTrace(2)), {});
  ASSERT_TRUE(DecodeColumnar(good, {}));
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1 << i % 8);
    EXPECT_FALSE(DecodeColumnar(bad, {})) << i;
    EXPECT_FALSE(DecodeColumnar(good.substr(0, i), {})) << i;
  }
}

TEST(ColumnCodecTest, IntegersOfAnyWidth) {
  for (const uint64_t top :
       {uint64_t{0}, uint64_t{1}, uint64_t{255}, uint64_t{256}, uint64_t{1} << 40, UINT64_MAX}) {
    std::vector<uint64_t> values;
    for (uint64_t i = 0; i < 3000; ++i) values.push_back(i % 7 == 0 ? top : i % (top / 2 + 1));
    std::string file;
    const Section section = SectionWriter(file).Integers(values);
    BigVector<uint64_t> read;
    ASSERT_TRUE(SectionReader(file).Integers(section, values.size(), read));
    EXPECT_TRUE(std::equal(values.begin(), values.end(), read.begin(), read.end()));
  }
}

TEST(ColumnCodecTest, ZigzagIsItsOwnInverse) {
  for (const int64_t v : {int64_t{0}, int64_t{-1}, int64_t{1}, INT64_MAX, INT64_MIN}) {
    EXPECT_EQ(Unzigzag(Zigzag(v)), v);
  }
  EXPECT_EQ(Zigzag(-1), 1u);
  EXPECT_EQ(Zigzag(1), 2u);
}

}  // namespace
}  // namespace llama::traces
