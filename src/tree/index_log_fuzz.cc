// The layer index's file. After a first byte, an input is the file, or (if that byte is odd) the
// payload of a record that has its right length and checksum.
#include "base/codec.h"
#include "base/fuzz.h"
#include "tree/index_log.h"

namespace llama::tree {
namespace {

std::string WithHeadAndChecksum(std::string_view payload) {
  Encoder file;
  file.Raw("llamaix1");
  file.Bytes("store");
  file.Bytes(payload);
  file.Raw(store::Sha256(payload).view().substr(0, 8));
  return file.Take();
}

}  // namespace

FUZZ_TARGET(bytes) {
  static FuzzFile file;
  const bool is_payload = TakeByte(bytes) % 2 != 0;
  const std::string path = file.Put(is_payload ? WithHeadAndChecksum(bytes) : std::string(bytes));
  auto opened = IndexLog::Open(path, "store");
  if (!opened) return;
  auto& [log, records] = *opened;
  const uint64_t size = log.size_bytes();
  for (const IndexRecord& record : records) {
    CHECK(CheckManifest(record.manifest).has_value());
    CHECK(log.Append(record.held ? EncodeIndexRecord(record.layer, record.manifest)
                                 : EncodeForgetRecord(record.layer.key))
              .has_value());
  }
  // What was kept is sound to its last byte, and so is what was written after it.
  const auto again = IndexLog::Open(path, "store");
  CHECK(again.has_value() && again->first.size_bytes() == log.size_bytes());
  CHECK(again->second.size() == 2 * records.size() && log.size_bytes() >= size);
  for (size_t i = 0; i < again->second.size(); ++i) {
    const IndexRecord& record = again->second[i];
    const IndexRecord& first = records[i % records.size()];
    CHECK(record.layer.key == first.layer.key && record.manifest == first.manifest);
  }
}

}  // namespace llama::tree
