// Builds: where the spans of a compile go, and what is counted for progress.
//
// Every build has a folder builds/<id>/ below the state folder with its trace. Compiles that belong
// to no `llama build` gather in a build of their own, one for each life of the daemon. Thread-safe.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_identity.h"
#include "base/mutex.h"
#include "base/result.h"
#include "session/session.h"
#include "trace/span.h"
#include "trace/trace_file.h"

namespace llama::daemon {

// Ids come from the environment and become folder names: letters, digits, '-', '_' and '.', at most
// 128, not beginning with '.'.
bool IsValidBuildId(std::string_view id);

class Builds {
 public:
  // Without `recording`, spans are dropped: builds are counted, but have no trace.
  Builds(std::string builds_dir, const Clock& clock, bool recording = true);
  ~Builds();

  Result<void> Begin(const session::BeginBuild& build);
  Result<void> End(const session::EndBuild& build);
  // Ends a build whose process is gone since `end_ns`, if it has begun and not ended: with the root
  // span of its Begin, as interrupted.
  Result<void> Abandon(const std::string& id, int64_t end_ns);

  // The id under which a compile with this LLAMACC_BUILD_ID (may be empty or wrong) is recorded.
  std::string Resolve(std::string_view build_id);
  // The root span of the build, if it is known.
  trace::Context RootOf(const std::string& id);

  void Record(const std::string& id, const std::vector<trace::Span>& spans);
  // Changes the counters of the build and of the whole.
  void Count(const std::string& id, const std::function<void(session::Counters&)>& change);
  session::Counters CountersOf(const std::string& id);

  // Builds between Begin and End.
  struct Active {
    std::string id;
    trace::Context root;
    int64_t start_ns = 0;
    pid_t pid = 0;  // of who runs its command; 0: not known
    session::Counters counters;
  };
  std::vector<Active> ActiveBuilds();

  // Writes out what has gathered; closes the files of builds that were quiet for a while, and those
  // that somebody has removed: what comes then has a new one.
  void Flush();

 private:
  struct Build {
    trace::Context root;
    trace::Span span;  // as it began
    int64_t start_ns = 0;
    pid_t pid = 0;
    bool active = false;
    session::Counters counters;
    std::shared_ptr<trace::TraceWriter> writer;
    FileId trace_id;  // of the writer's file
    int64_t last_use_ns = 0;
  };
  Build& Find(const std::string& id) REQUIRES(mutex_);
  std::shared_ptr<trace::TraceWriter> WriterOf(const std::string& id) EXCLUDES(mutex_);
  std::string TraceOf(const std::string& id) const;

  const std::string builds_dir_;
  const Clock& clock_;
  const bool recording_;
  const std::string unnamed_id_;

  Mutex mutex_;
  std::map<std::string, Build> builds_ GUARDED_BY(mutex_);
  std::atomic<uint64_t> told_lost_{0};  // spans of the open files
  session::Counters total_ GUARDED_BY(mutex_);
};

}  // namespace llama::daemon
