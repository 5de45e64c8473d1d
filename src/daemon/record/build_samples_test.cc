#include "daemon/record/build_samples.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
  trace::Span Begin(const std::string& id, pid_t pid = 0) {
    const trace::Span root = trace::StartSpan("build", {}, clock_.NowNs());
    samples_->BeforeBegin(workers_);
    session::BeginBuild build{id, "", clock_.NowNs(), root.context()};
    build.pid = pid;
    EXPECT_TRUE(builds_->Begin(build));
    return root;
  }
  void End(const std::string& id, trace::Span root, int64_t duration_ns) {
    root.duration_ns = duration_ns;
    samples_->BeforeEnd(workers_, id, root.end_ns());
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
  // "0 20": a counter of each sample of a build that has it, in milliseconds.
  std::string Fields(const std::string& id, const std::string& field) {
    builds_->Flush();
    std::string out;
    const std::string path = JoinPath(JoinPath(dir_->path(), "builds/" + id), "trace.ndjson.zst");
    EXPECT_TRUE(trace::ReadTraceLines(path, [&](std::string_view line) {
      const std::string key = "\"" + field + "\":";
      if (line.find(key) == line.npos) return;
      out += (out.empty() ? "" : " ") + Number(line, key);
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
  BuildSamples::Workers workers_;
  int64_t passed_us_ = 0;
  std::optional<Builds> builds_;
  std::optional<BuildSamples> samples_;
};

// Two builds, a worker and a child of the daemon, each of which works for some ticks a second. What
// a worker took before it ended is no child's, though the daemon waited for it.
TEST_F(BuildSamplesTest, TellsWhoseProcessesHadTheProcessors) {
  const int64_t tick_ms = 1000 / sysconf(_SC_CLK_TCK);
  const auto process = [&](pid_t pid, pid_t parent, int own_ticks, int waited_ticks) {
    const std::string dir = JoinPath(dir_->path(), std::to_string(pid));
    ASSERT_TRUE(MakeDirs(dir, 0700));
    ASSERT_TRUE(WriteFileAtomic(JoinPath(dir, "stat"),
                                std::to_string(pid) + " (x) S " + std::to_string(parent) +
                                    " 1 1 0 -1 0 0 0 0 0 " + std::to_string(own_ticks) + " 0 " +
                                    std::to_string(waited_ticks) + " 0 20 0 1 0 99\n",
                                0600));
  };
  const pid_t daemon = getpid();
  const pid_t first = daemon + 1;
  const pid_t second = daemon + 2;
  const pid_t worker = daemon + 3;
  const pid_t child = daemon + 4;
  process(daemon, 1, 50, 0);
  process(first, 1, 10, 0);
  process(second, 1, 0, 0);
  process(worker, daemon, 30, 0);
  process(child, daemon, 0, 0);
  workers_ = {1, 1, {worker}};
  const trace::Span root = Begin("first", first);
  Begin("second", second);
  Pass(1);
  samples_->Tick(workers_);
  process(daemon, 1, 70, 0);
  process(first, 1, 12, 3);
  process(second, 1, 7, 0);
  process(worker, daemon, 31, 10);
  process(child, daemon, 4, 0);
  Pass(1);
  samples_->Tick(workers_);
  ASSERT_TRUE(RemoveTree(JoinPath(dir_->path(), std::to_string(worker))));
  process(daemon, 1, 70, 41);
  process(child, daemon, 10, 0);
  workers_ = {};
  Pass(1);
  End("first", root, 3 * kSecondNs);
  const auto of = [&](const char* field) { return Fields("first", field); };
  const auto ms = [&](int64_t ticks) { return std::to_string(ticks * tick_ms); };
  EXPECT_EQ(of("cpu.build_ns"), "0 " + ms(5) + " 0");
  EXPECT_EQ(of("cpu.other_builds_ns"), "0 " + ms(7) + " 0");
  EXPECT_EQ(of("workers.cpu_ns"), "0 " + ms(11) + " 0");
  EXPECT_EQ(of("daemon.children_ns"), "0 " + ms(4) + " " + ms(6));
}

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
