// The digest cache's file. If an input's first byte is odd, the rest are records without their
// checksums.
#include "base/fuzz.h"
#include "files/digest_log.h"

namespace llama::files {
namespace {

constexpr std::string_view kMagic = "llama-digests 1\n";
constexpr size_t kSummedBytes = 80;

std::string WithChecksums(std::string_view bytes) {
  std::string file(kMagic);
  for (; bytes.size() >= kSummedBytes; bytes.remove_prefix(kSummedBytes)) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char c : bytes.substr(0, kSummedBytes)) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    file += bytes.substr(0, kSummedBytes);
    for (int i = 0; i < 8; ++i) file.push_back(static_cast<char>(hash >> (8 * i)));
  }
  return file;
}

}  // namespace

FUZZ_TARGET(bytes) {
  static FuzzFile file;
  const bool summed = TakeByte(bytes) % 2 != 0;
  const std::string path = file.Put(summed ? WithChecksums(bytes) : std::string(bytes));
  auto opened = DigestLog::Open(path);
  CHECK(opened.has_value());
  auto& [log, records] = *opened;
  const uint64_t before = log.record_count();
  CHECK(records.size() <= before);
  if (summed) CHECK(records.size() == bytes.size() / kSummedBytes);
  CHECK(log.Append(records).has_value());
  const auto again = DigestLog::Open(path);
  CHECK(again.has_value() && again->first.record_count() == before + records.size());
  CHECK(again->second.size() == 2 * records.size());
  for (size_t i = 0; i < again->second.size(); ++i) {
    const DigestRecord& record = again->second[i];
    const DigestRecord& first = records[i % records.size()];
    CHECK(record.id == first.id && record.digest == first.digest);
    CHECK(record.mtime_ns == first.mtime_ns && record.text_flags == first.text_flags);
  }
}

}  // namespace llama::files
