#include "files/file_digester.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "base/file.h"

namespace llama::files {
namespace {

constexpr int kAttempts = 3;
constexpr size_t kChunkBytes = 256 << 10;
constexpr size_t kTextProbeBytes = 4096;

constexpr std::string_view kTimestamp = "__TIMESTAMP__";
// The word may lie across two chunks: this much of one is looked at again with the next.
constexpr size_t kOverlapBytes = kTimestamp.size() - 1;

unsigned FindWords(std::string_view text, unsigned known) {
  if ((known & kMentionsTimestamp) != 0) return known;
  const void* found = memmem(text.data(), text.size(), kTimestamp.data(), kTimestamp.size());
  return found == nullptr ? known : known | kMentionsTimestamp;
}

bool IsText(std::string_view beginning) {
  return beginning.substr(0, kTextProbeBytes).find('\0') == std::string_view::npos;
}

// Reads to the end of `fd`; the number of bytes in `file`.
Result<void> ReadOnce(int fd, const std::string& path, uint64_t expected_bytes, FileDigest& file) {
  store::Sha256Stream hash;
  // Most files are headers of a few kilobytes: a buffer of their size costs less than their hash.
  const size_t chunk_bytes = std::clamp<uint64_t>(expected_bytes + 1, 512, kChunkBytes);
  std::string buffer(kOverlapBytes + chunk_bytes, '\0');
  size_t kept = 0;
  bool text = true;
  file.size_bytes = 0;
  file.text_flags = 0;
  while (true) {
    const ssize_t n = read(fd, buffer.data() + kept, chunk_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) break;
    const std::string_view fresh(buffer.data() + kept, static_cast<size_t>(n));
    hash.Update(fresh);
    if (file.size_bytes == 0) text = IsText(fresh);
    file.size_bytes += fresh.size();
    if (!text) continue;
    const std::string_view seen(buffer.data(), kept + fresh.size());
    file.text_flags = FindWords(seen, file.text_flags);
    kept = std::min(seen.size(), kOverlapBytes);
    std::copy(seen.end() - static_cast<ptrdiff_t>(kept), seen.end(), buffer.begin());
  }
  file.digest = hash.Finish();
  return {};
}

// The same of a file that is to be given as well: the whole of it at once. One that has grown is
// cut off, as its new size will tell.
Result<void> ReadWhole(int fd, const std::string& path, uint64_t expected_bytes, FileDigest& file,
                       std::string& text) {
  text.resize(expected_bytes + 1);
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = read(fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) break;
    size += static_cast<size_t>(n);
  }
  text.resize(size);
  file.size_bytes = size;
  file.digest = store::Sha256(text);
  file.text_flags = IsText(text) ? FindWords(text, 0) : 0;
  return {};
}

bool SameState(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && TimeNs(a.st_mtim) == TimeNs(b.st_mtim) &&
         TimeNs(a.st_ctim) == TimeNs(b.st_ctim);
}

}  // namespace

Result<DigestedFile> DigestFile(const std::string& path, const Clock& clock,
                                std::optional<std::string>* text) {
  // O_NONBLOCK: what was a file a moment ago may be a pipe now, and must not hang us.
  ASSIGN_OR_RETURN(const Fd fd, OpenFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  DigestedFile result;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    result.looked_ns = clock.NowNs();
    struct stat after {};
    if (fstat(fd.get(), &result.st) != 0) return ErrnoError(errno, path);
    if (!S_ISREG(result.st.st_mode)) return Error{Code::kInvalid, path + ": not a regular file"};
    if (lseek(fd.get(), 0, SEEK_SET) != 0) return ErrnoError(errno, path);
    const auto expected_bytes = static_cast<uint64_t>(result.st.st_size);
    if (text != nullptr && expected_bytes <= kMaxTextBytes) {
      TRY(ReadWhole(fd.get(), path, expected_bytes, result.file, text->emplace()));
    } else {
      TRY(ReadOnce(fd.get(), path, expected_bytes, result.file));
    }
    if (fstat(fd.get(), &after) != 0) return ErrnoError(errno, path);
    if (SameState(result.st, after) &&
        result.file.size_bytes == static_cast<uint64_t>(after.st_size)) {
      result.file.executable = (result.st.st_mode & 0111) != 0;
      return result;
    }
  }
  if (text != nullptr) text->reset();
  return Error{Code::kUnavailable, path + ": keeps changing while it is read"};
}

}  // namespace llama::files
