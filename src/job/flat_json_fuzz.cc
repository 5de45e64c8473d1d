// JSON that anybody may have written, base64 in it, and store URLs. What is read comes out the same
// when it is written and read again.
#include "base/fuzz.h"
#include "base/text/json.h"
#include "job/base64.h"
#include "job/flat_json.h"
#include "job/store_url.h"

namespace llama::job {

FUZZ_TARGET(text) {
  if (const auto bytes = DecodeBase64(text)) {
    std::string again;
    AppendBase64(again, *bytes);
    CHECK(again == text);
  }
  if (const auto url = ParseStoreUrl(text)) {
    const auto again = ParseStoreUrl(FormatStoreUrl(*url));
    CHECK(again.has_value() && *again == *url);
  }
  const Result<FlatJson> object = FlatJson::Parse(text);
  if (!object) return;
  for (const char* name : {"a", "b", "c", ""}) {
    const auto string = object->String(name);
    const auto number = object->Int(name);
    const auto truth = object->Bool(name);
    CHECK(object->Has(name) || (!string && !number && !truth));
    CHECK((string ? 1 : 0) + (number ? 1 : 0) + (truth ? 1 : 0) <= 1);
    if (const auto plain = object->PlainString(name)) CHECK(*plain == *string);
    JsonWriter json;
    json.BeginObject().Key(name);
    if (string) json.String(*string);
    if (number) json.Int(*number);
    if (truth) json.Bool(*truth);
    if (!string && !number && !truth) json.Null();
    const std::string written = json.EndObject().Take();
    const Result<FlatJson> again = FlatJson::Parse(written);
    CHECK(again.has_value());
    CHECK(again->Int(name) == number && again->Bool(name) == truth);
    // The writer replaces what is not UTF-8.
    if (written.find("\xef\xbf\xbd") == written.npos) CHECK(again->String(name) == string);
  }
}

}  // namespace llama::job
