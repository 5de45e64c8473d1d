// For tests: the smallest daemon that a wrapper cannot tell from a real one, one connection at a
// time. It answers a compile as its argv[1] says:
//
//   remote OUT ERR STATUS   a result
//   local                   RunLocally
//   die                     it is gone before the answer
//   half                    half a result, then a hang-up
//   garbage                 a frame that no daemon sends
//
// It notes in files of the state folder: `starts` (a line a start), `request` (of the last compile)
// and `done` (a line a Done). If there is a file `busy`, it refuses other builds and stays.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "session/environment.h"
#include "session/session.h"
#include "session/socket.h"

namespace llama::client {

class FakeDaemon {
 public:
  FakeDaemon(std::string dir, std::string build_id)
      : dir_(std::move(dir)), build_id_(std::move(build_id)) {}

  int Run(int ready_fd) {
    // It does not outlive a test that went wrong.
    alarm(60);
    Append("starts", std::to_string(getpid()));
    for (char** entry = environ; *entry != nullptr; ++entry) Append("environment", *entry);
    const std::string run_dir = session::RunDir(dir_);
    const Result<Fd> lock = OpenFile(run_dir + "/daemon.lock", O_RDWR | O_CREAT, 0600);
    if (!lock || flock(lock->get(), LOCK_EX) != 0) return 1;
    Result<Fd> listener = session::ListenSocket(run_dir);
    if (!listener) return 1;
    fcntl(listener->get(), F_SETFL, 0);
    if (write(ready_fd, "ok", 2) != 2) return 1;
    close(ready_fd);
    while (!over_) {
      const Fd client(accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
      while (!over_ && Answer(client.get())) {
      }
    }
    unlink((run_dir + "/" + session::kSocketName).c_str());
    return 0;
  }

 private:
  static constexpr int64_t kMs = 10'000;

  void Append(const std::string& name, const std::string& line) const {
    const Result<Fd> fd = OpenFile(dir_ + "/" + name, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd) (void)WriteAll(fd->get(), line + "\n", name).has_value();
  }

  // False: the connection is over.
  bool Answer(int fd) {
    const Result<session::Frame> frame = session::ReceiveFrame(fd, kMs);
    if (!frame) return false;
    if (frame->type == session::FrameType::kHello)
      return Greet(fd, *session::DecodeHello(frame->body));
    if (frame->type == session::FrameType::kDone) {
      Append("done", session::DecodeDone(frame->body) ? "well-formed" : "malformed");
      return false;
    }
    const Result<session::Compile> compile = session::DecodeCompile(frame->body);
    return compile && Serve(fd, *compile);
  }

  bool Greet(int fd, const session::Hello& hello) {
    if (hello.build_id == build_id_) {
      return Send(fd, session::FrameType::kWelcome, Encode(session::Welcome{build_id_, 1}));
    }
    const bool busy = access((dir_ + "/busy").c_str(), F_OK) == 0;
    Send(fd, session::FrameType::kRefuse, Encode(session::Refuse{busy, build_id_}));
    over_ = !busy;
    return false;
  }

  bool Serve(int fd, const session::Compile& compile) {
    Append("request", compile.compiler + "|" + compile.cwd + "|" + std::to_string(compile.umask) +
                          "|" + session::FindVariable(compile.env, "PATH"));
    const std::string what = compile.argv.at(1);
    Send(fd, session::FrameType::kKeepAlive, "");
    if (what == "local") {
      Send(fd, session::FrameType::kRunLocally, Encode(session::RunLocally{"told to"}));
      return true;
    }
    if (what == "remote") {
      const session::CompileResult result{std::atoi(compile.argv.at(4).c_str()),
                                          compile.argv.at(2),
                                          compile.argv.at(3),
                                          {compile.argv.begin() + 5, compile.argv.end()}};
      return Send(fd, session::FrameType::kResult, Encode(result));
    }
    if (what == "garbage") return Send(fd, session::FrameType{99}, "");
    if (what == "half") (void)!write(fd, "\x10\0\0\0\x06half", 9);
    over_ = what == "die";
    return false;
  }

  static bool Send(int fd, session::FrameType type, const std::string& body) {
    return session::SendFrame(fd, type, body, kMs).has_value();
  }

  const std::string dir_;
  const std::string build_id_;
  bool over_ = false;
};

}  // namespace llama::client
