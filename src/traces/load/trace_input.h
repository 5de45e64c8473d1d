// TraceInput: the bytes of a trace file, plain, in zstd frames or in gzip, a block at a time and in
// bounded memory. What is broken is left out and remembered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace llama::traces {

class TraceInput {
 public:
  // "-" is standard input.
  static Result<TraceInput> Open(const std::string& path);
  // Of bytes in memory, which must outlive it.
  static TraceInput OfText(std::string_view bytes);
  TraceInput(TraceInput&&) noexcept;
  ~TraceInput();

  struct Block {
    size_t bytes = 0;        // 0: the end
    bool after_gap = false;  // something before these bytes was lost: they begin a line
  };
  // At most `size` bytes. An error if the file can't be read on.
  Result<Block> Read(char* to, size_t size);
  // The next bytes, which Read will give again: at least `size`, unless the file ends before or
  // something is lost after them. Only before the first Read.
  Result<std::string_view> Peek(size_t size);
  // A frame was broken, or the file ends inside one. Known at the end.
  bool truncated() const;
  // Bytes of the file that were read so far.
  uint64_t file_bytes() const;
  // How many bytes of lines there may be, to make room for; 0 if that is not known.
  uint64_t LikelyBytes() const;

 private:
  class Impl;
  explicit TraceInput(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::traces
