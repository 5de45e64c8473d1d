// Whom it serves, the builds that it keeps, and how it ends.
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
#include "daemon/server/server.h"
#include "daemon/server/server_testing.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::daemon {
namespace {

TEST_F(ServerTest, AnotherBuildIsRefusedWhileThereIsWork) {
  Start();
  const Fd busy = Compile("block");
  ASSERT_TRUE(pipeline_.Await("run block"));
  const Fd other = Connect();
  Send(other, FrameType::kHello, Encode(session::Hello{session::kProtocolVersion, "that"}));
  std::string body;
  ASSERT_EQ(Receive(other, &body), FrameType::kRefuse);
  EXPECT_TRUE(session::DecodeRefuse(body)->busy);
  EXPECT_EQ(session::DecodeRefuse(body)->build_id, "this");
  EXPECT_TRUE(HungUp(other));
  pipeline_.Release();
  EXPECT_EQ(Receive(busy), FrameType::kResult);
}

TEST_F(ServerTest, AnIdleOneGivesWayToAnotherBuild) {
  Start();
  const Fd other = Connect();
  Send(other, FrameType::kHello, Encode(session::Hello{session::kProtocolVersion + 1, "this"}));
  std::string body;
  ASSERT_EQ(Receive(other, &body), FrameType::kRefuse);
  EXPECT_FALSE(session::DecodeRefuse(body)->busy);
  EXPECT_TRUE(Join());
  EXPECT_EQ(session::ConnectSocket(options_.run_dir).error().code, Code::kNotFound);
}

TEST_F(ServerTest, AnObserverAsksAndDoesNoMore) {
  Start();
  const Fd fd = Connect();
  ASSERT_EQ(Greet(fd, ""), FrameType::kWelcome);
  Send(fd, FrameType::kStatus, Encode(session::StatusRequest{"abc"}));
  std::string body;
  ASSERT_EQ(Receive(fd, &body), FrameType::kStatusReply);
  const Result<session::Status> status = session::DecodeStatus(body);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->pid, static_cast<uint32_t>(getpid()));
  EXPECT_EQ(status->workers, 17);
  EXPECT_EQ(status->connections, 1u);
  EXPECT_EQ(status->counters.remote_done, 3u);
  session::Compile request;
  request.argv = {"cc", "remote"};
  Send(fd, FrameType::kCompile, Encode(request));
  EXPECT_TRUE(HungUp(fd));
}

TEST_F(ServerTest, ABuildEndsAfterItsCompiles) {
  Start();
  const Fd build = Welcomed();
  std::string body;
  Send(build, FrameType::kBeginBuild, Encode(session::BeginBuild{"b", "", 1, {}}));
  ASSERT_EQ(Receive(build, &body), FrameType::kAck);
  EXPECT_EQ(session::DecodeAck(body)->error, "");
  std::vector<Fd> fds;
  for (int i = 0; i < 50; ++i) fds.push_back(Compile(i < 25 ? "remote" : "block"));
  ASSERT_TRUE(pipeline_.Await("run block", 25));
  for (size_t i = 0; i < 25; ++i) ASSERT_EQ(Receive(fds[i]), FrameType::kResult);
  // Every hang-up, of finished and of cancelled ones, then the end: as when make has ended.
  fds.clear();
  Send(build, FrameType::kEndBuild, Encode(session::EndBuild{"b", {}}));
  ASSERT_EQ(Receive(build), FrameType::kAck);
  const std::vector<std::string> notes = pipeline_.notes();
  ASSERT_FALSE(notes.empty());
  EXPECT_EQ(notes.back(), "end b");
}

TEST_F(ServerTest, ABuildEndsWhenItsProcessDoes) {
  Start();
  const auto begin = [&](const char* id) {
    Fd build = Welcomed();
    Send(build, FrameType::kBeginBuild, Encode(session::BeginBuild{id, "", 1, {}}));
    EXPECT_EQ(Receive(build), FrameType::kAck);
    return build;
  };
  begin("ended").Reset();
  const Fd other = Welcomed();
  Send(other, FrameType::kEndBuild, Encode(session::EndBuild{"ended", {}}));
  ASSERT_EQ(Receive(other), FrameType::kAck);
  begin("again").Reset();
  const Fd again = begin("again");
  const Fd stays = begin("stays");
  begin("killed").Reset();
  ASSERT_TRUE(pipeline_.Await("abandon"));
  EXPECT_EQ(pipeline_.notes().back(), "abandon killed");
  EXPECT_EQ(pipeline_.Count("abandon"), 1u);
}

TEST_F(ServerTest, ABuildThatCannotBeginSaysWhy) {
  Start();
  const Fd build = Welcomed();
  std::string body;
  Send(build, FrameType::kBeginBuild, Encode(session::BeginBuild{"bad", "", 1, {}}));
  ASSERT_EQ(Receive(build, &body), FrameType::kAck);
  EXPECT_EQ(session::DecodeAck(body)->error, "bad: no build id");
}

TEST_F(ServerTest, StopWaitsForWhatRuns) {
  Start();
  const Fd running = Compile("block", "kept");
  ASSERT_TRUE(pipeline_.Await("run block"));
  const Fd idle = Welcomed();
  const Fd stopper = Welcomed();
  Send(stopper, FrameType::kStop, "");
  ASSERT_EQ(Receive(stopper), FrameType::kAck);
  EXPECT_TRUE(HungUp(idle));
  EXPECT_EQ(session::ConnectSocket(options_.run_dir).error().code, Code::kNotFound);
  pipeline_.Release();
  ASSERT_EQ(Receive(running), FrameType::kResult);
  Send(running, FrameType::kDone, Encode(session::Done{}));
  ASSERT_TRUE(pipeline_.Await("run block"));
}

TEST_F(ServerTest, StopCancelsWhatDoesNotEnd) {
  options_.stop_grace_ms = 10;
  Start();
  const Fd running = Compile("block", "cancelled");
  ASSERT_TRUE(pipeline_.Await("run block"));
  server_->Stop();
  EXPECT_TRUE(HungUp(running));
  EXPECT_TRUE(Join());
  EXPECT_EQ(pipeline_.Count("finished cancelled hung up"), 1u);
}

TEST_F(ServerTest, StopGivesUpOnWhatIgnoresIt) {
  options_.stop_grace_ms = 5;
  options_.cancel_grace_ms = 10;
  Start();
  const Fd running = Compile("deaf");
  ASSERT_TRUE(pipeline_.Await("run deaf"));
  server_->Stop();
  const Result<void> ended = Join();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::kDeadline);
}

TEST_F(ServerTest, EndsWhenIdleForLongEnough) {
  options_.idle_timeout_ms = 20;
  Start();
  EXPECT_TRUE(Join());
  EXPECT_EQ(session::ConnectSocket(options_.run_dir).error().code, Code::kNotFound);
}

TEST_F(ServerTest, EndsWhenItsSocketIsGone) {
  Start();
  ASSERT_EQ(unlink((options_.run_dir + "/daemon.sock").c_str()), 0);
  EXPECT_TRUE(Join());
}

// Its jobs go on; but whoever comes next must not wait for them.
TEST_F(ServerTest, SaysThatItsSocketIsGoneWhileJobsRun) {
  std::atomic<int> told{0};
  options_.on_socket_lost = [&] { ++told; };
  Start();
  Fd busy = Compile("block", "kept");
  ASSERT_TRUE(pipeline_.Await("run block"));
  ASSERT_EQ(unlink((options_.run_dir + "/daemon.sock").c_str()), 0);
  while (told == 0) sched_yield();
  const Result<Fd> successor = session::ListenSocket(options_.run_dir);
  ASSERT_TRUE(successor);
  pipeline_.Release();
  ASSERT_EQ(Receive(busy), FrameType::kResult);
  busy.Reset();
  EXPECT_TRUE(Join());
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(session::ConnectSocket(options_.run_dir)) << "the successor's is left alone";
}

TEST_F(ServerTest, TheNoteThatItHungGoesAsSoonAsItServes) {
  ASSERT_TRUE(MakeDirs(options_.run_dir, 0700));
  const std::string note = options_.run_dir + "/daemon.hung";
  ASSERT_TRUE(WriteFileAtomic(note, "1\n", 0600));
  Start();
  for (int i = 0; i < 10'000 && access(note.c_str(), F_OK) == 0; ++i) Welcomed();
  EXPECT_NE(access(note.c_str(), F_OK), 0);
}

TEST_F(ServerTest, LeavesTheSocketOfItsSuccessor) {
  Start();
  const Fd busy = Compile("block");
  ASSERT_TRUE(pipeline_.Await("run block"));
  const Result<Fd> successor = session::ListenSocket(options_.run_dir);
  ASSERT_TRUE(successor);
  pipeline_.Release();
  ASSERT_EQ(Receive(busy), FrameType::kResult);
  server_->Stop();
  EXPECT_TRUE(session::ConnectSocket(options_.run_dir));
}

}  // namespace
}  // namespace llama::daemon
