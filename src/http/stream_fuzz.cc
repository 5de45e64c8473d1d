// HTTP messages: the first byte says of which kind, the second in what pieces the rest comes over
// the connection, which must make no difference.
#include <algorithm>
#include <cstring>

#include "base/fuzz.h"
#include "http/stream.h"

namespace llama::http {
namespace {

constexpr uint64_t kMaxBody = 100'000;

class Pieces final : public Channel {
 public:
  Pieces(std::string_view bytes, size_t piece) : left_(bytes), piece_(piece) {}

  Moved Receive(char* to, size_t size) override {
    if (left_.empty()) return {0, 0, Error{Code::kNotFound, "the end"}};
    const size_t take = std::min({size, piece_, left_.size()});
    std::memcpy(to, left_.data(), take);
    left_.remove_prefix(take);
    return {take, 0, std::nullopt};
  }
  Moved Send(std::string_view) override { return {0, 0, Error{Code::kUnavailable, "read only"}}; }
  bool HasBuffered() const override { return false; }
  int fd() const override { return -1; }

 private:
  std::string_view left_;
  const size_t piece_;
};

// All that can be seen of the messages in `bytes`, up to the first that is none.
std::string Read(std::string_view bytes, Kind kind, size_t piece) {
  Stream stream(std::make_unique<Pieces>(bytes, piece), SystemClock());
  std::string seen;
  while (true) {
    const Result<Message> message = stream.Read(kind, kMaxBody, {});
    if (!message) return seen + std::string(CodeName(message.error().code));
    CHECK(message->body.size() <= std::min<size_t>(kMaxBody, bytes.size()));
    CHECK(message->headers.size() <= 128);
    for (const std::string& part : message->start) seen += part + "\n";
    for (const auto& [name, value] : message->headers) {
      const std::string line = HeaderLine(name, value);
      CHECK(line.find('\n') == line.size() - 1);
      CHECK(message->Find(name) != nullptr);
      seen += line;
    }
    seen += message->body + "\n";
  }
}

}  // namespace

FUZZ_TARGET(bytes) {
  const auto kind = static_cast<Kind>(TakeByte(bytes) % 3);
  const size_t piece = 1 + TakeByte(bytes);
  CHECK(Read(bytes, kind, piece) == Read(bytes, kind, bytes.size() + 1));
}

}  // namespace llama::http
