#include "sql/names.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <unordered_set>

namespace llama::sql {
namespace {

// Of docs/trace_format.md.
constexpr std::array kKnownFields = std::to_array<std::string_view>({
    "global.build_id",
    "link.trace_id",
    "link.span_id",
    "command",
    "cwd",
    "status",
    "cpus",
    "version",
    "source",
    "object",
    "compiler",
    "pid",
    "remote",
    "reason",
    "reason_detail",
    "rung",
    "local.user_ns",
    "local.system_ns",
    "abandoned",
    "files",
    "layers",
    "inline_files",
    "uploaded_objects",
    "uploaded_bytes",
    "store_requests",
    "function",
    "attempt",
    "payload_bytes",
    "answer_bytes",
    "queued_ns",
    "billed_ms",
    "memory_mb",
    "cold_start",
    "init_ns",
    "cost_usd",
    "worker_id",
    "worker_jobs",
    "fetched_objects",
    "fetched_bytes",
    "user_ns",
    "system_ns",
    "max_rss_bytes",
    "lookups",
    "corrected",
    "output_files",
    "output_bytes",
    "error",
    "job_count",
    "outcome",
    "files_written",
    "files_removed",
    "evicted_bytes",
    "exit_status",
    "signal",
    "outputs",
    "found",
    "absent",
});

std::string Folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// SQLite reads a name up to its first NUL; one without a character can't be seen.
std::string Speakable(std::string_view name) {
  if (name.empty()) return "field";
  std::string out(name);
  std::replace(out.begin(), out.end(), '\0', '?');
  return out;
}

}  // namespace

std::vector<FieldName> NameFields(const traces::Columns& columns,
                                  const std::vector<SqlColumn>& fixed, size_t room) {
  std::vector<traces::FieldId> fields(columns.field_count());
  for (traces::FieldId id = 0; id < fields.size(); ++id) fields[id] = id;
  if (fields.size() > room) {
    std::stable_sort(fields.begin(), fields.end(), [&](traces::FieldId a, traces::FieldId b) {
      return columns.field_values(a) > columns.field_values(b);
    });
    fields.resize(room);
    std::sort(fields.begin(), fields.end());
  }

  std::unordered_set<std::string> fixed_names;
  for (const SqlColumn& column : fixed) fixed_names.insert(Folded(column.name));
  std::unordered_set<std::string> taken = fixed_names;
  std::vector<FieldName> out;
  for (const traces::FieldId id : fields) {
    std::string base = Speakable(columns.field_name(id));
    if (fixed_names.contains(Folded(base))) base += "_field";
    std::string name = base;
    for (int i = 2; !taken.insert(Folded(name)).second; ++i) name = base + "_" + std::to_string(i);
    out.push_back({id, std::move(name)});
  }
  for (const std::string_view known : kKnownFields) {
    if (out.size() >= room) break;
    if (!columns.FindField(known) && taken.insert(Folded(known)).second) {
      out.push_back({std::nullopt, std::string(known)});
    }
  }
  return out;
}

Affinity AffinityOf(traces::KindSet kinds) {
  const bool number = kinds.Has(traces::Kind::kInt) || kinds.Has(traces::Kind::kBool) ||
                      kinds.Has(traces::Kind::kDouble);
  const bool text = kinds.Has(traces::Kind::kString) || kinds.Has(traces::Kind::kJson);
  if (number == text) return Affinity::kNone;
  if (text) return Affinity::kText;
  return kinds.Has(traces::Kind::kDouble) ? Affinity::kNumeric : Affinity::kInteger;
}

std::string QuoteName(std::string_view name) {
  const bool bare = !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) {
                                  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                         c == '_' || (c >= '0' && c <= '9');
                                }) &&
                    sqlite3_keyword_check(name.data(), static_cast<int>(name.size())) == 0;
  if (bare) return std::string(name);
  std::string out = "\"";
  for (const char c : name) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

}  // namespace llama::sql
