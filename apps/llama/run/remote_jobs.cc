#include "llama/run/remote_jobs.h"

#include <poll.h>

#include <algorithm>

#include "llama/run/remote_command.h"

namespace llama::app {
namespace {

constexpr int64_t kSendMs = 30'000;
constexpr int64_t kReceiveMs = 30'000;
// The daemon sends a keep-alive every 5 s; one that is silent for this long is taken for dead.
constexpr int64_t kSilenceNs = 30'000'000'000;

}  // namespace

Result<void> RemoteJobs::Start(size_t id, const session::RunCommand& request) {
  ASSIGN_OR_RETURN(Fd fd, client::Connect(connect_));
  TRY(session::SendFrame(fd.get(), session::FrameType::kRunCommand, Encode(request), kSendMs));
  running_[id] = {std::move(fd), clock_.MonotonicNs()};
  return {};
}

bool RemoteJobs::Take(Running& job, session::CommandResult& result) {
  auto frame = session::ReceiveFrame(job.fd.get(), kReceiveMs);
  job.heard_ns = clock_.MonotonicNs();
  if (frame && frame->type == session::FrameType::kKeepAlive) return false;
  if (!frame) {
    result.error = "the daemon went away: " + frame.error().message;
    return true;
  }
  auto got = frame->type == session::FrameType::kCommandResult
                 ? session::DecodeCommandResult(frame->body)
                 : Result<session::CommandResult>(Error{Code::kInvalid, "an unexpected message"});
  if (got) {
    SendDone(job.fd.get());
    result = std::move(*got);
  } else {
    result.error = "the daemon: " + got.error().message;
  }
  return true;
}

std::vector<RemoteJobs::Finished> RemoteJobs::Wait(int64_t timeout_ms, int wake_fd) {
  std::vector<pollfd> waiting = {{wake_fd, POLLIN, 0}};
  std::vector<size_t> ids = {0};
  for (const auto& [id, job] : running_) {
    waiting.push_back({job.fd.get(), POLLIN, 0});
    ids.push_back(id);
  }
  poll(waiting.data(), waiting.size(), static_cast<int>(timeout_ms));
  std::vector<Finished> finished;
  const int64_t now_ns = clock_.MonotonicNs();
  for (size_t i = 1; i < waiting.size(); ++i) {
    Running& job = running_.at(ids[i]);
    Finished done{ids[i], {}};
    bool ended = false;
    if (waiting[i].revents != 0) {
      ended = Take(job, done.result);
    } else if (now_ns - job.heard_ns > kSilenceNs) {
      done.result.error = "the daemon is silent";
      ended = true;
    }
    if (!ended) continue;
    running_.erase(ids[i]);
    finished.push_back(std::move(done));
  }
  return finished;
}

}  // namespace llama::app
