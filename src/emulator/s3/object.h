// What is known of an object besides its bytes, and its file: the bytes first, so that they can be
// served as they lie, then this, encoded (base/codec.h), then eight bytes: the length of that as
// four little-endian ones, and "lS3\1".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "emulator/request/message.h"

namespace llama::emulator {

struct ObjectMeta {
  std::string key;
  std::string etag;  // without quotes
  uint64_t size = 0;
  int64_t modified_ns = 0;  // Unix time
  // As they are answered: Content-Type, Cache-Control, x-amz-meta-…, x-amz-storage-class,
  // x-amz-checksum-… . Names in lower case.
  Pairs headers;

  const std::string* Header(std::string_view lower_case_name) const;
};

std::string EncodeTail(const ObjectMeta& meta);
// Of an open file; kInvalid: it is none of these, or cut off.
Result<ObjectMeta> ReadTail(int fd, const std::string& path);

using ObjectIndex = std::map<std::string, ObjectMeta>;

struct ListQuery {
  std::string prefix;
  std::string delimiter;
  std::string after;  // keys up to and including this one are passed over
  // `after` is what a page ended with: if that was a common prefix, all below it is passed over.
  bool after_page = false;
  uint64_t max_keys = 1000;
};

struct ListPage {
  // Keys and common prefixes, in order of their bytes.
  std::vector<ObjectMeta> objects;
  std::vector<std::string> prefixes;
  bool truncated = false;
  std::string last;  // the last item, if truncated
};

ListPage ListKeys(const ObjectIndex& index, const ListQuery& query);

}  // namespace llama::emulator
