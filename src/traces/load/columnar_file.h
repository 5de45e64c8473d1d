// The columnar file: the Table of one build on disk, so that it need not be read from its trace
// again (docs/trace_format.md, "The columnar file"). A cache: it says which trace it was made from,
// and whatever is wrong with it, the trace is read instead.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "traces/columns/table.h"

namespace llama::traces {

// What a trace file was when it was read: size, time of change, and a hash of its first and last
// bytes (a trace only ever grows at its end). The path is not part of it: folders move.
struct SourceStamp {
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  uint64_t hash = 0;
  friend bool operator==(const SourceStamp&, const SourceStamp&) = default;
};
Result<SourceStamp> StampOf(const std::string& path);

// The file's bytes. `table` must hold all its values, as one that was read from a trace does. "" if
// it is too strange to be written.
std::string EncodeColumnar(const Table& table, const SourceStamp& stamp);

// The table, with the values of fields read when they are asked for; it still needs CompleteTree
// (traces/load/tree.h), which makes sense of parents whatever they are. kNotFound if it was made
// from another state of the trace or by another version, kInvalid if it is damaged; foreign bytes
// never do worse.
Result<std::unique_ptr<Table>> DecodeColumnar(std::string file, const SourceStamp& stamp);

}  // namespace llama::traces
