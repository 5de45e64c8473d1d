// Sink: where the bytes of an export go.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace llama::exports {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<void> Write(std::string_view bytes) = 0;
  // After the last Write: what was written counts now.
  virtual Result<void> Finish() { return {}; }
};

// A descriptor that stays the caller's, such as standard output.
class FdSink final : public Sink {
 public:
  FdSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Result<void> Write(std::string_view bytes) override;

 private:
  const int fd_;
  const std::string name_;
};

class StringSink final : public Sink {
 public:
  Result<void> Write(std::string_view bytes) override {
    text_.append(bytes);
    return {};
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// A file that appears whole, in place of what was there, or not at all. What is no regular file (a
// pipe, /dev/null) is written as it is.
Result<std::unique_ptr<Sink>> NewFileSink(const std::string& path);

// The same for a library that writes a file by its name: `write` is given one that is not there
// yet, in the same folder; if it succeeds, the file gets its own name, and else it is removed.
Result<void> WriteByName(const std::string& path,
                         const std::function<Result<void>(const std::string&)>& write);

}  // namespace llama::exports
