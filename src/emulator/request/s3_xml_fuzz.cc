// The XML of S3's requests, bounded as S3 bounds it.
#include "base/fuzz.h"
#include "emulator/request/s3_xml.h"

namespace llama::emulator {

FUZZ_TARGET(xml) {
  const auto deletes = ReadDelete(xml);
  const auto parts = ReadComplete(xml);
  const auto location = ReadLocation(xml);
  if (deletes) {
    CHECK(!deletes->keys.empty() && deletes->keys.size() <= 1000);
    XmlWriter writer;
    writer.Open("Delete", true).Bool("Quiet", deletes->quiet);
    for (const std::string& key : deletes->keys) {
      CHECK(!key.empty() && key.size() <= xml.size());
      writer.Open("Object").Text("Key", key).Close("Object");
    }
    const auto again = ReadDelete(writer.Close("Delete").Take());
    CHECK(again.has_value() && again->keys == deletes->keys && again->quiet == deletes->quiet);
  }
  if (parts) CHECK(!parts->empty() && parts->size() <= 10'000);
  if (location) CHECK(location->size() <= xml.size());
  if (deletes || parts) CHECK(CheckXml(xml).has_value());
}

}  // namespace llama::emulator
