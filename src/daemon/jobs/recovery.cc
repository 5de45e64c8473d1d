#include "daemon/jobs/recovery.h"

#include <utility>

namespace llama::daemon {

Recovery::Recovery(Options options) : options_(std::move(options)), thread_([this] { Run(); }) {}

Recovery::~Recovery() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Recovery::Wake() {
  {
    MutexLock lock(mutex_);
    if (wanted_) return;
    wanted_ = true;
  }
  changed_.NotifyAll();
}

bool Recovery::Stopping() {
  MutexLock lock(mutex_);
  return stopping_;
}

// False: stop. Otherwise something is down, and an interval has passed since the last question.
bool Recovery::WaitForWork() {
  MutexLock lock(mutex_);
  while (!wanted_ && !stopping_) changed_.Wait(mutex_);
  if (!stopping_) changed_.WaitFor(mutex_, options_.interval_ms);
  return !stopping_;
}

void Recovery::Run() {
  while (WaitForWork()) {
    if (!options_.is_up()) {
      options_.ask([this] { return Stopping(); });
      continue;
    }
    MutexLock lock(mutex_);
    wanted_ = false;
  }
}

}  // namespace llama::daemon
