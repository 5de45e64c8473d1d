// CpuAdmission: one budget for all that llama lets run on this machine's own cores. Two kinds ask:
//
//   scans         steps inside the daemon that use a core for some milliseconds, and on which
//                 everything that then runs elsewhere depends
//   local slots   what runs here as a process of its own, for seconds: links, preprocessing,
//                 whatever a job falls back to
//
// Together they are no more than the cores. A scan goes before a local slot, and slots take the
// rest in the order in which they were asked for; but neither kind is ever shut out by the other:
//
//   - one scan may always run, beside slots on every core if need be: a slot's holder may be
//     waiting for it (`cc -E a.c | script that compiles`);
//   - as long as no slot is held, scans leave a core to the first that waits for one.
//
// Holders may wait for those who wait (`cc -E a.c | cc -x c -` on one slot). So when no slot was
// freed or granted for `patience_ms` *and the holders did nothing meanwhile*, one more is granted:
// their processes (with all descendants) used less than a tenth of one core from the middle of that
// time to its end, and at its end none was running, wanted to, or waited for a disk. Holders that
// work end by themselves, and one more would only make it later: with a dead cloud under `make
// -j200` every 15 s one more compile, then swap, then none ends. Time alone is no sign, so it is
// not enough. There is also a bound to what is granted so: as many again, and at least 4.
//
// Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "admission/process_tree.h"
#include "base/mutex.h"

namespace llama::admission {

class CpuAdmission {
 public:
  using Id = uint64_t;

  struct Options {
    int cores = 1;
    int local_slots =
        1;  // how many of them slots may take; more than the cores if the user says so
    int64_t patience_ms = 15'000;
    std::function<Work(const std::vector<pid_t>& holders)> work_of = [](const auto& holders) {
      return WorkOf(holders);
    };
  };

  explicit CpuAdmission(Options options);

  // A scan's core, held from construction to destruction, unless `cancelled` turned true while it
  // was waited for (it is asked a few times a second).
  class Hold {
   public:
    Hold(CpuAdmission& admission, const std::function<bool()>& cancelled)
        : admission_(admission), held_(admission.BeginScan(cancelled)) {}
    ~Hold() {
      if (held_) admission_.EndScan();
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    bool held() const { return held_; }

   private:
    CpuAdmission& admission_;
    bool held_;
  };

  // Joins the queue for a slot. An id is in it once; `pid` is the process that will hold it, 0 if
  // that is not known. Times are monotonic.
  void Request(Id id, pid_t pid, int64_t now_ns);
  // Gives a slot back, or leaves the queue.
  void Release(Id id, int64_t now_ns);
  // Who comes next, now holding a slot; nothing if all must wait.
  std::optional<Id> Grant(int64_t now_ns);
  // Whether a core is idle that somebody who waits for something else may take: at most one in
  // kClaimMs is told so, as it takes that long until a claim is seen in the queue.
  bool ClaimIdle(int64_t now_ns);
  // `call` is told, by any thread, when a scan's end may let somebody in: Grant is to be asked. It
  // must not call back into this, nor block. Empty: nobody is told any more.
  void OnRoom(std::function<void()> call);

  int local_slots() const { return options_.local_slots; }
  int64_t patience_ms() const { return options_.patience_ms; }
  int scans() const;  // that run
  size_t held() const;
  size_t waiting() const;

 private:
  static constexpr int64_t kClaimMs = 50;

  struct Look {
    int64_t time_ns = 0;
    Work work;
  };

  bool BeginScan(const std::function<bool()>& cancelled);
  void EndScan();
  bool ScanMayRun() const REQUIRES(mutex_);
  bool SlotMayRun() const REQUIRES(mutex_);
  bool HoldersAreStuck(int64_t now_ns) REQUIRES(mutex_);
  void Progress(int64_t now_ns) REQUIRES(mutex_);
  void TellRoom() REQUIRES(mutex_);

  const Options options_;
  mutable Mutex mutex_;
  CondVar scan_may_run_;
  int scans_ GUARDED_BY(mutex_) = 0;
  int waiting_scans_ GUARDED_BY(mutex_) = 0;
  std::deque<std::pair<Id, pid_t>> waiting_ GUARDED_BY(mutex_);
  std::unordered_map<Id, pid_t> held_ GUARDED_BY(mutex_);
  int64_t next_claim_ns_ GUARDED_BY(mutex_) = 0;
  // When a slot was last freed or granted, or the holders were last seen at work.
  int64_t last_progress_ns_ GUARDED_BY(mutex_) = 0;
  std::optional<Look> first_look_ GUARDED_BY(mutex_);  // since then
  std::function<void()> on_room_ GUARDED_BY(mutex_);
};

}  // namespace llama::admission
