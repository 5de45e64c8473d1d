#include "http/stream.h"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace llama::http {
namespace {

constexpr uint64_t kMaxHeadBytes = 64 << 10;
constexpr size_t kMaxHeaders = 128;
constexpr int kMaxInterimAnswers = 8;
constexpr size_t kReadBytes = 64 << 10;

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Trim(std::string_view s) {
  const size_t first = s.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t") - first + 1);
}

std::optional<uint64_t> ParseNumber(std::string_view text, int base) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Error Malformed(std::string_view what) {
  return Error{Code::kInvalid, "HTTP: " + std::string(what)};
}

// The end of the stream within a message.
Error Truncated(Error error) {
  if (error.code != Code::kNotFound) return error;
  return Error{Code::kUnavailable, "HTTP: connection closed in the midst of a message"};
}

Result<void> ParseStartLine(std::string_view line, Kind kind, Message& message) {
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (first == std::string_view::npos) return Malformed("no start line");
  message.start[0] = line.substr(0, first);
  if (second == std::string_view::npos) {
    message.start[1] = line.substr(first + 1);  // an answer without a reason
  } else {
    message.start[1] = line.substr(first + 1, second - first - 1);
    message.start[2] = line.substr(second + 1);
  }
  const std::string& version = message.start[kind == Kind::kRequest ? 2 : 0];
  if (version != "HTTP/1.1" && version != "HTTP/1.0") return Malformed("unknown version");
  if (kind != Kind::kRequest &&
      (message.start[1].size() != 3 || message.status() < 100 || message.status() > 599)) {
    return Malformed("status is no number");
  }
  return {};
}

}  // namespace

const std::string* Message::Find(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (SameIgnoringCase(key, name)) return &value;
  }
  return nullptr;
}

int Message::status() const {
  return static_cast<int>(std::min<uint64_t>(ParseNumber(start[1], 10).value_or(0), 1000));
}

std::string HeaderLine(std::string_view name, std::string_view value) {
  std::string line(name);
  line += ": ";
  for (char c : value) {
    if (c != '\r' && c != '\n' && c != '\0') line.push_back(c);
  }
  return line + "\r\n";
}

Result<void> Stream::WaitFor(short events, const Wait& wait) const {
  return WaitUntilReady(fd(), events, wait, *clock_);
}

Result<size_t> Stream::Receive(char* to, size_t size, const Wait& wait) {
  while (channel_) {
    Channel::Moved moved = channel_->Receive(to, size);
    if (moved.bytes > 0) {
      if (wait.received) wait.received(moved.bytes);
      return moved.bytes;
    }
    if (moved.error) return *std::move(moved.error);
    TRY(WaitFor(moved.wait_for, wait));
  }
  return Error{Code::kNotFound, "HTTP: connection closed"};
}

Result<void> Stream::Fill(const Wait& wait) {
  if (at_ == buffer_.size()) {
    buffer_.clear();
    at_ = 0;
  }
  const size_t old = buffer_.size();
  buffer_.resize(old + kReadBytes);
  const Result<size_t> got = Receive(buffer_.data() + old, kReadBytes, wait);
  buffer_.resize(old + (got ? *got : 0));
  if (!got) return got.error();
  return {};
}

Result<std::string> Stream::ReadLine(uint64_t& budget, const Wait& wait) {
  size_t scanned = 0;
  while (true) {
    const size_t end = buffer_.find('\n', at_ + scanned);
    const size_t size = (end == std::string::npos ? buffer_.size() : end + 1) - at_;
    if (size > budget) return Malformed("head too large");
    if (end != std::string::npos) {
      budget -= size;
      std::string line = buffer_.substr(at_, size - 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      at_ = end + 1;
      return line;
    }
    scanned = size;
    const size_t before = buffer_.size();
    const bool moved = at_ == before;
    TRY(Fill(wait));
    if (moved) scanned = 0;
  }
}

Result<void> Stream::ReadHeadInto(Message& message, Kind kind, const Wait& wait) {
  if (at_ == buffer_.size()) {
    Result<void> first = Fill(wait);
    // Between messages, however a connection ends, nothing is lost with it.
    if (!first && first.error().code == Code::kUnavailable) {
      return Error{Code::kNotFound, first.error().message};
    }
    TRY(std::move(first));
  }
  message.first_byte_ns = clock_->MonotonicNs();
  uint64_t budget = kMaxHeadBytes;
  const auto read_head = [&]() -> Result<void> {
    ASSIGN_OR_RETURN(const std::string first, ReadLine(budget, wait));
    TRY(ParseStartLine(first, kind, message));
    while (true) {
      ASSIGN_OR_RETURN(const std::string line, ReadLine(budget, wait));
      if (line.empty()) return {};
      const size_t colon = line.find(':');
      if (colon == 0 || colon == std::string::npos) return Malformed("a header without a name");
      if (message.headers.size() == kMaxHeaders) return Malformed("too many headers");
      message.headers.emplace_back(line.substr(0, colon),
                                   Trim(std::string_view(line).substr(colon + 1)));
    }
  };
  Result<void> head = read_head();
  if (!head) return Truncated(std::move(head).error());
  return {};
}

Result<void> Stream::ReadSized(std::string& body, uint64_t size, const Wait& wait) {
  const uint64_t target = body.size() + size;
  while (true) {
    const size_t take =
        static_cast<size_t>(std::min<uint64_t>(target - body.size(), buffer_.size() - at_));
    body.append(buffer_, at_, take);
    at_ += take;
    if (body.size() == target) return {};
    // Only as much room as has been earned by bytes that came: a length is but a claim.
    const size_t used = body.size();
    const size_t room = static_cast<size_t>(
        std::min<uint64_t>(target - used, std::max<uint64_t>(used, 4 * kReadBytes)));
    body.resize(used + room);
    size_t got = 0;
    while (got < room) {
      const Result<size_t> more = Receive(body.data() + used + got, room - got, wait);
      if (!more) return Truncated(more.error());
      got += *more;
    }
  }
}

Result<void> Stream::ReadChunked(std::string& body, uint64_t max, const Wait& wait) {
  while (true) {
    uint64_t budget = 1024;
    ASSIGN_OR_RETURN(const std::string line, ReadLine(budget, wait));
    const std::string_view digits = Trim(std::string_view(line).substr(0, line.find(';')));
    const std::optional<uint64_t> size = ParseNumber(digits, 16);
    if (!size) return Malformed("chunk size is no number");
    if (*size > max - body.size()) return Malformed("body too large");
    if (*size == 0) break;
    TRY(ReadSized(body, *size, wait));
    ASSIGN_OR_RETURN(const std::string end, ReadLine(budget, wait));
    if (!end.empty()) return Malformed("chunk longer than it says");
  }
  uint64_t budget = kMaxHeadBytes;
  while (true) {
    ASSIGN_OR_RETURN(const std::string trailer, ReadLine(budget, wait));
    if (trailer.empty()) return {};
  }
}

Result<void> Stream::ReadToEnd(std::string& body, uint64_t max, const Wait& wait) {
  while (true) {
    body.append(buffer_, at_);
    at_ = buffer_.size();
    if (body.size() > max) return Malformed("body too large");
    if (Result<void> more = Fill(wait); !more) {
      if (more.error().code == Code::kNotFound) return {};
      return more;
    }
  }
}

Result<void> Stream::ReadBodyInto(Message& message, Kind kind, uint64_t max, const Wait& wait) {
  if (const std::string* coding = message.Find("Transfer-Encoding")) {
    if (!SameIgnoringCase(*coding, "chunked")) return Malformed("unknown transfer encoding");
    return ReadChunked(message.body, max, wait);
  }
  if (kind == Kind::kAnswer && (message.status() == 204 || message.status() == 304)) return {};
  if (const std::string* length = message.Find("Content-Length")) {
    const std::optional<uint64_t> size = ParseNumber(*length, 10);
    if (!size) return Malformed("content length is no number");
    if (*size > max) return Malformed("body too large");
    return ReadSized(message.body, *size, wait);
  }
  if (kind == Kind::kRequest) return {};
  return ReadToEnd(message.body, max, wait);
}

Result<Message> Stream::ReadHead(Kind kind, const Wait& wait) {
  Message message;
  TRY(ReadHeadInto(message, kind, wait));
  return message;
}

Result<void> Stream::ReadBody(Message& message, Kind kind, uint64_t max, const Wait& wait) {
  if (kind == Kind::kAnswerToHead) return {};
  Result<void> body = ReadBodyInto(message, kind, max, wait);
  if (!body) return Truncated(std::move(body).error());
  return {};
}

Result<Message> Stream::Read(Kind kind, uint64_t max_body_bytes, const Wait& wait) {
  for (int interim = 0; interim <= kMaxInterimAnswers; ++interim) {
    ASSIGN_OR_RETURN(Message message, ReadHead(kind, wait));
    if (kind != Kind::kRequest && message.status() < 200) continue;
    TRY(ReadBody(message, kind, max_body_bytes, wait));
    return message;
  }
  return Malformed("interim answers without end");
}

Result<void> Stream::SendAll(std::string_view bytes, const Wait& wait) {
  while (channel_ && !bytes.empty()) {
    Channel::Moved moved = channel_->Send(bytes);
    if (moved.error) {
      return Error{Code::kUnavailable, "HTTP: connection closed by the other side"};
    }
    if (moved.bytes == 0) TRY(WaitFor(moved.wait_for, wait));
    bytes.remove_prefix(moved.bytes);
  }
  if (!bytes.empty()) return Error{Code::kUnavailable, "HTTP: connection closed"};
  return {};
}

Result<void> Stream::Write(std::string_view head, std::string_view body, const Wait& wait) {
  std::string first(head);
  first += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  // Small bodies go with the head: one system call.
  if (body.size() <= kReadBytes) {
    first += body;
    return SendAll(first, wait);
  }
  TRY(SendAll(first, wait));
  return SendAll(body, wait);
}

bool Stream::HungUp() const {
  if (!channel_) return true;
  pollfd socket = {channel_->fd(), POLLRDHUP, 0};
  constexpr short kGone = POLLRDHUP | POLLHUP | POLLERR | POLLNVAL;
  return poll(&socket, 1, 0) > 0 && (socket.revents & kGone) != 0;
}

bool Stream::HasBuffered() const {
  return at_ < buffer_.size() || (channel_ && channel_->HasBuffered());
}

}  // namespace llama::http
