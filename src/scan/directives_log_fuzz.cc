// The directives cache's file, and the directives in its records. If an input's first byte is odd,
// the rest are bodies, each a byte for its size and then its bytes: in sound records.
#include <algorithm>

#include "base/fuzz.h"
#include "scan/directives_log.h"
#include "scan/text/directives_codec.h"

namespace llama::scan {
namespace {

constexpr uint64_t kScanner = 7;

std::vector<DirectivesLog::Record> TakeRecords(std::string_view bytes) {
  std::vector<DirectivesLog::Record> records;
  while (!bytes.empty()) {
    const size_t size = TakeByte(bytes);
    const std::string_view body = bytes.substr(0, size);
    bytes.remove_prefix(body.size());
    records.push_back({store::Sha256(body), std::string(body)});
  }
  return records;
}

// What is decoded is decoded again from its own encoding.
void CheckBody(const std::string& body) {
  const std::optional<Directives> directives = DecodeDirectives(body);
  if (!directives) return;
  const std::vector<uint32_t>& names = directives->defined_names;
  CHECK(std::is_sorted(names.begin(), names.end()));
  const std::string encoded = EncodeDirectives(*directives);
  CHECK(encoded.size() <= body.size());
  const std::optional<Directives> again = DecodeDirectives(encoded);
  CHECK(again && EncodeDirectives(*again) == encoded);
  CHECK(again->references == directives->references && again->hash == directives->hash);
}

}  // namespace

FUZZ_TARGET(bytes) {
  static FuzzFile file;
  const bool sound = TakeByte(bytes) % 2 != 0;
  const std::vector<DirectivesLog::Record> given =
      sound ? TakeRecords(bytes) : std::vector<DirectivesLog::Record>();
  const std::string path = file.Put(sound ? "" : bytes);
  if (sound) {
    auto empty = DirectivesLog::Open(path, kScanner);
    CHECK(empty.has_value() && empty->records.empty());
    CHECK(empty->log.Append(given).has_value());
  }
  auto opened = DirectivesLog::Open(path, kScanner);
  CHECK(opened.has_value());
  auto& [log, records] = *opened;
  CHECK(!sound || records.size() == given.size());
  for (size_t i = 0; i < records.size(); ++i) {
    const std::optional<std::string> body = log.Read(records[i].digest, records[i].place);
    CHECK(!sound || (body && *body == given[i].body));
    if (body) CheckBody(*body);
  }
  const auto appended = log.Append({{store::Sha256("more"), "more"}});
  CHECK(appended.has_value() && appended->size() == 1);
  const auto again = DirectivesLog::Open(path, kScanner);
  CHECK(again.has_value() && again->records.size() == records.size() + 1);
  CHECK(again->log.Read(store::Sha256("more"), again->records.back().place) == "more");
}

}  // namespace llama::scan
