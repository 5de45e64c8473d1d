#include "emulator/s3/conditions.h"

#include <algorithm>

#include "emulator/request/s3_error.h"
#include "emulator/request/s3_xml.h"
#include "emulator/request/text.h"

namespace llama::emulator {
namespace {

// "*", or one of a list of etags.
bool Lists(std::string_view header, std::string_view etag) {
  while (!header.empty()) {
    const size_t end = std::min(header.find(','), header.size());
    std::string_view item = TrimSpace(header.substr(0, end));
    if (item.starts_with("W/")) item.remove_prefix(2);
    if (item == "*" || Unquoted(item) == etag) return true;
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return false;
}

Error Failed() {
  return S3Failure("PreconditionFailed",
                   "At least one of the pre-conditions you specified did not hold");
}

std::optional<int64_t> DateOf(const Request& request, std::string_view name) {
  const std::string* header = request.Header(name);
  return header == nullptr ? std::nullopt : ParseHttpDate(*header);
}

}  // namespace

Result<void> CheckReadConditions(const Request& request, const std::string& etag,
                                 int64_t modified_s) {
  if (const std::string* match = request.Header("if-match")) {
    if (!Lists(*match, etag)) return Failed();
  } else if (const auto since = DateOf(request, "if-unmodified-since")) {
    if (modified_s > *since) return Failed();
  }
  if (const std::string* none = request.Header("if-none-match")) {
    if (Lists(*none, etag)) return S3Failure("NotModified", "");
  } else if (const auto since = DateOf(request, "if-modified-since")) {
    if (modified_s <= *since) return S3Failure("NotModified", "");
  }
  return {};
}

Result<WriteConditions> ReadWriteConditions(const Request& request) {
  WriteConditions conditions;
  if (const std::string* none = request.Header("if-none-match")) {
    if (*none != "*") {
      return S3Failure("NotImplemented", "If-None-Match other than * is not implemented");
    }
    conditions.must_be_new = true;
  }
  if (const std::string* match = request.Header("if-match")) {
    conditions.must_match = std::string(Unquoted(*match));
  }
  return conditions;
}

Result<void> CheckWriteConditions(const WriteConditions& conditions,
                                  const std::optional<std::string>& etag) {
  if (conditions.must_be_new && etag) return Failed();
  if (!conditions.must_match) return {};
  if (!etag) return S3Failure("NoSuchKey", "The specified key does not exist.");
  if (*conditions.must_match != "*" && *conditions.must_match != *etag) return Failed();
  return {};
}

Result<std::optional<ByteRange>> ParseRange(const std::string* header, uint64_t object_size) {
  constexpr std::string_view kUnit = "bytes=";
  const std::optional<ByteRange> whole;
  if (header == nullptr || !header->starts_with(kUnit)) return whole;
  const std::string_view range = TrimSpace(std::string_view(*header).substr(kUnit.size()));
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return whole;
  const std::optional<uint64_t> first = ParseUint(range.substr(0, dash));
  const std::optional<uint64_t> last = ParseUint(range.substr(dash + 1));
  const bool has_first = dash > 0;
  const bool has_last = dash + 1 < range.size();
  if ((has_first && !first) || (has_last && !last) || (!has_first && !has_last)) return whole;

  const Error beyond = S3Failure("InvalidRange", "The requested range is not satisfiable");
  if (!has_first) {
    if (*last == 0 || object_size == 0) return beyond;
    const uint64_t size = std::min(*last, object_size);
    return std::optional(ByteRange{object_size - size, size});
  }
  if (has_last && *last < *first) return whole;
  if (*first >= object_size) return beyond;
  const uint64_t end = has_last ? std::min(*last, object_size - 1) : object_size - 1;
  return std::optional(ByteRange{*first, end - *first + 1});
}

}  // namespace llama::emulator
