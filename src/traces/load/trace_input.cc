#include "traces/load/trace_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/file.h"

namespace llama::traces {
namespace {

constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);
constexpr std::string_view kGzipMagic("\x1f\x8b");
constexpr int kGzipWindow = 15 + 16;  // of any size, with gzip's head
constexpr size_t kReadBytes = size_t{128} << 10;
// How far back from where a frame turned out to be broken another may begin: frames of the daemon's
// are smaller. A frame of somebody else's may be the whole file.
constexpr size_t kHistoryBytes = size_t{4} << 20;
// Each process that dies while writing leaves one broken frame. The bound keeps a hostile file from
// being decompressed again from each of millions of places.
constexpr int kMaxBrokenFrames = 1000;
// Traces shrink to about a seventh.
constexpr uint64_t kLikelyRatio = 7;

struct DecompressorFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

struct InflateEnd {
  void operator()(z_stream* stream) const {
    inflateEnd(stream);
    delete stream;
  }
};

// A frame, or one that readers skip, such as parallel compressors write first.
bool IsZstd(std::string_view head) {
  if (head.empty()) return false;
  if (kMagic.starts_with(head.substr(0, kMagic.size()))) return true;
  return head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace

class TraceInput::Impl {
 public:
  Impl(std::string path, Fd owned, int fd, std::string_view text)
      : path_(std::move(path)), owned_(std::move(owned)), fd_(fd), text_(text) {}

  Result<void> Start() {
    struct stat status {};
    if (fd_ >= 0 && fstat(fd_, &status) == 0 && S_ISREG(status.st_mode)) {
      file_bytes_ = static_cast<uint64_t>(status.st_size);
    }
    if (fd_ < 0) file_bytes_ = text_.size();
    while (in_.size() < kMagic.size() && !at_end_) TRY(Fill(kReadBytes));
    if (in_.starts_with(kGzipMagic)) return StartGzip();
    zstd_ = IsZstd(in_);
    if (!zstd_) return {};
    decompressor_.reset(ZSTD_createDCtx());
    if (!decompressor_) return Error{Code::kUnavailable, path_ + ": no memory for zstd"};
    return {};
  }

  Result<Block> Read(char* to, size_t size) {
    if (ahead_.empty()) return ReadOn(to, size);
    Ahead& front = ahead_.front();
    const size_t bytes = std::min(size, front.bytes.size() - front.taken);
    std::memcpy(to, front.bytes.data() + front.taken, bytes);
    front.taken += bytes;
    const Block block{bytes, std::exchange(front.after_gap, false)};
    if (front.taken == front.bytes.size()) ahead_.pop_front();
    return block;
  }

  Result<std::string_view> Peek(size_t size) {
    while (ahead_.empty() || (ahead_.size() == 1 && ahead_.front().bytes.size() < size)) {
      std::string bytes(kReadBytes, '\0');
      ASSIGN_OR_RETURN(const Block block, ReadOn(bytes.data(), bytes.size()));
      if (block.bytes == 0) break;
      bytes.resize(block.bytes);
      if (ahead_.empty() || block.after_gap) {
        ahead_.push_back({std::move(bytes), 0, block.after_gap});
      } else {
        ahead_.front().bytes += bytes;
      }
    }
    return ahead_.empty() ? std::string_view() : std::string_view(ahead_.front().bytes);
  }

  bool truncated() const { return broken_ > 0; }
  uint64_t read_bytes() const { return read_bytes_; }
  uint64_t LikelyBytes() const { return zstd_ || gzip_ ? file_bytes_ * kLikelyRatio : file_bytes_; }

 private:
  // What Peek has read.
  struct Ahead {
    std::string bytes;
    size_t taken = 0;
    bool after_gap = false;
  };

  Result<void> StartGzip() {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), kGzipWindow) != Z_OK) {
      return Error{Code::kUnavailable, path_ + ": no memory for gzip"};
    }
    gzip_.reset(stream.release());
    return {};
  }

  Result<Block> ReadOn(char* to, size_t size) {
    if (gzip_) return ReadGzip(to, size);
    return zstd_ ? ReadFrames(to, size) : ReadPlain(to, size);
  }

  // Up to `size` more bytes of the file to `to`; sets at_end_.
  Result<size_t> ReadFile(char* to, size_t size) {
    if (fd_ < 0) {
      const size_t bytes = std::min(size, text_.size());
      if (bytes > 0) std::memcpy(to, text_.data(), bytes);
      text_.remove_prefix(bytes);
      read_bytes_ += bytes;
      at_end_ = bytes == 0;
      return bytes;
    }
    while (true) {
      const ssize_t bytes = read(fd_, to, size);
      if (bytes >= 0) {
        at_end_ = bytes == 0;
        read_bytes_ += static_cast<uint64_t>(bytes);
        return static_cast<size_t>(bytes);
      }
      if (errno != EINTR) return ErrnoError(errno, path_);
    }
  }

  // More bytes behind those of in_.
  Result<void> Fill(size_t size) {
    const size_t had = in_.size();
    in_.resize(had + size);
    auto bytes = ReadFile(in_.data() + had, size);
    in_.resize(had + (bytes ? *bytes : 0));
    if (!bytes) return std::move(bytes).error();
    return {};
  }

  Result<Block> ReadPlain(char* to, size_t size) {
    if (pos_ < in_.size()) {  // what Start looked at
      const size_t bytes = std::min(size, in_.size() - pos_);
      std::memcpy(to, in_.data() + pos_, bytes);
      pos_ += bytes;
      return Block{bytes, false};
    }
    ASSIGN_OR_RETURN(const size_t bytes, ReadFile(to, size));
    return Block{bytes, false};
  }

  // Members follow each other; what follows and is none is padding. Of a broken one there is what
  // came before the place.
  Result<Block> ReadGzip(char* to, size_t size) {
    while (true) {
      if (pos_ == in_.size() && !at_end_) {
        in_.clear();
        pos_ = 0;
        TRY(Fill(kReadBytes));
      }
      const std::string_view left = std::string_view(in_).substr(pos_);
      if (left.empty() || (!in_frame_ && left[0] != kGzipMagic[0])) {
        if (in_frame_) ++broken_;
        return EndGzip(0);
      }
      in_frame_ = true;
      z_stream& stream = *gzip_;
      // zlib's input is not const, and is not written to.
      stream.next_in = reinterpret_cast<Bytef*>(in_.data() + pos_);
      stream.avail_in = static_cast<uInt>(left.size());
      stream.next_out = reinterpret_cast<Bytef*>(to);
      stream.avail_out = static_cast<uInt>(std::min<size_t>(size, UINT32_MAX));
      const uInt room = stream.avail_out;
      const int result = inflate(&stream, Z_NO_FLUSH);
      pos_ = in_.size() - stream.avail_in;
      const size_t bytes = room - stream.avail_out;
      if (result == Z_STREAM_END) {
        in_frame_ = false;
        inflateReset(&stream);
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        ++broken_;
        return EndGzip(bytes);
      }
      if (bytes > 0) return Block{bytes, false};
    }
  }
  Block EndGzip(size_t bytes) {
    in_.clear();
    pos_ = 0;
    at_end_ = true;
    in_frame_ = false;
    return Block{bytes, false};
  }

  Result<Block> ReadFrames(char* to, size_t size) {
    while (true) {
      if (pos_ == in_.size()) {
        DropHistory();
        if (!at_end_) TRY(Fill(kReadBytes));
        if (at_end_) {
          if (!in_frame_) return Block{};
          TRY(SkipBroken());
          if (pos_ == in_.size()) return Block{};
          continue;
        }
      }
      ZSTD_inBuffer in{in_.data() + pos_, in_.size() - pos_, 0};
      ZSTD_outBuffer out{to, size, 0};
      const size_t rest = ZSTD_decompressStream(decompressor_.get(), &out, &in);
      pos_ += in.pos;
      if (ZSTD_isError(rest)) {
        TRY(SkipBroken());
        if (pos_ == in_.size()) return Block{};
        continue;
      }
      in_frame_ = rest != 0;
      if (!in_frame_) frame_begin_ = pos_;
      if (out.pos > 0) return Block{out.pos, std::exchange(gap_, false)};
    }
  }

  // Forgets input before the frame under way, and of a long frame its beginning.
  void DropHistory() {
    size_t drop = std::max(frame_begin_, pos_ > kHistoryBytes ? pos_ - kHistoryBytes : 0);
    if (drop < kReadBytes) return;
    in_.erase(0, drop);
    pos_ -= drop;
    frame_begin_ -= std::min(frame_begin_, drop);
  }

  // A process died while writing this frame; another may have appended behind it. Goes to where the
  // next frame seems to begin, or to the end.
  Result<void> SkipBroken() {
    gap_ = true;
    in_frame_ = false;
    ZSTD_DCtx_reset(decompressor_.get(), ZSTD_reset_session_only);
    if (++broken_ >= kMaxBrokenFrames) {
      at_end_ = true;
      pos_ = frame_begin_ = in_.size();
      return {};
    }
    size_t from = frame_begin_ + 1;
    while (true) {
      const size_t next = in_.find(kMagic, from);
      if (next != std::string::npos) {
        pos_ = frame_begin_ = next;
        return {};
      }
      in_.erase(0, in_.size() - std::min(in_.size(), kMagic.size() - 1));
      from = 0;
      if (at_end_) {
        pos_ = frame_begin_ = in_.size();
        return {};
      }
      TRY(Fill(kReadBytes));
    }
  }

  const std::string path_;
  const Fd owned_;
  const int fd_;             // -1: text_ is the file
  std::string_view text_;    // what is left of it
  uint64_t file_bytes_ = 0;  // in all; 0: not known
  uint64_t read_bytes_ = 0;
  bool zstd_ = false;
  bool at_end_ = false;  // of the file; in_ may hold more

  std::deque<Ahead> ahead_;
  std::unique_ptr<z_stream, InflateEnd> gzip_;  // null: it is none
  std::unique_ptr<ZSTD_DCtx, DecompressorFree> decompressor_;
  std::string in_;          // read and not forgotten
  size_t pos_ = 0;          // in in_: what the decompressor takes next
  size_t frame_begin_ = 0;  // in in_: of the frame under way, or of what is left of it
  bool in_frame_ = false;
  bool gap_ = false;
  int broken_ = 0;
};

TraceInput::TraceInput(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TraceInput::TraceInput(TraceInput&&) noexcept = default;
TraceInput::~TraceInput() = default;

Result<TraceInput> TraceInput::Open(const std::string& path) {
  Fd owned;
  int fd = STDIN_FILENO;
  if (path != "-") {
    ASSIGN_OR_RETURN(owned, OpenFile(path, O_RDONLY));
    fd = owned.get();
  }
  TraceInput input(std::make_unique<Impl>(path, std::move(owned), fd, std::string_view()));
  TRY(input.impl_->Start());
  return input;
}

TraceInput TraceInput::OfText(std::string_view bytes) {
  TraceInput input(std::make_unique<Impl>("text", Fd(), -1, bytes));
  // Nothing can fail but zstd's memory; then there are no bytes.
  if (auto started = input.impl_->Start(); !started) return OfText({});
  return input;
}

Result<TraceInput::Block> TraceInput::Read(char* to, size_t size) { return impl_->Read(to, size); }
Result<std::string_view> TraceInput::Peek(size_t size) { return impl_->Peek(size); }
bool TraceInput::truncated() const { return impl_->truncated(); }
uint64_t TraceInput::file_bytes() const { return impl_->read_bytes(); }
uint64_t TraceInput::LikelyBytes() const { return impl_->LikelyBytes(); }

}  // namespace llama::traces
