#include "exports/io/output.h"

#include <utility>

namespace llama::exports {

bool Output::Keep(size_t reserve) {
  if (full_ || bytes() > max_bytes_ || reserve > max_bytes_ - bytes()) {
    text_.resize(kept_);
    full_ = true;
    return false;
  }
  if (text_.size() >= kChunkBytes) Flush();
  kept_ = text_.size();
  return !full_;
}

void Output::Flush() {
  if (!error_) {
    if (auto result = sink_.Write(text_); !result) {
      error_ = std::move(result).error();
      full_ = true;
    }
  }
  written_ += text_.size();
  text_.clear();
}

Result<void> Output::Finish() {
  Flush();
  if (error_) return *std::move(error_);
  return sink_.Finish();
}

}  // namespace llama::exports
