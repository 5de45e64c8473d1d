// A server on a thread of its own, with a pipeline that does as the test's requests say.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <string>
#include <thread>

#include "base/file.h"
#include "daemon/server/fake_pipeline.h"
#include "daemon/server/server.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::daemon {

using session::FrameType;

inline constexpr int64_t kLongMs = 10'000;

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    Result<TempDir> dir = TempDir::Create();
    ASSERT_TRUE(dir);
    dir_.emplace(std::move(*dir));
    options_.run_dir = session::RunDir(dir_->path());
    options_.build_id = "this";
    options_.idle_timeout_ms = 1'000'000;
  }

  void TearDown() override {
    pipeline_.Release();
    if (server_) server_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  void Start() {
    cpu_.emplace(cpu_options_);
    options_.cpu = &*cpu_;
    Result<std::unique_ptr<Server>> server = Server::Listen(options_, pipeline_);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
    thread_ = std::thread([this] { ended_.emplace(server_->Run()); });
  }
  // How Run ended.
  Result<void> Join() {
    if (thread_.joinable()) thread_.join();
    return ended_ ? *ended_ : Result<void>();
  }

  Fd Connect() const {
    Result<Fd> fd = session::ConnectSocket(options_.run_dir);
    EXPECT_TRUE(fd) << fd.error().message;
    return fd ? std::move(*fd) : Fd();
  }
  static FrameType Receive(const Fd& fd, std::string* body = nullptr) {
    while (true) {
      Result<session::Frame> frame = session::ReceiveFrame(fd.get(), kLongMs);
      if (!frame) return FrameType{};
      if (frame->type == FrameType::kKeepAlive) continue;
      if (body != nullptr) *body = std::move(frame->body);
      return frame->type;
    }
  }
  static void Send(const Fd& fd, FrameType type, const std::string& body) {
    const Result<void> sent = session::SendFrame(fd.get(), type, body, kLongMs);
    EXPECT_TRUE(sent) << sent.error().message;
  }
  static FrameType Greet(const Fd& fd, const std::string& build_id = "this") {
    Send(fd, FrameType::kHello, Encode(session::Hello{session::kProtocolVersion, build_id}));
    return Receive(fd);
  }
  Fd Welcomed() const {
    Fd fd = Connect();
    EXPECT_EQ(Greet(fd), FrameType::kWelcome);
    return fd;
  }
  Fd Compile(const std::string& what, const std::string& text = "text") const {
    Fd fd = Welcomed();
    session::Compile request;
    request.argv = {"cc", what, text};
    Send(fd, FrameType::kCompile, Encode(request));
    return fd;
  }
  static bool HungUp(const Fd& fd) { return Receive(fd) == FrameType{}; }
  // Nothing but keep-alives has come so far.
  static bool Waits(const Fd& fd) {
    pollfd entry{fd.get(), POLLIN, 0};
    while (poll(&entry, 1, 0) > 0) {
      const Result<session::Frame> frame = session::ReceiveFrame(fd.get(), kLongMs);
      if (!frame || frame->type != FrameType::kKeepAlive) return false;
    }
    return true;
  }

  std::optional<TempDir> dir_;
  ServerOptions options_;
  admission::CpuAdmission::Options cpu_options_;
  FakePipeline pipeline_;
  std::optional<admission::CpuAdmission> cpu_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  std::optional<Result<void>> ended_;
};

}  // namespace llama::daemon
