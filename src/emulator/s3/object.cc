#include "emulator/s3/object.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/codec.h"
#include "base/result.h"

namespace llama::emulator {
namespace {

constexpr std::string_view kMark = "lS3\1";
constexpr size_t kEndBytes = 8;
constexpr uint64_t kMaxTailBytes = 1 << 20;

Error NoObject(const std::string& path) {
  return Error{Code::kInvalid, path + ": not an object, or cut off"};
}

Result<std::string> ReadAt(int fd, uint64_t offset, uint64_t size, const std::string& path) {
  std::string bytes(size, '\0');
  size_t used = 0;
  while (used < size) {
    const ssize_t n =
        pread(fd, bytes.data() + used, size - used, static_cast<off_t>(offset + used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError(errno, path);
    if (n == 0) return NoObject(path);
    used += static_cast<size_t>(n);
  }
  return bytes;
}

// The least key after all that begin with `prefix`; empty: there is none.
std::string EndOf(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

ObjectIndex::const_iterator After(const ObjectIndex& index, const std::string& prefix) {
  const std::string end = EndOf(prefix);
  return end.empty() ? index.end() : index.lower_bound(end);
}

// What a key is rolled up into; empty: it stands for itself.
std::string CommonPrefix(const std::string& key, const ListQuery& query) {
  if (query.delimiter.empty()) return {};
  const size_t at = key.find(query.delimiter, query.prefix.size());
  return at == std::string::npos ? std::string() : key.substr(0, at + query.delimiter.size());
}

ObjectIndex::const_iterator Begin(const ObjectIndex& index, const ListQuery& query) {
  auto begin = index.lower_bound(query.prefix);
  if (query.after.empty() || query.after < query.prefix) return begin;
  if (query.after_page && query.after.starts_with(query.prefix) &&
      CommonPrefix(query.after, query) == query.after) {
    return After(index, query.after);
  }
  return index.upper_bound(query.after);
}

}  // namespace

const std::string* ObjectMeta::Header(std::string_view wanted) const {
  for (const auto& [name, value] : headers) {
    if (name == wanted) return &value;
  }
  return nullptr;
}

std::string EncodeTail(const ObjectMeta& meta) {
  Encoder encoder;
  encoder.Bytes(meta.key);
  encoder.Bytes(meta.etag);
  encoder.Uint(meta.size);
  encoder.Int(meta.modified_ns);
  encoder.Uint(meta.headers.size());
  for (const auto& [name, value] : meta.headers) {
    encoder.Bytes(name);
    encoder.Bytes(value);
  }
  std::string tail = encoder.Take();
  const size_t size = tail.size();
  for (int shift = 0; shift < 32; shift += 8) tail += static_cast<char>(size >> shift & 0xff);
  return tail.append(kMark);
}

Result<ObjectMeta> ReadTail(int fd, const std::string& path) {
  struct stat st {};
  if (fstat(fd, &st) != 0) return ErrnoError(errno, path);
  const auto file_bytes = static_cast<uint64_t>(st.st_size);
  if (file_bytes < kEndBytes) return NoObject(path);
  ASSIGN_OR_RETURN(const std::string end, ReadAt(fd, file_bytes - kEndBytes, kEndBytes, path));
  uint64_t tail_bytes = 0;
  for (size_t i = 0; i < 4; ++i) {
    tail_bytes |= uint64_t{static_cast<unsigned char>(end[i])} << (8 * i);
  }
  if (end.substr(4) != kMark || tail_bytes > std::min(kMaxTailBytes, file_bytes - kEndBytes)) {
    return NoObject(path);
  }
  const uint64_t body_bytes = file_bytes - kEndBytes - tail_bytes;
  ASSIGN_OR_RETURN(const std::string tail, ReadAt(fd, body_bytes, tail_bytes, path));
  Decoder decoder(tail);
  ObjectMeta meta;
  meta.key = decoder.String();
  meta.etag = decoder.String();
  meta.size = decoder.Uint();
  meta.modified_ns = decoder.Int();
  for (uint64_t n = decoder.Count(2); n > 0; --n) {
    std::string name = decoder.String();
    meta.headers.emplace_back(std::move(name), decoder.String());
  }
  if (!decoder.Done() || meta.size != body_bytes) return NoObject(path);
  return meta;
}

ListPage ListKeys(const ObjectIndex& index, const ListQuery& query) {
  ListPage page;
  if (query.max_keys == 0) return page;
  auto at = Begin(index, query);
  for (uint64_t items = 0; at != index.end() && at->first.starts_with(query.prefix); ++items) {
    if (items == query.max_keys) {
      page.truncated = true;
      return page;
    }
    const std::string common = CommonPrefix(at->first, query);
    if (common.empty()) {
      page.objects.push_back(at->second);
      page.last = at->first;
      ++at;
    } else {
      page.prefixes.push_back(common);
      page.last = common;
      at = After(index, common);
    }
  }
  page.last.clear();
  return page;
}

}  // namespace llama::emulator
