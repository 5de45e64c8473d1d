// DirectivesCache: what texts' directives are, by the texts' digests, kept across daemons.
//
// A start reads where its records are, and no more; each is decoded when it is asked for. What is
// kept is only ever of the bytes that the digest is of, read by this very scanner; whatever is
// wrong with the file costs time (docs/inputs.md, C1 to C3; docs/wire_format.md, S1 to S5).
//
// Thread-safe. Nobody waits for the file while it is written.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"
#include "scan/directives_log.h"
#include "scan/text/directives.h"
#include "scan/text/scanner_version.h"
#include "store/digest.h"

namespace llama::scan {

struct DirectivesCacheOptions {
  uint64_t scanner = kScannerVersion;
  uint64_t max_bytes = 64 << 20;
};

class DirectivesCache {
 public:
  static Result<std::unique_ptr<DirectivesCache>> Open(const std::string& path,
                                                       const DirectivesCacheOptions& options = {});
  ~DirectivesCache();  // flushes
  DirectivesCache(const DirectivesCache&) = delete;
  DirectivesCache& operator=(const DirectivesCache&) = delete;

  std::optional<Directives> Find(const store::Digest& digest) EXCLUDES(mutex_);
  // The directives of a text, and the digest of it.
  void Add(const store::Digest& digest, const Directives& directives) EXCLUDES(mutex_);
  // Writes what is new to the file. An error loses what was new, and that is only time.
  Result<void> Flush() EXCLUDES(flush_mutex_, mutex_);

 private:
  // Either written or not yet.
  struct Known {
    DirectivesLog::Place place;
    std::string unwritten;
    uint64_t last_used = 0;  // position in the order of uses
  };
  using KnownMap = std::unordered_map<store::Digest, Known, store::DigestHash>;

  DirectivesCache(std::string path, const DirectivesCacheOptions& options,
                  DirectivesLog::Opened opened);
  Result<void> Append(const std::vector<DirectivesLog::Record>& fresh) REQUIRES(flush_mutex_)
      EXCLUDES(mutex_);
  Result<void> Rewrite() REQUIRES(flush_mutex_) EXCLUDES(mutex_);
  std::vector<store::Digest> InOrderOfUse() REQUIRES(mutex_);
  void DropOldest() REQUIRES(mutex_);
  void Settle(const std::vector<DirectivesLog::Placed>& placed) REQUIRES(mutex_);
  void Forget(const store::Digest& digest) REQUIRES(mutex_);

  const std::string path_;
  const DirectivesCacheOptions options_;

  // Taken before mutex_, and held while the file is written.
  Mutex flush_mutex_;

  Mutex mutex_;
  // Appended to by the holder of flush_mutex_ alone; replaced with both held.
  std::shared_ptr<DirectivesLog> log_ GUARDED_BY(mutex_);
  KnownMap known_ GUARDED_BY(mutex_);
  std::vector<store::Digest> unwritten_ GUARDED_BY(mutex_);
  uint64_t live_bytes_ GUARDED_BY(mutex_) = 0;  // of the records in the file that count
  uint64_t uses_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::scan
