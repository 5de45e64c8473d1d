#include <zstd.h>

#include <algorithm>

#include "base/file.h"
#include "trace/trace_file.h"

namespace llama::trace {
namespace {

constexpr std::string_view kMagic("\x28\xb5\x2f\xfd", 4);
// A longer line is no span; it is skipped, so that a small file can't claim all memory.
constexpr size_t kMaxLineBytes = 4u << 20;
// Each process that dies while writing leaves one broken frame. The bound keeps a hostile file from
// being decompressed again from each of millions of places.
constexpr int kMaxBrokenFrames = 1000;

struct DecompressorFree {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

// Cuts a stream of bytes into lines.
class LineCutter {
 public:
  explicit LineCutter(const std::function<void(std::string_view)>& line) : line_(line) {}

  void Take(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t newline = bytes.find('\n');
      if (newline == std::string_view::npos) {
        Hold(bytes);
        return;
      }
      if (held_.empty() && !skipping_) {
        Deliver(bytes.substr(0, newline));
      } else {
        Hold(bytes.substr(0, newline));
        if (!skipping_) Deliver(held_);
        Drop();
      }
      bytes.remove_prefix(newline + 1);
    }
  }

  // Forgets the line begun: what follows does not continue it. True if there was one.
  bool Drop() {
    const bool had = !held_.empty() || skipping_;
    held_.clear();
    skipping_ = false;
    return had;
  }

  // The end of the file: a last line without a newline counts if it is an object's end. False if
  // something was lost.
  bool Finish() {
    if (!skipping_ && !held_.empty() && held_.back() == '}') {
      Deliver(held_);
      held_.clear();
    }
    return !Drop() && !skipped_;
  }

 private:
  void Deliver(std::string_view line) {
    if (line.size() > kMaxLineBytes) {
      skipped_ = true;
      return;
    }
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) line_(line);
  }

  void Hold(std::string_view bytes) {
    if (skipping_) return;
    if (held_.size() + bytes.size() > kMaxLineBytes) {
      held_.clear();
      skipping_ = skipped_ = true;
      return;
    }
    held_.append(bytes);
  }

  const std::function<void(std::string_view)>& line_;
  std::string held_;
  bool skipping_ = false;  // inside a line that is too long
  bool skipped_ = false;
};

// Decompresses one frame into `lines`. Gives the number of bytes it took, or 0 if it is broken.
size_t ReadFrame(ZSTD_DCtx* decompressor, std::string_view bytes, std::string& buffer,
                 LineCutter& lines) {
  ZSTD_DCtx_reset(decompressor, ZSTD_reset_session_only);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  while (true) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    const size_t in_before = in.pos;
    const size_t rest = ZSTD_decompressStream(decompressor, &out, &in);
    if (ZSTD_isError(rest)) return 0;
    lines.Take(std::string_view(buffer.data(), out.pos));
    if (rest == 0) return in.pos;
    if (out.pos == 0 && in.pos == in_before) return 0;  // the file ends inside the frame
  }
}

// False if anything was lost.
bool ReadFrames(ZSTD_DCtx* decompressor, std::string_view bytes, LineCutter& lines) {
  std::string buffer(ZSTD_DStreamOutSize(), '\0');
  int broken = 0;
  while (!bytes.empty()) {
    if (const size_t size = ReadFrame(decompressor, bytes, buffer, lines); size > 0) {
      bytes.remove_prefix(size);
      continue;
    }
    lines.Drop();
    if (++broken == kMaxBrokenFrames) return false;
    // A process died while writing this frame; another may have appended behind it.
    const size_t next = bytes.find(kMagic, 1);
    if (next == std::string_view::npos) return false;
    bytes.remove_prefix(next);
  }
  return broken == 0;
}

}  // namespace

Result<void> ReadTraceLines(const std::string& path,
                            const std::function<void(std::string_view)>& line, bool* truncated) {
  ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  LineCutter lines(line);
  bool whole = true;
  if (kMagic.starts_with(std::string_view(bytes).substr(0, kMagic.size()))) {
    std::unique_ptr<ZSTD_DCtx, DecompressorFree> decompressor(ZSTD_createDCtx());
    if (!decompressor) return Error{Code::kUnavailable, path + ": no memory for zstd"};
    whole = ReadFrames(decompressor.get(), bytes, lines);
  } else {
    lines.Take(bytes);
  }
  whole = lines.Finish() && whole;
  if (truncated != nullptr) *truncated = !whole;
  return {};
}

}  // namespace llama::trace
