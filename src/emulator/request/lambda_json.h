// Reading the JSON objects of Lambda's API and of the files that functions are kept in. Member
// types are checked where they are asked for; a member that is null is as one that isn't there.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace llama::emulator {

// One thread at a time.
class JsonObject {
 public:
  // An empty text is an empty object. kInvalid: no JSON object (InvalidRequestContentException).
  static Result<JsonObject> Parse(std::string_view text);
  JsonObject(JsonObject&&) noexcept;
  JsonObject& operator=(JsonObject&&) noexcept;
  ~JsonObject();

  // `path` is "Name" or "Code/ZipFile". kInvalid: it has another type.
  Result<std::optional<std::string>> String(std::string_view path) const;
  Result<std::optional<int64_t>> Int(std::string_view path) const;
  Result<std::optional<bool>> Bool(std::string_view path) const;
  // An object of strings.
  Result<std::optional<std::map<std::string, std::string>>> Strings(std::string_view path) const;
  Result<std::optional<std::vector<std::string>>> StringList(std::string_view path) const;
  // An array of objects, or an object of objects (its names are lost), each as JSON text.
  Result<std::vector<std::string>> Objects(std::string_view path) const;
  // A nested object, as JSON text.
  Result<std::optional<std::string>> Object(std::string_view path) const;
  bool Has(std::string_view path) const;

 private:
  struct Document;
  explicit JsonObject(std::unique_ptr<Document> document);
  std::unique_ptr<Document> document_;
};

// Whether it is JSON of any kind, as an invocation's payload must be.
bool IsJson(std::string_view text);

Result<std::string> ReadBase64(std::string_view text);
// Of the SHA-256, as CodeSha256 has it.
std::string HexToBase64(std::string_view hex);

}  // namespace llama::emulator
