#include "client/fallback_slot.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "client/hung_note.h"

namespace llama::client {
namespace {

constexpr int64_t kPollMs = 50;
constexpr int kMostSlots = 1024;

class Slots {
 public:
  explicit Slots(const FallbackOptions& options)
      : options_(options),
        count_(std::clamp(options.slots, 1, kMostSlots)),
        more_(Open("more")),
        files_(static_cast<size_t>(count_)) {}

  bool can_be() const { return more_.valid(); }

  Fd TryTake() {
    // Not all at the same one.
    const size_t first = static_cast<size_t>(getpid()) % files_.size();
    for (size_t i = 0; i < files_.size(); ++i) {
      const size_t at = (first + i) % files_.size();
      Fd& file = files_[at];
      if (!file.valid()) file = Open(std::to_string(at));
      if (!file.valid() || flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
      WriteMonotonicTime(file.get());
      return std::move(file);
    }
    return Fd();
  }

  // Whether this one may go without, since nothing moves.
  bool MayGoWithout() {
    if (HasMoved() || flock(more_.get(), LOCK_EX | LOCK_NB) != 0) return false;
    // Another may have gone in the meantime.
    const bool may = !HasMoved();
    if (may) WriteMonotonicTime(more_.get());
    flock(more_.get(), LOCK_UN);
    return may;
  }

 private:
  Fd Open(const std::string& name) const {
    const std::string path = options_.run_dir + "/fallback-" + name;
    return Fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  }
  bool HasMoved() const {
    return IsRecent(more_.get(), options_.patience_ms) ||
           std::any_of(files_.begin(), files_.end(), [&](const Fd& file) {
             return file.valid() && IsRecent(file.get(), options_.patience_ms);
           });
  }

  const FallbackOptions& options_;
  const int count_;
  const Fd more_;
  std::vector<Fd> files_;
};

}  // namespace

Fd TakeFallbackSlot(const FallbackOptions& options) {
  Slots slots(options);
  if (!slots.can_be()) return Fd();
  const int64_t begin_ns = SystemClock().MonotonicNs();
  while (true) {
    if (Fd slot = slots.TryTake(); slot.valid()) return slot;
    const int64_t waited_ms = (SystemClock().MonotonicNs() - begin_ns) / 1'000'000;
    const bool is_patient = waited_ms < options.patience_ms || !slots.MayGoWithout();
    if (waited_ms >= options.most_ms || !is_patient) return Fd();
    usleep(kPollMs * 1000);
  }
}

}  // namespace llama::client
