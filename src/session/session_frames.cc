// The frames of the session: length, type, body, over a stream socket.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "session/session.h"

namespace llama::session {
namespace {

constexpr size_t kHeaderBytes = 4;
// A hostile length must not make us reserve it before the bytes are there.
constexpr size_t kChunkBytes = size_t{1} << 20;

class Deadline {
 public:
  explicit Deadline(int64_t timeout_ms)
      : end_ns_(SystemClock().MonotonicNs() + timeout_ms * 1'000'000) {}

  // Waits until `fd` is ready for `events`.
  Result<void> Wait(int fd, short events) const {
    while (true) {
      const int64_t left_ms = (end_ns_ - SystemClock().MonotonicNs() + 999'999) / 1'000'000;
      pollfd entry{fd, events, 0};
      const int n = poll(&entry, 1, static_cast<int>(std::clamp<int64_t>(left_ms, 0, 1 << 30)));
      if (n > 0) return {};
      if (n == 0) return Error{Code::kDeadline, "daemon socket: no progress in time"};
      if (errno != EINTR) return ErrnoError(errno, "poll");
    }
  }

 private:
  int64_t end_ns_;
};

// The number of bytes read; 0 at the end of the stream.
Result<size_t> ReadSome(int fd, char* into, size_t size, const Deadline& deadline) {
  while (true) {
    const ssize_t n = recv(fd, into, size, MSG_DONTWAIT);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EAGAIN) {
      TRY(deadline.Wait(fd, POLLIN));
    } else if (errno != EINTR) {
      return ErrnoError(errno, "daemon socket");
    }
  }
}

Result<void> ReadExactly(int fd, std::string& into, size_t size, const Deadline& deadline) {
  size_t used = into.size();
  const size_t end = used + size;
  while (used < end) {
    into.resize(std::min(end, used + kChunkBytes));
    while (used < into.size()) {
      ASSIGN_OR_RETURN(const size_t n,
                       ReadSome(fd, into.data() + used, into.size() - used, deadline));
      if (n == 0 && used == 0) return Error{Code::kNotFound, "daemon socket: closed"};
      if (n == 0) return Error{Code::kInvalid, "daemon socket: closed within a frame"};
      used += n;
    }
  }
  return {};
}

uint32_t LengthOf(std::string_view header) {
  uint32_t length = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    length |= uint32_t{static_cast<unsigned char>(header[i])} << (8 * i);
  }
  return length;
}

Result<void> CheckLength(uint32_t length, uint32_t max_bytes) {
  if (length >= 1 && length <= max_bytes) return {};
  return Error{Code::kInvalid, "daemon socket: a frame of " + std::to_string(length) + " bytes"};
}

}  // namespace

std::string EncodeFrame(FrameType type, std::string_view body) {
  const auto length = static_cast<uint32_t>(body.size() + 1);
  std::string frame;
  frame.reserve(kHeaderBytes + length);
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    frame.push_back(static_cast<char>(length >> (8 * i)));
  }
  frame.push_back(static_cast<char>(type));
  frame.append(body);
  return frame;
}

Result<std::optional<FrameHead>> ReadHead(std::string_view buffer, uint32_t max_bytes) {
  if (buffer.size() < kHeaderBytes) return std::optional<FrameHead>();
  const uint32_t length = LengthOf(buffer);
  TRY(CheckLength(length, max_bytes));
  if (buffer.size() < kFrameHeadBytes) return std::optional<FrameHead>();
  return std::optional(FrameHead{static_cast<FrameType>(buffer[kHeaderBytes]), length - 1});
}

Result<std::optional<Frame>> TakeFrame(std::string& buffer, uint32_t max_bytes) {
  ASSIGN_OR_RETURN(const std::optional<FrameHead> head, ReadHead(buffer, max_bytes));
  if (!head || buffer.size() - kFrameHeadBytes < head->body_bytes) return std::optional<Frame>();
  Frame frame{head->type, buffer.substr(kFrameHeadBytes, head->body_bytes)};
  buffer.erase(0, kFrameHeadBytes + head->body_bytes);
  return std::optional<Frame>(std::move(frame));
}

Result<void> SendFrame(int fd, FrameType type, std::string_view body, int64_t timeout_ms) {
  if (body.size() >= kMaxFrameBytes) {
    return Error{Code::kInvalid, "daemon socket: a message too long to send"};
  }
  const Deadline deadline(timeout_ms);
  const std::string frame = EncodeFrame(type, body);
  std::string_view left = frame;
  while (!left.empty()) {
    const ssize_t n = send(fd, left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      left.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      TRY(deadline.Wait(fd, POLLOUT));
    } else if (errno != EINTR) {
      return ErrnoError(errno, "daemon socket");
    }
  }
  return {};
}

Result<Frame> ReceiveFrame(int fd, int64_t timeout_ms, uint32_t max_bytes) {
  const Deadline deadline(timeout_ms);
  std::string header;
  TRY(ReadExactly(fd, header, kHeaderBytes, deadline));
  const uint32_t length = LengthOf(header);
  TRY(CheckLength(length, max_bytes));
  // The header is in `header`, so an end of the stream in what follows is within a frame.
  TRY(ReadExactly(fd, header, 1, deadline));
  Frame frame;
  frame.type = static_cast<FrameType>(header[kHeaderBytes]);
  if (length > 1) {
    Result<void> read = ReadExactly(fd, frame.body, length - 1, deadline);
    if (!read && read.error().code == Code::kNotFound) {
      return Error{Code::kInvalid, "daemon socket: closed within a frame"};
    }
    TRY(read);
  }
  return frame;
}

}  // namespace llama::session
