// LookupReports: what compiles of a closure reported that they looked up, and that agreed with the
// files here: the next one is told, and need not report it again (docs/inputs.md, F1 to F4).
// Thread-safe.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "execute/action.h"
#include "scan/closure.h"
#include "store/digest.h"

namespace llama::daemon {

class LookupReports {
 public:
  // Of all reports together, in names of four bytes; the report itself counts as some more, since a
  // worker may name nothing. Some 32 MB.
  static constexpr size_t kMaxNames = 8'000'000;
  static constexpr size_t kNamesOfReport = 128;
  static constexpr size_t kMaxOfAction = 2;

  // Outlives this.
  explicit LookupReports(scan::Closures& closures) : closures_(closures) {}

  // Those that an action like this one gave and that agree still, the last one first.
  std::vector<store::Digest> Of(const execute::Action& action);
  // A report of such an action's that has agreed since `watched.since`.
  void Remember(const execute::Action& action, const store::Digest& report,
                scan::Closures::WatchedNames watched);
  bool StillAgrees(const execute::Action& action, const store::Digest& report);

  size_t name_count() const;  // so counted

 private:
  struct Report {
    store::Digest digest;
    scan::Closures::WatchedNames watched;
  };
  struct Known {
    std::vector<Report> reports;  // the last one first
    std::list<std::string>::iterator use;
  };
  using KnownMap = std::unordered_map<std::string, Known>;
  // By what a report is judged: the closure, and what is an output of the action's own.
  static std::string KeyOf(const execute::Action& action);
  static size_t CostOf(const scan::Closures::WatchedNames& watched) {
    return watched.names.size() + kNamesOfReport;
  }
  void DropLast(Known& known) REQUIRES(mutex_);

  scan::Closures& closures_;
  mutable Mutex mutex_;
  KnownMap known_ GUARDED_BY(mutex_);
  std::list<std::string> uses_ GUARDED_BY(mutex_);  // keys of known_, the last one first
  size_t name_count_ GUARDED_BY(mutex_) = 0;
};

}  // namespace llama::daemon
