// Compiles that are recorded, found by what they made or were made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/text/text_writer.h"
#include "traces/columns/columns.h"

namespace llama::app {

// Rows of `llamacc` spans whose object or source is the file that `name` means, in the order of
// their start: `name` absolute or relative to `cwd`, or else the end of their path ("src/a.c").
std::vector<traces::Row> FindCompiles(const traces::Columns& trace, const std::string& name,
                                      const std::string& cwd);

// What became of one, as text and as a JSON object without a newline.
std::string FormatPastCompile(const traces::Columns& trace, traces::Row row,
                              const TextStyle& style);
std::string PastCompileJson(const traces::Columns& trace, traces::Row row);

}  // namespace llama::app
