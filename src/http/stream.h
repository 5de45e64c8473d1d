// HTTP/1.1 as the Runtime API, the worker's store and the emulator need it: whole messages over a
// connected socket, plain or TLS, either side of it.
//
// The other side is not trusted: heads, header counts and bodies are bounded, and every wait ends
// by its deadline, by its caller's wish, or by the other side's hanging up. Bodies come by
// Content-Length, chunked, or (answers only) up to the end of the connection.
//
// A stream is used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "http/channel.h"
#include "http/wait.h"

namespace llama::http {

struct Message {
  // Of a request: method, target, version. Of an answer: version, status, reason.
  std::array<std::string, 3> start;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int64_t first_byte_ns = 0;  // Clock::MonotonicNs when it began to arrive

  // By name, whatever its case; the first. Nothing: nullptr.
  const std::string* Find(std::string_view name) const;
  int status() const;  // of an answer
};

enum class Kind : unsigned char {
  kRequest,
  kAnswer,
  kAnswerToHead,  // has no body, whatever its Content-Length says
};

class Stream {
 public:
  // `socket` is a connected stream socket; `clock` must outlive the stream.
  Stream(Fd socket, const Clock& clock) : Stream(NewSocketChannel(std::move(socket)), clock) {}
  // http/tls.h makes those with TLS.
  Stream(std::unique_ptr<Channel> channel, const Clock& clock)
      : channel_(std::move(channel)), clock_(&clock) {}

  // The next message; interim answers (1xx) are skipped. kNotFound: the other side hung up before
  // the message began; kUnavailable: in the midst of it; kInvalid: not HTTP, or too large. After an
  // error the stream is of no more use.
  Result<Message> Read(Kind kind, uint64_t max_body_bytes, const Wait& wait);
  // The same in two steps, for a server that has something to say or to decide in between
  // (100-continue, a body that is too large). Interim answers are not skipped.
  Result<Message> ReadHead(Kind kind, const Wait& wait);
  Result<void> ReadBody(Message& message, Kind kind, uint64_t max, const Wait& wait);
  // `head` is the start line and the headers, each ended by CRLF; Content-Length and the empty line
  // are added. kUnavailable: the other side hung up.
  Result<void> Write(std::string_view head, std::string_view body, const Wait& wait);

  // Bytes as they are: an interim answer, a body that is sent in pieces.
  Result<void> WriteRaw(std::string_view bytes, const Wait& wait) { return SendAll(bytes, wait); }

  // Whether the other side has closed (or died), without waiting.
  bool HungUp() const;
  // Whether bytes have come that poll() on fd() does not see.
  bool HasBuffered() const;
  void Close() { channel_.reset(); }
  int fd() const { return channel_ ? channel_->fd() : -1; }

 private:
  Result<void> WaitFor(short events, const Wait& wait) const;
  // At least one byte of what comes. kNotFound at the end of the stream.
  Result<size_t> Receive(char* to, size_t size, const Wait& wait);
  // The same into buffer_.
  Result<void> Fill(const Wait& wait);
  Result<std::string> ReadLine(uint64_t& budget, const Wait& wait);
  Result<void> ReadHeadInto(Message& message, Kind kind, const Wait& wait);
  Result<void> ReadBodyInto(Message& message, Kind kind, uint64_t max, const Wait& wait);
  Result<void> ReadSized(std::string& body, uint64_t size, const Wait& wait);
  Result<void> ReadChunked(std::string& body, uint64_t max, const Wait& wait);
  Result<void> ReadToEnd(std::string& body, uint64_t max, const Wait& wait);
  Result<void> SendAll(std::string_view bytes, const Wait& wait);

  std::unique_ptr<Channel> channel_;
  const Clock* clock_;
  std::string buffer_;
  size_t at_ = 0;  // of buffer_: what is read of it
};

// A header line, CRLF included. Bytes that would end it early are left out of `value`.
std::string HeaderLine(std::string_view name, std::string_view value);

}  // namespace llama::http
