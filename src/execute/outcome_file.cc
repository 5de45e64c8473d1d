#include "execute/outcome_file.h"

#include <algorithm>
#include <utility>

#include "base/codec.h"

namespace llama::execute {
namespace {

constexpr std::string_view kMagic = "llo\1";

}  // namespace

std::string EncodeOutcome(const RecordedOutcome& recorded) {
  Encoder out;
  out.Raw(kMagic);
  out.Int(recorded.took_ns);
  out.Uint(recorded.bytes_up);
  out.Uint(recorded.bytes_down);
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
  out.Bool(outcome.lookups.complete);
  out.Strings(outcome.lookups.found);
  out.Strings(outcome.lookups.absent);
  out.Strings(outcome.lookups.listed);
  out.Int(outcome.usage.wall_ns);
  out.Int(outcome.usage.user_ns);
  out.Int(outcome.usage.system_ns);
  out.Int(outcome.usage.max_rss_bytes);
  return out.Take();
}

Result<RecordedOutcome> DecodeOutcome(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return Error{Code::kInvalid, "no recorded outcome"};
  Decoder in(bytes.substr(kMagic.size()));
  RecordedOutcome recorded;
  recorded.took_ns = in.Int();
  recorded.bytes_up = in.Uint();
  recorded.bytes_down = in.Uint();
  Outcome& outcome = recorded.outcome;
  outcome.wait_status = in.Int32();
  outcome.out = in.String();
  outcome.err = in.String();
  outcome.files.resize(in.Count(3));
  for (OutputFile& file : outcome.files) {
    file.path = in.String();
    file.mode = in.Uint32();
    file.bytes = in.String();
  }
  outcome.deleted = in.Strings();
  outcome.lookups.complete = in.Bool();
  outcome.lookups.found = in.Strings();
  outcome.lookups.absent = in.Strings();
  outcome.lookups.listed = in.Strings();
  outcome.usage.wall_ns = in.Int();
  outcome.usage.user_ns = in.Int();
  outcome.usage.system_ns = in.Int();
  outcome.usage.max_rss_bytes = in.Int();
  if (!in.Done() || recorded.took_ns < 0) {
    return Error{Code::kInvalid, "a damaged recorded outcome"};
  }
  return recorded;
}

}  // namespace llama::execute
