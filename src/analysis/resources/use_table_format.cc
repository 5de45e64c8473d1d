// The USE table for people and for programs.
#include "analysis/resources/use_table.h"
#include "base/text/json.h"

namespace llama::analysis {
namespace {

constexpr const char* kUnknown = "–";

std::string ShareText(const std::optional<double>& share, bool at_most = false) {
  if (!share) return kUnknown;
  return (at_most && *share > 0 ? "≤ " : "") + FormatShare(*share);
}

void AddShare(JsonWriter& json, std::string_view key, const std::optional<double>& share) {
  json.Key(key);
  share ? json.Double(*share) : json.Null();
}

}  // namespace

void WriteUse(const std::vector<UseRow>& rows, TextWriter& out) {
  out.Heading("resources");
  TextTable table({"", "utilisation", "peak", "saturation", "errors", ""}, true, {2});
  for (const UseRow& row : rows) {
    table.Add({std::string(row.title), ShareText(row.utilisation, row.at_most), ShareText(row.peak),
               ShareText(row.saturation), row.errors ? FormatCount(*row.errors) : kUnknown,
               row.note});
  }
  table.Write(out);
}

void AddUseJson(const std::vector<UseRow>& rows, JsonWriter& json) {
  json.Key("use").BeginArray();
  for (const UseRow& row : rows) {
    json.BeginObject();
    json.Key("resource").String(row.resource);
    AddShare(json, "utilisation", row.utilisation);
    json.Key("at_most").Bool(row.at_most);
    AddShare(json, "peak", row.peak);
    AddShare(json, "saturation", row.saturation);
    json.Key("errors");
    row.errors ? json.Int(static_cast<int64_t>(*row.errors)) : json.Null();
    for (const auto& [key, value] : row.figures) json.Key(key).Int(value);
    json.EndObject();
  }
  json.EndArray();
}

}  // namespace llama::analysis
