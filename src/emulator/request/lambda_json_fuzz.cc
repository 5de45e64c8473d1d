// The JSON of Lambda's API, and the model's settings, which are the same in print.
#include "base/fuzz.h"
#include "emulator/request/lambda_json.h"
#include "emulator/request/model.h"
#include "emulator/request/text.h"

namespace llama::emulator {

FUZZ_TARGET(text) {
  if (const auto bytes = DecodeBase64(text)) CHECK(*DecodeBase64(EncodeBase64(*bytes)) == *bytes);
  if (const auto settings = ModelSettings::Parse(text)) {
    const auto again = ModelSettings::Parse(settings->Format());
    CHECK(again.has_value() && again->Format() == settings->Format());
  }
  const auto object = JsonObject::Parse(text);
  if (!object) return;
  if (!text.empty()) CHECK(IsJson(text));
  for (const char* path : {"A", "B", "C", "A/B", "A/B/C"}) {
    const auto string = object->String(path);
    const auto number = object->Int(path);
    const auto strings = object->Strings(path);
    const auto list = object->StringList(path);
    if (string && *string) CHECK(object->Has(path) && !(number && *number));
    if (strings && *strings) CHECK((*strings)->size() <= text.size());
    if (list && *list) CHECK((*list)->size() <= text.size());
    (void)object->Bool(path).has_value();
    (void)object->Objects(path).has_value();
    if (const auto nested = object->Object(path); nested && *nested) {
      CHECK(JsonObject::Parse(**nested).has_value());
    }
  }
}

}  // namespace llama::emulator
