// Recovery: while the cloud is down, asks it now and then whether it is back, so that jobs need not
// try: one that did would upload and wait for the sake of all others. Its thread sleeps while all
// is well. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "base/mutex.h"

namespace llama::daemon {

class Recovery {
 public:
  struct Options {
    std::function<bool()> is_up;
    // Asks whatever is down; must end soon once `cancelled` gives true.
    std::function<void(const std::function<bool()>& cancelled)> ask;
    int64_t interval_ms =
        1'000;  // the circuits have intervals of their own; this is how often to look
  };
  explicit Recovery(Options options);
  ~Recovery();  // ends a question that is under way

  // Something is down. Returns at once.
  void Wake();

 private:
  void Run();
  bool Stopping();
  bool WaitForWork();

  const Options options_;
  Mutex mutex_;
  CondVar changed_;
  bool wanted_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace llama::daemon
