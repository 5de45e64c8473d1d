// The directives cache's file: records of a digest and a body, appended; only their heads are read
// at the beginning (docs/wire_format.md, "Directives cache file"). What is in a body is not its
// business.
//
// Read() from any thread, also while another one appends; all else by one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "store/digest.h"

namespace llama::scan {

class DirectivesLog {
 public:
  static constexpr uint32_t kMaxBodyBytes = 4 << 20;

  struct Record {
    store::Digest digest;
    std::string body;
  };
  // Where a record stands.
  struct Place {
    uint64_t offset = 0;
    uint64_t size_bytes = 0;  // of all of it; 0: nowhere
    bool operator==(const Place&) const = default;
  };
  struct Placed {
    store::Digest digest;
    Place place;
  };
  struct Opened;

  // Opens or creates the file and tells where its records are, in order, up to the first one whose
  // head is wrong; there it is cut off. A file that is none of this scanner's is started anew.
  static Result<Opened> Open(const std::string& path, uint64_t scanner);
  // Puts another file in its place, atomically. One that was opened before goes on with the old
  // one.
  static Result<Opened> Write(const std::string& path, uint64_t scanner,
                              const std::vector<Record>& records);

  // The places of these records, in order. An error leaves the file as it was.
  Result<std::vector<Placed>> Append(const std::vector<Record>& records);
  // Nothing: what is there is no sound record of that digest.
  std::optional<std::string> Read(const store::Digest& digest, const Place& place) const;

  uint64_t size_bytes() const { return size_bytes_; }
  // Of a record with a body of so many.
  static uint64_t RecordBytes(uint64_t body_bytes);

 private:
  DirectivesLog(std::string path, uint64_t scanner, Fd fd, uint64_t size_bytes)
      : path_(std::move(path)), scanner_(scanner), fd_(std::move(fd)), size_bytes_(size_bytes) {}

  std::string path_;
  uint64_t scanner_;
  Fd fd_;
  uint64_t size_bytes_;  // 0: not even the file's head has been written
};

struct DirectivesLog::Opened {
  DirectivesLog log;
  std::vector<Placed> records;
};

}  // namespace llama::scan
