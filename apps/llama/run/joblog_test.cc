#include "llama/run/joblog.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace llama::app {
namespace {

LogEntry Entry(size_t seq, int status, const std::string& command) {
  LogEntry entry;
  entry.seq = seq;
  entry.host = "llama";
  entry.start_ns = 1'500'000'000'250'000'000;
  entry.run_ns = 1'234'567'890;
  entry.sent_bytes = 10;
  entry.received_bytes = 20;
  entry.exit_status = status;
  entry.command = command;
  return entry;
}

class JobLogTest : public testing::Test {
 protected:
  TempDir dir_ = TempDir::Create("joblog").value();
  const std::string path_ = dir_.path() + "/log";

  void WriteLog(const std::string& lines) { ASSERT_TRUE(WriteFileAtomic(path_, lines, 0644)); }
};

TEST_F(JobLogTest, WritesLinesAsGnuParallelDoes) {
  EXPECT_EQ(FormatLogLine(Entry(3, 1, "echo a")),
            "3\tllama\t1500000000.250\t1.234\t10\t20\t1\t0\techo a\n");
  EXPECT_TRUE(FormatLogLine(Entry(1, 0, "a\tb\nc\\d"))
                  .ends_with("\t"
                             "a\\tb\\nc\\\\d\n"));
  auto log = JobLog::Open(path_, false);
  ASSERT_TRUE(log);
  ASSERT_TRUE(log->Write(Entry(1, 0, "x")));
  EXPECT_EQ(*ReadFile(path_),
            "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n" +
                FormatLogLine(Entry(1, 0, "x")));
}

TEST_F(JobLogTest, KnowsWhatEndedWell) {
  LogEntry killed = Entry(3, 0, "c");
  killed.signal = 9;
  WriteLog("Seq\tHost\n" + FormatLogLine(Entry(1, 0, "a\nb")) + FormatLogLine(Entry(2, 1, "b")) +
           FormatLogLine(killed) + FormatLogLine(Entry(4, 1, "d")) +
           FormatLogLine(Entry(4, 0, "d")));
  const auto log = JobLog::Open(path_, true);
  ASSERT_TRUE(log);
  EXPECT_TRUE(*log->IsDone(1, "a\nb"));
  EXPECT_FALSE(*log->IsDone(2, "b"));
  EXPECT_FALSE(*log->IsDone(3, "c"));
  EXPECT_TRUE(*log->IsDone(4, "d")) << "failed first, then tried again";
  EXPECT_FALSE(*log->IsDone(5, "e"));
}

TEST_F(JobLogTest, RefusesALogOfOtherItems) {
  WriteLog(FormatLogLine(Entry(1, 0, "echo a")));
  const auto log = JobLog::Open(path_, true);
  ASSERT_TRUE(log);
  const auto done = log->IsDone(1, "echo b");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kInvalid);
}

TEST_F(JobLogTest, GoesOnBehindALineThatWasCutShort) {
  WriteLog(FormatLogLine(Entry(1, 0, "a")) + "2\tllama\t15");
  auto log = JobLog::Open(path_, true);
  ASSERT_TRUE(log);
  EXPECT_FALSE(*log->IsDone(2, "b"));
  ASSERT_TRUE(log->Write(Entry(2, 0, "b")));
  const auto again = JobLog::Open(path_, true);
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again->IsDone(1, "a"));
  EXPECT_TRUE(*again->IsDone(2, "b"));
}

TEST_F(JobLogTest, StartsAnewUnlessItResumes) {
  WriteLog(FormatLogLine(Entry(1, 0, "a")));
  const auto log = JobLog::Open(path_, false);
  ASSERT_TRUE(log);
  EXPECT_FALSE(*log->IsDone(1, "a"));
}

}  // namespace
}  // namespace llama::app
