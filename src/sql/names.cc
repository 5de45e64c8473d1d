#include "sql/names.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <unordered_set>

#include "trace/names.h"

namespace llama::sql {
namespace {

// Of trace/names.h, all but those of `machine` spans: the table `machine` has these whether or not
// a span has. tests/golden/trace_names.py sees to it that none is forgotten.
constexpr std::array kKnownFields = std::to_array<std::string_view>({
    trace::field::kBuildId,
    trace::field::kLinkTraceId,
    trace::field::kLinkSpanId,
    trace::field::kRemote,
    trace::field::kReason,
    trace::field::kReasonDetail,
    trace::field::kPid,
    trace::field::kLocalUserNs,
    trace::field::kLocalSystemNs,
    trace::field::kAbandoned,
    trace::field::kStatus,
    trace::field::kDiagnostic,
    trace::field::kCommand,
    trace::field::kCwd,
    trace::field::kName,
    trace::field::kCpus,
    trace::field::kVersion,
    trace::field::kSpansLost,
    trace::field::kInterrupted,
    trace::field::kFailedTarget,
    trace::field::kStepsLeft,
    trace::field::kUpToDate,
    trace::field::kUnseenCompiler,
    trace::field::kJobs,
    trace::field::kProgram,
    trace::field::kTimeoutMs,
    trace::field::kSource,
    trace::field::kObject,
    trace::field::kInputs,
    trace::field::kDepfile,
    trace::field::kCompiler,
    trace::field::kFlags,
    trace::field::kAudited,
    trace::field::kAuditDifference,
    trace::field::kRung,
    trace::field::kRungReason,
    trace::field::kFiles,
    trace::field::kInlineBytes,
    trace::field::kInlineFiles,
    trace::field::kUploadedObjects,
    trace::field::kUploadedBytes,
    trace::field::kStoreNs,
    trace::field::kAwaitedBytes,
    trace::field::kAwaitedSentBytes,
    trace::field::kAwaitedNs,
    trace::field::kLayers,
    trace::field::kStoreRequests,
    trace::field::kFunction,
    trace::field::kAttempt,
    trace::field::kAnswerBytes,
    trace::field::kRequests,
    trace::field::kQueuedNs,
    trace::field::kRetriedRequests,
    trace::field::kRetriedNs,
    trace::field::kBilledMs,
    trace::field::kBilledEstimated,
    trace::field::kMemoryMb,
    trace::field::kInitNs,
    trace::field::kCostUsd,
    trace::field::kWorkerJobs,
    trace::field::kPayloadBytes,
    trace::field::kColdStart,
    trace::field::kWorkerId,
    trace::field::kFetchedObjects,
    trace::field::kFetchedBytes,
    trace::field::kUserNs,
    trace::field::kSystemNs,
    trace::field::kMaxRssBytes,
    trace::field::kLookups,
    trace::field::kForetold,
    trace::field::kCorrected,
    trace::field::kOutputFiles,
    trace::field::kOutputBytes,
    trace::field::kJobCount,
    trace::field::kOutcome,
    trace::field::kXray,
    trace::field::kFilesWritten,
    trace::field::kFilesRemoved,
    trace::field::kEvictedBytes,
    trace::field::kExitStatus,
    trace::field::kSignal,
    trace::field::kOutputs,
    trace::field::kFound,
    trace::field::kAbsent,
    trace::field::kError,
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
