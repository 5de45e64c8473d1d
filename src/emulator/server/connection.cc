#include "emulator/server/connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>

#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

constexpr uint64_t kPieceBytes = 64 << 10;
// Smaller ones need no share of the room for bodies: Lambda's payloads among them.
constexpr uint64_t kSmallBodyBytes = 8 << 20;
constexpr int64_t kLingerMs = 2'000;
// Sleeps shorter than that are not worth their wake-up; the lines remember.
constexpr int64_t kShortestSleepNs = 500'000;
// The slowest that a body may come without a model: 32 KiB/s.
constexpr uint64_t kSlowestBytesPerMs = 32;

std::string_view Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 416:
      return "Requested Range Not Satisfiable";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

// In the shape of Lambda's; S3's may have any.
std::string RequestId(uint64_t number) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%08x-0000-4000-8000-%012llx",
                static_cast<unsigned>(getpid()), static_cast<unsigned long long>(number));
  return text.data();
}

bool IsReadable(int fd) {
  pollfd waiting = {fd, POLLIN, 0};
  return poll(&waiting, 1, 0) > 0;
}

// Whether the client wants to go on after this answer.
bool KeepsAlive(const http::Message& message) {
  const std::string* connection = message.Find("Connection");
  if (message.start[2] == "HTTP/1.0") {
    return connection != nullptr && SameIgnoringCase(*connection, "keep-alive");
  }
  return connection == nullptr || !SameIgnoringCase(*connection, "close");
}

Result<void> TakeTarget(Request& request, const std::string& target) {
  // A proxy's form, "http://host/path".
  std::string_view rest = target;
  if (const size_t scheme = rest.find("://");
      !rest.starts_with('/') && scheme != std::string_view::npos) {
    const size_t slash = rest.find('/', scheme + 3);
    rest = slash == std::string_view::npos ? "/" : rest.substr(slash);
  }
  if (!rest.starts_with('/')) return Error{Code::kInvalid, "HTTP: the target is no path"};
  request.target = rest;
  const size_t mark = rest.find('?');
  request.path = rest.substr(0, mark);
  if (mark == std::string_view::npos) return {};
  ASSIGN_OR_RETURN(request.query, ParseQuery(rest.substr(mark + 1)));
  return {};
}

}  // namespace

Connection::Connection(const World& world, http::Stream stream, std::string peer)
    : world_(world), stream_(std::move(stream)), peer_(std::move(peer)) {}

http::Wait Connection::Wait(int64_t ms) const {
  http::Wait wait;
  wait.deadline_ns = world_.clock.MonotonicNs() + ms * 1'000'000;
  wait.stop_fd = world_.stop_fd;
  return wait;
}

bool Connection::Abandoned() const { return stream_.HungUp() || IsReadable(world_.stop_fd); }

bool Connection::SleepUntil(int64_t monotonic_ns) const {
  while (true) {
    const int64_t left_ns = monotonic_ns - world_.clock.MonotonicNs();
    if (left_ns <= 0) return true;
    std::array<pollfd, 2> waiting = {{{stream_.fd(), POLLRDHUP, 0}, {world_.stop_fd, POLLIN, 0}}};
    const timespec timeout = {left_ns / 1'000'000'000, left_ns % 1'000'000'000};
    if (ppoll(waiting.data(), waiting.size(), &timeout, nullptr) > 0) return false;
  }
}

void Connection::Run() {
  while (keep_alive_ && ServeOne()) {
  }
}

bool Connection::ServeOne() {
  if (!stream_.HasBuffered()) {
    std::array<pollfd, 2> waiting = {{{stream_.fd(), POLLIN, 0}, {world_.drain_fd, POLLIN, 0}}};
    int ready = 0;
    do {
      ready = poll(waiting.data(), waiting.size(), static_cast<int>(world_.options.idle_ms));
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0 || waiting[1].revents != 0) return false;
  }
  BodyRoom::Share room;
  Result<Request> request = ReadRequest(room);
  if (!request) {
    const Error& error = request.error();
    if (error.code == Code::kInvalid) Refuse(400, error.message);
    if (error.code == Code::kDeadline) Refuse(408, error.message);
    return false;
  }
  Response response = world_.handler.Handle(*request, *this);
  sent_ = 0;
  const bool go_on = Answer(*request, response);
  if (world_.log != nullptr) {
    const int64_t took_ns = world_.clock.MonotonicNs() - request->began_ns;
    world_.log->Add({*request, response, world_.clock.NowNs(), took_ns, sent_});
  }
  return go_on;
}

Result<Request> Connection::ReadRequest(BodyRoom::Share& room) {
  ASSIGN_OR_RETURN(http::Message message,
                   stream_.ReadHead(http::Kind::kRequest, Wait(world_.options.slow_ms)));
  Request request;
  request.began_ns = world_.clock.MonotonicNs();
  request.method = message.start[0];
  request.peer = peer_;
  request.id = RequestId(world_.next_id++);
  request.body_limit = world_.options.max_body_bytes;
  TRY(TakeTarget(request, message.start[1]));
  keep_alive_ = KeepsAlive(message);
  TRY(ReadBody(message, request, room));
  request.headers = std::move(message.headers);
  request.body = std::move(message.body);
  request.received_ns = world_.clock.MonotonicNs();
  return request;
}

Result<void> Connection::ReadBody(http::Message& message, Request& request, BodyRoom::Share& room) {
  // How long a chunked one will be is not known.
  uint64_t expected = message.Find("Transfer-Encoding") == nullptr ? 0 : request.body_limit;
  if (const std::string* length = message.Find("Content-Length")) {
    const std::optional<uint64_t> size = ParseUint(*length);
    if (!size) return Error{Code::kInvalid, "HTTP: content length is no number"};
    expected = *size;
  }
  if (expected > request.body_limit) {
    request.body_too_large = true;
    keep_alive_ = false;
    return {};
  }
  const int64_t patience_ns = world_.clock.MonotonicNs() + world_.options.slow_ms * 1'000'000;
  const auto wanted = [&] { return !Abandoned() && world_.clock.MonotonicNs() < patience_ns; };
  if (expected > kSmallBodyBytes && !world_.room.Take(expected, wanted, room)) {
    return Error{Code::kDeadline, "HTTP: too many large bodies at once"};
  }
  if (const std::string* expect = message.Find("Expect");
      expect != nullptr && SameIgnoringCase(*expect, "100-continue")) {
    TRY(stream_.WriteRaw("HTTP/1.1 100 Continue\r\n\r\n", Wait(world_.options.slow_ms)));
  }
  http::Wait wait =
      Wait(world_.options.slow_ms + static_cast<int64_t>(expected / kSlowestBytesPerMs));
  if (world_.lines != nullptr && world_.lines->IsLimited(Direction::kUp)) {
    wait.deadline_ns = 0;  // The model is the slow one.
    wait.received = [this](uint64_t bytes) {
      const int64_t now_ns = world_.clock.MonotonicNs();
      const int64_t through = world_.lines->Reserve(Direction::kUp, "", bytes, lines_, now_ns);
      if (through - now_ns > kShortestSleepNs) SleepUntil(through);
    };
  }
  return stream_.ReadBody(message, http::Kind::kRequest, request.body_limit, wait);
}

bool Connection::Answer(const Request& request, Response& response) {
  const Plan& plan = response.plan;
  if (!SleepUntil(request.received_ns + plan.latency_ns)) return false;
  if (plan.fault == Fault::kResetBefore || plan.fault == Fault::kResetAfter) {
    Break();
    return false;
  }
  if (request.body_too_large) keep_alive_ = false;
  const std::string head = Head(request, response);
  const bool has_body = request.method != "HEAD" && response.size() > 0;
  const uint64_t whole = head.size() + (has_body ? response.size() : 0);
  const bool cut = plan.fault == Fault::kTruncate || plan.fault == Fault::kStall;
  // Within the body if there is one.
  const uint64_t limit = !cut       ? whole
                         : has_body ? head.size() + response.size() / 2
                                    : head.size() / 2;
  if (!Send(request, response, head, limit)) return false;
  if (plan.fault == Fault::kStall) SleepUntil(world_.clock.MonotonicNs() + plan.stall_ns);
  if (request.body_too_large) Linger();
  return !cut;
}

std::string Connection::Head(const Request& request, const Response& response) const {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(Reason(response.status)).append("\r\n");
  head += http::HeaderLine("Date", HttpDate(world_.clock.NowNs() / 1'000'000'000));
  head += http::HeaderLine("Server", "llama-emulator");
  for (const auto& [name, value] : response.headers) head += http::HeaderLine(name, value);
  if (!keep_alive_) head += http::HeaderLine("Connection", "close");
  const bool bodiless = response.status == 204 || response.status == 304;
  // What a GET would have sent is what HEAD's length says; the handler may know better.
  const bool has_length = std::any_of(
      response.headers.begin(), response.headers.end(),
      [](const auto& header) { return SameIgnoringCase(header.first, "Content-Length"); });
  if (!bodiless && !(request.method == "HEAD" && has_length)) {
    head += http::HeaderLine("Content-Length", std::to_string(response.size()));
  }
  return head + "\r\n";
}

Result<void> Connection::Send(const Request& request, const Response& response,
                              const std::string& head, uint64_t limit) {
  const bool small = !response.file && head.size() + response.body.size() <= kPieceBytes;
  if (request.method == "HEAD" || small || limit <= head.size()) {
    const std::string body = request.method == "HEAD" ? "" : response.body.substr(0, limit);
    const std::string all = (head + body).substr(0, limit);
    sent_ = all.size() - std::min(all.size(), head.size());
    return SendPaced(all, response.worker);
  }
  TRY(SendPaced(head, response.worker));
  if (response.file) return SendFile(response, limit - head.size());
  std::string_view rest = std::string_view(response.body).substr(0, limit - head.size());
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, kPieceBytes);
    TRY(SendPaced(piece, response.worker));
    sent_ += piece.size();
    rest.remove_prefix(piece.size());
  }
  return {};
}

Result<void> Connection::SendFile(const Response& response, uint64_t limit) {
  std::string piece(std::min(limit, 4 * kPieceBytes), '\0');
  while (sent_ < limit) {
    const size_t want = static_cast<size_t>(std::min<uint64_t>(piece.size(), limit - sent_));
    const ssize_t n = pread(response.file->get(), piece.data(), want,
                            static_cast<off_t>(response.file_offset + sent_));
    if (n < 0 && errno == EINTR) continue;
    // The length is announced already: all that is left is to break off.
    if (n <= 0) return Error{Code::kUnavailable, "an object's file is shorter than it was"};
    TRY(SendPaced({piece.data(), static_cast<size_t>(n)}, response.worker));
    sent_ += static_cast<uint64_t>(n);
  }
  return {};
}

Result<void> Connection::SendPaced(std::string_view bytes, const std::string& worker) {
  if (world_.lines != nullptr && world_.lines->IsLimited(Direction::kDown)) {
    const int64_t now_ns = world_.clock.MonotonicNs();
    const int64_t through =
        world_.lines->Reserve(Direction::kDown, worker, bytes.size(), lines_, now_ns);
    if (through - now_ns > kShortestSleepNs && !SleepUntil(through)) {
      return Error{Code::kCancelled, "the client hung up"};
    }
  }
  return stream_.WriteRaw(bytes, Wait(world_.options.slow_ms));
}

void Connection::Break() {
  // With nothing left to linger for, close() sends a reset.
  const linger hard = {1, 0};
  setsockopt(stream_.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  stream_.Close();
}

void Connection::Refuse(int status, std::string_view text) {
  const std::string head = "HTTP/1.1 " + std::to_string(status) + " " +
                           std::string(Reason(status)) +
                           "\r\nConnection: close\r\nContent-Type: text/plain\r\n";
  // The client may be gone already; there is nobody to tell.
  if (stream_.Write(head, std::string(text) + "\n", Wait(1'000))) Linger();
}

void Connection::Linger() {
  shutdown(stream_.fd(), SHUT_WR);
  const int64_t end_ns = world_.clock.MonotonicNs() + kLingerMs * 1'000'000;
  std::string scrap(kPieceBytes, '\0');
  while (world_.clock.MonotonicNs() < end_ns && !IsReadable(world_.stop_fd)) {
    pollfd waiting = {stream_.fd(), POLLIN, 0};
    if (poll(&waiting, 1, 100) < 0) return;
    if (waiting.revents != 0 && recv(stream_.fd(), scrap.data(), scrap.size(), MSG_DONTWAIT) <= 0) {
      return;
    }
  }
}

}  // namespace llama::emulator
