#include "scan/directives_cache.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "scan/text/directives_codec.h"

namespace llama::scan {
namespace {

// Below this much a rewrite saves nothing worth having.
constexpr uint64_t kRewriteSlackBytes = 1 << 20;

}  // namespace

Result<std::unique_ptr<DirectivesCache>> DirectivesCache::Open(
    const std::string& path, const DirectivesCacheOptions& options) {
  ASSIGN_OR_RETURN(DirectivesLog::Opened opened, DirectivesLog::Open(path, options.scanner));
  return std::unique_ptr<DirectivesCache>(new DirectivesCache(path, options, std::move(opened)));
}

DirectivesCache::DirectivesCache(std::string path, const DirectivesCacheOptions& options,
                                 DirectivesLog::Opened opened)
    : path_(std::move(path)), options_(options) {
  const MutexLock lock(mutex_);
  log_ = std::make_shared<DirectivesLog>(std::move(opened.log));
  known_.reserve(opened.records.size());
  for (const DirectivesLog::Placed& record : opened.records) known_[record.digest];
  Settle(opened.records);
}

DirectivesCache::~DirectivesCache() {
  if (const Result<void> flushed = Flush(); !flushed) {
    LOG(kWarning, "directives cache: " + flushed.error().message);
  }
}

std::optional<Directives> DirectivesCache::Find(const store::Digest& digest) {
  std::shared_ptr<const DirectivesLog> log;
  DirectivesLog::Place place;
  {
    const MutexLock lock(mutex_);
    const auto it = known_.find(digest);
    if (it == known_.end()) return std::nullopt;
    it->second.last_used = ++uses_;
    if (!it->second.unwritten.empty()) return DecodeDirectives(it->second.unwritten);
    log = log_;
    place = it->second.place;
  }
  const std::optional<std::string> body = log->Read(digest, place);
  std::optional<Directives> directives = body ? DecodeDirectives(*body) : std::nullopt;
  if (directives) return directives;
  const MutexLock lock(mutex_);
  const auto it = known_.find(digest);
  if (it != known_.end() && log == log_ && it->second.place == place) Forget(digest);
  return std::nullopt;
}

void DirectivesCache::Add(const store::Digest& digest, const Directives& directives) {
  std::string body = EncodeDirectives(directives);
  if (body.size() > DirectivesLog::kMaxBodyBytes) return;
  const MutexLock lock(mutex_);
  const auto [it, is_new] = known_.try_emplace(digest);
  if (!is_new) return;
  it->second = {{}, std::move(body), ++uses_};
  unwritten_.push_back(digest);
}

Result<void> DirectivesCache::Flush() {
  const MutexLock flush_lock(flush_mutex_);
  std::vector<DirectivesLog::Record> fresh;
  bool rewrites = false;
  {
    const MutexLock lock(mutex_);
    uint64_t fresh_bytes = 0;
    for (const store::Digest& digest : std::exchange(unwritten_, {})) {
      fresh.push_back({digest, known_.at(digest).unwritten});
      fresh_bytes += DirectivesLog::RecordBytes(fresh.back().body.size());
    }
    const uint64_t file_bytes = log_->size_bytes() + fresh_bytes;
    if (file_bytes > options_.max_bytes) DropOldest();
    rewrites = file_bytes > options_.max_bytes ||
               file_bytes > 2 * (live_bytes_ + fresh_bytes) + kRewriteSlackBytes;
  }
  Result<void> written = rewrites ? Rewrite() : Append(fresh);
  if (!written) {
    const MutexLock lock(mutex_);
    for (const DirectivesLog::Record& record : fresh) Forget(record.digest);
  }
  return written;
}

Result<void> DirectivesCache::Append(const std::vector<DirectivesLog::Record>& fresh) {
  if (fresh.empty()) return {};
  std::shared_ptr<DirectivesLog> log;
  {
    const MutexLock lock(mutex_);
    log = log_;
  }
  ASSIGN_OR_RETURN(const std::vector<DirectivesLog::Placed> placed, log->Append(fresh));
  const MutexLock lock(mutex_);
  Settle(placed);
  return {};
}

Result<void> DirectivesCache::Rewrite() {
  std::shared_ptr<const DirectivesLog> log;
  std::vector<std::pair<store::Digest, Known>> all;
  {
    const MutexLock lock(mutex_);
    log = log_;
    for (const store::Digest& digest : InOrderOfUse()) all.emplace_back(digest, known_.at(digest));
  }
  std::vector<DirectivesLog::Record> records;
  for (auto& [digest, known] : all) {
    std::optional<std::string> body =
        known.unwritten.empty() ? log->Read(digest, known.place) : std::move(known.unwritten);
    if (body) records.push_back({digest, *std::move(body)});
  }
  ASSIGN_OR_RETURN(DirectivesLog::Opened opened,
                   DirectivesLog::Write(path_, options_.scanner, records));
  const MutexLock lock(mutex_);
  log_ = std::make_shared<DirectivesLog>(std::move(opened.log));
  live_bytes_ = 0;
  for (auto& [digest, known] : known_) known.place = {};
  Settle(opened.records);
  // What could not be read.
  std::erase_if(known_, [](const auto& item) {
    return item.second.place.size_bytes == 0 && item.second.unwritten.empty();
  });
  return {};
}

std::vector<store::Digest> DirectivesCache::InOrderOfUse() {
  std::vector<std::pair<uint64_t, store::Digest>> uses;
  uses.reserve(known_.size());
  for (const auto& [digest, known] : known_) uses.emplace_back(known.last_used, digest);
  std::sort(uses.begin(), uses.end());
  std::vector<store::Digest> digests;
  digests.reserve(uses.size());
  for (const auto& [use, digest] : uses) digests.push_back(digest);
  return digests;
}

// So that half of the limit is taken, what is unwritten included.
void DirectivesCache::DropOldest() {
  const std::vector<store::Digest> digests = InOrderOfUse();
  uint64_t kept_bytes = 0;
  for (auto it = digests.rbegin(); it != digests.rend(); ++it) {
    const Known& known = known_.at(*it);
    kept_bytes += known.unwritten.empty() ? known.place.size_bytes
                                          : DirectivesLog::RecordBytes(known.unwritten.size());
    if (kept_bytes > options_.max_bytes / 2) Forget(*it);
  }
}

// A later record of a digest supersedes an earlier one.
void DirectivesCache::Settle(const std::vector<DirectivesLog::Placed>& placed) {
  for (const auto& [digest, place] : placed) {
    const auto it = known_.find(digest);
    if (it == known_.end()) continue;
    Known& known = it->second;
    live_bytes_ += place.size_bytes - known.place.size_bytes;
    known.place = place;
    known.unwritten.clear();
    if (known.last_used == 0) known.last_used = ++uses_;
  }
}

void DirectivesCache::Forget(const store::Digest& digest) {
  const auto it = known_.find(digest);
  if (it == known_.end()) return;
  live_bytes_ -= it->second.place.size_bytes;
  known_.erase(it);
}

}  // namespace llama::scan
