#include "llama/daemon_link.h"

#include <poll.h>

namespace llama::app {
namespace {

constexpr int64_t kBeginMs = 10'000;
constexpr int64_t kEndMs = 15'000;
constexpr int64_t kAgainMs = 300;
constexpr int64_t kAgainEveryNs = 1'000'000'000;
constexpr int64_t kReplyMs = 1'000;

Result<void> Request(int fd, session::FrameType type, std::string_view body, int64_t timeout_ms) {
  TRY(session::SendFrame(fd, type, body, timeout_ms));
  ASSIGN_OR_RETURN(const session::Frame frame, session::ReceiveFrame(fd, timeout_ms));
  if (frame.type != session::FrameType::kAck) {
    return Error{Code::kInvalid, "the daemon answered something else than an acknowledgement"};
  }
  ASSIGN_OR_RETURN(const session::Ack ack, session::DecodeAck(frame.body));
  if (!ack.error.empty()) return Error{Code::kRemoteFailed, ack.error};
  return {};
}

}  // namespace

DaemonLink::DaemonLink(client::ConnectOptions options, session::BeginBuild build,
                       const Clock& clock)
    : options_(std::move(options)), build_(std::move(build)), clock_(clock) {}

Result<void> DaemonLink::Connect(bool start, int64_t timeout_ms) {
  tried_ns_ = clock_.MonotonicNs();
  asked_ = false;
  options_.start = start;
  options_.timeout_ms = timeout_ms;
  ASSIGN_OR_RETURN(fd_, client::Connect(options_));
  const Result<void> begun =
      Request(fd_.get(), session::FrameType::kBeginBuild, Encode(build_), timeout_ms);
  if (!begun) fd_.Reset();
  return begun;
}

Result<void> DaemonLink::Begin() { return Connect(true, kBeginMs); }

void DaemonLink::TakeReply() {
  pollfd waiting{fd_.get(), POLLIN, 0};
  if (poll(&waiting, 1, 0) <= 0) return;
  const auto frame = session::ReceiveFrame(fd_.get(), kReplyMs);
  const auto status = frame && frame->type == session::FrameType::kStatusReply
                          ? session::DecodeStatus(frame->body)
                          : Result<session::Status>(Error{Code::kInvalid, "no status"});
  if (!status) {
    fd_.Reset();
    return;
  }
  asked_ = false;
  counters_ = status->counters;
  outage_ = status->outage;
}

void DaemonLink::Tick(bool ask) {
  if (fd_.valid()) TakeReply();
  if (!fd_.valid()) {
    // Without starting one: the next wrapper does that.
    if (clock_.MonotonicNs() - tried_ns_ < kAgainEveryNs || !Connect(false, kAgainMs)) return;
  }
  if (!ask || asked_) return;
  const std::string body = Encode(session::StatusRequest{build_.id});
  if (session::SendFrame(fd_.get(), session::FrameType::kStatus, body, kReplyMs)) {
    asked_ = true;
  } else {
    fd_.Reset();
  }
}

void DaemonLink::AwaitCounters() {
  // A status that is under way may be older: then another one is asked for.
  for (int i = asked_ ? 0 : 1; i < 2; ++i) {
    Tick(true);
    if (!asked_) return;
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (poll(&waiting, 1, kReplyMs) <= 0) return;
    TakeReply();
  }
}

Result<void> DaemonLink::End(const session::EndBuild& end) {
  // A connection of its own: the old one may still owe a status.
  options_.start = false;
  options_.timeout_ms = kAgainMs;
  ASSIGN_OR_RETURN(const Fd fd, client::Connect(options_));
  return Request(fd.get(), session::FrameType::kEndBuild, Encode(end), kEndMs);
}

}  // namespace llama::app
