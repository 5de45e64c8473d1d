#include "daemon/record/builds.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/file.h"
#include "base/log.h"
#include "base/own_dir.h"
#include "base/text/json.h"
#include "trace/names.h"

namespace llama::daemon {
namespace {

constexpr int64_t kCloseAfterNs = 60'000'000'000;
// Of builds remembered with their counters; the least recently used go first.
constexpr size_t kMaxBuilds = 256;

std::string UnnamedId(const Clock& clock) {
  const time_t now = clock.NowNs() / 1'000'000'000;
  tm parts{};
  localtime_r(&now, &parts);
  char text[64];
  const size_t n = std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", &parts);
  return std::string(text, n) + "-unnamed-" + std::to_string(getpid());
}

}  // namespace

bool IsValidBuildId(std::string_view id) {
  if (id.empty() || id.size() > 128 || id.front() == '.') return false;
  for (const char c : id) {
    const bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_' || c == '.';
    if (!fine) return false;
  }
  return true;
}

Builds::Builds(std::string builds_dir, const Clock& clock, bool recording)
    : builds_dir_(std::move(builds_dir)),
      clock_(clock),
      recording_(recording),
      unnamed_id_(UnnamedId(clock)) {}

Builds::~Builds() = default;

Builds::Build& Builds::Find(const std::string& id) {
  if (!builds_.contains(id) && builds_.size() >= kMaxBuilds) {
    auto oldest = builds_.begin();
    for (auto it = builds_.begin(); it != builds_.end(); ++it) {
      if (it->second.last_use_ns < oldest->second.last_use_ns) oldest = it;
    }
    builds_.erase(oldest);
  }
  Build& build = builds_[id];
  build.last_use_ns = clock_.MonotonicNs();
  return build;
}

Result<void> Builds::Begin(const session::BeginBuild& build) {
  if (!IsValidBuildId(build.id)) return Error{Code::kInvalid, "build id " + build.id};
  const MutexLock lock(mutex_);
  Build& known = Find(build.id);
  known.root = build.root;
  known.span = build.span;
  known.start_ns = build.start_ns;
  known.pid = build.pid;
  known.active = true;
  return {};
}

Result<void> Builds::End(const session::EndBuild& build) {
  if (!IsValidBuildId(build.id)) return Error{Code::kInvalid, "build id " + build.id};
  if (recording_) {
    const auto writer = WriterOf(build.id);
    if (!writer) return Error{Code::kUnavailable, "trace of build " + build.id};
    trace::Span root = build.root;
    if (const uint64_t lost = writer->dropped(); lost > 0) root.Set(trace::field::kSpansLost, lost);
    writer->Add(root);
    TRY(writer->Flush());
  }
  const MutexLock lock(mutex_);
  Build& known = Find(build.id);
  known.writer = nullptr;
  known.active = false;
  return {};
}

Result<void> Builds::Abandon(const std::string& id, int64_t end_ns) {
  trace::Span root;
  {
    const MutexLock lock(mutex_);
    const auto known = builds_.find(id);
    if (known == builds_.end() || !known->second.active) return {};
    root = known->second.span;
    root.trace_id = known->second.root.trace_id;
    root.span_id = known->second.root.span_id;
    root.name = trace::span::kBuild;
    root.start_ns = known->second.start_ns;
  }
  root.duration_ns = std::max<int64_t>(0, end_ns - root.start_ns);
  root.Set(trace::field::kInterrupted, trace::Value(true));
  return End({id, root});
}

std::string Builds::Resolve(std::string_view build_id) {
  return IsValidBuildId(build_id) ? std::string(build_id) : unnamed_id_;
}

trace::Context Builds::RootOf(const std::string& id) {
  const MutexLock lock(mutex_);
  return Find(id).root;
}

std::shared_ptr<trace::TraceWriter> Builds::WriterOf(const std::string& id) {
  const MutexLock lock(mutex_);
  Build& build = Find(id);
  if (build.writer) return build.writer;
  const std::string dir = JoinPath(builds_dir_, id);
  if (const auto made = MakeOwnDir(dir); !made) {
    LOG(kError, "trace: " + made.error().message);
    return nullptr;
  }
  if (id == unnamed_id_) {
    JsonWriter json;
    json.BeginObject().Key("id").String(id).Key("name").String("").Key("unnamed").Bool(true);
    json.Key("start_ns").Int(clock_.NowNs()).EndObject();
    (void)WriteFileAtomic(JoinPath(dir, "build.json"), json.str() + "\n", 0600).has_value();
  }
  auto writer = trace::TraceWriter::Open(TraceOf(id));
  if (!writer) {
    LOG(kError, "trace: " + writer.error().message);
    return nullptr;
  }
  build.writer = std::move(*writer);
  build.trace_id = IdOf(TraceOf(id));
  return build.writer;
}

std::string Builds::TraceOf(const std::string& id) const {
  return JoinPath(JoinPath(builds_dir_, id), "trace.ndjson.zst");
}

void Builds::Record(const std::string& id, const std::vector<trace::Span>& spans) {
  if (!recording_) return;
  const auto writer = WriterOf(id);
  if (!writer) return;
  for (const trace::Span& span : spans) writer->Add(span);
}

void Builds::Count(const std::string& id, const std::function<void(session::Counters&)>& change) {
  const MutexLock lock(mutex_);
  change(Find(id).counters);
  change(total_);
}

session::Counters Builds::CountersOf(const std::string& id) {
  const MutexLock lock(mutex_);
  if (id.empty()) return total_;
  const auto it = builds_.find(id);
  return it == builds_.end() ? session::Counters{} : it->second.counters;
}

std::vector<Builds::Active> Builds::ActiveBuilds() {
  std::vector<Active> active;
  const MutexLock lock(mutex_);
  for (const auto& [id, build] : builds_) {
    if (build.active) active.push_back({id, build.root, build.start_ns, build.pid, build.counters});
  }
  return active;
}

void Builds::Flush() {
  std::vector<std::shared_ptr<trace::TraceWriter>> writers;
  {
    const MutexLock lock(mutex_);
    const int64_t now = clock_.MonotonicNs();
    for (auto& [id, build] : builds_) {
      if (!build.writer) continue;
      writers.push_back(build.writer);
      const bool is_gone = IdOf(TraceOf(id)) != build.trace_id;
      if (is_gone || now - build.last_use_ns > kCloseAfterNs) build.writer = nullptr;
    }
  }
  uint64_t lost = 0;
  for (const auto& writer : writers) {
    if (const auto flushed = writer->Flush(); !flushed) {
      LOG(kError, "trace: " + flushed.error().message);
    }
    lost += writer->dropped();
  }
  if (lost > told_lost_) {
    LOG(kError, "trace: " + std::to_string(lost) + " spans could not be written and are lost");
  }
  told_lost_ = lost;
}

}  // namespace llama::daemon
