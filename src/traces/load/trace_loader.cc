#include "traces/load/trace_loader.h"

#include <algorithm>

#include "traces/foreign/chrome_reader.h"
#include "traces/foreign/input_format.h"
#include "traces/foreign/otlp_reader.h"
#include "traces/load/one_build.h"
#include "traces/load/skew.h"
#include "traces/load/tree.h"

namespace llama::traces {
namespace {

// Of generated traces; a line is rarely shorter, and room that is not used costs nothing.
constexpr uint64_t kLikelyLineBytes = 250;

}  // namespace

Result<void> TraceLoader::Add(TraceInput& input, const std::string& name, std::string_view label) {
  Table& table = builder_.table();
  builder_.Reserve(
      std::min<uint64_t>(table.size() + input.LikelyBytes() / kLikelyLineBytes, kMaxRows));
  ASSIGN_OR_RETURN(const std::string_view head, input.Peek(kFormatBytes));
  ASSIGN_OR_RETURN(const InputFormat format, FormatOf(head, name));
  LineReader reader(builder_, limit_, name);
  switch (format) {
    case InputFormat::kLines:
      TRY(reader.Read(input));
      break;
    case InputFormat::kChrome:
      TRY(reader.ReadDocument(input, [](auto document, auto& out) { ReadChrome(document, out); }));
      break;
    case InputFormat::kOtlp:
      TRY(reader.ReadDocument(input, ReadOtlp));
      break;
  }
  labels_.push_back(builder_.strings().Add(label));
  table.build.resize(table.size(), static_cast<uint32_t>(labels_.size() - 1));
  return {};
}

std::unique_ptr<Table> TraceLoader::Finish(const LoadOptions& options) {
  auto table = builder_.Finish();
  ResolveParents(*table);
  AssignBuilds(*table, labels_);
  const BigVector<Row> order = OrderRows(*table);
  if (options.correct_clocks) CorrectClocks(*table, order);
  MeasureTree(*table, order);
  return table;
}

Result<void> KeepAsAsked(Table& table, const LoadOptions& options, std::string_view usual) {
  if (!options.one_build) return {};
  ASSIGN_OR_RETURN(const bool left_out, KeepOneBuild(table, options.build, usual));
  if (left_out) CompleteTree(table);
  return {};
}

std::unique_ptr<Table> LoadTextTable(std::string_view ndjson, const LoadOptions& options) {
  TraceLoader loader;
  TraceInput input = TraceInput::OfText(ndjson);
  // Too many spans, or a format that is not read.
  if (auto added = loader.Add(input, "text", "text"); !added) return std::make_unique<Table>();
  auto table = loader.Finish(options);
  if (auto kept = KeepAsAsked(*table, options); !kept) return std::make_unique<Table>();
  return table;
}

}  // namespace llama::traces
