#include "daemon/record/machine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "base/file.h"

namespace llama::daemon {
namespace {

class MachineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto dir = TempDir::Create("machine-test");
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    for (const char* folder : {"pressure", "net", "self"}) {
      ASSERT_TRUE(MakeDirs(JoinPath(dir_->path(), folder), 0700));
    }
  }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomic(JoinPath(dir_->path(), name), text, 0600));
  }
  std::map<std::string, int64_t> Fields(const trace::Span& span) {
    std::map<std::string, int64_t> fields;
    for (const auto& [key, value] : span.fields) fields[key] = std::get<int64_t>(value);
    return fields;
  }

  std::optional<TempDir> dir_;
  FakeClock clock_;
};

TEST_F(MachineTest, RecordsGrowthBetweenSamplesAndGaugesAsTheyAre) {
  Machine machine(clock_, dir_->path());
  Write("stat", "cpu  100 5 50 900 7 1 2 3 0 0\ncpu0 1\ncpu1 1\nprocs_running 2\n");
  Write("meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable: 600 kB\n");
  Write("pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n");
  Write("diskstats",
        " 8 0 sda 1 0 10 0 1 0 20 0 0 500 0 0\n 8 1 sda1 1 0 10 0 1 0 20 0 0 500 0 0\n");
  Write("net/dev",
        "Inter-| Receive | Transmit\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n"
        "  eth0: 1000 0 0 0 0 0 0 0 50 0 0 0 0 0 0 0\n");
  EXPECT_FALSE(machine.Sample());

  clock_.AdvanceNs(1'000'000'000);
  Write("stat", "cpu  150 5 60 900 7 1 2 3 0 0\ncpu0 1\ncpu1 1\nprocs_running 9\n");
  Write("meminfo", "MemTotal:  1000 kB\nMemAvailable: 500 kB\n");
  Write("pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=251000\n");
  Write("diskstats", " 8 0 sda 1 0 12 0 1 0 24 0 0 700 0 0\n");
  Write("net/dev", "  eth0: 1500 0 0 0 0 0 0 0 70 0 0 0 0 0 0 0\n");
  const auto span = machine.Sample();
  ASSERT_TRUE(span);
  EXPECT_EQ(span->name, "machine");
  EXPECT_EQ(span->duration_ns, 1'000'000'000);
  auto fields = Fields(*span);
  const int64_t tick_ns = 1'000'000'000 / sysconf(_SC_CLK_TCK);
  EXPECT_EQ(fields["cpu.user_ns"], 50 * tick_ns);
  EXPECT_EQ(fields["cpu.system_ns"], 10 * tick_ns);
  EXPECT_EQ(fields["cpu.iowait_ns"], 0);
  EXPECT_EQ(fields["cpu.cores"], 2);
  EXPECT_EQ(fields["cpu.runnable"], 9);
  EXPECT_EQ(fields["cpu.pressure_ns"], 250'000'000);
  EXPECT_EQ(fields["memory.available_bytes"], 500 * 1024);
  EXPECT_EQ(fields["disk.read_bytes"], 2 * 512);
  EXPECT_EQ(fields["disk.written_bytes"], 4 * 512);
  EXPECT_EQ(fields["disk.busy_ns"], 200'000'000);
  EXPECT_EQ(fields["network.received_bytes"], 500);
  EXPECT_EQ(fields["network.sent_bytes"], 20);
}

TEST_F(MachineTest, WhatIsMissingOrWrongIsLeftOut) {
  Machine machine(clock_, dir_->path());
  Write("stat", "cpu\nnonsense\n");
  Write("net/dev", "eth0\n:\n");
  EXPECT_FALSE(machine.Sample());
  clock_.AdvanceNs(1'000'000'000);
  const auto span = machine.Sample();
  ASSERT_TRUE(span);
  EXPECT_EQ(Fields(*span).count("cpu.user_ns"), 0u);
  EXPECT_EQ(Fields(*span).count("memory.bytes"), 0u);
}

TEST_F(MachineTest, APauseIsNoInterval) {
  Machine machine(clock_, dir_->path());
  EXPECT_FALSE(machine.Sample());
  clock_.AdvanceNs(61'000'000'000);
  EXPECT_FALSE(machine.Sample());
  clock_.AdvanceNs(1'000'000'000);
  EXPECT_TRUE(machine.Sample());
}

TEST_F(MachineTest, AnIntervalIsWhatPassedWhateverTheWallClockSays) {
  Machine machine(clock_, dir_->path());
  EXPECT_FALSE(machine.Sample());
  for (const int64_t step_ns : {-3'600'000'000'000, 86'400'000'000'000}) {
    const int64_t start_ns = clock_.NowNs();
    clock_.AdvanceNs(1'000'000'000);
    clock_.StepWallNs(step_ns);
    const auto span = machine.Sample();
    ASSERT_TRUE(span);
    EXPECT_EQ(span->start_ns, start_ns);
    EXPECT_EQ(span->duration_ns, 1'000'000'000);
  }
}

TEST(CutSample, GivesAPartItsShareOfTheCounters) {
  trace::Span sample;
  sample.start_ns = 1000;
  sample.duration_ns = 400;
  sample.Set("cpu.user_ns", 800);
  sample.Set("io.pressure_ns", 40);
  sample.Set("cpu.cores", 2);
  sample.Set("memory.available_bytes", 7);
  const auto part = CutSample(sample, 1300, 2000);
  ASSERT_TRUE(part);
  EXPECT_EQ(part->start_ns, 1300);
  EXPECT_EQ(part->duration_ns, 100);
  EXPECT_EQ(*part->Find("cpu.user_ns"), trace::Value(int64_t{200}));
  EXPECT_EQ(*part->Find("io.pressure_ns"), trace::Value(int64_t{10}));
  EXPECT_EQ(*part->Find("cpu.cores"), trace::Value(int64_t{2}));
  EXPECT_EQ(*part->Find("memory.available_bytes"), trace::Value(int64_t{7}));
  EXPECT_EQ(CutSample(sample, 0, 5000)->fields, sample.fields);
  EXPECT_FALSE(CutSample(sample, 1400, 5000));
  EXPECT_FALSE(CutSample(sample, 0, 1000));
}

TEST(ReadMachineTest, KnowsThisMachine) {
  const MachineReading reading = ReadMachine("/proc", SystemClock());
  bool cores = false;
  for (const auto& [name, value] : reading.gauges) cores |= name == "cpu.cores" && value > 0;
  EXPECT_TRUE(cores);
}

}  // namespace
}  // namespace llama::daemon
