#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>

#include "base/fd.h"
#include "base/file.h"
#include "base/mutex.h"
#include "trace/trace_file.h"

namespace llama::trace {
namespace {

constexpr size_t kFrameBytes = 256u << 10;
constexpr size_t kMaxBacklogBytes = 64u << 20;
// 400 MB/s; level 3 would take twice the time for a tenth of the size.
constexpr int kLevel = 1;

struct CompressorFree {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

}  // namespace

// Two locks, so that spans are taken while a frame is compressed and written.
class TraceWriter::Impl {
 public:
  Impl(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  void Add(const Span& span) EXCLUDES(lines_mutex_, file_mutex_) {
    {
      MutexLock lock(lines_mutex_);
      if (lines_.size() >= kMaxBacklogBytes) {
        ++dropped_;
        return;
      }
      AppendJsonLine(lines_, span);
      if (lines_.size() < next_write_bytes_) return;
      // On a full disk the next attempt waits for another frame's worth of lines.
      next_write_bytes_ = lines_.size() + kFrameBytes;
    }
    // An error is not lost: the lines stay, and Flush meets it again and reports it.
    (void)Flush();
  }

  Result<void> Flush() EXCLUDES(lines_mutex_, file_mutex_) {
    MutexLock lock(file_mutex_);
    TRY(WritePending());
    {
      MutexLock lines_lock(lines_mutex_);
      taken_.swap(lines_);
      next_write_bytes_ = kFrameBytes;
    }
    if (taken_.empty()) return {};
    const Result<void> compressed = Compress();
    taken_.clear();
    TRY(compressed);
    return WritePending();
  }

  uint64_t dropped() EXCLUDES(lines_mutex_) {
    MutexLock lock(lines_mutex_);
    return dropped_;
  }

 private:
  Result<void> Compress() REQUIRES(file_mutex_) {
    if (!compressor_) {
      compressor_.reset(ZSTD_createCCtx());
      if (!compressor_) return Error{Code::kUnavailable, path_ + ": no memory for zstd"};
      ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_compressionLevel, kLevel);
      ZSTD_CCtx_setParameter(compressor_.get(), ZSTD_c_checksumFlag, 1);
    }
    pending_.resize(ZSTD_compressBound(taken_.size()));
    const size_t size = ZSTD_compress2(compressor_.get(), pending_.data(), pending_.size(),
                                       taken_.data(), taken_.size());
    if (ZSTD_isError(size)) {
      pending_.clear();
      return Error{Code::kInternal, path_ + ": zstd: " + ZSTD_getErrorName(size)};
    }
    pending_.resize(size);
    return {};
  }

  // One write for one frame. Where the file system takes a part only (it is full), the rest waits
  // here and completes the frame later.
  Result<void> WritePending() REQUIRES(file_mutex_) {
    while (!pending_.empty()) {
      const ssize_t n = write(fd_.get(), pending_.data(), pending_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoError(errno, path_);
      pending_.erase(0, static_cast<size_t>(n));
    }
    return {};
  }

  const std::string path_;
  const Fd fd_;

  // Taken before lines_mutex_.
  Mutex file_mutex_;
  std::unique_ptr<ZSTD_CCtx, CompressorFree> compressor_ GUARDED_BY(file_mutex_);
  std::string taken_ GUARDED_BY(file_mutex_);
  std::string pending_ GUARDED_BY(file_mutex_);  // what is not yet written of the last frame

  Mutex lines_mutex_;
  std::string lines_ GUARDED_BY(lines_mutex_);
  size_t next_write_bytes_ GUARDED_BY(lines_mutex_) = kFrameBytes;
  uint64_t dropped_ GUARDED_BY(lines_mutex_) = 0;
};

TraceWriter::TraceWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TraceWriter::~TraceWriter() { (void)impl_->Flush(); }

Result<std::unique_ptr<TraceWriter>> TraceWriter::Open(const std::string& path) {
  ASSIGN_OR_RETURN(Fd fd, OpenFile(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
  (void)flock(fd.get(), LOCK_SH);  // where there are no locks, nobody asks for them either
  return std::unique_ptr<TraceWriter>(new TraceWriter(std::make_unique<Impl>(path, std::move(fd))));
}

void TraceWriter::Add(const Span& span) { impl_->Add(span); }
Result<void> TraceWriter::Flush() { return impl_->Flush(); }
uint64_t TraceWriter::dropped() const { return impl_->dropped(); }

}  // namespace llama::trace
