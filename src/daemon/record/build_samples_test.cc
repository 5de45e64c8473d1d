#include "daemon/record/build_samples.h"

#include <gtest/gtest.h>

#include <optional>

#include "base/file.h"
#include "trace/trace_file.h"

namespace llama::daemon {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

// A machine whose disks are waited for all the time: the pressure grows as the clock does.
class BuildSamplesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("build-samples-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    ASSERT_TRUE(MakeDirs(JoinPath(dir_->path(), "pressure"), 0700));
    builds_.emplace(JoinPath(dir_->path(), "builds"), clock_);
    samples_.emplace(*builds_, clock_, dir_->path());
    Pass(0);
  }
  void Pass(int64_t seconds) {
    clock_.AdvanceNs(seconds * kSecondNs);
    passed_us_ += seconds * 1'000'000;
    ASSERT_TRUE(WriteFileAtomic(JoinPath(dir_->path(), "pressure/io"),
                                "some avg10=0.00 total=" + std::to_string(passed_us_) + "\n",
                                0600));
  }
  trace::Span Begin(const std::string& id) {
    const trace::Span root = trace::StartSpan("build", {}, clock_.NowNs());
    samples_->BeforeBegin({});
    EXPECT_TRUE(builds_->Begin({id, "", clock_.NowNs(), root.context()}));
    return root;
  }
  void End(const std::string& id, trace::Span root, int64_t duration_ns) {
    root.duration_ns = duration_ns;
    samples_->BeforeEnd({}, id, root.end_ns());
    EXPECT_TRUE(builds_->End({id, root}));
  }
  // "1000/1000 500/500": the time of each sample of a build, and the counter's, in milliseconds.
  std::string Samples(const std::string& id) {
    builds_->Flush();
    std::string out;
    const std::string path = JoinPath(JoinPath(dir_->path(), "builds/" + id), "trace.ndjson.zst");
    EXPECT_TRUE(trace::ReadTraceLines(path, [&](std::string_view line) {
      if (line.find("\"machine\"") == line.npos) return;
      out += (out.empty() ? "" : " ") + Number(line, "\"duration\":") + "/" +
             Number(line, "\"io.pressure_ns\":");
    }));
    return out;
  }
  static std::string Number(std::string_view line, std::string_view key) {
    const size_t at = line.find(key);
    return at == line.npos
               ? "-"
               : std::to_string(std::stoll(std::string(line.substr(at + key.size()))) / 1'000'000);
  }

  std::optional<TempDir> dir_;
  FakeClock clock_;
  int64_t passed_us_ = 0;
  std::optional<Builds> builds_;
  std::optional<BuildSamples> samples_;
};

TEST_F(BuildSamplesTest, ABuildHasNothingFromBeforeItBegan) {
  End("first", Begin("first"), 1);
  Pass(40);  // in which nobody samples
  const trace::Span root = Begin("second");
  Pass(1);
  samples_->Tick({});
  Pass(1);
  End("second", root, 2 * kSecondNs);
  EXPECT_EQ(Samples("second"), "1000/1000 1000/1000");
}

TEST_F(BuildSamplesTest, ABuildHasNothingFromAfterItEnded) {
  const trace::Span root = Begin("early");
  Begin("late");
  Pass(4);
  End("early", root, kSecondNs);
  // The other build has all of it.
  EXPECT_EQ(Samples("early"), "1000/1000");
  EXPECT_EQ(Samples("late"), "4000/4000");
}

TEST_F(BuildSamplesTest, ABuildThatRunsKeepsWhatWasBeforeTheNext) {
  Begin("early");
  Pass(3);
  Begin("late");
  Pass(1);
  samples_->Tick({});
  EXPECT_EQ(Samples("early"), "3000/3000 1000/1000");
  EXPECT_EQ(Samples("late"), "1000/1000");
}

}  // namespace
}  // namespace llama::daemon
