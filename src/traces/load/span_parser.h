// SpanParser: a line of a trace, into a row (docs/trace_format.md, "Reading a trace").
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "traces/load/table_builder.h"

namespace llama::traces {

class SpanParser {
 public:
  // Behind a line there must be this many bytes that may be read, whatever they are.
  static constexpr size_t kPaddingBytes = 64;

  explicit SpanParser(TableBuilder& builder);
  ~SpanParser();
  // Nothing, or why the line is no span; then no row was added. The text is static.
  const char* Parse(std::string_view line);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace llama::traces
