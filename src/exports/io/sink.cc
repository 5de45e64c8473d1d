#include "exports/io/sink.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "trace/span.h"

namespace llama::exports {
namespace {

// Beside `path`, so that a rename will do. In a folder that others write to, too, a name that could
// be guessed could be taken by a link to somewhere else.
std::string TemporaryName(const std::string& path) {
  return path + ".part-" + trace::Hex(trace::NewSpanId());
}

bool IsSpecial(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

class SpecialFileSink final : public Sink {
 public:
  SpecialFileSink(Fd fd, const std::string& path) : fd_(std::move(fd)), out_(fd_.get(), path) {}
  Result<void> Write(std::string_view bytes) override { return out_.Write(bytes); }

 private:
  const Fd fd_;
  FdSink out_;
};

class ReplacingSink final : public Sink {
 public:
  ReplacingSink(Fd fd, std::string temporary, std::string path)
      : fd_(std::move(fd)), temporary_(std::move(temporary)), path_(std::move(path)) {}
  ~ReplacingSink() override {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  Result<void> Write(std::string_view bytes) override { return WriteAll(fd_.get(), bytes, path_); }
  Result<void> Finish() override {
    if (std::rename(temporary_.c_str(), path_.c_str()) != 0) return ErrnoError(errno, path_);
    temporary_.clear();
    return {};
  }

 private:
  const Fd fd_;
  std::string temporary_;  // empty once it has its name
  const std::string path_;
};

}  // namespace

Result<void> FdSink::Write(std::string_view bytes) { return WriteAll(fd_, bytes, name_); }

Result<std::unique_ptr<Sink>> NewFileSink(const std::string& path) {
  if (IsSpecial(path)) {
    ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_WRONLY));
    return std::unique_ptr<Sink>(std::make_unique<SpecialFileSink>(std::move(fd), path));
  }
  std::string temporary = TemporaryName(path);
  auto fd = OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!fd) return Error{fd.error().code, fd.error().message};
  return std::unique_ptr<Sink>(
      std::make_unique<ReplacingSink>(*std::move(fd), std::move(temporary), path));
}

Result<void> WriteByName(const std::string& path,
                         const std::function<Result<void>(const std::string&)>& write) {
  if (IsSpecial(path)) {
    return Error{Code::kInvalid, path + ": this format needs a regular file"};
  }
  // A library opens by name what it likes, journals among it: in a folder that is ours alone.
  const std::string folder = TemporaryName(path);
  if (mkdir(folder.c_str(), 0700) != 0) return ErrnoError(errno, folder);
  const std::string temporary = JoinPath(folder, "export");
  Result<void> written = write(temporary);
  if (written && std::rename(temporary.c_str(), path.c_str()) != 0) {
    written = ErrnoError(errno, path);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return written;
}

}  // namespace llama::exports
