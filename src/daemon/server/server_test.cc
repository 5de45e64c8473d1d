// Requests, slots, and clients that do as they should not.
#include "daemon/server/server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "daemon/server/fake_pipeline.h"
#include "daemon/server/server_testing.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

TEST_F(ServerTest, AResultAndTheLastWordTravelBothWays) {
  Start();
  Fd fd = Compile("remote", "out");
  std::string body;
  ASSERT_EQ(Receive(fd, &body), FrameType::kResult);
  const Result<session::CompileResult> result = session::DecodeCompileResult(body);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, "out");
  EXPECT_EQ(result->status, 3 << 8);
  Send(fd, FrameType::kDone, Encode(session::Done{1, 42, 3}));
  fd.Reset();
  EXPECT_TRUE(pipeline_.Await("finished out done 42"));
}

TEST_F(ServerTest, ARequestOfAnySizeArrivesWhole) {
  Start();
  for (const size_t size :
       {size_t{1}, size_t{16} << 10, (size_t{16} << 10) + 1, size_t{40} << 20}) {
    std::string text(size, 'x');
    for (size_t i = 0; i < size; i += 97) text[i] = static_cast<char>('a' + i % 26);
    const Fd fd = Compile("remote", text);
    std::string body;
    ASSERT_EQ(Receive(fd, &body), FrameType::kResult) << size;
    const Result<session::CompileResult> result = session::DecodeCompileResult(body);
    ASSERT_TRUE(result);
    EXPECT_TRUE(result->out == text) << size;
  }
}

TEST_F(ServerTest, TwoHundredWrappersAtOnceLoseNothing) {
  options_.max_jobs = 50;
  Start();
  std::vector<Fd> fds;
  for (int i = 0; i < 200; ++i) {
    fds.push_back(Compile(i % 2 == 0 ? "remote" : "block", std::to_string(i)));
  }
  // As many as there are threads are blocked, and whatever is behind them waits.
  EXPECT_TRUE(pipeline_.Await("run block", 50));
  pipeline_.Release();
  for (int i = 0; i < 200; ++i) {
    std::string body;
    ASSERT_EQ(Receive(fds[static_cast<size_t>(i)], &body), FrameType::kResult) << i;
    EXPECT_EQ(session::DecodeCompileResult(body)->out, std::to_string(i));
  }
  fds.clear();
  EXPECT_TRUE(pipeline_.Await("finished", 200));
}

TEST_F(ServerTest, JobsBeyondTheThreadsQueue) {
  options_.max_jobs = 2;
  Start();
  const Fd first = Compile("block");
  const Fd second = Compile("block");
  ASSERT_TRUE(pipeline_.Await("run block", 2));
  const Fd third = Compile("remote", "third");
  const Fd other = Welcomed();  // the loop has seen the third by now
  EXPECT_EQ(pipeline_.Count("run remote"), 0u);
  pipeline_.Release();
  EXPECT_EQ(Receive(third), FrameType::kResult);
}

TEST_F(ServerTest, ConnectionsBeyondTheLimitWaitTheirTurn) {
  options_.max_connections = 2;
  Start();
  Fd first = Welcomed();
  const Fd second = Welcomed();
  const Fd third = Connect();
  Send(third, FrameType::kHello, Encode(session::Hello{session::kProtocolVersion, "this"}));
  EXPECT_TRUE(Waits(third));
  first.Reset();
  EXPECT_EQ(Receive(third), FrameType::kWelcome);
}

TEST_F(ServerTest, LocalRunsAreAdmittedInOrder) {
  options_.max_jobs = 1;  // so that verdicts come in the order of requests
  Start();
  std::vector<Fd> fds;
  for (int i = 0; i < 4; ++i) fds.push_back(Compile("local", std::to_string(i)));
  EXPECT_EQ(Receive(fds[0]), FrameType::kRunLocally);
  for (size_t i = 1; i < fds.size(); ++i) {
    EXPECT_TRUE(Waits(fds[i]));
    fds[i - 1].Reset();
    std::string body;
    ASSERT_EQ(Receive(fds[i], &body), FrameType::kRunLocally);
    EXPECT_EQ(session::DecodeRunLocally(body)->reason, "told to");
  }
  fds.clear();
  EXPECT_TRUE(pipeline_.Await("finished", 4));
  EXPECT_EQ(pipeline_.Count("granted"), 4u);
}

TEST_F(ServerTest, ASlotIsFreedWhenItsProcessIsKilled) {
  Start();
  Fd holder = Compile("local", "holder");
  ASSERT_EQ(Receive(holder), FrameType::kRunLocally);
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  holder.Reset();
  const Fd next = Compile("local", "next");
  ASSERT_TRUE(pipeline_.Await("run local", 2));
  EXPECT_TRUE(Waits(next));
  kill(child, SIGKILL);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(Receive(next), FrameType::kRunLocally);
}

TEST_F(ServerTest, OneMoreRunsWhenTheHoldersDoNotEnd) {
  cpu_options_.patience_ms = 20;
  cpu_options_.work_of = [](const std::vector<pid_t>& holders) {
    EXPECT_EQ(holders, std::vector<pid_t>{getpid()});
    return admission::Work{};
  };
  Start();
  const Fd holder = Compile("local");
  ASSERT_EQ(Receive(holder), FrameType::kRunLocally);
  EXPECT_EQ(Receive(Compile("local")), FrameType::kRunLocally);
}

TEST_F(ServerTest, AScansEndLetsALocalRunIn) {
  cpu_options_.cores = 2;
  cpu_options_.local_slots = 2;
  Start();
  std::optional<admission::CpuAdmission::Hold> scan(std::in_place, *cpu_, nullptr);
  const Fd first = Compile("local");
  ASSERT_EQ(Receive(first), FrameType::kRunLocally);
  const Fd second = Compile("local", "second");
  ASSERT_TRUE(pipeline_.Await("run local", 2));
  for (int i = 0; i < 1000 && cpu_->waiting() == 0; ++i) Welcomed();
  EXPECT_TRUE(Waits(second));
  scan.reset();
  EXPECT_EQ(Receive(second), FrameType::kRunLocally);
}

// A clock whose wall goes an hour back and a day forward each time that it is looked at.
class RestlessClock final : public Clock {
 public:
  int64_t NowNs() const override {
    constexpr int64_t kHourNs = 3'600'000'000'000;
    const bool back = looks_++ % 2 == 0;
    return SystemClock().NowNs() + (back ? -kHourNs : 24 * kHourNs);
  }
  int64_t MonotonicNs() const override { return SystemClock().MonotonicNs(); }

 private:
  mutable std::atomic<int> looks_{0};
};

TEST_F(ServerTest, TheWallClockMayBeSetInMidJob) {
  static const RestlessClock clock;
  options_.clock = &clock;
  options_.keep_alive_ms = 5;
  Start();
  const int64_t start_ns = clock.MonotonicNs();
  Fd blocked = Compile("block", "blocked");
  for (int i = 0; i < 3; ++i) {
    const Result<session::Frame> frame = session::ReceiveFrame(blocked.get(), kLongMs);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->type, FrameType::kKeepAlive);
  }
  pipeline_.Release();
  ASSERT_EQ(Receive(blocked), FrameType::kResult);
  Fd local = Compile("local", "local");
  ASSERT_EQ(Receive(local), FrameType::kRunLocally);
  blocked.Reset();
  local.Reset();
  ASSERT_TRUE(pipeline_.Await("finished", 2));
  for (const int64_t time_ns : pipeline_.times()) {
    EXPECT_GE(time_ns, start_ns);
    EXPECT_LE(time_ns, clock.MonotonicNs());
  }
  EXPECT_EQ(pipeline_.times().size(), 5u);  // received, received, granted, finished, finished
}

TEST_F(ServerTest, AHangUpCancelsTheJob) {
  Start();
  Fd fd = Compile("block", "gone");
  ASSERT_TRUE(pipeline_.Await("run block"));
  fd.Reset();
  EXPECT_TRUE(pipeline_.Await("finished gone hung up"));
}

TEST_F(ServerTest, AHangUpInTheQueueForSlotsLeavesIt) {
  Start();
  Fd holder = Compile("local", "holder");
  ASSERT_EQ(Receive(holder), FrameType::kRunLocally);
  Fd gone = Compile("local", "gone");
  ASSERT_TRUE(pipeline_.Await("run local", 2));
  gone.Reset();
  ASSERT_TRUE(pipeline_.Await("finished gone hung up"));
  holder.Reset();
  EXPECT_EQ(Receive(Compile("local", "next")), FrameType::kRunLocally);
  EXPECT_EQ(pipeline_.Count("granted gone"), 0u);
}

TEST_F(ServerTest, WhoWaitsIsKeptAlive) {
  options_.keep_alive_ms = 5;
  Start();
  const Fd fd = Compile("block");
  for (int i = 0; i < 3; ++i) {
    const Result<session::Frame> frame = session::ReceiveFrame(fd.get(), kLongMs);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->type, FrameType::kKeepAlive);
  }
}

TEST_F(ServerTest, ASlowReaderHoldsUpNobody) {
  Start();
  const Fd slow = Compile("big");
  const Fd quick = Compile("remote");
  EXPECT_EQ(Receive(quick), FrameType::kResult);
  std::string body;
  ASSERT_EQ(Receive(slow, &body), FrameType::kResult);
  EXPECT_EQ(session::DecodeCompileResult(body)->out.size(), size_t{8} << 20);
}

TEST_F(ServerTest, HostileBytesCostOnlyTheirConnection) {
  Start();
  session::Compile request;
  request.argv = {"cc", "block"};
  const std::string hello = session::EncodeFrame(
      FrameType::kHello, Encode(session::Hello{session::kProtocolVersion, "this"}));
  const std::string compile = session::EncodeFrame(FrameType::kCompile, Encode(request));
  struct Case {
    const char* name;
    std::string bytes;
  };
  const Case cases[] = {
      {"length 0", std::string(5, '\0')},
      {"huge length", std::string(4, '\xff')},
      {"long hello", session::EncodeFrame(FrameType::kHello, std::string(5000, 'x'))},
      {"garbage hello", session::EncodeFrame(FrameType::kHello, "\xff")},
      {"compile first", compile},
      {"two hellos", hello + hello},
      {"unknown type", hello + session::EncodeFrame(FrameType{200}, "")},
      {"daemon's own type", hello + session::EncodeFrame(FrameType::kResult, "")},
      {"garbage compile", hello + session::EncodeFrame(FrameType::kCompile, "\x80\x80\xff")},
      {"empty compile", hello + session::EncodeFrame(FrameType::kCompile, "")},
      {"garbage build", hello + session::EncodeFrame(FrameType::kBeginBuild, "\xff")},
      {"garbage end", hello + session::EncodeFrame(FrameType::kEndBuild, "\xff")},
      {"garbage status", hello + session::EncodeFrame(FrameType::kStatus, "\xff")},
      {"compile beyond the limit", hello + std::string("\x00\x00\x00\x7f\x04", 5)},
      {"speaks while it is served", hello + compile + compile},
      {"done before its time", hello + compile + session::EncodeFrame(FrameType::kDone, "")},
  };
  for (const Case& c : cases) {
    const Fd fd = Connect();
    ASSERT_TRUE(WriteAll(fd.get(), c.bytes, c.name));
    FrameType type = Receive(fd);
    if (type == FrameType::kWelcome) type = Receive(fd);
    EXPECT_EQ(type, FrameType{}) << c.name;
  }
  EXPECT_EQ(Receive(Compile("remote")), FrameType::kResult);
}

TEST_F(ServerTest, WhoSaysNothingIsHungUpOn) {
  options_.greeting_ms = 5;
  Start();
  EXPECT_TRUE(HungUp(Connect()));
}

}  // namespace
}  // namespace llama::daemon
