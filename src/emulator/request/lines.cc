#include "emulator/request/lines.h"

#include <algorithm>

namespace llama::emulator {
namespace {

constexpr size_t kMaxWorkers = 4096;

struct Rates {
  const char* connection;
  const char* worker;
  const char* total;
};
constexpr std::array<Rates, 2> kRates = {{
    {"bandwidth.connection.up", "bandwidth.worker.up", "bandwidth.total.up"},
    {"bandwidth.connection.down", "bandwidth.worker.down", "bandwidth.total.down"},
}};

}  // namespace

int64_t Line::Reserve(uint64_t bytes, double bytes_per_s, int64_t now_ns) {
  if (bytes_per_s <= 0) return now_ns;
  const double takes_ns = static_cast<double>(bytes) / bytes_per_s * 1e9;
  free_at_ns_ = std::max(free_at_ns_, now_ns) + static_cast<int64_t>(std::min(takes_ns, 1e15));
  return free_at_ns_;
}

int64_t Lines::Reserve(Direction direction, const std::string& worker, uint64_t bytes,
                       ConnectionLines& connection, int64_t now_ns) {
  const auto index = static_cast<size_t>(direction);
  const Rates& rates = kRates[index];
  int64_t through = connection.lines[index].Reserve(bytes, model_.Number(rates.connection), now_ns);
  const double worker_rate = worker.empty() ? 0 : model_.Number(rates.worker);
  const double total_rate = model_.Number(rates.total);
  if (worker_rate <= 0 && total_rate <= 0) return through;
  const MutexLock lock(mutex_);
  through = std::max(through, total_[index].Reserve(bytes, total_rate, now_ns));
  if (worker_rate <= 0) return through;
  if (workers_.size() >= kMaxWorkers) {
    std::erase_if(workers_, [&](const auto& item) {
      return item.second[0].free_at_ns() <= now_ns && item.second[1].free_at_ns() <= now_ns;
    });
  }
  return std::max(through, workers_[worker][index].Reserve(bytes, worker_rate, now_ns));
}

bool Lines::IsLimited(Direction direction) const {
  const Rates& rates = kRates[static_cast<size_t>(direction)];
  return model_.Number(rates.connection) > 0 || model_.Number(rates.worker) > 0 ||
         model_.Number(rates.total) > 0;
}

}  // namespace llama::emulator
