// UnrecordedToolchains: the compilers whose lookups turned out not to be recorded, though nothing
// of their programs says so (Toolchain::can_preload): a set-user-ID program, a loader that was
// built not to preload, a child that drops the environment.
//
// Each compile by such a one would run twice: remotely, for nothing, and here. So it is not tried
// for a while, which doubles with every trial that fails. A toolchain that was recorded once is a
// good one, whatever becomes of a single command. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/clock.h"
#include "base/mutex.h"
#include "compiler/toolchain.h"

namespace llama::compiler {

class UnrecordedToolchains {
 public:
  // `clock` must outlive this.
  explicit UnrecordedToolchains(const Clock& clock) : clock_(clock) {}

  // What a remote run has shown. An edited or upgraded compiler is another toolchain.
  void Learn(const std::shared_ptr<const Toolchain>& toolchain, bool recorded) EXCLUDES(mutex_);
  // Whether to run here without trying. After a pause one caller is told to try; the others go on
  // waiting for what it learns.
  bool ShouldAvoid(const std::shared_ptr<const Toolchain>& toolchain) EXCLUDES(mutex_);

 private:
  struct Record {
    bool is_good = false;
    bool is_trying = false;
    int64_t pause_ns = 0;
    int64_t avoid_until_ns = 0;
  };

  const Clock& clock_;
  Mutex mutex_;
  // By weak pointers, so that an address that is used again is no acquaintance.
  std::map<std::weak_ptr<const Toolchain>, Record, std::owner_less<>> records_ GUARDED_BY(mutex_);
};

}  // namespace llama::compiler
