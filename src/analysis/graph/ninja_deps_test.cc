#include "analysis/graph/ninja_deps.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace llama::analysis {
namespace {

class DepsWriter {
 public:
  explicit DepsWriter(uint32_t version) : version_(version) {
    bytes_ = "# ninjadeps\n";
    Word(version);
  }
  DepsWriter& Path(std::string path, uint32_t wrong_by = 0) {
    path.resize((path.size() + 3) / 4 * 4);
    Word(static_cast<uint32_t>(path.size() + 4));
    bytes_ += path;
    Word(~(paths_++) + wrong_by);
    return *this;
  }
  DepsWriter& Inputs(uint32_t output, const std::vector<uint32_t>& inputs) {
    const size_t time_words = version_ == 3 ? 1 : 2;
    Word(static_cast<uint32_t>((1 + time_words + inputs.size()) * 4) | (1u << 31));
    Word(output);
    for (size_t i = 0; i < time_words; ++i) Word(0);
    for (const uint32_t input : inputs) Word(input);
    return *this;
  }
  DepsWriter& Word(uint32_t word) {
    char bytes[sizeof word];
    std::memcpy(bytes, &word, sizeof word);
    bytes_.append(bytes, sizeof word);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  const uint32_t version_;
  uint32_t paths_ = 0;
  std::string bytes_;
};

// a.o and b.o are compiled, gen.h and x/conf.h are generated; the build file knows only of a.o's
// gen.h.
std::vector<GraphStep> Steps() {
  return {{"/out/a.o", {"/out/gen.h"}}, {"/out/b.o", {}}, {"/out/gen.h", {}}, {"/x/conf.h", {}}};
}

std::string With(const std::string& log) {
  auto steps = Steps();
  AddNinjaDeps(log, "/out", steps);
  std::string out;
  for (const GraphStep& step : steps) {
    out += step.output + ":";
    for (const std::string& input : step.inputs) out += " " + input;
    out += "\n";
  }
  return out;
}

constexpr char kBare[] = "/out/a.o: /out/gen.h\n/out/b.o:\n/out/gen.h:\n/x/conf.h:\n";
constexpr char kMore[] =
    "/out/a.o: /out/gen.h /x/conf.h\n/out/b.o: /out/gen.h\n/out/gen.h:\n/x/conf.h:\n";

DepsWriter Log(uint32_t version) {
  DepsWriter log(version);
  log.Path("a.o").Path("a.c").Path("gen.h").Path("/x/conf.h").Inputs(0, {1, 2, 3, 3});
  // Headers that nothing makes, and outputs that are no longer built, tell nothing.
  log.Path("b.o").Path("/usr/include/stdio.h").Path("gone.o").Inputs(6, {2, 3});
  log.Inputs(4, {3}).Inputs(4, {5, 2});  // the later one holds
  return log;
}

TEST(NinjaDeps, AddWhatCompilersRead) {
  EXPECT_EQ(With(Log(4).bytes()), kMore);
  EXPECT_EQ(With(Log(3).bytes()), kMore);
  EXPECT_EQ(With(Log(5).bytes()), kBare);
  EXPECT_EQ(With("# ninjadeps\n"), kBare);
  EXPECT_EQ(With(""), kBare);
}

TEST(NinjaDeps, EndWhereTheyMakeNoSense) {
  const auto log = [] { return DepsWriter(4).Path("b.o").Path("gen.h"); };
  ASSERT_NE(With(log().Inputs(0, {1}).bytes()), kBare);
  EXPECT_EQ(With(log().Path("c", 1).Inputs(0, {1}).bytes()), kBare);      // another number
  EXPECT_EQ(With(log().Word(0).Inputs(0, {1}).bytes()), kBare);           // a path of no bytes
  EXPECT_EQ(With(log().Word(0x7fffffff).Inputs(0, {1}).bytes()), kBare);  // longer than the file
  EXPECT_EQ(With(log().Word(1u << 31).Inputs(0, {1}).bytes()), kBare);    // inputs of nothing
  EXPECT_EQ(With(log().Inputs(7, {1}).Inputs(0, {1}).bytes()), kBare);    // of a path to come
  // Inputs without a path are left out; that of the output itself, too.
  EXPECT_EQ(With(log().Inputs(0, {0, 7, UINT32_MAX}).bytes()), kBare);
}

TEST(NinjaDeps, AreReadAsFarAsTheyGo) {
  const std::string whole = Log(4).bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string some = With(whole.substr(0, size));
    EXPECT_TRUE(some.starts_with("/out/a.o: /out/gen.h")) << size;
    for (const char noise : {'\0', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[size] = noise;
      EXPECT_TRUE(With(damaged).starts_with("/out/a.o: /out/gen.h")) << size;
    }
  }
}

}  // namespace
}  // namespace llama::analysis
