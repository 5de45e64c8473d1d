#include "execute/outcome_file.h"

#include <algorithm>
#include <utility>

#include "base/codec.h"

namespace llama::execute {
namespace {

constexpr std::string_view kMagic = "llo\2";

void EncodeLookups(Encoder& out, const Lookups& lookups) {
  out.Bool(lookups.complete);
  out.Bool(lookups.report.has_value());
  if (lookups.report) out.Raw(lookups.report->view());
  Encoder paths;
  paths.SortedStrings(lookups.found);
  paths.SortedStrings(lookups.absent);
  paths.SortedStrings(lookups.listed);
  out.Bytes(paths.str());
}

Lookups DecodeLookups(Decoder& in, const std::vector<store::Digest>& foretold) {
  Lookups lookups;
  lookups.complete = in.Bool();
  if (in.Bool()) lookups.report = store::Digest::FromBytes(in.Raw(sizeof(store::Digest)));
  Decoder paths(in.Bytes());
  if (lookups.report &&
      std::find(foretold.begin(), foretold.end(), *lookups.report) != foretold.end()) {
    lookups.foretold = lookups.report;
    return lookups;
  }
  lookups.found = paths.SortedStrings();
  lookups.absent = paths.SortedStrings();
  lookups.listed = paths.SortedStrings();
  if (!paths.Done()) in.Fail();
  return lookups;
}

RecordedCost TakeCost(Decoder& in) {
  RecordedCost cost;
  cost.took_ns = in.Int();
  cost.bytes_up = in.Uint();
  cost.bytes_down = in.Uint();
  return cost;
}

}  // namespace

Result<RecordedCost> DecodeCost(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Error{Code::kInvalid, "no recorded outcome"};
  Decoder in(bytes.substr(kMagic.size()));
  const RecordedCost cost = TakeCost(in);
  if (!in.ok() || cost.took_ns < 0) return Error{Code::kInvalid, "a damaged recorded outcome"};
  return cost;
}

std::string EncodeOutcome(const RecordedOutcome& recorded) {
  Encoder out;
  out.Raw(kMagic);
  out.Int(recorded.cost.took_ns);
  out.Uint(recorded.cost.bytes_up);
  out.Uint(recorded.cost.bytes_down);
  const Outcome& outcome = recorded.outcome;
  out.Int(outcome.wait_status);
  out.Bytes(outcome.out);
  out.Bytes(outcome.err);
  out.Uint(outcome.files.size());
  for (const OutputFile& file : outcome.files) {
    out.Bytes(file.path);
    out.Uint(file.mode);
    out.Bytes(file.bytes);
  }
  out.Strings(outcome.deleted);
  out.Int(outcome.usage.wall_ns);
  out.Int(outcome.usage.user_ns);
  out.Int(outcome.usage.system_ns);
  out.Int(outcome.usage.max_rss_bytes);
  EncodeLookups(out, outcome.lookups);
  return out.Take();
}

Result<RecordedOutcome> DecodeOutcome(std::string_view bytes,
                                      const std::vector<store::Digest>& foretold) {
  if (!bytes.starts_with(kMagic)) return Error{Code::kInvalid, "no recorded outcome"};
  Decoder in(bytes.substr(kMagic.size()));
  RecordedOutcome recorded;
  recorded.cost = TakeCost(in);
  Outcome& outcome = recorded.outcome;
  outcome.wait_status = in.Int32();
  outcome.out = in.String();
  outcome.err = in.String();
  outcome.files.resize(in.Count(3, sizeof(OutputFile)));
  for (OutputFile& file : outcome.files) {
    file.path = in.String();
    file.mode = in.Uint32();
    file.bytes = in.String();
  }
  outcome.deleted = in.Strings();
  outcome.usage.wall_ns = in.Int();
  outcome.usage.user_ns = in.Int();
  outcome.usage.system_ns = in.Int();
  outcome.usage.max_rss_bytes = in.Int();
  outcome.lookups = DecodeLookups(in, foretold);
  if (!in.Done() || recorded.cost.took_ns < 0) {
    return Error{Code::kInvalid, "a damaged recorded outcome"};
  }
  return recorded;
}

}  // namespace llama::execute
