// TraceLoader: from inputs to a Table that is complete.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "traces/load/line_reader.h"
#include "traces/load/loader.h"

namespace llama::traces {

class TraceLoader {
 public:
  // Reads the spans of one input. `label` is the build of those that don't name one.
  Result<void> Add(TraceInput& input, const std::string& name, std::string_view label);
  // After the last. LoadOptions::one_build is the caller's.
  std::unique_ptr<Table> Finish(const LoadOptions& options);

 private:
  TableBuilder builder_;
  LoadLimit limit_;
  std::vector<StringId> labels_;
};

// Leaves out all builds but one, if `options` ask for that (traces/load/one_build.h), of a table
// that is complete or only wants CompleteTree.
Result<void> KeepAsAsked(Table& table, const LoadOptions& options, std::string_view usual = "");

// Of lines in memory.
std::unique_ptr<Table> LoadTextTable(std::string_view ndjson, const LoadOptions& options = {});

}  // namespace llama::traces
